"""Three networks as a user writes them, of layers that few others have: what is counted, run and trained.

`tests/golden/make_networks.py` prints what PyTorch counts for the same modules, which the specs expect, and
records what they give and their gradients, which `test_golden_networks.py` compares.
"""

from pathlib import Path

import numpy as np
import pytest

import netcalc
from netcalc.analysis import analyze
from netcalc.backend import InferencePlan, Network, TrainingStep, random_inputs
from netcalc.backend.gradcheck import check_gradients
from netcalc.backend.kernels.base import Array
from netcalc.backend.verification import verify
from netcalc.graph import Graph
from netcalc.layers import LAYERS

from network_cases import LLAMA, UNSHUFFLED, WAVENET

DESIGNS = {Path(path).stem: path for path in (LLAMA, WAVENET, UNSHUFFLED)}
every_design = pytest.mark.parametrize("graph", [*map(netcalc.load, DESIGNS.values())], ids=DESIGNS)


def stirred(graph: Graph, dtype: str) -> Network:
    """A network whose arrays are off their starting values."""
    network = Network(graph, seed=1, dtype=dtype)
    rng = np.random.default_rng(5)
    for array in network.parameters().values():
        array += rng.normal(0, 0.1, array.shape).astype(dtype)
    return network


def apart(found: Array | None, expected: Array | None) -> float:
    """The norm of a difference, relative to what is expected."""
    if found is None or expected is None:
        return 0.0 if found is expected else np.inf
    return float(np.linalg.norm(found - expected) / (np.linalg.norm(expected) + 1e-30))


@every_design
def test_counts_are_pytorchs(graph: Graph) -> None:
    totals = analyze(graph).totals
    assert graph.expect == {"params": totals.params, "macs": totals.macs}


def test_the_published_size() -> None:
    """1.23 billion, as Llama 3.2's model card has it, and its products counted by hand."""
    totals = analyze(netcalc.load(LLAMA, variant="llama3.2_1b", args={"length": 128})).totals
    attention, feed_forward = 2048 * (2048 + 512 + 512 + 2048), 3 * 2048 * 8192
    table = 128256 * 2048
    assert totals.params == table + 16 * (attention + feed_forward + 2 * 2048) + 2048 == 1_235_814_400
    assert totals.macs == 128 * (table + 16 * (attention + feed_forward)) + 16 * 2 * 128**2 * 2048


@every_design
@pytest.mark.parametrize(("batch", "workers"), [(1, 1), (3, 1), (3, 2), (8, 2)])
@pytest.mark.parametrize(("dtype", "largest"), [("float32", 1e-5), ("float64", 1e-13)])
def test_a_plan_gives_the_plain_paths_outputs(
    graph: Graph, batch: int, workers: int, dtype: str, largest: float
) -> None:
    network, x = stirred(graph, dtype), random_inputs(graph, batch, seed=7, dtype=dtype)
    plain = network.run(x, gradients=False).outputs
    with InferencePlan(network, batch, workers) as plan:
        for _ in range(2):
            planned = plan.run(x)
            assert planned.keys() == plain.keys()
            assert max(apart(planned[name], y) for name, y in plain.items()) < largest


@every_design
@pytest.mark.parametrize(("batch", "workers"), [(1, 1), (3, 2)])
def test_a_training_step_gives_the_plain_paths_gradients(graph: Graph, batch: int, workers: int) -> None:
    plain, same = stirred(graph, "float64"), stirred(graph, "float64")
    with TrainingStep(same, batch, input_gradients=True, workers=workers) as step:
        for number in range(3):
            x = random_inputs(graph, batch, number, "float64")
            result, y = plain.run(x, training=True), step.forward(x)
            (expected,) = result.outputs.values()
            assert apart(np.asarray(y), expected) < 1e-13
            upstream = np.random.default_rng(number).standard_normal(expected.shape)
            wanted, found = result.backward(upstream), step.backward(upstream)
            for expected_part, found_part in zip(wanted, found, strict=True):
                assert found_part.keys() == expected_part.keys()
                errors = {name: apart(found_part[name], array) for name, array in expected_part.items()}
                assert max(errors.values()) < 1e-11, errors


@every_design
def test_execution_bears_out_the_table_and_the_gradients(graph: Graph) -> None:
    assert [layer.wrong for layer in verify(Network(graph)) if layer.wrong] == []
    assert {check.verdict for check in check_gradients(graph)} <= {"right", "kink"}


def test_a_wave_is_seen_as_far_back_as_the_table_says() -> None:
    """1 + the sum of all dilations, that of the first convolution among them; nothing later is read."""
    graph = netcalc.load(WAVENET)
    field = analyze(graph).rows[-1].receptive_field
    assert field is not None
    assert (field.axes[0].size, field.axes[0].padding) == (32, 31)
    network = stirred(graph, "float64")
    result = network.run(random_inputs(graph, 1, dtype="float64"))
    upstream = np.zeros_like(next(iter(result.outputs.values())))
    upstream[..., 50] = np.random.default_rng(2).standard_normal(upstream.shape[1])
    gradient = result.backward(upstream).inputs["input"]
    assert gradient is not None
    assert list(np.flatnonzero(gradient[0, 0])) == list(range(50 - 31, 51))


def test_a_decoder_does_not_look_ahead() -> None:
    graph = netcalc.load(LLAMA)
    network = stirred(graph, "float64")
    tokens = next(iter(random_inputs(graph, 1, seed=3).values()))
    changed = tokens.copy()
    changed[:, 10:] = (changed[:, 10:] + 1) % 500
    before, after = (np.asarray(network.forward(x)) for x in (tokens, changed))
    np.testing.assert_array_equal(before[:, :10], after[:, :10])
    assert np.abs(before[:, 10:] - after[:, 10:]).max(axis=-1).min() > 1e-3


def test_they_have_the_layers_that_they_are_for() -> None:
    kinds = {node.layer.kind for path in DESIGNS.values() for node in netcalc.load(path).nodes}
    assert kinds >= {"rmsnorm", "rotary", "scale", "pixel_unshuffle"}
    assert kinds <= LAYERS.keys()
