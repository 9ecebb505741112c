"""Windows of every geometry, on both engines: sizes, kernels, strides, paddings and dilations, each axis its own."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from netcalc.graph import Graph
from netcalc.tensor import TensorType

from engines import plan_differences, small_limits, step_differences
from helpers import graph_of
from plain_runs import PlainRuns
from random_graphs import text
from random_layers import output_of

AXES = [*product((1, 2, 3, 4), (1, 2, 3, 4), (0, 1), (0, 1), (1, 2), (False, True))]
"""Kernel, stride, padding before and after, dilation, and whether pools round up."""
CHANNELS = 3
OPTIONS: dict[str, dict[str, list[Any]]] = {
    "maxpool": {},
    "avgpool": {"count_include_pad": [False, True]},
    "conv": {"filters": [2, 4], "bias": [False, True]},
    "depthwise_conv": {"multiplier": [1, 2]},
    "conv_transpose": {"filters": [2]},
}
MOST = {"conv": 40, "depthwise_conv": 40, "conv_transpose": 40}
"""So many geometries of convolutions are drawn; of pools every one that fits."""


def layers_on(shape: tuple[int, ...], kind: str, seed: int) -> list[dict[str, Any]]:
    """Options of layers that read such an image: geometries of the height in turn, of the width at random."""
    rng, found = np.random.default_rng(seed), []
    for number in rng.permutation(len(AXES)):
        height, tries = AXES[number], (AXES[other] for other in rng.integers(len(AXES), size=30))
        for width in tries:
            options: dict[str, Any] = {
                "kernel": [height[0], width[0]],
                "stride": [height[1], width[1]],
                "pad": [[height[2], height[3]], [width[2], width[3]]],
                "dilation": [height[4], width[4]],
            }
            if kind == "avgpool":
                del options["dilation"]
            if kind in ("maxpool", "avgpool"):
                options["ceil"] = height[5]
            options |= {name: values[rng.integers(len(values))] for name, values in OPTIONS[kind].items()}
            if output_of(kind, options, (TensorType(shape),)) is not None:
                found.append(options)
                break
    return found[: MOST.get(kind)]


def graph_with(kind: str, height: int) -> Graph:
    """Many layers of a kind that read one image, each an output: odd heights as it comes, even ones after a relu."""
    shape = (CHANNELS, height, 1 + 5 * height % 7)
    layers = [{"relu": {"name": "above", "from": "image"}}]
    for number, options in enumerate(layers_on(shape, kind, height)):
        source = "image" if height % 2 else "above"
        layers.append({kind: {"name": f"l{number}", "from": source, **options}})
    outputs = [f"l{number}" for number in range(len(layers) - 1)]
    return graph_of(
        text({"inputs": {"image": list(shape)}, "blocks": {}, "layers": layers, "outputs": outputs})
    )


@pytest.mark.parametrize("height", [2, 5, 6, 7])
@pytest.mark.parametrize("kind", OPTIONS)
def test_engines_run_every_geometry_as_the_plain_path_does(kind: str, height: int) -> None:
    runs = PlainRuns(graph_with(kind, height))
    with small_limits(height > 3):
        assert not list(plan_differences(runs, "float64", 1, 2))
        assert not list(plan_differences(runs, "float64", 3, 1))
        assert not list(step_differences(runs, "float64", 2, 2))
