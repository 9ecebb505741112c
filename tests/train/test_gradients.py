"""Clipping and accumulation of gradients."""

import numpy as np
import pytest

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.train.gradients import GradientAccumulator, clip_norm, clip_value, global_norm
from netcalc.train.losses import CrossEntropy

from helpers import graph_of


def gradients(dtype: str = "float64") -> dict[str, Array]:
    return {"a": np.array([[3.0, 0.0]], dtype), "b": np.array([0.0, -4.0, 0.0], dtype)}


def test_a_long_gradient_gets_the_largest_norm() -> None:
    given = gradients()
    assert clip_norm(given, 1.0) == 5.0
    assert global_norm(given) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(given["a"], [[0.6, 0.0]], rtol=1e-6)


def test_a_short_one_stays() -> None:
    given = gradients()
    assert clip_norm(given, 5.1) == 5.0
    np.testing.assert_array_equal(given["b"], gradients()["b"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_that_is_not_finite_stays(bad: float) -> None:
    given = gradients() | {"c": np.array([bad])}
    assert not np.isfinite(clip_norm(given, 1.0))
    np.testing.assert_array_equal(given["a"], gradients()["a"])


def test_a_norm_whose_square_float32_cannot_hold() -> None:
    given = {name: gradient * np.float32(1e25) for name, gradient in gradients("float32").items()}
    assert clip_norm(given, 1.0) == pytest.approx(5e25)
    assert global_norm(given) == pytest.approx(1.0)


def test_values_are_limited_one_by_one() -> None:
    given = gradients()
    clip_value(given, 3.5)
    np.testing.assert_array_equal(given["a"], [[3.0, 0.0]])
    np.testing.assert_array_equal(given["b"], [0.0, -3.5, 0.0])


@pytest.mark.parametrize("most", [0, -1.0, float("nan"), float("inf"), "1", True])
def test_a_limit_is_a_number_above_0(most: float) -> None:
    with pytest.raises(ValueError, match="the largest norm is a number above 0"):
        clip_norm(gradients(), most)
    with pytest.raises(ValueError, match="the largest value is a number above 0"):
        clip_value(gradients(), most)
    with pytest.raises(ValueError, match="the weight of a batch is a number above 0"):
        GradientAccumulator().add(gradients(), most)


def test_parts_of_a_batch_accumulate_to_the_whole() -> None:
    network = Network(
        graph_of("input: [4]\nlayers:\n  - linear: 6\n  - tanh\n  - linear: 3\n"), dtype="float64"
    )
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((10, 4)), rng.integers(0, 3, 10)

    def gradients_of(part: slice) -> dict[str, Array]:
        y = network.forward(x[part])
        assert isinstance(y, np.ndarray)
        return network.backward(CrossEntropy()(y, labels[part])[1]).params

    accumulator = GradientAccumulator()
    for _ in range(2):  # the second time into the same arrays
        for part in (slice(0, 3), slice(3, 4), slice(4, 10)):
            given = gradients_of(part)
            kept = {name: gradient.copy() for name, gradient in given.items()}
            accumulator.add(given, weight=part.stop - part.start)
            for name, gradient in given.items():
                np.testing.assert_array_equal(gradient, kept[name])
        assert accumulator.batches == 3
        found = accumulator.mean()
        assert accumulator.batches == 0
        for name, gradient in gradients_of(slice(0, 10)).items():
            np.testing.assert_allclose(found[name], gradient, rtol=1e-12, atol=1e-15)


def test_what_cannot_be_accumulated_is_refused() -> None:
    accumulator = GradientAccumulator()
    with pytest.raises(ValueError, match="no gradients were added"):
        accumulator.mean()
    accumulator.add(gradients())
    with pytest.raises(ValueError, match="there is no gradient of b"):
        accumulator.add({"a": np.zeros((1, 2))})
    with pytest.raises(ValueError, match=r"the gradient of b is \(1,\), the parameter \(3,\)"):
        accumulator.add(gradients() | {"b": np.zeros(1)})
    np.testing.assert_array_equal(accumulator.mean()["a"], gradients()["a"])
