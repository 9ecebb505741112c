"""Every classification model that torchvision publishes, by integer.

`tests/golden/torchvision.json` holds what its builders measure: learnable parameters, buffers,
multiply-adds of convolutions and matrix products, and for some the output shapes of their leaves.
"""

import json
from typing import Any

import pytest

from netcalc import load
from netcalc.analysis import Report, analyze
from netcalc.spec import bundled_names

from helpers import TESTS

MODELS: dict[str, Any] = json.loads((TESTS / "golden" / "torchvision.json").read_text())["models"]
CASES = [(name, measured) for name, model in MODELS.items() for measured in model["measured"]]
BUILT_AS = {"inception_v3": "inception_v3-aux"}
"""Built with a head that only training runs: its parameters are measured, its multiply-adds are not."""
KINDS = {"Conv2d": "conv", "BatchNorm2d": "batchnorm", "MaxPool2d": "maxpool", "Linear": "linear"}


def kind_of(row: Any) -> str:
    kind: str = row.node.layer.kind
    return "conv" if kind == "depthwise_conv" else kind


def running_statistics(report: Report) -> int:
    """Buffers as PyTorch counts them: with one counter of batches a batch norm."""
    return report.totals.buffers + sum(kind_of(row) == "batchnorm" for row in report.rows)


def test_no_model_is_missing() -> None:
    assert sorted(set(MODELS) - set(bundled_names())) == []


@pytest.mark.parametrize(
    ("name", "measured"),
    CASES,
    ids=[f"{name}-{'x'.join(map(str, measured['input']))}" for name, measured in CASES],
)
def test_figures(name: str, measured: dict[str, Any]) -> None:
    graph = load(name, input=measured["input"])
    report = analyze(graph)
    assert report.totals.macs == measured["macs"]
    assert graph.types[graph.outputs[-1]].shape == tuple(measured["output"])
    if name in BUILT_AS:
        report = analyze(load(BUILT_AS[name], input=measured["input"]))
    assert report.totals.params == measured["params"]
    if not any(kind_of(row) == "window_attention" for row in report.rows):  # its buffers are index tables
        assert running_statistics(report) == measured["buffers"]


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if "leaves" in model])
def test_leaf_shapes_in_order(name: str) -> None:
    model = MODELS[name]
    report = analyze(load(name, input=model["measured"][0]["input"]))
    ours = [(kind_of(row), list(row.output_shape)) for row in report.rows if kind_of(row) in KINDS.values()]
    assert ours == [(KINDS[kind], shape) for kind, shape in model["leaves"] if kind in KINDS]
