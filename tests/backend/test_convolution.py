"""Every algorithm against the reference convolution, over a grid of shapes."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from netcalc.backend.kernels import Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.kernels.convolution import convolution
from netcalc.backend.plan.calls import Call, Scratch, blocks
from netcalc.backend.plan.convolution.algorithm import Algorithm, ConvolutionOutput
from netcalc.backend.plan.convolution.choice import algorithm, is_planar
from netcalc.backend.plan.convolution.depthwise import Depthwise
from netcalc.backend.plan.convolution.direct import Direct
from netcalc.backend.plan.convolution.im2col import Im2col
from netcalc.backend.plan.convolution.planar import Planar
from netcalc.backend.plan.convolution.winograd import Winograd
from netcalc.backend.plan.epilogues import epilogue_of
from netcalc.layers import LAYERS
from netcalc.layers.geometry import extent
from netcalc.tensor import Shape, TensorType

from engines import small_limits

ONE = (1, 1)


class Case(NamedTuple):
    algorithm: Algorithm
    kernel: int
    stride: int = 1
    dilation: int = 1

    def __str__(self) -> str:
        stride = f", stride {self.stride}" if self.stride > 1 else ""
        return f"{self.algorithm.name} {self.kernel}{stride}"


CASES = (
    Case(Direct(), 1),
    Case(Im2col((3, 3), ONE, ONE), 3),
    Case(Im2col((3, 3), (2, 2), ONE), 3, 2),
    Case(Im2col((3, 3), (2, 2), (2, 2)), 3, 2, 2),
    Case(Im2col(ONE, (2, 2), ONE), 1, 2),
    Case(Planar((3, 3), ONE), 3),
    Case(Planar((3, 3), (2, 2)), 3, 2),
    Case(Planar((7, 7), (2, 2)), 7, 2),
    Case(Planar((11, 11), (4, 4)), 11, 4),
    Case(Planar((2, 2), (3, 3)), 2, 3),
    Case(Winograd(2, 3), 3),
    Case(Winograd(4, 3), 3),
    Case(Winograd(2, 5), 5),
    Case(Depthwise((3, 3), ONE, ONE), 3),
    Case(Depthwise((5, 5), (2, 2), ONE), 5, 2),
    Case(Depthwise((3, 3), ONE, (2, 2)), 3, 1, 2),
)

SHAPES = ((1, 3, 16, 16), (2, 4, 13, 14), (3, 16, 14, 15), (1, 24, 21, 23), (2, 200, 12, 11), (1, 8, 70, 60))
"""N,C,H,W: whole tiles and none, one block and many, few channels and so many that rows are not joined."""

LARGEST = {"Winograd F(4x4,3x3)": 2e-5, "Winograd F(2x2,5x5)": 2e-5}
"""The largest error in float32, relative to the largest output; of the other algorithms 2e-6."""

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


class Made(NamedTuple):
    calls: list[Call]
    y: Array
    around: Array
    expected: Array


def made(case: Case, shape: tuple[int, ...], dtype: str, gap: int, *, with_epilogue: bool = True) -> Made:
    """The calls for a convolution, and what they must come to; y has `gap` cells around it."""
    rng = np.random.default_rng(3)
    n, channels, height, width = shape
    filters = channels if case.algorithm.name == "depthwise" else 20
    kind = LAYERS["depthwise_conv" if case.algorithm.name == "depthwise" else "conv"]
    options = {} if kind.kind == "depthwise_conv" else {"filters": filters}
    types = (TensorType(shape[1:]),)
    layer = kind(types, kernel=case.kernel, stride=case.stride, dilation=case.dilation, **options)
    x = rng.standard_normal(shape)
    weight = rng.standard_normal(layer.params(types)[0].shape)
    bias = rng.standard_normal(filters)
    expected, _ = convolution(layer, {"weight": weight, "bias": bias}, (x,), Context())  # type: ignore[arg-type]
    added = rng.standard_normal(expected.shape)
    size = expected.shape[2:]
    read = np.zeros((n, channels, *map(max, case.algorithm.reads(size), (height, width))), dtype)
    read[:, :, :height, :width] = x
    if not isinstance(case.algorithm, Planar):
        read = np.ascontiguousarray(read.transpose(0, 2, 3, 1))
    around = np.full((n, size[0] + 2 * gap, size[1] + 2 * gap, filters), np.nan, dtype)
    y = around[:, gap : gap + size[0], gap : gap + size[1]]
    output = ConvolutionOutput(y, bias.astype(dtype))
    if with_epilogue:
        channels_last = np.ascontiguousarray(added.transpose(0, 2, 3, 1), dtype)
        output = ConvolutionOutput(y, bias.astype(dtype), channels_last, epilogue_of(LAYERS["relu"]()))
        expected = np.maximum(expected + added, 0)
    prepared = case.algorithm.prepared(weight.astype(dtype))
    assert prepared.shape == case.algorithm.form(weight.shape)
    planned = Scratch()
    for _ in case.algorithm.calls(read, prepared, output, planned):
        pass
    scratch = Scratch(np.zeros(planned.most, np.uint8))
    return Made(list(case.algorithm.calls(read, prepared, output, scratch)), y, around, expected)


def run(calls: list[Callable[[], object]]) -> None:
    for call in calls:
        call()


@every_case
@every_shape
@pytest.mark.parametrize("gap", [0, 1])
def test_equals_the_reference(case: Case, shape: tuple[int, ...], gap: int) -> None:
    result = made(case, shape, "float32", gap)
    run(result.calls)
    error = np.abs(result.y.transpose(0, 3, 1, 2) - result.expected).max() / np.abs(result.expected).max()
    assert error < LARGEST.get(case.algorithm.name, 2e-6)
    assert np.isnan(result.around).sum() == result.around.size - result.y.size, "written beside the output"


@every_case
def test_equals_the_reference_exactly_in_double_precision(case: Case) -> None:
    result = made(case, (2, 12, 18, 17), "float64", 0, with_epilogue=False)
    run(result.calls)
    np.testing.assert_allclose(result.y.transpose(0, 3, 1, 2), result.expected, rtol=1e-9, atol=1e-11)


@every_case
def test_runs_again_to_the_same_bits(case: Case) -> None:
    result = made(case, (2, 12, 18, 17), "float32", 1)
    run(result.calls)
    first = result.y.copy()
    run(result.calls)
    assert np.array_equal(first, result.y)


@pytest.mark.parametrize("seed", range(200))
def test_equals_the_reference_on_views_with_gaps(seed: int) -> None:
    """Any sizes along each axis; input, output and what is added are parts of larger arrays, weights some filters."""
    with small_limits(seed // 6 % 2 == 1):
        calls, found, expected = in_larger_arrays(seed)
        run(calls)
    np.testing.assert_allclose(found(), expected, rtol=1e-8, atol=1e-9)


def in_larger_arrays(seed: int) -> tuple[list[Call], Callable[[], Array], Array]:
    """The calls of a drawn case, how its output is read afterwards, and what that must be; NaN around all."""
    rng = np.random.default_rng(seed)
    chosen, options = drawn_algorithm(rng, seed)
    depthwise = chosen.name == "depthwise"
    samples, channels, *size = (
        int(rng.choice(some)) for some in ((1, 2, 3), (1, 2, 5, 9), (1, 4, 9, 14), (1, 4, 9, 14))
    )
    filters = channels if depthwise else int(rng.integers(1, 9))
    x = rng.standard_normal((samples, channels, *chosen.reads(tuple(size))))
    spans = map(extent, options["kernel"], options["dilation"])
    read = [(n - 1) * stride + span for n, stride, span in zip(size, options["stride"], spans, strict=True)]
    given = x[:, :, : read[0], : read[1]]
    kind, own = ("depthwise_conv", {}) if depthwise else ("conv", {"filters": filters})
    layer = LAYERS[kind]((TensorType(given.shape[1:]),), **options, **own)
    weight = rng.standard_normal(layer.params((TensorType(given.shape[1:]),))[0].shape)
    bias = rng.standard_normal(filters)
    expected = convolution(layer, {"weight": weight, "bias": bias}, (given,), Context())[0]  # type: ignore[arg-type]
    expected = expected.transpose(0, 2, 3, 1)
    added = rng.standard_normal(expected.shape) if rng.random() < 0.5 else None
    some = slice(0 if depthwise else int(rng.integers(filters)), filters)
    whole = in_larger(rng, np.zeros(expected.shape))
    output = ConvolutionOutput(whole, bias, None if added is None else in_larger(rng, added)).channels(some)
    source = in_larger(
        rng, x if isinstance(chosen, Planar) else np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    )
    prepared = chosen.prepared(weight)[..., some]
    planned = Scratch()
    for _ in chosen.calls(source, prepared, output, planned):
        pass
    calls = list(chosen.calls(source, prepared, output, Scratch(np.zeros(planned.most, np.uint8))))
    return calls, lambda: output.y, (expected if added is None else expected + added)[..., some]


def drawn_algorithm(rng: np.random.Generator, seed: int) -> tuple[Algorithm, dict[str, Shape]]:
    """An algorithm, each in turn, and the options of a convolution that it computes, drawn for each axis."""

    def sizes(*choices: int) -> Shape:
        return tuple(rng.choice(choices, 2).tolist())

    kernel, stride, dilation = sizes(1, 2, 3, 4), sizes(1, 2, 3), sizes(1, 2)
    chosen: Algorithm
    match seed % 6:
        case 0:
            return Direct(), {"kernel": ONE, "stride": ONE, "dilation": ONE}
        case 1 | 2:
            chosen = Winograd(*((2, 5), (2, 3), (4, 3))[seed // 6 % 3])
            return chosen, {"kernel": (chosen.kernel, chosen.kernel), "stride": ONE, "dilation": ONE}
        case 3:
            return Planar(kernel, stride), {"kernel": kernel, "stride": stride, "dilation": ONE}
        case 4:
            chosen = Depthwise(kernel, stride, dilation)
        case _:
            chosen = Im2col(kernel, stride, dilation)
    return chosen, {"kernel": kernel, "stride": stride, "dilation": dilation}


def in_larger(rng: np.random.Generator, array: Array) -> Array:
    """The same numbers as a view of an array that is now and then larger along an axis, NaN beside them."""
    beside = rng.integers(0, 3, (array.ndim, 2)) * (rng.random((array.ndim, 1)) < 0.4)
    whole = np.pad(array, beside.tolist(), constant_values=np.nan)
    return whole[tuple(slice(first, first + n) for (first, _), n in zip(beside, array.shape, strict=True))]


@pytest.mark.parametrize(("outputs", "kernel"), [(2, 3), (4, 3), (2, 5)])
def test_winograds_transforms_compute_a_correlation(outputs: int, kernel: int) -> None:
    at, g, bt = Winograd(outputs, kernel).transforms
    rng = np.random.default_rng(0)
    d, w = rng.standard_normal(outputs + kernel - 1), rng.standard_normal(kernel)
    np.testing.assert_allclose(at @ ((g @ w) * (bt @ d)), np.correlate(d, w, "valid"), atol=1e-12)


def test_winograds_published_matrices() -> None:
    at, g, bt = Winograd(4, 3).transforms
    assert bt[0].tolist() == [4, 0, -5, 0, 1, 0]
    assert at.tolist() == [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
    np.testing.assert_allclose(g[3], [1 / 24, 1 / 12, 1 / 6])


@pytest.mark.parametrize(("samples", "rows", "most", "unit"), [(3, 7, 100, 1), (2, 56, 9, 4), (1, 5, 1, 2), (4, 6, 6, 2)])  # fmt: skip
def test_blocks_cover_everything_once(samples: int, rows: int, most: int, unit: int) -> None:
    covered = np.zeros((samples, rows), int)
    for one, some in blocks(Scratch(np.empty(0, np.uint8)), samples, rows, most, unit):
        covered[one, some] += 1
        assert some.start % unit == 0
    assert (covered == 1).all()


@pytest.mark.parametrize(
    ("options", "channels", "size", "samples", "dtype", "name"),
    [
        ({"kernel": 1}, 64, 56, 1, "float32", "1x1 product"),
        ({"kernel": 1, "stride": 2}, 64, 28, 1, "float32", "im2col"),
        ({"kernel": 3, "pad": 1}, 64, 56, 1, "float32", "Winograd F(4x4,3x3)"),
        ({"kernel": 3, "pad": 1}, 64, 7, 1, "float32", "Winograd F(2x2,3x3)"),
        ({"kernel": 3, "pad": 1}, 64, 7, 8, "float32", "Winograd F(4x4,3x3)"),
        ({"kernel": 3, "pad": 1}, 64, 56, 1, "float64", "im2col"),
        ({"kernel": 3, "pad": 1}, 4, 56, 1, "float32", "im2col"),
        ({"kernel": 5, "pad": 2}, 64, 27, 1, "float32", "Winograd F(2x2,5x5)"),
        ({"kernel": 3, "stride": 2}, 64, 27, 1, "float32", "im2col"),
        ({"kernel": 3, "dilation": 2}, 64, 27, 1, "float32", "im2col"),
        ({"kernel": 3, "groups": 64}, 64, 27, 1, "float32", "depthwise"),
    ],
)
def test_the_rule(
    options: dict[str, int], channels: int, size: int, samples: int, dtype: str, name: str
) -> None:
    layer = LAYERS["conv"]((TensorType((channels, 100, 100)),), filters=64, **options)
    chosen = algorithm(layer, channels, (size, size), samples, np.dtype(dtype), planar=False)
    assert chosen.name == name


def test_pictures_are_read_as_they_come() -> None:
    layer = LAYERS["conv"]((TensorType((3, 100, 100)),), filters=64, kernel=7, stride=2)
    assert is_planar(layer, 3)
    assert not is_planar(layer, 32)
