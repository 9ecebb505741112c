"""Folded batch norms change nothing that comes out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.backend import Network, random_inputs
from netcalc.backend.folding import fold

from helpers import graph_of


def network(text: str) -> Network:
    """A network whose statistics are off their starting values."""
    made = Network(graph_of(text), dtype="float64")
    rng = np.random.default_rng(2)
    for name, array in made.parameters().items():
        array += rng.uniform(0, 1, array.shape) if "running_var" in name else rng.normal(0, 0.3, array.shape)
    return made


@pytest.mark.parametrize(
    "layer",
    [
        "conv: {filters: 6, kernel: 3, groups: 3}",
        "conv: {filters: 6, kernel: 3, bias: false, pad: 1, padding_mode: reflect}",
        "depthwise_conv: {kernel: 3, multiplier: 2, bias: false}",
        "conv_transpose: {filters: 4, kernel: 3, stride: 2}",
        "conv_transpose: {filters: 6, kernel: 3, groups: 3, bias: false}",
    ],
)
@pytest.mark.parametrize("norm", ["batchnorm", "batchnorm: {affine: false, eps: 0.1}"])
def test_outputs_are_equal(layer: str, norm: str) -> None:
    made = network(
        f"input: [3, 7, 8]\nlayers:\n  - {layer}\n  - {norm}\n  - flatten\n  - linear: {{units: 4}}\n  - batchnorm\n"
    )
    folded = fold(made.graph, made.parameters())
    assert len(folded.into) == 2
    assert "batchnorm" not in {node.layer.kind for node in folded.graph.nodes}
    again = Network(folded.graph, dtype="float64")
    again.load(folded.arrays)
    x = random_inputs(made.graph, 3, dtype="float64")
    np.testing.assert_allclose(again.forward(x), made.forward(x), rtol=1e-10)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "layers",
    [
        "[relu, batchnorm]",
        "[{conv: {name: c, filters: 3, kernel: 1}}, batchnorm, {add: {from: [c, batchnorm1]}}]",
        "[{conv: {filters: 3, kernel: 1}}, {batchnorm: {running: false}}]",
        "[{linear: {units: 3}}, batchnorm]",
        "[{conv: {name: c, filters: 3, kernel: 1}}, batchnorm, {conv: {filters: 3, kernel: 1, share: c}}]",
    ],
    ids=["after-relu", "read-twice", "no-statistics", "linear-on-positions", "shared"],
)
def test_what_cannot_be_folded_stays(layers: str) -> None:
    made = network(f"input: [3, 4, 4]\nlayers: {layers}\n")
    assert not fold(made.graph, made.parameters()).into


def test_an_output_that_is_folded_is_given_by_the_layer_before() -> None:
    made = network("input: [3, 4, 4]\nlayers: [{conv: {name: c, filters: 3, kernel: 1}}, batchnorm]\n")
    assert fold(made.graph, made.parameters()).graph.outputs == ("c",)


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_the_command_writes_a_network_that_gives_the_same(cli: Any, tmp_path: Path, ending: str) -> None:
    graph = netcalc.load("resnet18", input=(3, 32, 32), args={"classes": 10})
    made = Network(graph, seed=1)
    rng = np.random.default_rng(2)
    for name, array in made.parameters().items():
        if "running_var" in name:
            array += rng.uniform(0, 1, array.shape).astype("float32")
    made.save(tmp_path / "w.safetensors")
    x = random_inputs(graph)["input"]
    np.save(tmp_path / "x.npy", x)
    size = ("--input", "3x32x32", "--set", "classes=10")
    out = str(tmp_path / f"folded.{ending}")
    result = cli("fold", "resnet18", *size, "--weights", str(tmp_path / "w.safetensors"), "-o", out)
    assert (result.code, result.err) == (0, "")
    assert result.out.split()[:4] == ["20", "batch", "norms", "folded:"]
    result = cli("run", str(tmp_path / "folded.yaml"), "--weights", out, "--input", str(tmp_path / "x.npy"),
                 "-o", str(tmp_path / "y.npz"))  # fmt: skip
    assert (result.code, result.err) == (0, "")
    (y,) = np.load(tmp_path / "y.npz").values()
    expected = made.forward(x)
    assert np.abs(y - expected).max() < 1e-5 * np.abs(expected).max()  # type: ignore[arg-type]
    assert netcalc.analyze(netcalc.load(tmp_path / "folded.yaml")).totals.buffers == 0
