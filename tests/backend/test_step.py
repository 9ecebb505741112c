"""The training step against the plain path: outputs, every gradient, running statistics, random numbers."""

import gc
import threading
from collections.abc import Mapping

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

import netcalc
from netcalc.backend import Network, TrainingStep, random_inputs
from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.backend.step.activation import SmoothActivation
from netcalc.backend.step.elementwise import ElementwiseKernel, ReLU
from netcalc.backend.step.lowering import _operation
from netcalc.diagnostics import ExecutionError
from netcalc.graph import Graph

from cases import Case
from engines import apart, step_differences
from helpers import graph_of, threads_beside, wait_until
from plain_runs import PlainRuns
from test_kernels import SMALL
from test_kernels import network as network_of_case

TOLERANCE = {"float64": 1e-9, "float32": 2e-2}
"""Of a tensor's norm. In float32 an input of a rectifier may round to the other side of zero."""

NETS: dict[str, tuple[tuple[int, ...], int]] = {
    "lenet5": ((1, 28, 28), 8),
    "lenet5-1998": ((1, 32, 32), 9),
    "resnet20-cifar": ((3, 16, 16), 8),
    "nin-cifar10": ((3, 16, 16), 8),
    "squeezenet": ((3, 39, 39), 4),
    "mobilenet_v2": ((3, 32, 32), 8),
}
WELL_CONDITIONED = ("lenet5", "lenet5-1998", "resnet20-cifar", "nin-cifar10")
"""Those where float32 stays near float64 on the plain path, too."""


def upstream_of(outputs: Mapping[str, Array]) -> dict[str, Array]:
    rng = np.random.default_rng(5)
    return {name: rng.standard_normal(y.shape) for name, y in outputs.items()}


def assert_close(found: Array | None, expected: Array | None, floor: float, dtype: str, what: str) -> None:
    """Equal up to a share of the norm, which counts as `floor` an element at least."""
    assert (found is None) == (expected is None), what
    if found is None or expected is None:
        return
    assert found.dtype == expected.dtype, what
    assert apart(found, expected, floor) <= TOLERANCE[dtype], what


def assert_equal_to_plain(
    plain: Network, same: Network, batch: int, workers: int | None, rounds: int = 2
) -> None:
    """Two networks with the same arrays: one is run plainly, the other by a step."""
    graph, dtype = plain.graph, plain.dtype.name
    with TrainingStep(same, batch, input_gradients=True, workers=workers) as step:
        for number in range(rounds):
            x = random_inputs(graph, batch, number, dtype)
            result, outputs = plain.run(x, training=True), step.forward(x)
            named = outputs if isinstance(outputs, dict) else {graph.outputs[0]: outputs}
            for name, y in result.outputs.items():
                assert_close(named[name], y, 1e-3, dtype, name)
            upstream = upstream_of(named)
            expected, found = result.backward(upstream), step.backward(upstream)
            assert found.params.keys() == expected.params.keys()
            largest = max((np.abs(gradient).mean() for gradient in expected.params.values()), default=0.0)
            for name, gradient in expected.params.items():
                assert_close(
                    found.params[name], gradient, 0.1 * largest + 1e-12, dtype, f"gradient of {name}"
                )
            for name, dx in expected.inputs.items():
                assert_close(found.inputs[name], dx, 1e-6, dtype, f"gradient of {name}")
            for name, array in plain.parameters().items():
                assert_close(same.parameters()[name], array, 1e-3, dtype, name)


def pair(graph: Graph, dtype: str) -> tuple[Network, Network]:
    return Network(graph, seed=1, dtype=dtype), Network(graph, seed=1, dtype=dtype)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [*((name, "float64") for name in NETS), *((name, "float32") for name in WELL_CONDITIONED)],
)
def test_nets_of_the_zoo(name: str, dtype: str) -> None:
    shape, batch = NETS[name]
    assert_equal_to_plain(*pair(netcalc.load(name, input=shape), dtype), batch, workers=2)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_every_layer(case: Case) -> None:
    """Also those without a step of their own, and those that read or give no image."""
    assert_equal_to_plain(network_of_case(case), network_of_case(case), batch=5, workers=2, rounds=1)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_every_layer_whose_inputs_want_no_gradient(case: Case) -> None:
    runs = PlainRuns(network_of_case(case).graph)
    assert not list(step_differences(runs, "float64", batch=5, workers=2, input_gradients=False))


SHARED = """
input: [3, 6, 6]
layers:
  - conv: {name: first, filters: 3, kernel: 3, pad: 1}
  - relu
  - conv: {name: second, filters: 3, kernel: 3, pad: 1, share: first}
  - add: {name: sum, from: [first, second]}
  - global_avgpool: {name: mean}
outputs: [mean, second]
"""


def test_several_outputs_that_are_read_on_and_shared_parameters() -> None:
    assert_equal_to_plain(*pair(graph_of(SHARED), "float64"), batch=6, workers=2)


def shared(outputs: str, kind: str, first: str, second: str) -> Graph:
    """A layer and one that shares its parameters, of which those that `outputs` names are reached."""
    options = (
        "units: 4"
        if kind == "linear"
        else "filters: 4, kernel: 3, pad: 1"
        if kind == "conv"
        else "momentum: 0.2"
    )
    return graph_of(
        f"inputs: {{a: {first}, b: {second}}}\noutputs: [{outputs}]\nlayers:\n"
        f"  - {kind}: {{name: owner, {options}, from: a}}\n"
        f"  - {kind}: {{name: sharer, {options}, share: owner, from: b}}\n"
        f"  - {kind}: {{name: third, {options}, share: owner, from: b}}\n"
        f"  - relu: {{name: rest, from: a}}\n"
    )


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("outputs", ["owner", "sharer", "sharer, third", "owner, third", "rest"])
@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("conv", "[4, 5, 5]", "[4, 6, 6]"),
        ("linear", "[4]", "[4]"),  # joint
        ("linear", "[3, 4]", "[4]"),  # the owner is not joint, those that share are
        ("linear", "[4]", "[3, 4]"),
        ("batchnorm", "[4]", "[4, 3, 3]"),
    ],
)
def test_shared_parameters_of_layers_that_reach_an_output_or_not(
    kind: str, first: str, second: str, outputs: str, workers: int
) -> None:
    graph = shared(outputs, kind, first, second)
    assert_equal_to_plain(*pair(graph, "float64"), batch=4, workers=workers, rounds=3)


def test_a_sharer_that_leaves_out_the_bias() -> None:
    graph = graph_of(
        "inputs: {a: [4, 6], b: [4]}\noutputs: [x, y, z]\nlayers:\n"
        "  - linear: {name: x, from: a, units: 3}\n"
        "  - linear: {name: y, from: a, units: 3, share: x, bias: false}\n"
        "  - linear: {name: other, from: b, units: 3}\n"
        "  - linear: {name: z, from: b, units: 3, share: other, bias: false}\n"
    )
    assert_equal_to_plain(*pair(graph, "float64"), batch=4, workers=2, rounds=3)


READ_TWICE = """
input: [2, 5, 5]
layers:
  - conv: {name: a, filters: 3, kernel: 3, pad: 1}
  - conv: {name: b, from: input, filters: 3, kernel: 3, pad: 1}
  - conv: {name: c, from: a, filters: 3, kernel: 3, pad: 1}
  - add: {name: sum, from: [a, b]}
  - add: {name: all, from: [sum, c, sum]}
"""


def test_a_gradient_that_two_tensors_share_is_not_written_over() -> None:
    assert_equal_to_plain(*pair(graph_of(READ_TWICE), "float64"), batch=4, workers=2)


def lenet(workers: int | None = 2, batch: int = 8) -> TrainingStep:
    return TrainingStep(Network(netcalc.load("lenet5"), seed=3), batch, workers=workers)


def test_equal_runs_give_equal_bits() -> None:
    x = random_inputs(netcalc.load("lenet5"), 8)
    results = []
    for _ in range(2):
        with lenet() as step:
            y = step.forward(x)
            results.append((y, step.backward().params["conv1.weight"].copy()))
    for first, second in zip(*results, strict=True):
        assert first.tobytes() == second.tobytes()


def test_parameters_changed_in_place_count_in_the_next_forward() -> None:
    network = Network(netcalc.load("lenet5"), seed=3)
    x = random_inputs(network.graph, 8)
    with TrainingStep(network, 8) as step:
        before = step.forward(x)
        for name, gradient in step.backward().params.items():
            network.parameters()[name] -= 0.01 * gradient
        after = step.forward(x)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, network.forward(x, training=True), rtol=1e-4, atol=1e-4)


def test_input_gradients_are_given_on_request_only() -> None:
    with lenet() as step:
        step.forward(random_inputs(netcalc.load("lenet5"), 8))
        assert step.backward().inputs == {"input": None}


def test_what_does_not_fit_is_refused() -> None:
    with lenet() as step:
        with pytest.raises(ExecutionError, match="backward follows a forward"):
            step.backward()
        with pytest.raises(ExecutionError, match="the input input has a batch of 9, this step is for 8"):
            step.forward(np.zeros((9, 1, 28, 28)))
        step.forward(np.zeros((8, 1, 28, 28)))
        with pytest.raises(ExecutionError, match="the upstream gradient of"):
            step.backward(np.zeros((8, 11)))
    with pytest.raises(ExecutionError, match="this training step is closed"):
        step.forward(np.zeros((8, 1, 28, 28)))
    for batch, workers in ((4, 5), (4, 0)):
        with pytest.raises(ValueError, match=f"{workers} workers cannot share a batch of {batch}"):
            lenet(workers, batch)
    with pytest.raises(ExecutionError, match="a batch of 1 or more, not of 0"):
        lenet(None, 0)
    for dtype in ("float16", "bfloat16"):
        with pytest.raises(ExecutionError, match=f"float32 or float64, not in {dtype}"):
            TrainingStep(Network(netcalc.load("lenet5"), dtype=dtype), 8)


def test_variances_far_from_zero_keep_their_digits() -> None:
    graph = graph_of("input: [4, 6, 6]\nlayers:\n  - batchnorm: {name: norm}\n")
    x = 1000 + np.random.default_rng(0).standard_normal((8, 4, 6, 6))
    exact = Network(graph, dtype="float64").forward(x, training=True)
    with TrainingStep(Network(graph), 8, workers=2) as step:
        assert np.abs(step.forward(x) - exact).max() < 1e-3


def test_one_value_has_no_variance() -> None:
    graph = graph_of("input: [3]\nlayers:\n  - batchnorm: {name: norm}\n")
    with pytest.raises(ExecutionError, match="norm: batchnorm needs more than one value"):
        TrainingStep(Network(graph), 1)


def test_more_than_the_machine_has_is_refused() -> None:
    with pytest.raises(
        ExecutionError, match=r"the buffers of a training step of LeNet-5 at batch .* need at least"
    ):
        TrainingStep(Network(netcalc.load("lenet5")), 10**9)


def test_workers_take_one_thread_each_for_matrix_products() -> None:
    def threads() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    found: list[list[int]] = []
    with threadpool_limits(2, user_api="blas"), lenet() as step:
        before = threads()
        step._train(lambda worker: found.append(threads()))
        assert found == [[1] * len(before)] * 2
        assert threads() == before


@pytest.mark.parametrize("failed", [False, True])
def test_threads_go_with_the_step(failed: bool) -> None:
    before = threading.enumerate()
    step = lenet(workers=3)
    step.forward(np.zeros((8, 1, 28, 28)))
    assert len(threads_beside(before)) == 2
    if failed:
        with pytest.raises(ExecutionError, match="in worker 1"):
            step._train(lambda worker: worker == 1 and refuse("E900", "in worker 1"))
    del step
    if failed:
        gc.collect()  # an error refers to where it was raised
    wait_until(lambda: not threads_beside(before))


def test_functions_of_each_element_need_no_fallback() -> None:
    """A layer that is taken for another kind would only be slow."""
    kinds = "relu6 elu hardswish softplus mish scale sqrt exp log absolute".split()
    smooth = "gelu silu sigmoid tanh".split()
    nodes = graph_of(
        "input: [4, 6, 6]\nlayers: [relu, prelu, softmax, log_softmax, " + ", ".join(kinds + smooth) + "]\n"
    ).nodes
    found = {node.layer.kind: _operation(node, [(4, 6, 6)]) for node in nodes}
    assert {kind for kind, operation in found.items() if operation is ElementwiseKernel} == {*kinds}
    assert {kind for kind, operation in found.items() if operation is SmoothActivation} == {*smooth}
    assert found["relu"] is ReLU
