"""Shared and frozen parameters in what runs: a shared net is the unshared one with copied weights."""

import numpy as np
import pytest

from netcalc.backend import Network, TrainingStep, random_inputs
from netcalc.backend.kernels.base import Array
from netcalc.graph import Graph

from helpers import graph_of

TOWER = """
blocks:
  tower(filters):
    - conv: {filters: $filters, kernel: 3, stride: 2}
    - batchnorm
    - tanh
    - residual: {main: [{conv: {filters: $filters, kernel: 3, pad: 1}}, tanh]}
    - global_avgpool
"""
NETS = {
    "siamese": f"""
inputs: {{left: [3, 9, 9], right: [3, 9, 9]}}
{TOWER}
layers:
  - tower: {{name: a, filters: 4, from: left}}
  - tower: {{name: b, SHARE a, filters: 4, from: right}}
  - multiply: {{from: [a, b]}}
  - linear: 2
""",
    "head": """
inputs: {p3: [3, 8, 8], p4: [3, 4, 4], p5: [3, 2, 2]}
layers:
  - residual: {name: h3, main: [{conv: {filters: 3, kernel: 3, pad: 1}}, tanh], from: p3}
  - residual: {name: h4, SHARE h3, main: [{conv: {filters: 3, kernel: 3, pad: 1}}, tanh], from: p4}
  - residual: {name: h5, SHARE h4, main: [{conv: {filters: 3, kernel: 3, pad: 1}}, tanh], from: p5}
outputs: [h3, h4, h5]
""",
}


def shared_graph(name: str) -> Graph:
    return graph_of(NETS[name].replace("SHARE ", "share: "))


def unshared_graph(name: str) -> Graph:
    lines = NETS[name].splitlines()
    return graph_of("\n".join(line.replace("SHARE a, ", "").replace("SHARE h3, ", "").replace("SHARE h4, ", "") for line in lines))  # fmt: skip


def summed(graph: Graph, gradients: dict[str, Array]) -> dict[str, Array]:
    """Gradients of the unshared net, added up for those that own them in the shared one."""
    owner = {node.full_name: node.shared or node.full_name for node in graph.nodes}
    found: dict[str, Array] = {}
    for name, gradient in gradients.items():
        layer, _, own = name.rpartition(".")
        key = f"{owner[layer]}.{own}"
        found[key] = found.get(key, 0) + gradient
    return found


@pytest.mark.parametrize("step", [False, True])
@pytest.mark.parametrize("name", NETS)
def test_a_shared_net_equals_one_with_copied_weights(name: str, step: bool) -> None:
    shared = Network(shared_graph(name), 0, "float64")
    apart = Network(unshared_graph(name), 1, "float64")
    assert len(shared.parameters()) < len(apart.parameters())
    own = shared.parameters()
    owner = {node.full_name: node.shared or node.full_name for node in shared.graph.nodes}
    apart.load(
        {key: own[f"{owner[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}"] for key in apart.parameters()}
    )
    x = random_inputs(shared.graph, 3, 0, "float64")
    results = []
    for network in (shared, apart):
        if step:
            engine = TrainingStep(network, 3, workers=1)
            y = engine.forward(x)
            results.append((y, engine.backward().params))
        else:
            y = network.forward(x, training=True)
            results.append((y, network.backward().params))
    (y, gradients), (other_y, other_gradients) = results
    for one, two in zip(*(v.values() if isinstance(v, dict) else [v] for v in (y, other_y)), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)
    expected = summed(shared.graph, other_gradients)
    assert gradients.keys() == expected.keys()
    for key, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[key], rtol=1e-8, atol=1e-12)


FROZEN = """
input: [3, 9, 9]
layers:
  - conv: {name: first, filters: 4, kernel: 3, trainable: %s}
  - batchnorm: {name: norm, trainable: %s}
  - tanh
  - conv: {name: second, filters: 4, kernel: 3}
  - flatten
  - linear: {name: head, units: 3, trainable: %s}
"""


@pytest.mark.parametrize("frozen", [("first", "norm"), ("norm",), ("head",), ("first", "norm", "head")])
@pytest.mark.parametrize("workers", [1, 2])
def test_frozen_parameters_have_no_gradient_and_the_others_the_same(
    frozen: tuple[str, ...], workers: int
) -> None:
    free = Network(graph_of(FROZEN % ("true", "true", "true")), 0, "float64")
    flags = tuple("false" if name in frozen else "true" for name in ("first", "norm", "head"))
    network = Network(graph_of(FROZEN % flags), 0, "float64")
    assert network.parameters().keys() == free.parameters().keys()
    x = random_inputs(free.graph, 4, 0, "float64")
    y = free.forward(x, training="norm" not in frozen)  # a frozen norm computes as in inference
    expected = free.backward()
    np.testing.assert_array_equal(network.forward(x, training=True, input_gradients=True), y)
    found = network.backward()
    assert {name for name in expected.params if name.partition(".")[0] not in frozen} == found.params.keys()
    for name, gradient in found.params.items():
        np.testing.assert_array_equal(gradient, expected.params[name])
    np.testing.assert_array_equal(found.inputs["input"], expected.inputs["input"])
    step = TrainingStep(network, 4, input_gradients=True, workers=workers)
    step.forward(x)
    gradients = step.backward()
    assert gradients.params.keys() == found.params.keys()
    for name, gradient in gradients.params.items():
        np.testing.assert_allclose(gradient, found.params[name], rtol=1e-9, atol=1e-12)
