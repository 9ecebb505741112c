"""Pictures become inputs as torchvision makes them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from netcalc.backend.images import read_image
from netcalc.graph import Preprocess

from helpers import TESTS, graph_of

CASES = json.loads((TESTS / "golden" / "pictures.json").read_text())


def picture(width: int, height: int) -> Image.Image:
    """The picture that tests/golden/make_pictures.py draws."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127.5 + 127.5 * np.sin(x / (3 + c) + y / (5 - c)) for c in range(3)]
    return Image.fromarray(np.stack(waves, -1).astype(np.uint8))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['picture']}-{case['resize']}-{case['crop']}")
def test_resize_crop_and_normalise_as_torchvision(case: dict[str, Any], tmp_path: Path) -> None:
    picture(*case["picture"]).save(tmp_path / "x.png")
    preprocess = Preprocess(case["resize"], tuple(case["mean"]), tuple(case["std"]))
    array = read_image(tmp_path / "x.png", (3, *case["crop"]), preprocess)
    assert list(array.shape) == case["shape"]
    np.testing.assert_allclose(array.ravel()[::37], case["pixels"], atol=2e-6)


def test_grey_where_the_input_has_one_channel(tmp_path: Path) -> None:
    Image.new("RGB", (5, 5), (255, 255, 255)).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png", (1, 4, 4), Preprocess()).tolist() == np.ones((1, 4, 4)).tolist()


def test_preprocess_of_a_spec() -> None:
    graph = graph_of("input: [3, 8, 8]\npreprocess: {resize: 9, mean: 0.5, std: [1, 2, 3]}\nlayers: [relu]\n")
    assert graph.preprocess == Preprocess(9, (0.5,), (1.0, 2.0, 3.0))
