"""Rooflines: operations, bytes and times by hand, and laws over the zoo; devices and their table."""

import re
from dataclasses import replace
from math import inf, prod
from pathlib import Path

import pytest

import netcalc
from netcalc.analysis import analyze
from netcalc.analysis.devices import Device, read_devices
from netcalc.analysis.fusion import Fusion
from netcalc.analysis.memory import training
from netcalc.analysis.roofline import LayerWork, Roofline, Work, roofline
from netcalc.diagnostics import SpecError
from netcalc.graph import Graph, Node
from netcalc.layers import LAYERS
from netcalc.tensor import DTYPES

from cases import CASES, Case
from helpers import TESTS, graph_of
from random_graphs import random_graph
from test_layers import graph_of_case

PLAIN = Device("plain", "Plain", 2**30, 1e9, {"float32": 1e10, "tf32": 4e10, "float16": 2e10}, "by hand")
NETWORKS = ("alexnet", "resnet18", "densenet121", "mobilenet_v2", "vit_b_16", "gpt2", "unet", "googlenet")


def found(text: str, batch: int = 1, dtype: str = "float32", fusion: Fusion = "elementwise") -> Roofline:
    return roofline(graph_of(text), PLAIN, batch, dtype, fusion)


def kernels(text: str, fusion: Fusion = "elementwise") -> dict[str, LayerWork]:
    """Each kernel by the names of its layers, joined."""
    listed = found(text, fusion=fusion).layers
    return {" ".join(row.node.full_name for row in layer.rows): layer for layer in listed}


TWO_CONVOLUTIONS = """
input: [3, 8, 8]
layers:
  - conv: {filters: 4, kernel: 3, pad: 1}
  - relu
  - conv: {filters: 5, kernel: 1}
"""


def test_two_convolutions_by_hand() -> None:
    first, second = found(TWO_CONVOLUTIONS, batch=10).layers
    macs, inputs, middle, last = 4 * 64 * 27, 3 * 64, 4 * 64, 5 * 64
    assert first.forward == Work(10 * 2 * macs, 4 * (10 * inputs + 112 + 10 * middle))
    # no gradient for the picture: the weights' alone, from the picture and the output's gradient
    assert first.backward == Work(10 * 2 * macs, 4 * (10 * middle + 112 + 10 * inputs))
    macs = 5 * 64 * 4
    assert second.forward == Work(10 * 2 * macs, 4 * (10 * middle + 25 + 10 * last))
    assert second.backward == Work(10 * 4 * macs, 4 * (10 * last + 2 * 10 * middle + 2 * 25))


def test_unfused_each_layer_reads_and_writes() -> None:
    first, relu, second = found(TWO_CONVOLUTIONS, fusion="none").layers
    middle = 4 * 64
    fused_first, fused_second = found(TWO_CONVOLUTIONS).layers
    assert (first.forward, second.forward) == (fused_first.forward, fused_second.forward)
    assert relu.forward == Work(0, 4 * 2 * middle)
    assert relu.backward == Work(0, 4 * 3 * middle)  # its output tells where the gradient passes


RESIDUAL = """
input: [4, 8, 8]
layers:
  - conv: {name: a, filters: 4, kernel: 3, pad: 1}
  - batchnorm: {name: an}
  - relu: {name: ar}
  - conv: {name: b, filters: 4, kernel: 3, pad: 1}
  - batchnorm: {name: bn}
  - add: {name: sum, from: [bn, ar]}
  - relu: {name: out}
  - global_avgpool: {name: pool}
"""


def test_a_residual_block_is_two_kernels_and_its_sum_is_formed_on_the_way() -> None:
    x, weights = 4 * 64, 4 * 36 + 4
    first, second, pool = kernels(RESIDUAL).values()
    assert list(kernels(RESIDUAL)) == ["a an ar", "b bn sum out", "pool"]
    assert first.forward.bytes == 4 * (2 * x + weights)
    # b reads what a wrote once, for the product and for the sum; its own output is never written
    assert second.forward.bytes == 4 * (2 * x + weights)
    assert pool.forward == Work(0, 4 * (x + 4))
    # the gradient of the sum is handed on to the shortcut; scale and shift have gradients too
    assert second.backward.bytes == 4 * (x + x + x + 2 * weights + 8)


def test_unfused_a_residual_block_moves_every_tensor() -> None:
    layers = kernels(RESIDUAL, "none")
    assert list(layers) == ["a", "an", "ar", "b", "bn", "sum", "out", "pool"]
    x = 4 * 64
    assert layers["bn"].forward.bytes == 4 * (2 * x + 4 * 4)
    assert layers["bn"].backward.bytes == 4 * (3 * x + 2 * 4)  # gradients, and its input again
    assert layers["sum"].forward.bytes == 4 * 3 * x
    assert layers["sum"].backward == Work()


def test_joined_tensors_are_written_side_by_side() -> None:
    text = """
input: [3, 8, 8]
layers:
  - conv: {name: a, filters: 4, kernel: 1}
  - conv: {name: b, filters: 2, kernel: 1}
  - concat: {name: both, from: [a, b]}
  - batchnorm: {name: norm}
  - conv: {name: c, filters: 1, kernel: 1}
"""
    layers = kernels(text)
    assert list(layers) == ["a", "b both norm", "c"]
    assert layers["b both norm"].forward.bytes == 4 * (4 * 64 + 10 + 2 * 64)
    assert layers["c"].forward.bytes == 4 * (6 * 64 + 7 + 64)
    assert kernels(text, "none")["both"].forward.bytes == 4 * 2 * 6 * 64


def test_a_gate_is_applied_where_its_product_is_read() -> None:
    text = """
input: [4, 8, 8]
layers:
  - conv: {name: a, filters: 4, kernel: 1}
  - adaptive_avgpool: {name: pool, size: 1}
  - conv: {name: gate, filters: 4, kernel: 1}
  - sigmoid
  - multiply: {name: gated, from: [a, sigmoid1]}
  - conv: {name: c, filters: 1, kernel: 1}
"""
    layers = kernels(text)
    assert list(layers) == ["a", "pool", "gate sigmoid1 gated", "c"]
    assert layers["gate sigmoid1 gated"].forward.bytes == 4 * (4 + 20 + 4)
    # forming the product first would move less than its parts to each of many readers
    assert layers["c"].forward.bytes == 4 * (4 * 64 + 5 + 64)


def test_gates_and_products_are_formed_where_their_factors_are_made() -> None:
    """Neither the halves of a gated unit nor the factor that comes last leave the kernel."""
    layers = kernels("input: [4, 6]\nlayers:\n  - linear: {name: a, units: 8}\n  - glu: {name: g}\n")
    assert list(layers) == ["a g"]
    assert layers["a g"].forward.bytes == 4 * (4 * 6 + 56 + 4 * 4)
    assert layers["a g"].backward.bytes == 4 * (4 * 4 + 4 * 6 + 56)
    text = """
input: [4, 6]
layers:
  - linear: {name: a, units: 8}
  - linear: {name: b, from: input, units: 8}
  - multiply: {name: c, from: [a, b]}
"""
    layers = kernels(text)
    assert list(layers) == ["a", "b c"]
    assert layers["b c"].forward.bytes == 4 * (4 * 6 + 56 + 4 * 8 + 4 * 8)
    # the gradient of c and the factor's is read and written; that of b stays inside
    assert layers["b c"].backward.bytes == 4 * (4 * 8 + 4 * 6 + 4 * 8 + 56)


def test_what_nobody_can_pass_on_is_written() -> None:
    (norm,) = found("input: [4, 8, 8]\nlayers:\n  - batchnorm\n").layers
    assert norm.forward.bytes == 4 * (2 * 4 * 64 + 16)
    (flat,) = found("input: [4, 8, 8]\nlayers:\n  - flatten\n").layers
    assert flat.forward == flat.backward == Work()
    assert flat.forward.intensity is None


def test_an_embedding_reads_what_it_looks_up() -> None:
    text = "input: [6]\nlayers:\n  - embedding: {entries: 1000, width: 8}\n"
    (layer,) = found(text).layers
    assert layer.forward.bytes == 4 * (6 + 6 * 8 + 6 * 8)
    assert layer.backward.bytes == 4 * (6 * 8 + 6 * 8)


def test_a_factor_that_is_not_trained_takes_no_product() -> None:
    text = """
input: {x: [4, 6], y: [6, 5]}
layers:
  - linear: {name: q, from: x, units: 6}
  - matmul: {name: product, from: [q, y]}
"""
    layers = kernels(text)
    assert layers["product"].backward == Work(2 * 4 * 6 * 5, 4 * (4 * 5 + 6 * 5 + 4 * 6))


def test_a_frozen_layer_takes_no_product_for_its_weights() -> None:
    frozen = TWO_CONVOLUTIONS.replace("kernel: 1", "kernel: 1, trainable: false")
    whole, half = (found(text).layers[1].backward for text in (TWO_CONVOLUTIONS, frozen))
    assert half.operations * 2 == whole.operations
    assert half.bytes == 4 * (5 * 64 + 4 * 64 + 25)  # its input is not read, and no gradient of weights made


def test_nothing_trainable_before_it_means_no_backward() -> None:
    text = "input: [3, 8, 8]\nlayers:\n  - avgpool: {kernel: 2}\n  - global_avgpool\n  - linear: {units: 2}\n"
    pool, everything, linear = found(text).layers
    assert pool.backward == everything.backward == Work()
    assert linear.backward == Work(2 * 6, 4 * (2 + 8 + 3))


def test_resnet50_on_v100_is_not_refuted_by_a_measured_run() -> None:
    """TensorRT, which fuses batch norm, ReLU and sums, took 39.7 ms where 41.7 were the bound without."""
    graph, device = netcalc.load("resnet50"), read_devices()["v100"]
    fused, plain = (roofline(graph, device, 128, "float16", fusion) for fusion in ("elementwise", "none"))
    assert fused.forward_seconds < 39.7 / 41.7 * plain.forward_seconds


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
    plain = roofline(graph, PLAIN, 1, "float32", "none")
    report = analyze(graph)
    for limits in (one, plain):
        there = sum(layer.forward.operations for layer in limits.layers)
        assert there == 2 * (report.totals.macs - masked(graph))
        rows = [row.node.full_name for layer in limits.layers for row in layer.rows]
        assert sorted(rows) == sorted(row.node.full_name for row in report.rows)
        for layer in limits.layers:
            work = layer.forward
            assert limits.seconds(work) >= work.operations / 1e10
            assert limits.seconds(work) >= work.bytes / 1e9
            if work.intensity is not None:
                assert limits.is_memory_bound(work) is (work.intensity < PLAIN.balance("float32"))
    assert one.forward_seconds < ten.forward_seconds <= 10 * one.forward_seconds
    assert one.step_seconds < ten.step_seconds < 10 * one.step_seconds
    assert one.seconds(one.whole) <= one.forward_seconds < plain.forward_seconds
    assert one.backward_seconds < plain.backward_seconds


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_layers_backward_is_the_one_of_memory(case: Case) -> None:
    """Alone, where its input needs no gradient, and after a trained scale of its inputs."""
    for graph in (graph_of_case(case), behind_scales(case)):
        trained = training(graph)
        limits = roofline(graph, PLAIN, 1, "float32")
        back = sum(layer.backward.operations for layer in limits.layers)
        needless = 2 * masked(graph) if trained.backward_macs else 0
        assert back == 2 * (trained.backward_macs - needless)
    types = case.types
    needs = (case.kind != "embedding",) * len(types)
    counted = case.layer.backward_macs(types, case.layer.infer(types), needs)
    assert trained.backward_macs == counted


def masked(graph: Graph) -> int:
    """The multiply-adds of a sample's forward that masks make needless."""
    return sum(node.layer.masked_macs(graph.input_types(node), node.output) for node in graph.nodes)


@pytest.mark.parametrize(("queries", "keys"), [(4, 4), (3, 6), (6, 3), (1, 1)])
def test_causal_attention_needs_the_pairs_that_are_not_masked(queries: int, keys: int) -> None:
    text = f"""
inputs: {{q: [{queries}, 8], k: [{keys}, 8], v: [{keys}, 6]}}
layers:
  - parameter: {{name: a, from: q, shape: [{queries}, 8]}}
  - scaled_dot_product_attention: {{name: y, from: [a, k, v], heads: 2, causal: true}}
"""
    seen = sum(key <= query for query in range(queries) for key in range(keys))
    limits = found(text, batch=3)
    assert sum(layer.forward.operations for layer in limits.layers) == 3 * 2 * seen * (8 + 6)
    assert sum(layer.backward.operations for layer in limits.layers) == 3 * 2 * 2 * seen * (8 + 6)
    assert limits.whole.operations == 3 * 2 * seen * (8 + 6)


def behind_scales(case: Case) -> Graph:
    """The layer of a case, each of whose inputs is scaled by a trained number first."""
    graph = graph_of_case(case)
    (node,) = graph.nodes
    if case.kind == "embedding":
        return graph
    scales = []
    for given in graph.inputs:
        layer = LAYERS["parameter"](shape=(1,), join="multiply")
        params = layer.params((given.type,))
        scales.append(Node(f"{given.name}_scaled", (), layer, (given.name,), given.type, params, node.span))
    scaled = node._replace(inputs=tuple(scale.full_name for scale in scales))
    return replace(graph, nodes=(*scales, scaled))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_backward_is_the_one_of_memory(name: str) -> None:
    graph = netcalc.load(name)
    trained = training(graph)
    for fusion in ("none", "elementwise"):
        limits = roofline(graph, PLAIN, 3, "float32", fusion)
        back = sum(layer.backward.operations for layer in limits.layers)
        assert back == 2 * 3 * (trained.backward_macs - 2 * masked(graph))
        there = sum(layer.forward.operations for layer in limits.layers)
        assert there == 2 * 3 * (trained.forward_macs - masked(graph))


def test_bytes_moved_are_not_below_what_comes_in_and_goes_out() -> None:
    graph = netcalc.load("alexnet")
    limits = roofline(graph, PLAIN, 4, "float32")
    moved = sum(layer.forward.bytes for layer in limits.layers)
    given, taken = prod(graph.inputs[0].type.shape), 1000
    assert moved >= 4 * (4 * (given + taken) + limits.report.totals.params)


def test_the_bundled_devices() -> None:
    devices = read_devices()
    assert set(devices) == {
        "gtx580", "v100", "t4", "a10", "a100", "l4", "l40s", "h100", "h200", "b200", "rtx3060", "rtx3090",
        "rtx4090", "rtx5090", "mi300x", "tpuv4", "tpuv5e", "orin", "m1", "m2max", "m4max", "a17npu",
        "ryzen7840u", "pi5",
    }  # fmt: skip
    for key, device in devices.items():
        assert device.key == key
        assert re.search(r"(20[12]\d|documentation)", device.source), "a source has a title and a year"
        assert 1e9 < device.bytes_per_second < 1e13
        for peak in device.operations_per_second.values():
            assert 5e10 < peak < 1e16
        order = [
            name for name in ("float64", "float32", "tf32", "float16") if name in device.operations_per_second
        ]
        peaks = [device.operations_per_second[name] for name in order]
        assert peaks == sorted(peaks)
    gtx = devices["gtx580"]
    assert gtx.memory_bytes == 3 * 2**30
    assert gtx.operations_per_second["float32"] == pytest.approx(512 * 2 * 1.544e9, rel=1e-3)
    volta = devices["v100"].operations_per_second
    assert volta["int8"] == pytest.approx(4 * volta["float32"], rel=1e-2)  # dp4a: no matrix units
    assert devices["h200"].memory_bytes < 141 * 2**30
    assert devices["ryzen7840u"].operations_per_second["float32"] == pytest.approx(8 * 5.1e9 * 32, rel=1e-3)
    assert devices["h100"].stored_as("tf32") == DTYPES["float32"]


def test_every_device_is_documented() -> None:
    page = (TESTS.parent / "docs" / "roofline.md").read_text()
    for device in read_devices().values():
        peaks = device.operations_per_second
        line = next(line for line in page.splitlines() if line.startswith(f"| `{device.key}` |"))
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[1] == device.name
        peaks_of_page = {"float32": peaks.get("float32"), "tf32": peaks.get("tf32"), "float16": peaks.get("float16"),
                "int8": peaks.get("int8")}  # fmt: skip
        assert cells[2:6] == [f"{peak / 1e12:g}" if peak else "" for peak in peaks_of_page.values()]
        memory = f"{device.memory_bytes / 2**30:.4g}"
        assert cells[6:] == [f"{device.bytes_per_second / 1e9:g}", memory, device.source]


@pytest.mark.parametrize("seed", [*range(900001, 900041), 900067, 900070, 900244, 900386, 900644])
def test_more_fusion_never_takes_longer(seed: int) -> None:
    graph = random_graph(seed)
    fused, plain = (
        roofline(graph, read_devices()["a100"], 32, "float16", fusion) for fusion in ("elementwise", "none")
    )
    rounding = 1 + 1e-9
    assert fused.seconds(fused.whole) <= fused.forward_seconds * rounding
    assert plain.seconds(plain.whole) <= plain.forward_seconds * rounding
    assert fused.forward_seconds <= plain.forward_seconds * rounding
    assert fused.backward_seconds <= plain.backward_seconds * rounding


@pytest.mark.parametrize(
    ("layer", "read"),
    [
        ("conv: {filters: 2, kernel: 1, stride: 2, bias: false}", 3 * 4 * 5),
        ("conv: {filters: 2, kernel: 2, stride: 3, pad: 1}", 3 * 5 * 6),
        ("maxpool: {kernel: 1, stride: 4}", 3 * 2 * 3),
        ("avgpool: {kernel: 3, stride: 2}", 3 * 7 * 9),
        ("interpolate: {size: [2, 3]}", 3 * 2 * 3),
        ("upsample: {factor: 2}", 3 * 8 * 9),
    ],
)  # fmt: skip
@pytest.mark.parametrize("between", ["relu: {name: b}", "batchnorm: {name: b}"])
def test_what_strides_leap_over_is_not_read(layer: str, read: int, between: str) -> None:
    """Of 3x8x9, through what is fused with the reader too."""
    for items in ([layer], [between, layer]):
        lines = "".join(f"  - {item}\n" for item in items)
        limits = found(f"input: [3, 8, 9]\nlayers:\n{lines}")
        (*_, row), work = limits.layers[-1].rows, limits.layers[-1].forward
        weights = row.figures.params if row.node.params else 0
        assert work.bytes == 4 * (read + weights + row.node.output.numel)


def test_one_kernel_reads_what_views_leave() -> None:
    limits = found("""
input: {x: [3, 64, 64], unread: [100]}
layers:
  - crop: {size: 8, from: x}
  - conv: {filters: 2, kernel: 3}
""")
    assert limits.whole.bytes == 4 * (3 * 64 + 2 * 28 + 2 * 36)


def test_a_tensor_that_is_read_twice_is_moved_once() -> None:
    limits = found("""
input: [8, 6, 6]
layers:
  - sigmoid
  - multiply: {from: [input, sigmoid1]}
  - conv: {filters: 2, kernel: 1, bias: false}
""")
    assert limits.layers[-1].forward.bytes == 4 * (8 * 36 + 16 + 2 * 36)


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
