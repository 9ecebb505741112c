"""`trainable: false`: every figure tells frozen parameters apart, held against PyTorch where it keeps less."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from netcalc import load
from netcalc.analysis.comparison import compare
from netcalc.analysis.devices import Device
from netcalc.analysis.difference import difference
from netcalc.analysis.explain import explain
from netcalc.analysis.memory import inference, training
from netcalc.analysis.roofline import roofline
from netcalc.graph.flat import flat_spec
from netcalc.train.transfer import freeze

from helpers import TESTS, graph_of, report_of

GOLDEN: dict[str, Any] = json.loads((TESTS / "golden" / "frozen.json").read_text())
PLAIN = Device("plain", "Plain", 2**30, 1e9, {"float32": 1e10}, "by hand")
NET = """
input: [3, 8, 8]
layers:
  - residual:
      name: body
      trainable: %s
      main: [{conv: {filters: 3, kernel: 3, pad: 1}}, batchnorm, {parameter: {shape: [3, 1, 1], join: multiply}}]
  - flatten
  - linear: {name: middle, units: 7, trainable: %s}
  - tanh
  - linear: {name: head, units: 5}
"""
FREE, BODY, MIDDLE = NET % ("true", "true"), NET % ("false", "true"), NET % ("true", "false")
BODY_PARAMS, MIDDLE_PARAMS, HEAD_PARAMS = 3 * 27 + 3 + 6 + 3, 192 * 7 + 7, 7 * 5 + 5


def test_totals_tell_them_apart() -> None:
    for text, frozen in ((FREE, 0), (BODY, BODY_PARAMS), (MIDDLE, MIDDLE_PARAMS)):
        totals = report_of(text).totals
        assert totals.params == BODY_PARAMS + MIDDLE_PARAMS + HEAD_PARAMS
        assert totals.trainable_params == totals.params - frozen
        assert (totals.buffers, totals.param_bytes) == (6, 4 * totals.params)


def test_equal_layers_may_be_frozen_or_not() -> None:
    report = report_of("input: [4]\nlayers:\n  - linear: 4\n  - linear: {units: 4, trainable: false}\n")
    assert [row.figures.trainable_params for row in report.rows] == [20, 0]


@pytest.mark.parametrize("text", [BODY, MIDDLE])
def test_memory_has_neither_gradient_nor_state_for_them(text: str) -> None:
    trained = report_of(text).totals.trainable_params
    found = training(graph_of(text), optimiser="adam")
    assert found.weights.parameters == 4 * report_of(text).totals.params
    tensors = sum(param.trainable for node in graph_of(text).nodes for param in node.params)
    assert found.weights.state == 2 * 4 * trained + 4 * tensors  # Adam counts its steps for each
    assert found.timeline[-1].parts.weight_gradients == (4 * trained, 0)
    assert inference(graph_of(text)).weights == inference(graph_of(FREE)).weights


def test_saved_tensors_and_backward() -> None:
    """A frozen layer that no gradient passes keeps nothing; a linear one in the middle not its input."""
    free, body, middle = (training(graph_of(text)) for text in (FREE, BODY, MIDDLE))
    macs = {"conv": 64 * 81, "middle": 192 * 7, "head": 35}
    assert free.backward_macs == macs["conv"] + 2 * macs["middle"] + 2 * macs["head"]
    assert body.backward_macs == macs["middle"] + 2 * macs["head"]
    assert middle.backward_macs == macs["conv"] + macs["middle"] + 2 * macs["head"]
    kept = {layer.node.full_name: layer.saved for layer in body.layers}
    assert not any(any(kept[name]) for name in kept if name.startswith("body"))
    read = 4 * 192
    assert free.saved.per_sample - middle.saved.per_sample == read


@pytest.mark.parametrize(
    ("item", "shape", "free", "frozen"),
    [
        ("linear: {units: 5}", (7, 6), 42, 0),
        ("conv: {filters: 4, kernel: 3}", (3, 8, 8), 192, 192),
        ("layernorm", (7, 6), 42 + 14, 42 + 14),
        ("batchnorm", (3, 8, 8), 192, 192),
        ("rmsnorm", (7, 6), 91, 49),
        ("prelu", (3, 8, 8), 192, 192),
        ("rnn: {units: 5}", (7, 4), 68, 35),
        ("rnn: {units: 5, layers: 2, bidirectional: true}", (7, 4), 286, 140),
        ("gru: {units: 5}", (7, 4), 273, 210),
        ("gru: {units: 5, layers: 2, bidirectional: true}", (7, 4), 1106, 840),
        ("lstm: {units: 5, layers: 2, bidirectional: true}", (7, 4), 1106, 840),
        ("multi_head_attention: {heads: 2}", (7, 8), 294, 238),
    ],
)  # fmt: skip
def test_what_pytorch_keeps(item: str, shape: tuple[int, ...], free: int, frozen: int) -> None:
    """Elements a sample, of saved_tensors_hooks with all parameters at requires_grad=False."""
    for trainable, kept in (("true", free), ("false", frozen)):
        options = item if ":" in item else f"{item}: {{}}"
        options = f"{options[:-1]}{', ' if options[-2] != '{' else ''}trainable: {trainable}}}"
        graph = graph_of(
            f"input: {list(shape)}\nlayers:\n  - parameter: {{shape: {list(shape)}}}\n  - {options}\n"
        )
        assert training(graph).layers[1].saved.per_sample == 4 * kept


@pytest.mark.parametrize("before", ["", "  - linear: {units: 8, trainable: false}\n"])
def test_a_scale_whose_input_needs_no_gradient_keeps_one_tensor(before: str) -> None:
    """As measured in PyTorch: RMSNorm first, and behind a frozen linear layer."""
    found = training(graph_of(f"input: [6, 8]\nlayers:\n{before}  - rmsnorm\n"), loss="none")
    assert found.saved.at(4) == 768


def test_a_frozen_batch_norm_has_no_statistics_of_the_batch() -> None:
    """As PyTorch's in `.eval()`; without running statistics it takes the batch's, frozen or not."""
    text = "input: [3, 8, 8]\nlayers:\n  - parameter: {shape: [3, 8, 8]}\n  - batchnorm: {trainable: %s%s}\n"
    for given, fixed in ((("true", ""), 24), (("false", ""), 0), (("false", ", running: false"), 24)):
        assert training(graph_of(text % given)).layers[1].saved == (fixed, 4 * 192)
    assert graph_of(text % ("false", ", affine: false")).nodes[1].keeps_statistics


@pytest.mark.parametrize(
    ("item", "shape"),
    [
        ("multi_head_attention: {heads: 2}", (64, 32)),
        ("lstm: {units: 8}", (16, 32)),
        ("gru: {units: 8}", (16, 32)),
        ("rmsnorm: {axes: 1}", (16, 32)),
        ("layernorm: {axes: 1}", (16, 32)),
        ("groupnorm: {groups: 2}", (4, 16, 16)),
        ("lrn: {size: 3}", (4, 16, 16)),
        ("maxpool: {kernel: 2}", (4, 16, 16)),
        ("conv: {filters: 4, kernel: 3, pad: 1, padding_mode: reflect}", (4, 16, 16)),
    ],
)  # fmt: skip
def test_a_frozen_forward_takes_at_least_what_inference_takes(item: str, shape: tuple[int, ...]) -> None:
    """What is inside a frozen layer is freed as in inference, and so it may be the peak."""
    layer = item if item.startswith(("lrn", "maxpool")) else f"{item[:-1]}, trainable: false}}"
    graph = graph_of(f"input: {list(shape)}\nlayers:\n  - {layer}\n  - flatten\n  - linear: 2\n")
    step, alone = training(graph), inference(graph)
    assert step.peak_event(8).phase == "forward"
    forward = max(event.parts.total.at(8) for event in step.timeline if event.phase == "forward")
    assert forward >= alone.peak(8) - alone.weights


ENCODER = """
input: [16, 32]
layers:
  - linear: {units: 32, trainable: %s}
  - residual: {trainable: false, main: [layernorm, {multi_head_attention: {heads: 2}}]}
  - linear: 40
"""


def test_a_frozen_attention_takes_in_forward_what_pytorch_takes() -> None:
    """131,072 bytes without the targets: its input, the sum's, the projection and its copies for each head."""
    found = training(graph_of(ENCODER % "false"))
    assert found.peak(8) - found.weights.total - found.losses[0].target.at(8) == 131_072


def test_the_backward_of_a_frozen_attention_has_gradients_of_the_head_alone() -> None:
    found = training(graph_of(ENCODER % "true"))
    attention = next(
        place for place, node in enumerate(found.graph.nodes) if node.layer.kind == "multi_head_attention"
    )
    during = [event.parts for event in found.timeline if event[:2] == ("backward", attention)]
    assert {parts.weight_gradients.fixed for parts in during} == {4 * (32 * 40 + 40)}


@pytest.mark.parametrize("word", ["true", "false"])
def test_multiply_adds_of_a_recomputation_are_counted_once_a_layer(word: str) -> None:
    text = ENCODER % word + "  - linear: 40\n  - relu\n  - linear: 40\n"
    found = training(graph_of(text), checkpoint="sqrt")
    places = {event.layer for event in found.timeline if event.phase == "again"}
    macs = [found.graph.cost(found.graph.nodes[place]).macs for place in places if place is not None]
    assert found.recomputed_macs == sum(macs) > 0


@pytest.mark.parametrize(
    ("name", "shape", "batch", "frozen", "measured"), GOLDEN["networks"], ids=lambda value: str(value)
)
def test_a_network_with_a_frozen_part_keeps_what_pytorch_keeps(
    name: str, shape: list[int], batch: int, frozen: list[str], measured: int
) -> None:
    """And so the saving is PyTorch's, whose figure for the free network is in saved.json."""
    assert training(freeze(load(name, input=shape), frozen), loss="none").saved.at(batch) == measured


@pytest.mark.parametrize(("word", "read"), [("true", 1), ("false", 0)])
def test_a_frozen_norm_scales_its_gradient_without_its_input(word: str, read: int) -> None:
    """Without fusion the backward of a free one reads its input again."""
    text = f"input: [4, 8, 8]\nlayers:\n  - conv: {{filters: 4, kernel: 1}}\n  - batchnorm: {{trainable: {word}}}\n"
    norm = roofline(graph_of(text), PLAIN, 1, "float32", "none").layers[1]
    weights = 2 * 4 * 4 * (word == "true")
    assert norm.backward.bytes == (2 + read) * 4 * 256 + weights


def test_words_of_the_commands(cli: Callable[..., Any], tmp_path: Any) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(BODY)
    assert f"({MIDDLE_PARAMS + HEAD_PARAMS:,} trainable, {BODY_PARAMS} frozen)" in cli("table", str(path)).out
    assert "weight, bias; frozen" in cli("explain", str(path), "body.main.conv1").out
    assert '"trainable_params": 0' in cli("table", str(path), "--format", "json").out


def test_comparisons_show_them() -> None:
    free, body = report_of(FREE), report_of(BODY)
    names = [measure.name for measure in compare([free, body], ["a", "b"]).measures]
    assert "trainable_params" in names
    assert "trainable_params" not in [m.name for m in compare([free, free], ["a", "b"]).measures]
    layers = difference(free, body).layers
    assert [d.what for layer in layers for d in layer.details] == ["trainable"] * 3


def test_a_flat_spec_freezes_alike() -> None:
    graph = graph_of(flat_spec(graph_of(BODY)))
    assert [node.is_frozen for node in graph.nodes if node.params] == [True, True, True, False, False]


def test_explain_counts_a_frozen_layer() -> None:
    report = report_of(MIDDLE)
    row = next(row for row in report.rows if row.node.name == "middle")
    figure = next(found for found in explain(report, row) if found.figure == "params")
    assert (figure.value, figure.remark) == (MIDDLE_PARAMS, "weight, bias; frozen")
