"""What the laws over all kernels do not see: ties, extremes, randomness, statistics that are kept."""

import math
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from netcalc.backend import Network
from netcalc.backend.kernels import KERNELS, Array, Context
from netcalc.backend.kernels.special import erf
from netcalc.diagnostics import ExecutionError
from netcalc.layers import LAYERS
from netcalc.layers.geometry import adaptive_bounds, adaptive_cells, cell_positions
from netcalc.tensor import TensorType

from helpers import graph_of

INFERENCE = Context()
ACTIVATIONS = [kind for kind, layer in LAYERS.items() if layer.family == "activation"]


def there_and_back(
    kind: str, x: npt.ArrayLike, context: Context = INFERENCE, **options: Any
) -> tuple[Array, Array]:
    """y, and dx for a gradient of ones, of a layer without parameters."""
    given = np.asarray(x)
    layer = LAYERS[kind]((TensorType(given.shape[1:]),), **options)
    with np.errstate(all="ignore"):
        y, backward = KERNELS[kind](layer, {}, (given,), context)
        (dx,), _ = backward(np.ones_like(y))
    assert dx is not None
    return y, dx


def training(seed: int = 0) -> Context:
    return Context(training=True, rng=np.random.default_rng(seed))


def test_erf_is_that_of_the_standard_library() -> None:
    x = np.concatenate((np.linspace(-7, 7, 20_001), np.logspace(-300, 2, 500), [0.0, np.inf, -np.inf]))
    np.testing.assert_allclose(erf(x), [math.erf(value) for value in x], rtol=1e-15 * 4, atol=0)
    assert np.isnan(erf(np.array([np.nan]))).all()
    single = x.astype(np.float32)
    assert erf(single).dtype == np.float32
    np.testing.assert_allclose(erf(single), [math.erf(value) for value in single], rtol=5e-7, atol=1e-40)


def test_erf_of_any_layout_and_size() -> None:
    x = np.random.default_rng(0).standard_normal((7, 90, 80)).transpose(2, 0, 1)
    np.testing.assert_array_equal(erf(x), erf(np.ascontiguousarray(x)))
    assert erf(x[:0]).shape == (0, 7, 90)


@pytest.mark.parametrize("kind", [kind for kind in ACTIVATIONS if kind != "prelu"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_no_finite_number_gives_nan(kind: str, dtype: Any) -> None:
    largest = np.finfo(dtype).max
    x = np.array([[-largest, -300, -1, -0.0, 0.0, 1, 300, largest]], dtype)
    for options in ({}, {"form": "tanh"}) if kind == "gelu" else ({},):
        y, dx = there_and_back(kind, x, **options)
        assert not np.isnan(y).any()
        assert not np.isnan(dx).any()


@pytest.mark.parametrize("bound", [3.0, -3.0])
def test_hard_activations_have_pytorchs_slope_at_their_kinks(bound: float) -> None:
    assert there_and_back("hardsigmoid", [[bound]])[1] == 0
    assert there_and_back("hardswish", [[bound]])[1] == (bound > 0)
    assert there_and_back("relu6", [[6.0, 0.0]])[1].tolist() == [[0, 0]]
    assert there_and_back("relu", [[0.0]])[1] == 0


def test_of_equal_maxima_the_first_row_by_row_has_the_gradient() -> None:
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 1, 0] = x[0, 0, 0, 1] = x[0, 0, 3, 3] = x[0, 0, 3, 2] = 1
    expected = [[0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
    assert there_and_back("maxpool", x, kernel=2)[1][0, 0].tolist() == expected
    assert there_and_back("adaptive_maxpool", x, size=2)[1][0, 0].tolist() == expected
    alone = there_and_back("global_maxpool", x)[1][0, 0]
    assert alone[0, 1] == alone.sum() == 1


def test_a_reduction_shares_the_gradient_among_equal_maxima() -> None:
    assert there_and_back("reduce", [[2.0, 1.0, 2.0]], axes=(0,), how="max")[1].tolist() == [[0.5, 0, 0.5]]


def test_padding_never_wins_a_maximum_nor_takes_its_gradient() -> None:
    y, dx = there_and_back("maxpool", np.full((1, 1, 3, 3), -np.inf), kernel=3, stride=2, pad=1)
    assert np.isneginf(y).all()
    assert dx.sum() == y.size


def test_padding_counts_in_an_average_as_far_as_it_reaches() -> None:
    x = np.ones((1, 1, 4))
    options: dict[str, Any] = {"kernel": 3, "stride": 2, "pad": 1, "ceil": True}
    assert there_and_back("avgpool", x, **options)[0][0, 0].tolist() == [2 / 3, 1, 1 / 2]
    alone = there_and_back("avgpool", x, count_include_pad=False, **options)[0]
    assert alone[0, 0].tolist() == [1, 1, 1]


def test_adaptive_averages_are_the_means_of_their_windows() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 10, 7))
    rows, columns = adaptive_bounds(10, 6), adaptive_bounds(7, 11)
    y, _ = there_and_back("adaptive_avgpool", x, size=(6, 11))
    for (i, row), (j, column) in product(enumerate(rows), enumerate(columns)):
        window = x[..., slice(*row), slice(*column)]
        np.testing.assert_allclose(y[..., i, j], window.mean((2, 3)), rtol=1e-12)


def test_infinity_stays_in_the_adaptive_windows_that_hold_it() -> None:
    for position in range(10):
        x = np.ones((1, 1, 10))
        x[..., position] = np.inf
        holds = [first <= position < after for first, after in adaptive_bounds(10, 6)]
        assert np.isinf(there_and_back("adaptive_avgpool", x, size=6)[0])[0, 0].tolist() == holds


def test_infinity_stays_in_the_windows_that_see_it() -> None:
    x = np.ones((1, 7, 7))
    x[0, 0, 0] = np.inf
    assert np.isfinite(there_and_back("avgpool", x, kernel=2)[0][..., 1:]).all()
    assert np.isfinite(there_and_back("lrn", x, size=3)[0][:, 2:]).all()


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_cell_positions_are_those_inside_the_input(stride: int) -> None:
    for size, outputs, offset in product(range(1, 8), range(1, 6), range(-4, 9)):
        windows, cells = cell_positions(size, outputs, stride, offset)
        met = [(u, stride * u + offset) for u in range(outputs) if 0 <= stride * u + offset < size]
        assert list(zip(range(outputs)[windows], range(size)[cells], strict=True)) == met


def test_adaptive_windows_hold_as_many_cells_as_are_counted() -> None:
    for size, windows in product(range(1, 20), range(1, 20)):
        bounds = adaptive_bounds(size, windows)
        assert sum(after - first for first, after in bounds) == adaptive_cells(size, windows)


@pytest.mark.parametrize("momentum", [0.0, 0.1, 1.0])
def test_training_moves_running_statistics_by_the_momentum(momentum: float) -> None:
    net = f"input: [3, 5]\nlayers:\n  - batchnorm: {{momentum: {momentum}, name: norm}}\n"
    network = Network(graph_of(net), dtype="float64")
    x = np.random.default_rng(0).normal(2, 3, (4, 3, 5))
    network.forward(x)
    assert network.parameters()["norm.running_mean"].tolist() == [0, 0, 0]
    network.forward(x, training=True)
    mean, variance = x.mean((0, 2)), x.var((0, 2), ddof=1)
    found = network.parameters()
    np.testing.assert_allclose(found["norm.running_mean"], momentum * mean, rtol=1e-14)
    np.testing.assert_allclose(found["norm.running_var"], (1 - momentum) + momentum * variance, rtol=1e-14)


def test_a_batch_norm_without_running_statistics_takes_the_batchs_in_inference() -> None:
    network = Network(graph_of("input: [3, 5]\nlayers:\n  - batchnorm: {running: false}\n"), dtype="float64")
    y = network.forward(np.random.default_rng(0).normal(2, 3, (4, 3, 5)))
    assert isinstance(y, np.ndarray)
    np.testing.assert_allclose(y.mean((0, 2)), 0, atol=1e-14)
    np.testing.assert_allclose(y.var((0, 2)), 1, rtol=1e-5)


def test_one_value_a_channel_has_no_variance() -> None:
    network = Network(graph_of("input: [3]\nlayers:\n  - batchnorm: {name: norm}\n"))
    with pytest.raises(ExecutionError, match="norm: batchnorm needs more than one value of each channel"):
        network.forward(np.zeros((1, 3)), training=True)
    network.forward(np.zeros((1, 3)))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_zeroes_its_share_and_scales_the_rest(rate: float) -> None:
    y, dx = there_and_back("dropout", np.ones((4, 100, 100)), training(), rate=rate)
    assert abs((y == 0).mean() - rate) < 0.01
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-15)
    np.testing.assert_array_equal(dx, y)


@pytest.mark.parametrize(
    ("kind", "options", "pieces"), [("dropout", {"channels": True}, 2), ("stochastic_depth", {}, 1)]
)
def test_whole_channels_and_whole_samples_are_dropped(
    kind: str, options: dict[str, Any], pieces: int
) -> None:
    y, _ = there_and_back(kind, np.ones((40, 50, 3, 3)), training(), rate=0.5, **options)
    kept = (y != 0).reshape(*y.shape[:pieces], -1)
    assert (kept.all(-1) | ~kept.any(-1)).all()
    assert 0.3 < kept.mean() < 0.7


@pytest.mark.parametrize("kind", ["dropout", "stochastic_depth"])
def test_without_random_numbers_nothing_is_dropped(kind: str) -> None:
    for context in (INFERENCE, Context(training=True)):
        y, dx = there_and_back(kind, np.ones((4, 5)), context, rate=0.9)
        assert (y == 1).all()
        assert (dx == 1).all()
