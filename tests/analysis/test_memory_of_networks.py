"""What whole networks and single layers need, against PyTorch as tests/golden/make_memory.py records it."""

import json
from typing import Any

import pytest

from netcalc import load
from netcalc.analysis.allocations import Bytes
from netcalc.analysis.memory import inference, training
from netcalc.analysis.moments import Moment, forward_moments
from netcalc.analysis.precision import precision_of
from netcalc.graph import Graph
from netcalc.layers import LAYERS
from netcalc.layers.saved import Extra
from netcalc.tensor import TensorType

from cases import CASES, Case, frozen
from helpers import TESTS, behind_parameters, graph_of

GOLDEN: dict[str, Any] = json.loads((TESTS / "golden" / "memory.json").read_text())
NETWORKS: list[list[Any]] = GOLDEN["networks"]
FLOAT32 = precision_of("float32")
ALONE = [
    case
    for case in GOLDEN["layers"]
    # rotations and keys that several heads read are made of many operators, a dilated one without oneDNN too
    if case[0] != "rotary"
    and not (case[0].endswith("attention") and "kv_heads" in case[1])
    and not (case[0] == "conv" and case[1].get("pad") == "causal")
]
WORDS = """
input: [32]
layers:
  - embedding: {name: words, entries: 5000, width: 128}
  - %s
  - linear: {name: head, units: 5000, bias: false, share: words}
"""
SPECS = {
    "lstm_words": WORDS % "lstm: {units: 128, layers: 2}",
    "gru_words": WORDS % "gru: {units: 128}",
}
EXPLAINED: dict[str, dict[str, int]] = {
    # torchvision holds on to each layer's channels and joins them all again; the spec joins one by one
    "densenet121": {"inference": -442368},
    "densenet169": {"inference": -196608},
    # torchvision drops the class token out in place, which keeps all tokens alive; in version 1 it repeats
    # the learned positions of space for every frame, where the spec stretches them
    "mvit_v1_b": {"kept": -221184, "update": -884736},
    "mvit_v2_s": {"kept": -221184},
}
"""Where netcalc's spec computes in another way, and how many bytes more or fewer it takes."""


def graph(name: str, options: dict[str, Any], inputs: list[list[int]]) -> Graph:
    """A network as the golden data names it."""
    if name in SPECS:
        return graph_of(SPECS[name])
    return load(name, args=options) if options else load(name, input=inputs[0])


@pytest.fixture(params=NETWORKS, ids=[case[0] for case in NETWORKS])
def case(request: pytest.FixtureRequest) -> tuple[str, Graph, int, dict[str, int]]:
    """Name, graph, batch and what was measured."""
    name, options, inputs, batch, measured = request.param
    return name, graph(name, options, inputs), batch, measured


def expected(name: str, figure: str, measured: int) -> int:
    """What ours has to be: the same, but for what is explained."""
    return measured + EXPLAINED.get(name, {}).get(figure, 0)


def test_inference_is_pytorchs_to_the_byte(case: tuple[str, Graph, int, dict[str, int]]) -> None:
    name, network, batch, measured = case
    found = inference(network)
    assert found.peak(batch) - found.weights == expected(name, "inference", measured["inference"])


def test_saved_tensors_are_pytorchs_to_the_byte(case: tuple[str, Graph, int, dict[str, int]]) -> None:
    name, network, batch, measured = case
    found = training(network, loss="cross_entropy")
    assert found.saved.at(batch) == expected(name, "kept", measured["kept"])


def test_the_step_and_the_update_are_pytorchs(case: tuple[str, Graph, int, dict[str, int]]) -> None:
    """Inputs and targets were there before; the update is Adam's."""
    name, network, batch, measured = case
    found = training(network, optimiser="adam", loss="cross_entropy")
    itemsize = 8 if name in SPECS or name.startswith("gpt2") else 4
    given = sum(each.type.numel * itemsize for each in network.inputs) * batch
    given += sum(loss.target.at(batch) for loss in found.losses)
    step = max(step.parts.total.at(batch) for step in found.timeline if step.phase != "update") - given
    assert step == pytest.approx(measured["step"], rel=0.01)
    update = found.timeline[-1].parts.total.at(batch) + 4  # the loss itself, one number, is still there
    assert update == expected(name, "update", measured["update"])


def test_most_networks_agree_without_an_explanation() -> None:
    assert len(NETWORKS) - len(EXPLAINED) >= 40
    assert len({case[0] for case in NETWORKS}) == len(NETWORKS)


@pytest.mark.parametrize(
    ("kind", "options", "inputs", "batch", "measured"),
    ALONE,
    ids=[f"{number}-{case[0]}" for number, case in enumerate(ALONE)],
)
def test_a_layer_alone_takes_what_pytorchs_takes(
    kind: str, options: dict[str, Any], inputs: list[list[int]], batch: int, measured: int
) -> None:
    types = tuple(TensorType(tuple(shape)) for shape in inputs)
    layer = LAYERS[kind](types, **{name: frozen(value) for name, value in options.items()})
    y = layer.infer(types)
    itemsize = 8 if kind == "embedding" else 4
    highest = 0
    inside = layer.operators(types, y)
    for moment in (Moment(),) if inside is None else forward_moments(inside):
        read = range(len(types)) if moment.inputs is None else moment.inputs
        given = sum(types[position].numel * itemsize for position in read)
        each = FLOAT32.extra_bytes(moment.each) + moment.output * y.numel * 4 + given
        highest = max(highest, Bytes(FLOAT32.extra_bytes(moment.once), each).at(batch))
    assert highest == measured


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_layer_makes_inside_is_what_it_says(case: Case) -> None:
    """Its last operator makes the output; if its operators say what they keep, that is what it keeps."""
    y = case.layer.infer(case.types)
    inside = case.layer.operators(case.types, y)
    if inside is None:
        return
    *before, last = inside.listed
    assert last.each == Extra(values=y.numel)
    learned = sum(param.numel for param in case.layer.params(case.types) if param.trainable)
    assert sum(operator.weights for operator in inside.listed) <= learned
    kept = {number for operator in inside.listed for number in operator.saves}
    if not kept or not before:
        return
    total = Extra()
    for operator in inside.listed:
        total = total.plus(operator.workspace if operator.saves else Extra())
    for number in kept - {*range(inside.inputs), inside.inputs + len(before)}:
        total = total.plus(before[number - inside.inputs].each)
    needs = (True,) * len(case.types)
    assert total == case.layer.saved(case.types, y, needs).each


OTHERWISE = (
    *("rnn", "lstm", "gru", "window_attention", "pooled_attention", "lrn", "rotary", "subtract"),
    *("leaky_relu", "elu", "selu", "celu"),
)
"""Whose backward passes are formulas of many operators, which hand a gradient on for one input alone, or which are
recorded where they are not in place.
"""


def is_counted(kind: str, options: dict[str, Any], inputs: list[list[int]]) -> bool:
    """Whether a backward is counted operator by operator."""
    attends = kind == "scaled_dot_product_attention" and inputs[1] != inputs[2]
    is_view = (kind == "reduce" and options.get("how") == "sum") or (kind == "add" and len(inputs) > 2)
    return kind not in OTHERWISE and not attends and not is_view and options.get("mode") != "circular"


@pytest.mark.parametrize(
    ("kind", "options", "inputs", "batch", "measured"),
    [case for case in GOLDEN["ways_back"] if is_counted(*case[:3])],
    ids=lambda value: str(value),
)
def test_the_backward_of_a_layer_alone_takes_what_pytorchs_takes(
    kind: str, options: dict[str, Any], inputs: list[list[int]], batch: int, measured: int
) -> None:
    """Behind layers that are trained and keep nothing; what goes into the layer was there before."""
    types = tuple(TensorType(tuple(shape)) for shape in inputs)
    layer = LAYERS[kind](types, **{name: frozen(value) for name, value in options.items()})
    network = behind_parameters(layer, types)
    (own,) = (number for number, node in enumerate(network.nodes) if node.full_name == "y")
    kept = layer.saved(types, network.nodes[own].output, (kind != "embedding",) * len(types)).inputs
    given = sum(types[number].numel * (8 if kind == "embedding" else 4) for number in kept) * batch
    steps = training(network, loss="none").timeline
    totals = [step.parts.total.at(batch) for step in steps if (step.phase, step.layer) == ("backward", own)]
    # a bias beside attention's projections, which are one tensor, is summed before it is shown as three
    assert measured - (max(totals) - given) in ((0,) if kind != "multi_head_attention" else range(1000))
