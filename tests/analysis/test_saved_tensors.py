"""What layers keep for backward, against PyTorch's autograd as tests/golden/make_saved.py records it."""

import json
from typing import Any

import pytest

from netcalc import load
from netcalc.analysis.allocations import Bytes
from netcalc.analysis.memory import training
from netcalc.analysis.precision import PrecisionPolicy, precision_of
from netcalc.graph import Graph
from netcalc.layers import LAYERS, Layer, Saved
from netcalc.tensor import TensorType

from cases import CASES, Case, frozen
from helpers import TESTS, graph_of

GOLDEN: dict[str, Any] = json.loads((TESTS / "golden" / "saved.json").read_text())
FLOAT32 = precision_of("float32")
EXPLAINED = {"efficientnet_b0": -9 * 4 * 2}
"""Where netcalc's spec differs: nine branches that torchvision drops at random, a value a sample each."""

WITH_DROPOUT = """
input: [3, 224, 224]
layers:
  - conv: {filters: 64, kernel: 11, stride: 4, pad: 2}
  - relu
  - maxpool: {kernel: 3, stride: 2}
  - conv: {filters: 192, kernel: 5, pad: 2}
  - relu
  - maxpool: {kernel: 3, stride: 2}
  - conv: {filters: 384, kernel: 3, pad: 1}
  - relu
  - conv: {filters: 256, kernel: 3, pad: 1}
  - relu
  - conv: {filters: 256, kernel: 3, pad: 1}
  - relu
  - maxpool: {kernel: 3, stride: 2}
  - adaptive_avgpool: {size: 6}
  - flatten
  - dropout
  - linear: {units: 4096}
  - relu
  - dropout
  - linear: {units: 4096}
  - relu
  - linear: {units: 1000}
"""


def graph(name: str, shape: list[int]) -> Graph:
    """A network as the golden data names it."""
    return graph_of(WITH_DROPOUT) if name == "alexnet-dropout" else load(name, input=shape)


def beside(saved: Saved, precision: PrecisionPolicy = FLOAT32) -> Bytes:
    return Bytes(precision.extra_bytes(saved.once), precision.extra_bytes(saved.each))


@pytest.mark.parametrize(
    ("kind", "options", "inputs", "needs", "measured"),
    GOLDEN["layers"],
    ids=[f"{number}-{case[0]}" for number, case in enumerate(GOLDEN["layers"])],
)
def test_a_layer_keeps_what_pytorch_keeps(
    kind: str, options: dict[str, Any], inputs: list[list[int]], needs: list[bool], measured: list[Any]
) -> None:
    types = tuple(TensorType(tuple(shape)) for shape in inputs)
    layer = LAYERS[kind](types, **{name: frozen(value) for name, value in options.items()})
    saved = layer.saved(types, layer.infer(types), tuple(needs))
    ours = [[batch, [*saved.inputs], saved.output, beside(saved).at(batch)] for batch, *_ in measured]
    assert ours == measured


def test_the_golden_data_has_every_kind_that_pytorch_has() -> None:
    recorded = {case[0] for case in GOLDEN["layers"]}
    assert {kind for kind, layer in LAYERS.items() if layer.also} <= recorded <= set(LAYERS)


@pytest.mark.parametrize(
    ("name", "shape", "batch", "measured"), GOLDEN["networks"], ids=lambda value: str(value)
)
def test_a_network_keeps_what_pytorch_keeps(name: str, shape: list[int], batch: int, measured: int) -> None:
    saved = training(graph(name, shape), loss="none").saved.at(batch)
    assert saved - measured == EXPLAINED.get(name, 0)
    assert abs(saved - measured) < measured / 100


@pytest.mark.parametrize(
    ("name", "shape", "batch", "measured"), GOLDEN["peaks"], ids=lambda value: str(value)
)
def test_the_peak_is_pytorchs(name: str, shape: list[int], batch: int, measured: int) -> None:
    """Of everything that a forward and backward make; the input is there before."""
    network = graph(name, shape)
    trained = training(network, loss="none")
    given = sum(given.type.nbytes for given in network.inputs) * batch
    made = trained.peak(batch) - trained.weights.total - given
    assert made == pytest.approx(measured, rel=0.005)


@pytest.mark.parametrize("layer", LAYERS.values(), ids=list(LAYERS))
def test_every_kind_has_a_rule(layer: type[Layer]) -> None:
    """A kind says what it keeps, and the inputs that it names are its own."""
    for case in (case for case in CASES if case.kind == layer.kind):
        made, types, needs = case.layer, case.types, (True,) * len(case.inputs)
        y = made.infer(types)
        saved = made.saved(types, y, needs)
        assert set(saved.inputs) <= set(range(len(types)))
        assert all(type(count) is int and count >= 0 for extra in (saved.each, saved.once) for count in extra)
        none, whole = (made.backward_macs(types, y, (need,) * len(types)) for need in (False, True))
        macs = made.cost(types, y).macs
        assert none <= whole <= 2 * macs


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_view_has_its_inputs_elements_or_fewer(case: Case) -> None:
    made, types = case.layer, case.types
    if made.view_in(training=True) is not None:
        assert made.infer(types).numel <= types[0].numel
        assert made.saved(types, made.infer(types), (True,)) == Saved()


def test_statistics_stay_wide_in_sixteen_bits() -> None:
    text = "input: [8, 4, 4]\nlayers:\n  - conv: {filters: 8, kernel: 1}\n  - batchnorm\n  - maxpool: {kernel: 2}\n"
    half = training(graph_of(text), "bfloat16")
    norm, pool = half.layers[1].saved, half.layers[2].saved
    assert norm == Bytes(fixed=2 * 8 * 4, per_sample=8 * 16 * 2)
    assert pool == Bytes(per_sample=8 * 16 * 2 + 8 * 4 * 8)
