"""Convolutions of a training step: every way to compute them, against the plain path."""

from itertools import product

import numpy as np
import pytest

from netcalc.backend.network import Network
from netcalc.backend.step import TrainingStep
from netcalc.backend.step.convolution import winograd
from netcalc.backend.step.convolution.depthwise import DepthwiseConvolution
from netcalc.backend.step.convolution.operation import Convolution
from netcalc.backend.step.convolution.winograd import WinogradCorrelation
from netcalc.backend.step.lowering import _operation

from engines import small_limits, step_differences
from helpers import graph_of
from plain_runs import PlainRuns

IMAGE, SIGNAL, VOLUME = "[4, 7, 9]", "[4, 11]", "[4, 5, 6, 7]"
CASES = [
    *(
        (space, f"conv: {{filters: 8, kernel: {kernel}, stride: {stride}, pad: {pad}, groups: {groups}}}")
        for space, groups, (kernel, stride, pad) in product(
            (IMAGE, SIGNAL, VOLUME), (1, 2, 4), ((1, 1, 0), (1, 2, 1), (3, 1, 1), (3, 2, 0), (3, 1, 3))
        )
    ),
    *(
        (IMAGE, f"depthwise_conv: {{kernel: 3, stride: {stride}, pad: {pad}, dilation: {dilation}, multiplier: {m}}}")
        for stride, pad, dilation, m in product((1, 2), (0, 2), (1, 2), (1, 3))
    ),
    ("[4, 5, 60]", "depthwise_conv: {kernel: [3, 5], stride: [2, 1], pad: 2, multiplier: 2}"),
    ("[4, 2, 2]", "depthwise_conv: {kernel: 5, pad: 2}"),
    (SIGNAL, "depthwise_conv: {kernel: 3, pad: 1, multiplier: 2}"),
    (SIGNAL, "conv: {filters: 6, kernel: 3, dilation: 2, pad: [[2, 1]]}"),
    (VOLUME, "conv: {filters: 6, kernel: [1, 3, 2], stride: [2, 1, 2], dilation: [1, 2, 1], groups: 2}"),
    ("[33, 5, 6]", "conv: {filters: 34, kernel: 3, pad: [[2, 0], [0, 1]]}"),
    ("[32, 1, 1]", "conv: {filters: 32, kernel: 3, pad: 1}"),
]  # fmt: skip


@pytest.mark.parametrize("is_small", [False, True], ids=["limits", "small limits"])
@pytest.mark.parametrize(("space", "layer"), CASES)
def test_convolutions_need_no_fallback_and_equal_the_plain_path(
    space: str, layer: str, is_small: bool
) -> None:
    graph = graph_of(f"input: {space}\nlayers:\n  - {layer}\n  - relu\n")
    node = graph.nodes[0]
    operation = _operation(node, [graph.types[name].shape for name in node.inputs])
    assert operation in (Convolution, DepthwiseConvolution)
    runs = PlainRuns(graph)
    with small_limits(is_small):
        for dtype, workers in (("float64", 2), ("float32", 1)):
            assert not list(step_differences(runs, dtype, batch=5, workers=workers))


@pytest.mark.parametrize(
    "kind", ["depthwise_conv: {", "conv: {filters: 4, ", "conv: {filters: 4, groups: 4, "]
)
@pytest.mark.parametrize("sizes", [(2, 6), (6, 2)], ids=["the owner's outside", "the sharer's outside"])
def test_shared_kernels_whose_outer_cells_lie_outside_one_of_the_inputs(
    kind: str, sizes: tuple[int, int]
) -> None:
    """The gradients of those cells are the other layer's alone, also in the rounds after the first."""
    first, second = sizes
    graph = graph_of(
        f"inputs: {{a: [4, {first}, {first}], b: [4, {second}, {second}]}}\noutputs: [one, two]\nlayers:\n"
        f"  - {kind}name: one, from: a, kernel: 5, pad: 2}}\n"
        f"  - {kind}name: two, from: b, kernel: 5, pad: 2, share: one}}\n"
    )
    runs = PlainRuns(graph)
    for batch, workers, input_gradients in ((1, 1, True), (4, 2, True), (4, 2, False)):
        assert not list(step_differences(runs, "float64", batch, workers, input_gradients))


def gradients(dtype: str) -> list[np.ndarray]:
    """The output and the gradients of two convolutions of 32 channels."""
    conv = "conv: {filters: 32, kernel: 3, pad: 1}"
    network = Network(
        graph_of(f"input: [32, 12, 13]\nlayers:\n  - {conv}\n  - {conv}\n"), seed=1, dtype=dtype
    )
    draw = np.random.default_rng(0)
    x, dy = draw.standard_normal((2, 8, 32, 12, 13))
    with TrainingStep(network, 8, input_gradients=True, workers=2) as step:
        y = step.forward(x)
        found = step.backward(dy)
        return [y, found.inputs["input"], *(array.copy() for array in found.params.values())]


def test_winograd_rounds_like_the_plain_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32 its error in outputs and gradients is at most twice that of columns, and below 1e-6."""
    exact = gradients("float64")
    taken = []
    run = WinogradCorrelation.run
    monkeypatch.setattr(WinogradCorrelation, "run", lambda self: (taken.append(self), run(self)))
    by_tiles = gradients("float32")
    assert len(taken) == 2 * 2 * 2  # two layers, forward and backward, two workers
    monkeypatch.setattr(winograd, "_LEAST_CHANNELS", 1000)
    by_columns = gradients("float32")
    assert len(taken) == 8
    for right, tiles, columns in zip(exact, by_tiles, by_columns, strict=True):
        off, usual = (np.linalg.norm(found - right) / np.linalg.norm(right) for found in (tiles, columns))
        assert off < 1e-6
        assert off < 2 * usual


def test_a_mean_far_from_zero_in_one_channel_only() -> None:
    """The worker that centres its samples and the one that need not combine their statistics."""
    graph = graph_of("input: [2, 6, 6]\nlayers:\n  - batchnorm: {name: norm}\n")
    x = np.random.default_rng(0).standard_normal((8, 2, 6, 6))
    x[:4, 1] += 500
    exact = Network(graph, dtype="float64")
    result = exact.run({"input": x}, training=True)
    dy = np.random.default_rng(1).standard_normal(x.shape)
    expected = result.backward(dy)
    with TrainingStep(Network(graph), 8, workers=2, input_gradients=True) as step:
        np.testing.assert_allclose(step.forward(x), result.outputs["norm"], atol=1e-4)
        found = step.backward(dy)
        np.testing.assert_allclose(found.inputs["input"], expected.inputs["input"], atol=1e-4)
        np.testing.assert_allclose(found.params["norm.weight"], expected.params["norm.weight"], atol=1e-2)


@pytest.mark.parametrize(("space", "pad"), [("[2, 9]", 0), ("[2, 9]", 1), ("[2, 6, 6]", 0), ("[2, 6, 6]", 1)])
def test_numbers_that_are_not_finite_reach_only_the_cells_that_read_them(space: str, pad: int) -> None:
    graph = graph_of(
        f"input: {space}\nlayers:\n  - conv: {{name: conv, filters: 2, kernel: 3, pad: {pad}}}\n"
    )
    plain, same = Network(graph, seed=1, dtype="float64"), Network(graph, seed=1, dtype="float64")
    x = np.random.default_rng(0).standard_normal((4, *graph.types["input"].shape))
    x[0, 0, ..., 0] = np.inf  # with pad 0 the last cell of the kernel never reads it
    expected = plain.run({"input": x}, training=True).backward(np.ones((4, *graph.types["conv"].shape)))
    with TrainingStep(same, 4, workers=2, input_gradients=True) as step:
        step.forward(x)
        found = step.backward(np.ones((4, *graph.types["conv"].shape)))
    np.testing.assert_allclose(found.params["conv.weight"], expected.params["conv.weight"])
