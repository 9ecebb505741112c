"""Calls of other frameworks: the item that a help writes for one is a layer with its options."""

import json
import re

import pytest

from netcalc.diagnostics import GraphError

from helpers import graph_of

IMAGE, SEQUENCE, WORDS, VECTOR = "[3, 32, 32]", "[20, 16]", "[20]", "[3072]"


@pytest.mark.parametrize(
    ("input", "call", "options"),
    [
        (IMAGE, "nn.Conv2d(3, 64, 5, 2, padding=1, groups=1)", {"filters": 64, "kernel": (5, 5), "stride": (2, 2)}),
        (IMAGE, "torch.nn.ConvTranspose2d(3, 8, (4, 2), bias=False)", {"kernel": (4, 2), "bias": False}),
        (IMAGE, "Conv2D(filters=8, kernel_size=(3, 5), padding='same')", {"filters": 8, "kernel": (3, 5)}),
        (IMAGE, "layers.Conv2D(8, 3, 2)", {"filters": 8, "kernel": (3, 3), "stride": (2, 2)}),
        (IMAGE, "nn.MaxPool2d(3, stride=2)", {"kernel": (3, 3), "stride": (2, 2)}),
        (IMAGE, "nn.BatchNorm2d(64, momentum=0.2)", {"momentum": 0.2}),
        (IMAGE, "nn.GroupNorm(3, 64)", {"groups": 3}),
        (IMAGE, "nn.AdaptiveAvgPool2d((2, 2))", {"size": (2, 2)}),
        (VECTOR, "nn.Linear(3072, 10)", {"units": 10}),
        (VECTOR, "Dense(10, use_bias=False)", {"units": 10, "bias": False}),
        (VECTOR, "nn.Dropout(p=0.25)", {"rate": 0.25}),
        (VECTOR, "nn.LeakyReLU(0.1, inplace=True)", {"slope": 0.1}),
        (SEQUENCE, "nn.LSTM(16, 30, num_layers=2, batch_first=True)", {"units": 30, "layers": 2}),
        (SEQUENCE, "LSTM(64)", {"units": 64}),
        (SEQUENCE, "nn.MultiheadAttention(16, 8)", {"heads": 8}),
        (WORDS, "nn.Embedding(1000, 64)", {"entries": 1000, "width": 64}),
    ],
)  # fmt: skip
def test_a_call_as_an_item(input: str, call: str, options: dict[str, object]) -> None:
    with pytest.raises(GraphError, match="there is no layer") as caught:
        graph_of(f"input: {input}\nlayers:\n  - {call}\n")
    (problem,) = caught.value.diagnostics
    written = re.fullmatch(r"write (- .*)", problem.help or "")
    assert written
    (node,) = graph_of(f"input: {input}\nlayers:\n  {written[1]}\n").nodes
    assert (
        options.items()
        <= node.layer.settings().items() | {name: getattr(node.layer, name) for name in options}.items()
    )


@pytest.mark.parametrize(
    "call",
    ["nn.Conv2d(3, width, 3)", "nn.Conv2d(*sizes)", "nn.Conv2d(**sizes)", "nn.Conv2d(3, 64", "nn.Conv2d(3, 64, 3, 1, 1, 1, 1, True, 'zeros')",
     "conv(8, 3, 1)", "nn.Conv2d(3, 64, 3, unknown=2)", r"nn.Conv2d(3, '\d', 3, z=1)", f"nn.Conv2d(3, {'9' * 300}, 3)"],
)  # fmt: skip
def test_what_a_call_says_is_not_lost(call: str) -> None:
    """Where a part of it is not known, the help leaves the values open."""
    with pytest.raises(GraphError, match="there is no layer") as caught:
        graph_of(f"input: [3, 32, 32]\nlayers:\n  - {json.dumps(call)}\n")
    (problem,) = caught.value.diagnostics
    assert problem.help == "write - conv: {filters: ..., kernel: ...}"
