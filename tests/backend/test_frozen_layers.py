"""Frozen layers in what runs: nothing of them changes, and what no gradient passes is not kept."""

import tracemalloc
from functools import cache

import numpy as np
import pytest

from netcalc.analysis.memory import training
from netcalc.backend import Network, TrainingStep, random_inputs
from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.saved_tensors import held_arrays, owner, saved_bytes
from netcalc.graph import Graph
from netcalc.train.transfer import freeze

from cases import Case
from engines import step_differences
from helpers import graph_of
from plain_runs import PlainRuns, loaded
from random_graphs import random_graph, random_spec, text
from test_kernels import SMALL

SEEDS = range(60)
NET = """
input: [3, 12, 12]
layers:
  - conv: {name: conv1, filters: 6, kernel: 3, pad: 1, bias: false, trainable: %s}
  - batchnorm: {name: norm1, trainable: %s}
  - relu
  - dropout: {name: drop, rate: 0.3}
  - conv: {name: conv2, filters: 6, kernel: 3, pad: 1, trainable: %s}
  - relu
  - maxpool: {kernel: 2}
  - flatten
  - linear: {name: head, units: 5}
"""
FREE, FEATURES = (graph_of(NET % ((word,) * 3)) for word in ("true", "false"))


@cache
def frozen_graph(seed: int) -> Graph:
    """A random network whose layers up to some place in its first half are frozen, and some behind it."""
    rng, spec = np.random.default_rng(seed), random_spec(seed)
    owners = {node.full_name for node in random_graph(seed).nodes if node.params and node.shared is None}
    until, changed = rng.integers(len(spec["layers"]) // 2 + 1), []
    for number, item in enumerate(spec["layers"]):
        ((kind, body),) = item.items()
        is_frozen = body["name"] in owners and (number < until or rng.random() < 0.4)
        changed.append({kind: {**body, "trainable": False} if is_frozen else body})
    return graph_of(text({**spec, "layers": changed}))


def test_a_good_part_of_the_random_graphs_has_layers_that_keep_nothing() -> None:
    upstream = [
        graph
        for graph in map(frozen_graph, SEEDS)
        if any(node.is_frozen and node.full_name not in graph.needs_gradient for node in graph.nodes)
        and graph.needs_gradient
    ]
    middle = [
        graph
        for graph in map(frozen_graph, SEEDS)
        if any(node.is_frozen and node.full_name in graph.needs_gradient for node in graph.nodes)
    ]
    norms = [graph for graph in map(frozen_graph, SEEDS) if any(n.keeps_statistics for n in graph.nodes)]
    assert min(map(len, (upstream, middle))) > len(SEEDS) // 6
    assert len(norms) > len(SEEDS) // 10


@pytest.mark.parametrize("seed", SEEDS)
def test_a_step_gives_what_the_plain_path_gives(seed: int) -> None:
    runs = PlainRuns(frozen_graph(seed))
    for input_gradients in (False, True):
        batch = (2, 5)[seed % 2]
        assert not list(step_differences(runs, "float64", batch, min(batch, 2), input_gradients))


@pytest.mark.parametrize("seed", SEEDS)
def test_frozen_arrays_stay_to_the_byte_and_no_more_is_kept_than_counted(seed: int) -> None:
    graph = frozen_graph(seed)
    runs = PlainRuns(graph)
    network = loaded(graph, runs.weights("float32"), "float32")
    owners = [node for node in graph.nodes if node.is_frozen and node.shared is None]
    before = {
        (node.full_name, name): array.tobytes()
        for node in owners
        for name, array in network.arrays_of(node).items()
    }
    x = random_inputs(graph, 3, seed)
    run = network.run(x, training=True)
    run.backward()
    with TrainingStep(network, 3, workers=2) as step:
        step.forward(x)
        step.backward()
    for node in owners:
        for name, array in network.arrays_of(node).items():
            assert array.tobytes() == before[node.full_name, name], (node.full_name, name)
    assert run.backwards is not None
    keeping = {node.full_name for node, _ in run.backwards}
    frozen = any(node.is_frozen for node in graph.nodes)
    assert keeping == (graph.needs_gradient if frozen else {node.full_name for node in graph.nodes})


WITH_PARAMETERS = [case for case in SMALL if case.layer.params(case.types) and not case.layer.reads_tokens]


@pytest.mark.parametrize("case", WITH_PARAMETERS, ids=str)
def test_a_frozen_layer_keeps_no_more_than_is_counted_and_passes_the_same_gradient(case: Case) -> None:
    """A sample of it: that of three less that of two. A norm is compared with itself in inference."""
    layer, types, sizes = case.layer, case.types, []
    for samples in (2, 3):
        rng = np.random.default_rng(1)
        xs = tuple(rng.standard_normal((samples, *type.shape)).astype("float32") for type in types)
        params = {
            param.name: rng.uniform(0.5, 1.5, param.shape).astype("float32") for param in layer.params(types)
        }
        training = not layer.moves_statistics
        y, backward = KERNELS[case.kind](layer, params, xs, Context(True, frozen=True))
        sizes.append(saved_bytes(backward, without=params))
        _, free = KERNELS[case.kind](layer, params, xs, Context(training))
        for dx, expected in zip(backward(np.ones_like(y))[0], free(np.ones_like(y))[0], strict=True):
            assert dx is not None
            assert expected is not None
            np.testing.assert_array_equal(dx, expected)
    saved = layer.saved_frozen(types, layer.infer(types), (True,) * len(types))
    read = sum(types[place].numel * 4 for place in saved.inputs)
    counted = read + saved.output * layer.infer(types).numel * 4 + saved.each.nbytes(4)
    assert sizes[1] - sizes[0] <= counted


def bytes_kept(network: Network, x: dict[str, Array]) -> int:
    """Of all arrays that the layers' backwards hold after a forward, the parameters left out."""
    run = network.run(x, training=True, input_gradients=False)
    assert run.backwards is not None
    own = {id(owner(array)) for array in network.parameters().values()}
    held = [owner(array) for _, backward in run.backwards for array in held_arrays(backward)]
    return sum({id(array): array.nbytes for array in held if id(array) not in own}.values())


MEASURED = """
input: [1, 16, 16]
layers:
  - conv: {name: conv1, filters: 8, kernel: 3, stride: 2, pad: 1}
  - relu
  - conv: {name: conv2, filters: 16, kernel: 3, stride: 2, pad: 1}
  - tanh
  - flatten
  - linear: {name: fc1, units: 32}
  - relu
  - linear: {name: fc2, units: 5}
"""


@pytest.mark.parametrize("patterns", [["conv1"], ["conv*"], ["conv*", "fc1"], ["fc1"], ["*"]])
def test_the_predicted_saving_is_the_measured_one(patterns: list[str]) -> None:
    free, batch = graph_of(MEASURED), 6
    x = random_inputs(free, batch)
    found, frozen = ([training(g, loss="none").saved.at(batch), bytes_kept(Network(g), x)] for g in (free, freeze(free, patterns)))  # fmt: skip
    assert found[0] == found[1]
    assert frozen[0] == frozen[1]
    assert frozen[0] < found[0] or patterns == ["fc1"]


def peak(network: Network, x: dict[str, Array]) -> int:
    """The most bytes that a forward allocates at once."""
    tracemalloc.start()
    network.forward(x, training=True)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_a_forward_frees_what_frozen_layers_computed() -> None:
    """Eight layers of 4 MiB: all are kept where they are trained, two live at once where they are frozen."""
    text = "input: [1024]\nlayers:\n  - linear: {units: 1024, trainable: %s, repeat: 8}\n  - linear: 1\n"
    x = random_inputs(graph_of(text % "true"), 1024)
    free, frozen = (peak(Network(graph_of(text % word)), x) / 2**22 for word in ("true", "false"))
    assert free > 8
    assert frozen < 3.1


def test_a_step_has_no_buffers_for_what_is_frozen() -> None:
    text = "input: [1024]\nlayers:\n  - linear: {units: 1024, trainable: %s, repeat: 8}\n  - linear: 1\n"
    sizes = []
    for word in ("true", "false"):
        network = Network(graph_of(text % word))
        tracemalloc.start()
        with TrainingStep(network, 1024, workers=2):
            sizes.append(tracemalloc.get_traced_memory()[0] / 2**22)
        tracemalloc.stop()
    free, frozen = sizes
    assert free > 1 + 8 + 8  # the input, outputs, gradients of weights; those of outputs besides
    assert frozen < 1 + 2 + 1.1  # the last output is read by a layer that is trained


def test_gradients_of_inputs_are_given_where_they_are_asked_for() -> None:
    network, x = Network(FEATURES), random_inputs(FEATURES, 4)
    network.forward(x, training=True)
    assert network.backward().inputs == {"input": None}
    network.forward(x, training=True, input_gradients=True)
    assert network.backward().inputs["input"] is not None
    network.forward(x)
    assert network.backward().inputs["input"] is not None
    free = Network(FREE)
    free.forward(x, training=True)
    assert free.backward().inputs["input"] is not None


def test_dropout_in_a_frozen_part_still_drops() -> None:
    captured = Network(FEATURES).forward(random_inputs(FEATURES, 4), training=True, capture=["drop"])
    assert isinstance(captured, dict)
    assert 0.15 < (captured["drop"] == 0).mean() < 0.9
    assert (captured["drop"] != Network(FEATURES).forward(random_inputs(FEATURES, 4), capture=["drop"])["drop"]).any()  # fmt: skip


SIDES = """
input: [6, 8]
layers:
  - linear: {name: q, units: 8, trainable: %s}
  - linear: {name: k, from: input, units: 8, trainable: %s}
  - %s
  - flatten
  - linear: {units: 3, trainable: false}
"""


@pytest.mark.parametrize("words", [("false", "true"), ("true", "false"), ("true", "true")])
@pytest.mark.parametrize(
    "join",
    [
        "multiply: {from: [q, k]}",
        "multiply: {from: [q, k, q]}",
        "divide: {from: [q, k]}",
        "matmul: {from: [q, k], transpose: true}",
    ],
)
def test_a_product_keeps_the_factors_that_a_wanted_gradient_reads(join: str, words: tuple[str, str]) -> None:
    graph = graph_of(SIDES % (*words, join))
    network = Network(graph, seed=1)
    x = random_inputs(graph, 4, 1)
    assert bytes_kept(network, x) <= training(graph, loss="none").saved.at(4)
    lean, whole = (network.run(x, training=True, input_gradients=wanted) for wanted in (False, True))
    found, expected = lean.backward().params, whole.backward().params
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-5, atol=1e-6)


def test_a_scale_whose_input_needs_no_gradient_keeps_what_is_counted() -> None:
    graph = graph_of("input: [6, 8]\nlayers: [{linear: {units: 8, trainable: false}}, rmsnorm]\n")
    network = Network(graph, seed=1)
    x = random_inputs(graph, 4, 1)
    assert bytes_kept(network, x) <= training(graph, loss="none").saved.at(4) == 768
    lean, whole = (network.run(x, training=True, input_gradients=wanted) for wanted in (False, True))
    np.testing.assert_allclose(
        lean.backward().params["rmsnorm1.weight"], whole.backward().params["rmsnorm1.weight"], rtol=1e-6
    )
