"""Whole networks against PyTorch: the same parameters, the same logits and gradients.

`tests/golden/make_networks.py` recorded them, from networks and parameters that `network_cases.py` beside it names.
"""

from typing import Any

import numpy as np
import pytest

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array

from helpers import TESTS
from network_cases import NETWORKS, NetworkCase, thinned
from seeded import difference, upstream

with np.load(TESTS / "golden" / "networks.npz") as recording:
    RECORDED: dict[str, Array] = dict(recording)

LARGEST = 1e-4
"""The largest error of logits in float32, relative to their norm."""
LARGEST_EXACT = 1e-9
"""The largest error of anything in float64, which sees a mistake in a late layer of a deep network too.

Gradients are compared there alone: where a rectifier's input is nearly zero, float32 may decide otherwise.
"""

every_network = pytest.mark.parametrize("case", NETWORKS, ids=lambda case: case.name)


def prepared(case: NetworkCase, dtype: str) -> tuple[Network, dict[str, Array]]:
    """The network with the recorded one's parameters, and its inputs."""
    network = Network(case.graph, dtype=dtype)
    for number, (name, array) in enumerate(network.parameters().items()):
        array[...] = case.parameter(number, name, array.shape)
    return network, {input.name: case.given(input.name, input.type.shape) for input in network.graph.inputs}


def differences(arrays: dict[str, Array], case: NetworkCase, what: str) -> dict[str, float]:
    """Those of some arrays that are too far from the recorded ones, with how far."""
    recorded = RECORDED[f"{case.name}/{what}"]
    pairs = zip(arrays.items(), recorded, strict=True)
    errors = {name: difference(array, figure, recorded[:, 0].max()) for (name, array), figure in pairs}
    return {name: error for name, error in errors.items() if not error <= LARGEST_EXACT}


@every_network
def test_logits_are_pytorchs(case: NetworkCase) -> None:
    network, xs = prepared(case, "float32")
    y = network.forward(xs, training=case.training, gradients=False)
    assert isinstance(y, np.ndarray)
    assert y.dtype == np.float32
    logits = RECORDED[f"{case.name}/logits"]
    assert np.linalg.norm(thinned(y) - logits) / np.linalg.norm(logits) < LARGEST
    assert difference(y, *RECORDED[f"{case.name}/y"]) < LARGEST


@every_network
def test_exact_results_are_pytorchs(case: NetworkCase) -> None:
    """Where they are recorded also the gradients of the input and of every parameter, and in training statistics."""
    network, xs = prepared(case, "float64")
    result = network.run(xs, training=case.training, gradients=case.gradients)
    (y,) = result.outputs.values()
    assert difference(y, *RECORDED[f"{case.name}/y"]) < LARGEST_EXACT
    if not case.gradients:
        return
    grads = result.backward(upstream(case.name, y.shape))
    inputs = {name: gradient for name, gradient in grads.inputs.items() if gradient is not None}
    order = {name: grads.params[name] for name in network.parameters() if name in grads.params}
    assert differences(inputs, case, "inputs") == {}
    assert differences(order, case, "parameters") == {}
    if case.training:
        buffers = {name: array for name, array in network.parameters().items() if name not in grads.params}
        assert differences(buffers, case, "statistics") == {}


def test_what_is_recorded_is_what_is_tested() -> None:
    assert len(NETWORKS) >= 20
    assert sum(case.gradients for case in NETWORKS) >= 6
    wanted = {(case.name, what) for case in NETWORKS for what in expected(case)}
    assert {tuple(key.split("/")) for key in RECORDED} == wanted


def expected(case: NetworkCase) -> list[Any]:
    gradients = ["inputs", "parameters"] if case.gradients else []
    return ["logits", "y", *gradients, *(["statistics"] if case.training else [])]
