"""A plan gives what the plain path gives, whatever it fuses, lays out and shares out."""

import ast
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import netcalc
from netcalc.backend import InferencePlan, Network, random_inputs
from netcalc.backend.blas import single_blas_thread
from netcalc.backend.inputs import token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.backend.plan.buffers import Halo, PlannedTensor, place
from netcalc.backend.plan.dependencies import Footprint, Marks, footprint
from netcalc.backend.plan.lowering import lowered
from netcalc.backend.workers import Share
from netcalc.diagnostics import ExecutionError, NetcalcError
from netcalc.graph import Graph

from cases import CASES
from helpers import graph_of
from random_graphs import random_graph

LARGEST = 1e-4
"""The largest error relative to the largest output, in float32."""

NETS = {
    "lenet5": None, "alexnet": (3, 96, 96), "vgg11": (3, 64, 64), "resnet18": (3, 64, 64),
    "resnet50": (3, 64, 64), "resnext50_32x4d": (3, 64, 64), "googlenet": (3, 64, 64),
    "inception_v3": (3, 96, 96), "densenet121": (3, 64, 64), "mobilenet_v2": (3, 64, 64),
    "mobilenet_v3_small": (3, 64, 64), "shufflenet_v2_x1_0": (3, 64, 64), "squeezenet1_0": (3, 64, 64),
    "efficientnet_b0": (3, 64, 64), "regnet_y_400mf": (3, 64, 64), "convnext_tiny": (3, 64, 64),
    "swin_t": (3, 64, 64), "r3d_18": (3, 4, 32, 32),
    "mnasnet0_5": (3, 64, 64),
}  # fmt: skip


def stirred(graph: Graph, dtype: str = "float32") -> Network:
    """A network whose arrays are all off their starting values, its outputs of a size."""
    network = Network(graph, seed=1, dtype=dtype)
    rng = np.random.default_rng(5)
    for name, array in network.parameters().items():
        if name.endswith("running_var"):
            array[...] = rng.uniform(0.5, 1.5, array.shape)
        elif array.ndim == 1:
            array += rng.normal(0, 0.1, array.shape).astype(dtype)
        elif array.ndim > 2:
            array *= 2
    return network


def difference(network: Network, batch: int, workers: int) -> float:
    """The largest error of a plan's outputs, relative to the largest of each."""
    x = random_inputs(network.graph, batch, seed=7, dtype=network.dtype)
    plain = network.run(x, gradients=False).outputs
    with InferencePlan(network, batch, workers) as plan:
        plan.run(x)
        outputs = plan.run(x)
    assert outputs.keys() == plain.keys()
    for name, y in outputs.items():
        assert y.shape == plain[name].shape
        assert y.dtype == plain[name].dtype
    return max(_relative(y, plain[name]) for name, y in outputs.items())


def _relative(y: Array, expected: Array) -> float:
    return float(np.abs(y - expected).max() / (np.abs(expected).max() + 1e-30))


@pytest.mark.parametrize("name", NETS)
def test_zoo(name: str) -> None:
    network = stirred(netcalc.load(name, input=NETS[name]))
    assert difference(network, batch=2, workers=2) < LARGEST


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "mobilenet_v2", "googlenet", "densenet121"])
@pytest.mark.parametrize("batch", [1, 3])
def test_zoo_with_each_step_shared_out(name: str, batch: int) -> None:
    assert difference(stirred(netcalc.load(name, input=NETS[name])), batch, workers=2) < LARGEST


def test_several_inputs_and_outputs() -> None:
    graph = graph_of(
        "inputs: {a: [3, 9, 9], b: [4, 9, 9]}\noutputs: [left, right, sum]\nlayers:\n"
        "  - conv: {name: left, filters: 4, kernel: 3, pad: 1, from: a}\n"
        "  - relu: {name: right, from: b}\n"
        "  - add: {name: sum, from: [left, right]}\n"
        "  - dropout: {name: idle}\n"
    )
    assert difference(stirred(graph), 2, 2) < LARGEST


def test_shared_parameters_fold_each_with_its_own_norm() -> None:
    graph = graph_of(
        "input: [8, 9, 9]\nlayers:\n"
        "  - conv: {name: one, filters: 8, kernel: 3, pad: 1}\n  - batchnorm\n  - relu\n"
        "  - conv: {share: one, filters: 8, kernel: 3, pad: 1}\n  - batchnorm\n"
    )
    assert difference(stirred(graph), 1, 1) < LARGEST


def test_a_mean_that_is_padded_next() -> None:
    graph = graph_of(
        "input: [8, 9, 9]\nlayers:\n  - global_avgpool: {keep: true}\n  - conv: {filters: 9, kernel: 3, pad: 1}\n"
    )
    assert difference(stirred(graph), 2, 2) < LARGEST


def test_few_channels_that_are_no_picture() -> None:
    graph = graph_of(
        "input: [3, 9, 9]\nlayers:\n  - linear: {units: 7}\n  - conv: {filters: 9, kernel: 3, pad: 1}\n"
    )
    assert difference(stirred(graph), 2, 2) < LARGEST


MIXING = """
input: [6, 8, 8]
layers:
  - conv: {filters: 8, kernel: 3, pad: 1}
  - batchnorm: {running: false}
  - relu
  - conv: {filters: 4, kernel: 1}
  - batchnorm: {running: false, affine: false}
  - flatten
  - linear: {units: 5}
"""


@pytest.mark.parametrize("batch", [2, 4, 8])
def test_statistics_of_the_batch_are_those_of_the_whole_batch(batch: int) -> None:
    assert difference(stirred(graph_of(MIXING)), batch, 2) < LARGEST


@pytest.mark.parametrize("head", ["linear: {units: 7}", "linear: {units: 7, bias: false}"])
def test_what_reads_an_image_inside_a_halo(head: str) -> None:
    """The first convolution makes the input's halo, which the linear layers find there."""
    graph = graph_of(
        "input: [3, 9, 7]\noutputs: [image, product, sum]\nlayers:\n"
        "  - conv: {name: image, filters: 4, kernel: 3, pad: [[1, 2], [3, 0]]}\n"
        f"  - {head.replace('{', '{name: product, from: input, ')}\n"
        "  - add: {name: sum, from: [product, input]}\n"
    )
    for batch in (1, 2, 3):
        for workers in (1, 2):
            assert difference(stirred(graph), batch, workers) < LARGEST


def test_every_layer_that_reads_an_image_inside_a_halo() -> None:
    text = "input: [4, 9, 8]\noutputs: [image, other]\nlayers:\n"
    text += "  - conv: {name: image, filters: 4, kernel: 3, pad: 1}\n"
    tried = set()
    for case in CASES:
        item = {case.kind: {**case.options, "name": "other", "from": ["input"] * len(case.inputs)}}
        try:
            graph = graph_of(f"{text}  - {json.dumps(item)}\n")
        except NetcalcError:  # options that do not fit this image
            continue
        if not token_inputs(graph):
            tried.add(case.kind)
            assert difference(stirred(graph), 2, 2) < LARGEST, item
    assert len(tried) > 40


def reshapes_that_may_copy(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            silent = node.func.attr == "reshape" and not any(word.arg == "copy" for word in node.keywords)
            if silent or node.func.attr in ("ravel", "flatten"):
                yield f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("room", ["plan", "step"])
def test_every_change_of_shape_says_whether_it_may_copy(room: str) -> None:
    """A copy that is made when calls are laid out would hold what was there before they ran."""
    folder = Path(netcalc.__file__).parent / "backend" / room
    assert [found for path in sorted(folder.rglob("*.py")) for found in reshapes_that_may_copy(path)] == []


@pytest.mark.parametrize(
    "text",
    [
        # a sum of differing shapes, either side of which may be the one that would be fused
        "input: [8, 9, 9]\nlayers:\n  - global_avgpool: {name: small, keep: true}\n"
        "  - conv: {name: large, from: input, filters: 8, kernel: 3, pad: 1}\n  - add: {from: [large, small]}\n",
        "input: [8, 9, 9]\nlayers:\n  - global_avgpool: {keep: true}\n"
        "  - conv: {name: small, filters: 8, kernel: 1}\n  - add: {from: [small, input]}\n",
        "input: [8, 9, 9]\nlayers:\n  - conv: {name: row, filters: 8, kernel: [9, 1]}\n"
        "  - add: {from: [row, input]}\n  - relu\n",
        # a norm over positions, as many as units
        "input: [6, 5]\nlayers:\n  - linear: {units: 6}\n  - batchnorm\n",
        "input: [6, 5]\nlayers:\n  - linear: {units: 4}\n  - batchnorm\n  - relu\n",
        "input: [6, 3, 5]\nlayers:\n  - linear: {units: 6}\n  - batchnorm\n",
        # outputs inside what would be fused
        *(
            f"input: [8, 9, 9]\noutputs: [{outputs}]\nlayers:\n"
            "  - conv: {name: conv, filters: 8, kernel: 3, pad: 1}\n  - batchnorm: {name: norm}\n"
            "  - add: {name: sum, from: [norm, input]}\n  - dropout: {name: idle}\n  - tanh: {name: last}\n"
            for outputs in ("conv, last", "norm, last", "sum, last", "idle, last", "conv, norm, sum, last")
        ),
        "input: [8]\noutputs: [product, last]\nlayers:\n  - linear: {name: product, units: 8}\n"
        "  - leaky_relu: {name: last, slope: 0.3}\n",
        # options of what follows in place
        *(
            f"input: [4, 6, 6]\nlayers:\n  - {item}\n  - leaky_relu: {{slope: {slope}}}\n"
            for item in ("conv: {filters: 5, kernel: 3}", "identity")
            for slope in (0.3, 0.0, 1.5)
        ),
        # tensors side by side along each axis
        *(
            "input: [4, 6, 6]\nlayers:\n  - conv: {name: one, filters: 4, kernel: 1}\n"
            "  - conv: {name: other, from: input, filters: 4, kernel: 3, pad: 1}\n"
            f"  - concat: {{axis: {axis}, from: [one, other, input]}}\n  - conv: {{filters: 3, kernel: 3, pad: 1}}\n"
            for axis in (0, 1, 2, -1, -2, -3)
        ),
    ],
)
def test_what_must_not_be_fused_or_cut_short(text: str) -> None:
    for batch, workers in ((1, 1), (1, 2), (4, 2), (3, 2)):
        assert difference(stirred(graph_of(text)), batch, workers) < LARGEST


def test_tokens_that_are_read_as_an_image_too() -> None:
    graph = graph_of(
        "input: [3, 6, 6]\noutputs: [a, b]\nlayers:\n  - embedding: {name: a, entries: 11, width: 2}\n"
        "  - conv: {name: b, from: input, filters: 8, kernel: 3, pad: 1}\n"
    )
    network = stirred(graph)
    x = random_inputs(graph, 2)
    plain = network.run(x, gradients=False).outputs
    with InferencePlan(network, 2, 2) as plan:
        for name, y in plan.run(x).items():
            assert _relative(y, plain[name]) < LARGEST


def test_tokens_stay_whole() -> None:
    graph = graph_of(
        "input: [6]\nlayers:\n  - slice: {end: 4}\n  - embedding: {entries: 11, width: 8}\n  - linear: {units: 3}\n"
    )
    assert difference(stirred(graph), 2, 2) < LARGEST


def test_the_same_bits_again_and_with_a_new_plan() -> None:
    network = stirred(netcalc.load("resnet18", input=(3, 64, 64)))
    x = random_inputs(network.graph, 1)["input"]
    with InferencePlan(network, 1, 2) as one, InferencePlan(network, 1, 2) as other:
        first = one.forward(x)
        assert np.array_equal(first, one.forward(x))
        assert np.array_equal(first, other.forward(x))


def test_the_plan_holds_no_output_that_it_writes_to_again() -> None:
    network = stirred(netcalc.load("lenet5"))
    with InferencePlan(network, 1) as plan:
        x = random_inputs(network.graph, 1)["input"]
        first = plan.forward(x)
        kept = first.copy()
        plan.forward(-x)
        assert np.array_equal(first, kept)


def test_weights_are_those_of_the_time_it_was_made() -> None:
    network = stirred(graph_of("input: [3, 9, 9]\nlayers:\n  - conv: {filters: 4, kernel: 3}\n"))
    x = random_inputs(network.graph, 1)["input"]
    with InferencePlan(network, 1) as plan:
        before = plan.forward(x)
        network.parameters()["conv1.weight"][...] = 0
        assert np.array_equal(plan.forward(x), before)


def test_another_batch_is_refused() -> None:
    network = Network(netcalc.load("lenet5"))
    with (
        InferencePlan(network, 2) as plan,
        pytest.raises(ExecutionError, match="a batch of 3, the plan is for 2"),
    ):
        plan.forward(np.zeros((3, 1, 28, 28)))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_layer_that_refuses_its_input_says_so(workers: int) -> None:
    graph = graph_of("input: [2]\nlayers:\n  - embedding: {entries: 5, width: 4}\n")
    with InferencePlan(Network(graph), 2, workers) as plan:
        for _ in range(2):
            with pytest.raises(ExecutionError, match="embedding1: "):
                plan.forward(np.array([[1, 2], [3, 9]]))
        assert plan.forward(np.array([[1, 2], [3, 4]])).shape == (2, 2, 4)  # type: ignore[union-attr]


def test_a_plan_larger_than_the_machine_is_refused() -> None:
    with pytest.raises(ExecutionError, match="buffers of a plan of .* need at least .* GiB"):
        InferencePlan(Network(netcalc.load("lenet5")), 2**40)


def test_half_precision_is_refused() -> None:
    for dtype in ("float16", "bfloat16"):
        with pytest.raises(ExecutionError, match=f"a plan computes in float32 or float64, not in {dtype}"):
            InferencePlan(Network(netcalc.load("lenet5"), dtype=dtype))


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(ExecutionError, match="a batch of 1 or more, not of 0"):
        InferencePlan(Network(netcalc.load("lenet5")), 0)


def test_threads_that_share_a_plan_take_turns() -> None:
    network = stirred(netcalc.load("lenet5"))
    xs = [random_inputs(network.graph, 1, seed=seed)["input"] for seed in range(8)]
    with InferencePlan(network, 1) as plan, ThreadPoolExecutor(4) as pool:
        alone = [plan.forward(x) for x in xs]
        for one, other in zip(pool.map(plan.forward, xs), alone, strict=True):
            assert np.array_equal(one, other)


def taking_turns(plan: InferencePlan, pick: Callable[[list[int]], int]) -> None:
    """A run in which one worker at a time does a list, any that need not wait; `pick` says which."""
    done = [0] * plan.program.workers
    while ready := [
        worker
        for worker, work in enumerate(plan._work)
        if done[worker] < len(work) and all(done[wait.worker] >= wait.lists for wait in work[done[worker]][0])
    ]:
        worker = pick(ready)
        for call in plan._work[worker][done[worker]][1]:
            call()
        done[worker] += 1
    assert done == [len(work) for work in plan._work]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("name", ["alexnet", "resnet18", "mobilenet_v2", "googlenet", "densenet121"])
def test_any_order_that_waits_allow_gives_the_same_bits(name: str, batch: int, workers: int) -> None:
    network = stirred(netcalc.load(name, input=(3, 64, 64)))
    rng = np.random.default_rng(0)
    with InferencePlan(network, batch, workers) as plan:
        x = random_inputs(network.graph, batch)
        expected = plan.run(x)
        for pick in (min, max, rng.choice, rng.choice):
            plan._set_inputs(x)
            with np.errstate(all="ignore"), single_blas_thread():
                taking_turns(plan, pick)
            for output, y in expected.items():
                assert np.array_equal(plan._output(output), y)


def test_layers_whose_workers_read_their_own_rows_follow_without_a_wait() -> None:
    text = "input: [8, 32, 32]\nlayers:\n  - conv: {filters: 8, kernel: 1}\n  - relu\n"
    text += "  - conv: {filters: 8, kernel: 1}\n"
    # once: where the memory of the input, which is N,C,H,W, is taken for a tensor N,H,W,C
    for more, waiting in (("", 1), ("  - conv: {filters: 8, kernel: 3}\n", 2)):
        with InferencePlan(stirred(graph_of(text + more)), 1, 2) as plan:
            assert [sum(bool(before) for before, _ in work) for work in plan._work] == [waiting] * 2


@pytest.mark.parametrize("seed", range(20))
def test_calls_touch_what_their_footprint_says(seed: int) -> None:
    """What a call does not read does not change its result, and what it does not write stays."""
    network = stirred(random_graph(seed))
    rng = np.random.default_rng(0)
    with InferencePlan(network, 2, 2) as plan, np.errstate(all="ignore"), single_blas_thread():
        plan.run(random_inputs(network.graph, 2))
        shared = plan._shared.view(np.float32)
        for lists in zip(*plan._work, strict=True):
            for _, calls in lists:
                for call in calls:
                    reads, writes = footprint(call)
                    before = shared.copy()
                    call()
                    after = shared.copy()
                    read, written = (Marks(plan._shared, 1, 1) for _ in range(2))
                    read.add([Footprint([], reads)], 0, 1)
                    written.add([Footprint([], writes)], 0, 1)
                    inside = written._written[0][: shared.size] > 0
                    assert np.array_equal(before[~inside], after[~inside], equal_nan=True)
                    shared[...] = rng.standard_normal(shared.size)
                    needed = read._written[0][: shared.size] > 0
                    shared[needed] = before[needed]
                    call()
                    assert np.array_equal(shared[inside], after[inside], equal_nan=True)
                    shared[...] = after


def test_tensors_with_overlapping_lifetimes_do_not_overlap_in_memory() -> None:
    rng = np.random.default_rng(0)
    tensors = []
    for number in range(200):
        born = int(rng.integers(100))
        size = (int(rng.integers(1, 3000)),)
        dies = born + int(rng.integers(10))
        tensors.append(PlannedTensor(str(number), size, np.dtype("f4"), False, born=born, dies=dies))
    total = place(tensors, 2)
    for one in tensors:
        assert one.offset + one.nbytes(2) <= total
        for other in tensors:
            if one is not other and one.born <= other.dies and other.born <= one.dies:
                assert (
                    one.offset + one.nbytes(2) <= other.offset or other.offset + other.nbytes(2) <= one.offset
                )
    most = max(sum(t.nbytes(2) for t in tensors if t.born <= now <= t.dies) for now in range(110))
    assert total <= 1.3 * most


def test_what_workers_share_while_each_has_its_own_samples_does_not_overlap() -> None:
    program = lowered(netcalc.load("alexnet"), 8, "float32", 2)
    assert 0 < program.batch_parallel < len(program.operations)
    early = [
        tensor
        for tensor in program.tensors.values()
        if tensor.shared and tensor.born < program.batch_parallel
    ]
    assert {tensor.name for tensor in early} >= {"input", "flatten"}
    for one in early:
        for other in early:
            after = one.offset + one.nbytes(8) <= other.offset
            assert one is other or after or other.offset + other.nbytes(8) <= one.offset


@pytest.mark.parametrize("workers", [1, 2])
def test_vgg_needs_little_more_than_what_lives_at_once(workers: int) -> None:
    program = lowered(netcalc.load("vgg16"), 8, "float32", workers)
    assert program.arena_bytes < 0.5 * sum(type.nbytes * 8 for type in program.graph.types.values())


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("halo", [((1, 2), (3, 1)), ((0, 0), (0, 2)), ((0, 3), (1, 0)), ((2, 0), (0, 0))])
@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_borders_of_all_workers_are_the_halo(channels_last: bool, halo: Halo, workers: int) -> None:
    tensor = PlannedTensor("x", (6, 5, 4), np.dtype("f4"), channels_last, halo)
    for unit, axis in ((1, 0), (2, 0), (1, 1)):  # shares of rows, in pairs too, or of channels
        whole = np.ones((2, *tensor.held), np.float32)
        for worker in range(workers):
            share = Share(worker, workers)
            shares = (share.of(5, unit), slice(0, 6)) if axis == 0 else (slice(0, 5), share.of(6))
            for side in tensor.borders(whole, *shares):
                side[...] -= 1
        assert tensor.inner(whole).all()
        assert whole.sum() == tensor.inner(whole).sum()
        assert whole.min() == 0
