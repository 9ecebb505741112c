"""Optimisers: which parameters move and by what rule, their state, what does not fit."""

from typing import Any

import numpy as np
import pytest

import netcalc.train.optimiser
import netcalc.train.parallel
from netcalc.analysis.precision import OPTIMISERS as COUNTED
from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.layers import LAYERS
from netcalc.train.configurable import OptionError
from netcalc.train.optimiser import Optimiser
from netcalc.train.optimisers import OPTIMISERS, Lion, StochasticGradientDescent
from netcalc.train.parameters import matched, trained_parameters

from cases import CASES
from helpers import graph_of
from training_cases import TRAJECTORIES

SPEC = """input: [2, 6, 6]
layers:
  - conv: {filters: 4, kernel: 3, name: conv1}
  - batchnorm: {name: norm}
  - relu
  - conv: {filters: 4, kernel: 3, pad: 1, name: conv2}
  - conv: {filters: 4, kernel: 3, pad: 1, name: again, share: conv2}
  - parameter: {shape: [4, 4, 4], name: shift}
  - conv: {filters: 4, kernel: 1, name: frozen, trainable: false}
  - flatten
  - linear: {units: 3, name: classifier}
"""
MATRICES = {"conv1.weight", "conv2.weight", "classifier.weight"}

every_optimiser = pytest.mark.parametrize("name", OPTIMISERS)


def network(dtype: str = "float64", seed: int = 0) -> Network:
    return Network(graph_of(SPEC), seed=seed, dtype=dtype)


def gradients_of(network: Network, seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {
        parameter.name: rng.standard_normal(parameter.array.shape).astype(network.dtype)
        for parameter in trained_parameters(network)
    }


def copied(network: Network) -> dict[str, Array]:
    return {name: array.copy() for name, array in network.parameters().items()}


def changed(before: dict[str, Array], network: Network) -> set[str]:
    return {name for name, array in network.parameters().items() if not np.array_equal(array, before[name])}


@every_optimiser
def test_what_is_trained_moves_and_nothing_else(name: str) -> None:
    trained = network()
    before, gradients = copied(trained), gradients_of(trained)
    given = {own: gradient.copy() for own, gradient in gradients.items()}
    OPTIMISERS[name](trained, lr=0.1, weight_decay=0.1).step(gradients)
    assert changed(before, trained) == gradients.keys()
    assert changed(before, trained) == before.keys() - {
        "frozen.weight", "frozen.bias", "norm.running_mean", "norm.running_var",
    }  # fmt: skip
    for own, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, given[own])


@every_optimiser
def test_weight_decay_is_for_matrices(name: str) -> None:
    trained = network()
    zeros = {own: np.zeros_like(gradient) for own, gradient in gradients_of(trained).items()}
    for array in trained.parameters().values():
        array[...] = 1
    before = copied(trained)
    OPTIMISERS[name](trained, lr=0.1, weight_decay=0.1).step(zeros)
    assert changed(before, trained) == MATRICES
    OPTIMISERS[name](trained, lr=0.1, weight_decay=0.1, decay_all=True).step(zeros)
    assert changed(before, trained) == zeros.keys()


@every_optimiser
def test_decoupled_decay_takes_a_share_of_the_weights(name: str) -> None:
    trained = network()
    zeros = {own: np.zeros_like(gradient) for own, gradient in gradients_of(trained).items()}
    before = copied(trained)
    given = {"decoupled": True} if "decoupled" in OPTIMISERS[name].options else {}
    OPTIMISERS[name](trained, lr=0.1, weight_decay=0.5, **given).step(zeros, factor=0.5)
    for own, array in trained.parameters().items():
        np.testing.assert_allclose(array, before[own] * (0.975 if own in MATRICES else 1), rtol=1e-12)


def test_biases_scales_and_tables_of_biases_do_not_decay() -> None:
    undecayed, decayed = set(), set()
    for case in CASES:
        for spec in case.layer.params(case.types):
            if len(spec.shape) > 1:
                (decayed if spec.decays else undecayed).add((case.layer.kind, spec.name))
    assert undecayed == {
        ("layernorm", "weight"), ("layernorm", "bias"), ("rmsnorm", "weight"),
        ("parameter", "weight"), ("window_attention", "relative_position_bias_table"),
        ("window_attention", "logit_scale"), ("pooled_attention", "rel_pos_h"),
        ("pooled_attention", "rel_pos_w"), ("pooled_attention", "rel_pos_t"),
    }  # fmt: skip
    assert {kind for kind, _ in decayed} <= LAYERS.keys()
    assert ("embedding", "weight") in decayed


@every_optimiser
def test_a_block_at_a_time_is_all_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cut = network(), network()
    first = OPTIMISERS[name](whole, lr=0.01, weight_decay=0.1)
    monkeypatch.setattr(netcalc.train.optimiser, "_BLOCK", 7)
    monkeypatch.setattr(netcalc.train.optimiser, "_LARGE", 20)
    monkeypatch.setattr(netcalc.train.parallel, "_FEWEST_ELEMENTS", 20)
    second = OPTIMISERS[name](cut, lr=0.01, weight_decay=0.1)
    for seed in range(3):
        first.step(gradients_of(whole, seed))
        second.step(gradients_of(cut, seed))
    for own, array in whole.parameters().items():
        np.testing.assert_array_equal(array, cut.parameters()[own])


@every_optimiser
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saved_state_goes_on_bit_for_bit(name: str, dtype: str) -> None:
    options: dict[str, Any] = {"lr": 0.01, "weight_decay": 0.1}
    if name == "rmsprop":
        options["momentum"] = 0.5
    one, other = network(dtype), network(dtype, seed=1)
    first = OPTIMISERS[name](one, **options)
    for seed in range(3):
        first.step(gradients_of(one, seed))
    second = OPTIMISERS[name](other, **options)
    saved = {own: array.copy() for own, array in first.state().items()}
    other.load(one.parameters())
    second.load_state(saved)
    first.step(gradients_of(one, 5))
    second.step(gradients_of(other, 5))
    assert second.steps == 4
    assert all(array.dtype == dtype for own, array in saved.items() if own != "steps")
    for own, array in one.parameters().items():
        np.testing.assert_array_equal(array, other.parameters()[own])
    for own, array in first.state().items():
        np.testing.assert_array_equal(array, second.state()[own])


@every_optimiser
def test_it_has_as_many_numbers_a_weight_as_memory_counts(name: str) -> None:
    optimiser = OPTIMISERS[name](network())
    learned = sum(parameter.array.size for parameter in optimiser.parameters)
    kept = sum(array.size for array in optimiser.state().values()) - 1  # the steps
    assert kept == len(optimiser.slots) * learned
    assert len(optimiser.slots) == COUNTED.get(name, len(optimiser.slots))


def test_memory_counts_no_optimiser_that_is_not_there() -> None:
    assert COUNTED.keys() <= OPTIMISERS.keys()


def test_lion_is_chens() -> None:
    options = {"lr": 0.02, "weight_decay": 0.3, "beta1": 0.8, "beta2": 0.95}
    trained = network()
    optimiser = Lion(trained, **options)
    w = {own: array.copy() for own, array in trained.parameters().items()}
    m = {own: np.zeros_like(array) for own, array in w.items()}
    for seed in range(100):
        gradients, rate = gradients_of(trained, seed), 0.02 / (1 + seed)
        gradients["conv1.bias"][0] = 0  # the sign of 0 is 0
        optimiser.step(gradients, factor=1 / (1 + seed))
        for own, g in gradients.items():
            decay = 0.3 if own in MATRICES else 0.0
            w[own] = w[own] - rate * (np.sign(0.8 * m[own] + 0.2 * g) + decay * w[own])
            m[own] = 0.95 * m[own] + 0.05 * g
    for own, array in trained.parameters().items():
        np.testing.assert_allclose(array, w[own], rtol=1e-9, atol=1e-12)


def test_factors_are_by_patterns_of_which_the_last_counts() -> None:
    trained = network()
    factors = {"*": 0.5, "conv*": 0.1, "conv2.bias": 3, "norm": 2}
    found = {parameter.name: parameter.factor for parameter in trained_parameters(trained, factors)}
    assert found == {
        "conv1.weight": 0.1, "conv1.bias": 0.1, "norm.weight": 2, "norm.bias": 2, "conv2.weight": 0.1,
        "conv2.bias": 3, "shift.weight": 0.5, "classifier.weight": 0.5, "classifier.bias": 0.5,
    }  # fmt: skip
    before, gradients = copied(trained), gradients_of(trained)
    StochasticGradientDescent(trained, lr=0.1, factors=factors).step(gradients, factor=0.5)
    for own, gradient in gradients.items():
        moved = before[own] - trained.parameters()[own]
        np.testing.assert_allclose(moved, 0.05 * found[own] * gradient, atol=1e-12)


def test_a_pattern_fits_blocks_and_layers() -> None:
    names = ["stage1.0.conv1.weight", "stage1.1.conv1.weight", "stage10.0.conv1.bias"]
    assert matched(names, "stage1") == names[:2]
    assert matched(names, "stage1.0") == names[:1]
    assert matched(names, "*.conv1.bias") == names[2:]
    assert matched(names, "stage*") == names
    with pytest.raises(ValueError, match="fits 'stage2'; did you mean stage1"):
        matched(names, "stage2")


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"conv3": 1.0}, "no trained parameter, layer or block fits 'conv3'; did you mean conv"),
        ({"frozen": 1.0}, "no trained parameter, layer or block fits 'frozen'"),
        ({"conv1": 0.0}, "the factor of conv1 is a number above 0, not 0"),
        ({"conv1": float("inf")}, "the factor of conv1 is a number above 0, not inf"),
    ],
)
def test_factors_that_do_not_fit_are_refused(factors: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StochasticGradientDescent(network(), factors=factors)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_refused(dtype: str) -> None:
    with pytest.raises(ValueError, match=f"float32 or float64, not in {dtype}"):
        StochasticGradientDescent(network(dtype))


@pytest.mark.parametrize("option", ["decoupled", "decay_all"])
def test_an_option_of_no_decay_is_refused(option: str) -> None:
    with pytest.raises(OptionError, match=f"adam: {option} is about weight decay, and there is none"):
        OPTIMISERS["adam"].parsed({option: True})


def test_gradients_that_do_not_fit_change_nothing() -> None:
    trained = network()
    optimiser, gradients = StochasticGradientDescent(trained, lr=0.1), gradients_of(trained)
    before = copied(trained)
    missing = {own: gradient for own, gradient in gradients.items() if own != "conv2.bias"}
    cases: list[tuple[dict[str, Array], float, str]] = [
        (missing, 1.0, "there is no gradient of conv2.bias"),
        (gradients | {"frozen.bias": np.zeros(4)}, 1.0, "a gradient of frozen.bias, which is not trained"),
        (gradients | {"conv2.bias": np.zeros(1)}, 1.0, r"conv2.bias is \(1,\), the parameter \(4,\)"),
        (gradients, -1.0, "a number from 0 up, not -1.0"),
        (gradients, float("nan"), "a number from 0 up, not nan"),
        (gradients, float("inf"), "a number from 0 up, not inf"),
    ]
    for given, factor, message in cases:
        with pytest.raises(ValueError, match=message):
            optimiser.step(given, factor)
    assert optimiser.steps == 0
    assert changed(before, trained) == set()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean.conv1.bias": None}, "the state of adam lacks mean.conv1.bias"),
        ({"mean.conv9.bias": np.zeros(4)}, "the state of adam has no mean.conv9.bias"),
        ({"mean.conv1.bias": np.zeros(3)}, r"mean.conv1.bias is float64 \(4,\), not float64 \(3,\)"),
        ({"mean.conv1.bias": np.zeros(4, "f")}, r"is float64 \(4,\), not float32 \(4,\)"),
        ({"steps": np.array(-1)}, "the state of adam: steps is -1"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change: dict[str, Any], message: str) -> None:
    trained = network()
    optimiser = OPTIMISERS["adam"](trained)
    optimiser.step(gradients_of(trained))
    before = {own: array.copy() for own, array in optimiser.state().items()}
    given = {own: array + 1 for own, array in before.items()} | change
    with pytest.raises(ValueError, match=message):
        optimiser.load_state({own: array for own, array in given.items() if array is not None})
    for own, array in optimiser.state().items():
        np.testing.assert_array_equal(array, before[own])


def test_gradients_in_any_layout_and_huge_ones_are_taken() -> None:
    one, other = network("float32"), network("float32")
    gradients = gradients_of(one)
    turned = {own: np.asfortranarray(gradient) for own, gradient in gradients.items()}
    for optimised, given in ((one, gradients), (other, turned)):
        optimiser: Optimiser = OPTIMISERS["adam"](optimised)
        optimiser.step(given)
        optimiser.step(
            {own: gradient * np.float32(1e30) for own, gradient in given.items()}
        )  # squares overflow
    for own, array in one.parameters().items():
        np.testing.assert_array_equal(array, other.parameters()[own])


def test_every_option_of_every_optimiser_is_recorded() -> None:
    for name, optimiser in OPTIMISERS.items():
        if name != "lion":  # which PyTorch lacks
            used = {option for case in TRAJECTORIES if case.optimiser == name for option in case.options}
            assert optimiser.options.keys() - used <= {
                "decoupled",
                "decay_all",
                "beta1",
                "beta2",
                "eps",
                "momentum",
            }
