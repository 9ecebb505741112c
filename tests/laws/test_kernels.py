"""What holds of every kernel, on every case: what runs is what was counted, and gradients are right."""

from collections.abc import Callable

import numpy as np
import pytest

from netcalc.analysis.memory import training
from netcalc.backend import Network, random_inputs
from netcalc.backend.counting import counted, counting
from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.passes import Grads
from netcalc.backend.precision import PRECISIONS
from netcalc.backend.verification import verify
from netcalc.layers import LAYERS

from cases import CASES, POSITIVE, Case
from helpers import behind_parameters
from test_layers import graph_of_case


def is_small(case: Case) -> bool:
    """Whether a case runs in milliseconds, so that it can be run some dozen times."""
    params = sum(param.numel for param in case.layer.params(case.types))
    cost = case.layer.cost(case.types, case.layer.infer(case.types))
    return sum(type.numel for type in case.types) + params <= 250_000 and sum(cost) <= 10_000_000


SMALL = tuple(filter(is_small, CASES))
STEPS = (1e-5, 1e-6)
ROUNDING = 1e-2
"""The least scale of a gradient: one that is zero, as of a shift of all keys, differs by rounding."""

every_case = pytest.mark.parametrize("case", SMALL, ids=str)
both_modes = pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])


def network(case: Case, dtype: str = "float64", seed: int = 3) -> Network:
    """A network of one layer whose arrays are all off their starting values."""
    made = Network(graph_of_case(case), seed, dtype)
    rng = np.random.default_rng(5)
    for name, array in made.parameters().items():
        array += (
            rng.uniform(0.1, 0.3, array.shape)
            if name.endswith("running_var")
            else rng.normal(0, 0.1, array.shape)
        )
    return made


def inputs(case: Case, batch: int = 2, dtype: str = "float64") -> dict[str, Array]:
    drawn = random_inputs(graph_of_case(case), batch, seed=7, dtype=dtype)
    if case.kind in POSITIVE:
        rounded = PRECISIONS[dtype].rounded
        return {name: rounded(np.abs(x) + x.dtype.type(0.25)) for name, x in drawn.items()}
    return drawn


def run(case: Case, x: dict[str, Array], dtype: str = "float64", training: bool = False) -> Array:
    return network(case, dtype).run(x, training=training, draw=0).outputs["y"]


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_has_a_kernel(kind: str) -> None:
    assert kind in KERNELS
    assert kind in {case.kind for case in SMALL}, "every case of it is too large to run here"


@every_case
@both_modes
def test_executed_shape_and_parameters_are_the_counted_ones(case: Case, training: bool) -> None:
    made = network(case)
    y = made.run(inputs(case), training=training).outputs["y"]
    assert y.shape == (2, *case.layer.infer(case.types).shape)
    assert y.dtype == np.float64
    declared = {f"y.{param.name}": param.shape for param in case.layer.params(case.types)}
    assert {name: array.shape for name, array in made.parameters().items()} == declared


@every_case
def test_what_runs_is_what_is_counted(case: Case) -> None:
    """Shape, parameters, multiply-adds; and no more is kept for backward."""
    (verified,) = verify(network(case))
    assert verified.wrong == ()


@every_case
def test_backward_does_the_products_that_are_counted(case: Case) -> None:
    """Attention scores are formed once more where they are not kept."""
    made, x, types = network(case), inputs(case, batch=1), case.types
    params = {name.removeprefix("y."): counted(array) for name, array in made.parameters().items()}
    xs = tuple(counted(x[f"x{number}"]) for number in range(len(types)))
    needs = tuple(array.dtype.kind == "f" for array in xs)
    training = case.kind != "batchnorm"  # a single value has no statistics
    context = Context(training, np.random.default_rng(0))
    with counting() as forward:
        y, backward = KERNELS[case.kind](case.layer, params, xs, context)
    with counting() as back:
        backward(counted(np.ones(y.shape)))
    output = case.layer.infer(types)
    assert forward.macs == case.layer.cost(types, output).macs
    again = back.macs - case.layer.backward_macs(types, output, needs)
    if case.kind in ("multi_head_attention", "scaled_dot_product_attention"):
        queries, keys = types[0].shape, types[1 % len(types)].shape
        assert again == queries[0] * keys[0] * queries[1]
    else:
        assert again == 0


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_no_more_is_kept_for_backward_than_is_counted(case: Case, dtype: str) -> None:
    (verified,) = verify(network(case, dtype))
    assert verified.saved <= verified.counted_saved


@every_case
def test_what_may_be_kept_is_what_training_memory_counts(case: Case) -> None:
    """Behind layers that are trained and keep nothing themselves."""
    counted = training(behind_parameters(case.layer, case.types), loss="none").layers[-1].saved.per_sample
    (verified,) = verify(network(case, "float32"))
    assert verified.counted_saved == counted


@every_case
@both_modes
def test_a_batch_is_its_samples_side_by_side_unless_the_layer_says_otherwise(
    case: Case, training: bool
) -> None:
    x = inputs(case, batch=6)
    together = run(case, x, training=training)
    parts = [
        run(case, {name: array[n : n + 2] for name, array in x.items()}, training=training)
        for n in range(0, 6, 2)
    ]
    equal = np.allclose(together, np.concatenate(parts), rtol=1e-10, atol=1e-12)
    assert equal != (case.layer.mixes_samples(training) and 0 < case.options.get("rate", 0.5) < 1)


@every_case
@both_modes
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_other_float_types_stay_themselves_and_close(case: Case, training: bool, dtype: str) -> None:
    """By their norms: near a kink inside the layer rounding moves single elements far.

    A gradient that is zero, as of a shift of all keys, is measured by the layer's largest array.
    """
    x = inputs(case, dtype=dtype)
    tolerance = {"float16": 3e-2, "float32": 2e-5}[dtype]
    exact, made = (network(case, own).run(x, training=training, draw=0) for own in ("float64", dtype))
    upstream = np.random.default_rng(11).standard_normal(exact.outputs["y"].shape)
    exact_grads, grads = exact.backward(upstream), made.backward(upstream)
    pairs = {"y": (exact.outputs["y"], made.outputs["y"])}
    for of_exact, of_made in zip(exact_grads, grads, strict=True):
        pairs |= {f"d{name}": (of_exact[name], array) for name, array in of_made.items() if array is not None}
    least = max(float(np.linalg.norm(wanted)) for wanted, _ in pairs.values()) / 100
    for name, (wanted, found) in pairs.items():
        assert found.dtype == dtype, name
        scale = max(float(np.linalg.norm(wanted)), least) + 1e-6
        assert np.linalg.norm(found - wanted) / scale < tolerance, name


@every_case
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_float32_rounded_once(case: Case, dtype: str) -> None:
    """The output to the bit; gradients, which may start from the rounded output, by their norms."""
    precision = PRECISIONS[dtype]
    wide, half = network(case, "float32"), network(case, dtype)
    for name, array in half.parameters().items():
        array[...] = precision.rounded(array)
        wide.parameters()[name][...] = array
    x = inputs(case, dtype=dtype)
    expected, found = (made.run(x, training=True, draw=0) for made in (wide, half))
    y = found.outputs["y"]
    np.testing.assert_array_equal(y, precision.rounded(expected.outputs["y"]))
    upstream = precision.rounded(np.random.default_rng(11).standard_normal(y.shape))
    for of_wide, of_half in zip(expected.backward(upstream), found.backward(upstream), strict=True):
        for name, wanted in of_wide.items():
            if wanted is not None:
                error = np.linalg.norm(of_half[name].astype(np.float32) - wanted)
                assert error <= 4 * precision.epsilon * (np.linalg.norm(wanted) + 1), name


@every_case
def test_same_seed_same_bits(case: Case) -> None:
    x = inputs(case, dtype="float32")
    first, second = (run(case, x, "float32", training=True) for _ in range(2))
    assert first.tobytes() == second.tobytes()


@every_case
@both_modes
def test_nothing_given_is_written_into(case: Case, training: bool) -> None:
    made, x = network(case), inputs(case)
    given = {name: array.copy() for name, array in x.items()}
    learned = {name: array.copy() for name, array in made.parameters().items() if "running" not in name}
    result = made.run(x, training=training)
    y = result.outputs["y"].copy()
    upstream = np.ones_like(y)
    result.backward(upstream)
    assert all(np.array_equal(array, given[name]) for name, array in x.items())
    assert all(np.array_equal(made.parameters()[name], array) for name, array in learned.items())
    assert np.array_equal(result.outputs["y"], y)
    assert np.array_equal(upstream, np.ones_like(y))


@every_case
@both_modes
def test_gradients_are_the_finite_differences(case: Case, training: bool) -> None:
    """Along random directions, in each input and each parameter on its own.

    A direction moves a few hundred elements at most: in a large array some lie so close to a kink, of
    a ReLU or between a window's largest two, that a step would cross it.
    At one of two steps, for the longer may straddle a kink inside the layer all the same.
    """
    made, x = network(case), inputs(case)
    rng = np.random.default_rng(11)
    result = made.run(x, training=training, draw=0)
    upstream = rng.standard_normal(result.outputs["y"].shape)
    grads = result.backward(upstream)

    def loss() -> float:
        return float((made.run(x, training=training, draw=0).outputs["y"] * upstream).sum())

    checked = 0
    for array, gradient in differentiable(made, x, grads):
        for _ in range(3):
            direction = rng.standard_normal(array.shape) * (rng.random(array.shape) * array.size < 300)
            analytic = float((gradient * direction).sum())
            scale = float(np.linalg.norm(gradient[direction != 0])) + ROUNDING
            errors = (abs(difference(loss, array, direction, step) - analytic) / scale for step in STEPS)
            assert any(error < 1e-6 for error in errors)
            checked += 1
    assert checked or case.kind == "embedding"


def differentiable(made: Network, x: dict[str, Array], grads: Grads) -> list[tuple[Array, Array]]:
    """Each array that has a gradient, with it."""
    pairs = [(x[name], gradient) for name, gradient in grads.inputs.items() if gradient is not None]
    arrays = made.parameters()
    for array, gradient in (pairs := [*pairs, *((arrays[name], g) for name, g in grads.params.items())]):
        assert gradient.shape == array.shape
        assert gradient.dtype == array.dtype
    return pairs


def difference(loss: Callable[[], float], array: Array, direction: Array, step: float) -> float:
    """The slope of the loss along a direction, by central differences of fourth order."""
    start = array.copy()
    values = []
    for factor in (-2, -1, 1, 2):
        array[...] = start + factor * step * direction
        values.append(loss())
    array[...] = start
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
