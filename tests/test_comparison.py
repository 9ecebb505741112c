"""docs/comparison.md: its tables are the recorded ones, and each figure is accounted for to the last unit.

`benchmarks/counters/measured.json` holds what other tools report. What each of them adds to the multiply-adds
or leaves out is computed here from the layers.
"""

import importlib.util
import json
import re
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import pytest

from netcalc import load
from netcalc.analysis import Report, Row, analyze

from helpers import TESTS

FOLDER = TESTS.parent / "benchmarks" / "counters"
RECORD: dict[str, Any] = json.loads((FOLDER / "measured.json").read_text())
NETWORKS = list(RECORD["networks"])
POOLING = ("maxpool", "global_avgpool", "reduce")
PAGE = TESTS.parent / "docs" / "comparison.md"


def report_of_network(name: str) -> Report:
    beside = FOLDER / f"{name}.yaml"
    return analyze(load(beside if beside.exists() else name), convention="flops")


class Parts:
    """What the tools add and leave out, summed over the layers of a network."""

    def __init__(self, report: Report) -> None:
        self.rows = report.rows
        self.macs = report.totals.macs
        self.params = report.totals.params

    def total(self, kinds: Iterable[str], each: Callable[[Row], int]) -> int:
        return sum(each(row) for row in self.rows if row.node.layer.kind in kinds)

    def elements(self, *kinds: str) -> int:
        """Elements that layers read."""
        return self.total(kinds, lambda row: prod(row.input_shapes[0]))

    def weights(self, *kinds: str, named: str = "") -> int:
        """Parameters of layers, those of shared ones each time."""
        return self.total(
            kinds, lambda row: sum(p.numel for p in row.node.params if named in p.name and not p.buffer)
        )

    def work(self, *kinds: str) -> int:
        """Multiply-adds."""
        return self.total(kinds, lambda row: row.figures.macs)

    @property
    def biases(self) -> int:
        """Additions of biases outside attention: one an output."""
        return self.total(
            ("conv", "linear"),
            lambda row: prod(row.output_shape) if any(p.name == "bias" for p in row.node.params) else 0,
        )

    @property
    def attention_biases(self) -> int:
        """Four of them, for queries, keys, values and the output."""
        return 4 * self.elements("multi_head_attention", "window_attention")

    @property
    def window_projections(self) -> int:
        """4 P C^2; at this size no window is padded."""
        return self.total(
            ("window_attention",), lambda row: 4 * prod(row.output_shape) * row.output_shape[-1]
        )

    @property
    def products(self) -> int:
        """Scores and weighted values of multi-head attention: 2 T^2 D."""
        return self.total(
            ("multi_head_attention",), lambda row: 2 * row.output_shape[0] ** 2 * row.output_shape[1]
        )

    @property
    def scores(self) -> int:
        """What softmax is taken of: T^2 a head; (positions of a window) a position and head."""
        return self.total(
            ("multi_head_attention", "window_attention"),
            lambda row: row.node.layer.heads * prod(row.output_shape[:-1]) * self._seen(row),
        )

    @staticmethod
    def _seen(row: Row) -> int:
        layer: Any = row.node.layer
        return prod(layer.size) if row.node.layer.kind == "window_attention" else row.output_shape[0]

    def of_lstm(self, each_unit: int) -> int:
        """Element-wise operations of LSTMs: so many a unit, layer and step."""
        return self.total(("lstm",), lambda row: each_unit * row.node.layer.layers * prod(row.output_shape))


def torchinfo(parts: Parts) -> int:
    """Weights and biases, times the positions for convolutions and the steps for an LSTM, else once."""
    convolutions = parts.work("conv") + parts.total(
        ("conv",), lambda row: prod(row.output_shape) if len(row.node.params) > 1 else 0
    )
    lstm = parts.total(("lstm",), lambda row: row.output_shape[0] * sum(p.numel for p in row.node.params))
    return convolutions + lstm + parts.weights("linear", "embedding", "batchnorm", "layernorm")


def fvcore(parts: Parts) -> int:
    norms = 2 * parts.elements("batchnorm") + 5 * parts.elements("layernorm")
    pooled = parts.elements("global_avgpool", "reduce")
    return parts.macs - parts.products - parts.work("lstm") + norms + pooled


def ptflops(parts: Parts) -> int:
    """Activations and pooling are counted as modules and once more as the functions that these call."""
    twice = 2 * parts.elements("relu", "gelu", *POOLING)
    norms = 2 * parts.elements("batchnorm") + parts.elements("layernorm")
    attention = 5 * parts.elements("multi_head_attention") + parts.scores - parts.window_projections
    return parts.macs + parts.biases + twice + norms + attention + parts.of_lstm(18)


def ptflops_aten(parts: Parts) -> int:
    return parts.macs - parts.products - parts.work("lstm") + parts.biases + parts.attention_biases


def calflops(parts: Parts) -> int:
    return parts.macs - parts.products - parts.work("lstm")


def thop(parts: Parts) -> int:
    norms = 4 * parts.elements("batchnorm", "layernorm")
    pooled = parts.total(
        ("global_avgpool", "reduce"), lambda row: prod(row.input_shapes[0]) + prod(row.output_shape)
    )
    attention = parts.work("multi_head_attention", "window_attention")
    return parts.macs - attention + norms + pooled + parts.of_lstm(16)


MULTIPLY_ADDS = (torchinfo, fvcore, ptflops, ptflops_aten, calflops, thop)


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> tuple[str, Report]:
    return request.param, report_of_network(request.param)


def test_netcalc_counts_what_pytorch_counts(network: tuple[str, Report]) -> None:
    name, report = network
    recorded = RECORD["networks"][name]
    totals = report.totals
    assert recorded["netcalc"]["figures"] == {"macs": totals.macs, "flops": totals.flops}
    assert recorded["pytorch"]["figures"]["flops"] == 2 * totals.macs
    assert recorded["netcalc"]["params"] == recorded["pytorch"]["params"] == totals.params


def test_the_others_multiply_adds_are_accounted_for(network: tuple[str, Report]) -> None:
    name, report = network
    for tool in MULTIPLY_ADDS:
        figures = RECORD["networks"][name][tool.__name__]["figures"]
        assert next(iter(figures.values())) == tool(Parts(report)), tool.__name__


def test_the_others_parameters_are_accounted_for(network: tuple[str, Report]) -> None:
    name, report = network
    parts = Parts(report)
    unseen = parts.weights("embedding", "multi_head_attention", "window_attention", "parameter")
    tied = sum(p.numel for row in parts.rows if name == "tied" and row.node.shared for p in row.node.params)
    of_keras = {
        "resnet50": report.totals.buffers + parts.total(("conv",), lambda row: row.output_shape[0]),
        "lstm": -parts.weights("lstm", named="bias_hh"),
    }
    differences = {"torchinfo": tied, "thop": tied - unseen, "keras": of_keras.get(name, 0)}
    recorded = {tool: counted["params"] for tool, counted in RECORD["networks"][name].items()}
    assert recorded == {tool: parts.params + differences.get(tool, 0) for tool in recorded}


def test_the_tables_of_the_page_are_the_recorded_ones() -> None:
    spec = importlib.util.spec_from_file_location("tables", FOLDER / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    page = PAGE.read_text()
    assert page.count("<!-- measured: ") == 3
    assert tables.with_tables(page, RECORD) == page, "run python benchmarks/counters/tables.py"


def test_what_the_page_quotes_was_said(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    page = PAGE.read_text()
    shown = cli("table", "broken.yaml").err.strip()
    assert shown.startswith(RECORD["broken"]["netcalc"])
    said = "\n".join(
        line for tools in RECORD["networks"].values() for t in tools.values() for line in t["said"]
    )
    for quoted in re.findall(r"`\"(.+?)\"`", page):
        assert quoted in said or quoted in "\n".join(RECORD["broken"].values()), quoted
    for name, version in RECORD["versions"].items():
        assert f"{name} {version}" in page
