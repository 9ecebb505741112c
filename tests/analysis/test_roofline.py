"""Rooflines: operations, bytes and times by hand, and laws over the zoo; devices and their table."""

from math import inf, prod
from pathlib import Path

import pytest

import netcalc
from netcalc.analysis import analyze
from netcalc.analysis.devices import Device, read_devices
from netcalc.analysis.roofline import Roofline, Work, backward_macs, gradients_reach, roofline
from netcalc.diagnostics import SpecError
from netcalc.tensor import DTYPES

from helpers import TESTS, graph_of

PLAIN = Device("plain", "Plain", 2**30, 1e9, {"float32": 1e10, "tf32": 4e10, "float16": 2e10}, "by hand")
NETWORKS = ("alexnet", "resnet18", "densenet121", "mobilenet_v2", "vit_b_16", "gpt2", "unet", "googlenet")


def found(text: str, batch: int = 1, dtype: str = "float32") -> Roofline:
    return roofline(graph_of(text), PLAIN, batch, dtype)


def test_two_convolutions_by_hand() -> None:
    text = """
input: [3, 8, 8]
layers:
  - conv: {filters: 4, kernel: 3, pad: 1}
  - relu
  - conv: {filters: 5, kernel: 1}
"""
    first, second = found(text, batch=10).layers
    macs, inputs, middle, last = 4 * 64 * 27, 3 * 64, 4 * 64, 5 * 64
    assert first.forward == Work(10 * (2 * macs + middle), 4 * (10 * inputs + 112 + 10 * middle))
    # no gradient for the picture: the weights' alone, from the picture and the output's gradient
    assert first.backward == Work(10 * (2 * macs + middle), 4 * (10 * middle + 112 + 10 * inputs))
    macs = 5 * 64 * 4
    assert second.forward == Work(10 * 2 * macs, 4 * (10 * middle + 25 + 10 * last))
    assert second.backward == Work(10 * 4 * macs, 4 * (10 * last + 2 * 10 * middle + 2 * 25))


def test_pooling_merging_and_views() -> None:
    text = """
input: [3, 8, 8]
layers:
  - conv: {name: a, filters: 4, kernel: 1}
  - maxpool: {name: b, kernel: 2}
  - relu: {name: c}
  - add: {name: d, from: [c, b]}
  - flatten: {name: e}
"""
    layers = {layer.rows[0].node.name: layer for layer in found(text).layers}
    assert layers["b"].forward == Work(4 * 16 * 4, 4 * (4 * 64 + 4 * 16))
    assert layers["b"].backward == Work(4 * 16 * 4, 4 * (4 * 64 + 4 * 16))
    assert layers["c"].forward == Work(
        4 * 16, 4 * 2 * 4 * 16
    )  # not in place: d reads what it would overwrite
    assert layers["d"].forward == Work(4 * 16, 4 * 3 * 4 * 16)
    assert layers["d"].backward.bytes == 0
    assert layers["e"].forward == layers["e"].backward == Work()
    assert layers["e"].forward.intensity is None


def test_an_embedding_reads_what_it_looks_up() -> None:
    text = "input: [6]\nlayers:\n  - embedding: {entries: 1000, width: 8}\n"
    (layer,) = found(text).layers
    assert layer.forward.bytes == 4 * (6 + 6 * 8 + 6 * 8)
    assert layer.backward.bytes == 4 * (6 * 8 + 6 * 8)


def test_both_operands_of_a_product_need_a_gradient() -> None:
    text = """
input: [4, 6]
layers:
  - linear: {name: q, units: 8}
  - linear: {name: k, from: input, units: 8}
  - scaled_dot_product_attention: {name: a, heads: 2, from: [q, k, k]}
"""
    graph = graph_of(text)
    rows = {row.node.name: row for row in analyze(graph).rows}
    reached = gradients_reach(graph)
    assert backward_macs(rows["q"], reached) == rows["q"].figures.macs
    assert backward_macs(rows["a"], reached) == 2 * rows["a"].figures.macs


def test_what_nothing_before_trains_has_no_way_back() -> None:
    text = "input: [3, 8, 8]\nlayers:\n  - avgpool: {kernel: 2}\n  - global_avgpool\n  - linear: {units: 2}\n"
    pool, everything, linear = found(text).layers
    assert pool.backward == everything.backward == Work()
    assert linear.backward == Work(2 * 6, 4 * (2 + 8 + 3))


def test_times_are_the_longer_of_both() -> None:
    limits = found("input: [4]\nlayers:\n  - linear: {units: 2}\n")
    assert PLAIN.balance("float32") == 10.0
    for work, seconds, memory_bound in (
        (Work(10**10, 1), 1.0, False), (Work(1, 10**9), 1.0, True), (Work(10**10, 10**9), 1.0, False),
        (Work(), 0.0, False), (Work(0, 10**9), 1.0, True),
    ):  # fmt: skip
        assert limits.seconds(work) == seconds
        assert limits.is_memory_bound(work) is memory_bound


def test_a_step_is_forward_backward_and_update() -> None:
    limits = found("input: [4]\nlayers:\n  - linear: {units: 2}\n", batch=5)
    (layer,) = limits.layers
    parts = limits.seconds(layer.forward) + limits.seconds(layer.backward) + limits.seconds(Work(20, 3 * 40))
    assert limits.step_seconds == pytest.approx(parts)
    assert limits.steps(12, 3) == 9
    assert limits.training_seconds(12, 3) == pytest.approx(12 / 5 * 3 * parts)


def test_tf32_lies_in_memory_as_float32_and_float16_in_half() -> None:
    text = "input: [3, 8, 8]\nlayers:\n  - conv: {filters: 4, kernel: 3}\n"
    full, tf32, half = (
        found(text, dtype=dtype).layers[0].forward for dtype in ("float32", "tf32", "float16")
    )
    assert full == tf32
    assert (half.operations, 2 * half.bytes) == full


@pytest.mark.parametrize("name", NETWORKS)
def test_laws_over_the_zoo(name: str) -> None:
    graph = netcalc.load(name)
    one, ten = (roofline(graph, PLAIN, batch, "float32") for batch in (1, 10))
    report = analyze(graph, 1, "float32", "flops")
    assert sum(layer.forward.operations for layer in one.layers) == report.totals.flops
    assert [row for layer in one.layers for row in layer.rows] == list(report.rows)
    assert one.forward_seconds < ten.forward_seconds <= 10 * one.forward_seconds
    assert one.step_seconds < ten.step_seconds < 10 * one.step_seconds
    operations = sum(layer.backward.operations for layer in one.layers)
    assert report.totals.macs * 2 < operations <= 4 * report.totals.macs + report.totals.other_ops
    for layer in one.layers:
        work = layer.forward
        assert one.seconds(work) >= work.operations / 1e10
        assert one.seconds(work) >= work.bytes / 1e9
        if work.intensity is not None:
            assert one.is_memory_bound(work) is (work.intensity < PLAIN.balance("float32"))


def test_bytes_moved_are_not_below_what_comes_in_and_goes_out() -> None:
    graph = netcalc.load("alexnet")
    limits = roofline(graph, PLAIN, 4, "float32")
    moved = sum(layer.forward.bytes for layer in limits.layers)
    given, taken = prod(graph.inputs[0].type.shape), 1000
    assert moved >= 4 * (4 * (given + taken) + limits.report.totals.params)


def test_the_bundled_devices() -> None:
    devices = read_devices()
    assert set(devices) == {"gtx580", "v100", "a100", "h100", "h200", "b200", "ryzen7840u", "a17npu"}
    for key, device in devices.items():
        assert device.key == key
        assert device.source
        assert 1e9 < device.bytes_per_second < 1e13
        for peak in device.operations_per_second.values():
            assert 1e11 < peak < 1e16
        order = [
            name
            for name in ("float64", "float32", "tf32", "float16", "int8")
            if name in device.operations_per_second
        ]
        peaks = [device.operations_per_second[name] for name in order]
        assert peaks == sorted(peaks)
    gtx = devices["gtx580"]
    assert gtx.memory_bytes == 3 * 2**30
    assert gtx.operations_per_second["float32"] == pytest.approx(512 * 2 * 1.544e9, rel=1e-3)
    assert devices["h100"].stored_as("tf32") == DTYPES["float32"]


def test_every_device_is_documented() -> None:
    page = (TESTS.parent / "docs" / "roofline.md").read_text()
    for device in read_devices().values():
        peaks = device.operations_per_second
        line = next(line for line in page.splitlines() if line.startswith(f"| `{device.key}` |"))
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[1] == device.name
        told = {"float32": peaks.get("float32"), "tf32": peaks.get("tf32"), "float16": peaks.get("float16"),
                "int8": peaks.get("int8")}  # fmt: skip
        assert cells[2:6] == [f"{peak / 1e12:g}" if peak else "" for peak in told.values()]
        assert cells[6] == f"{device.bytes_per_second / 1e9:g}"


OWN = """
mine:
  name: My own
  memory_gib: 1.5
  bandwidth_giga: 10
  peak_tera: {float32: 0.5, tf32: 1}
"""


def test_devices_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "devices.yaml"
    path.write_text(OWN)
    mine = read_devices(str(path))["mine"]
    assert mine == Device("mine", "My own", 3 * 2**29, 1e10, {"float32": 5e11, "tf32": 1e12}, "")
    path.write_text(OWN.replace("mine:", "a100:"))
    assert read_devices(str(path))["a100"].name == "My own"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (OWN, "- 1\n", "a table of devices is a mapping, not a list"),
        (OWN, "mine: 3\n", "the device mine is a mapping, not 3"),
        ("memory_gib", "memory", "the device mine has no 'memory'"),
        ("  bandwidth_giga: 10\n", "", "the device mine has no bandwidth_giga"),
        ("float32: 0.5", "fp32: 0.5", "peak_tera has no 'fp32'"),
        ("float32: 0.5", "float32: fast", "float32 is a number above 0 and below 10.9, not the word 'fast'"),
        ("1.5", "0", "memory_gib is a number above 0"),
        ("1.5", "-1", "memory_gib is a number above 0"),
        ("1.5", "1e300", "memory_gib is a number above 0"),
        ("1.5", ".nan", "not a finite number"),
        ("10", "true", "bandwidth_giga is a number above 0"),
        ("{float32: 0.5, tf32: 1}", "{}", "no peak for any element type"),
        ("{float32: 0.5, tf32: 1}", "7", "peak_tera is a mapping, not 7"),
        ("My own", "[1]", "this is a text, not a list"),
        (OWN, "mine: {\n", "not YAML"),
    ],
)  # fmt: skip
def test_mistakes_in_a_table_of_devices(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "devices.yaml"
    path.write_text(OWN.replace(old, new))
    with pytest.raises(SpecError, match=words):
        read_devices(str(path))


def test_a_missing_table() -> None:
    with pytest.raises(SpecError, match="there is no file"):
        read_devices("no/devices.yaml")


def test_no_bound_is_infinite() -> None:
    for device in read_devices().values():
        for dtype in device.operations_per_second:
            limits = roofline(netcalc.load("lenet5"), device, 1, dtype)
            assert 0 < limits.step_seconds < inf
