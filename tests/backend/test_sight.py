"""Which positions an output of attention sees, and which tokens a table has."""

from typing import Any

import numpy as np
import pytest

from netcalc.analysis import analyze
from netcalc.backend import Network
from netcalc.backend.kernels import parts
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import ExecutionError

from cases import Case
from helpers import graph_of
from test_layers import graph_of_case

VISIBLE = 1e-30
"""Less than any weight but those that a shift keeps apart, e^-100."""


def seen(case: Case, position: tuple[int, ...], number: int = 0) -> Array:
    """For each position of an input whether the output at `position` depends on it."""
    network = Network(graph_of_case(case), dtype="float64")
    rng = np.random.default_rng(2)
    xs = {
        name: rng.standard_normal((1, *type.shape))
        for name, type in network.graph.types.items()
        if name != "y"
    }
    result = network.run(xs)
    upstream = np.zeros_like(result.outputs["y"])
    upstream[0][position] = rng.standard_normal(upstream.shape[-1])
    gradient = list(result.backward(upstream).inputs.values())[number]
    assert gradient is not None
    reached: Array = np.abs(gradient[0]).max(axis=-1) > VISIBLE
    return reached


@pytest.mark.parametrize(
    ("kind", "inputs", "number"),
    [
        ("multi_head_attention", ((6, 8),), 0),
        ("multi_head_attention", ((5, 8), (7, 8)), 1),
        ("scaled_dot_product_attention", ((5, 8), (7, 8), (7, 8)), 2),
    ],
)
def test_causal_attention_sees_nothing_later(kind: str, inputs: Any, number: int) -> None:
    for causal in (True, False):
        found = seen(Case(kind, {"heads": 2, "causal": causal}, inputs), (2,), number)
        assert list(found) == [not causal or place <= 2 for place in range(len(found))]


@pytest.mark.parametrize(
    ("options", "rows", "columns"),
    [
        ({"size": 2}, (2, 3), (0, 1)),
        ({"size": (3, 2)}, (0, 1, 2), (0, 1)),
        ({"size": 2, "grid": True}, (0, 2), (1, 3)),
        ({"size": 2, "shift": 1}, (1, 2), (1, 2)),
        ({"size": (2, 4), "shift": (1, 2)}, (1, 2), (0, 1, 2, 3)),
        ({"size": (4, 2), "shift": (3, 1), "cosine": True}, (0, 1, 2, 3), (1, 2)),
    ],
    ids=str,
)
def test_window_attention_sees_its_window(
    options: dict[str, Any], rows: tuple[int, ...], columns: tuple[int, ...]
) -> None:
    found = seen(Case("window_attention", {"heads": 2, **options}, ((4, 4, 4),)), (2, 1))
    assert set(zip(*np.nonzero(found), strict=True)) == {(row, column) for row in rows for column in columns}


def test_a_shift_does_not_bring_two_sides_together() -> None:
    case = Case("window_attention", {"size": 2, "heads": 2, "shift": 1}, ((4, 4, 4),))
    assert list(zip(*np.nonzero(seen(case, (0, 0))), strict=True)) == [(0, 0)]
    assert list(zip(*np.nonzero(seen(case, (3, 2))), strict=True)) == [(3, 1), (3, 2)]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_cosines_of_no_length_pass_no_gradient(dtype: str) -> None:
    """Padding has keys of zeros, as keys have no bias."""
    case = Case("window_attention", {"size": 4, "heads": 2, "cosine": True}, ((2, 5, 4),))
    network = Network(graph_of_case(case), dtype=dtype)
    result = network.run(np.ones((1, 2, 5, 4)))
    grads = result.backward()
    for array in (result.outputs["y"], *grads.params.values(), *grads.inputs.values()):
        assert array is not None
        assert np.isfinite(array).all()


def test_scores_divided_by_the_root_of_all_channels() -> None:
    """As those by the root of a head's, with queries smaller by the root of the heads."""
    y = {}
    for scale in ("input", "head"):
        case = Case("window_attention", {"size": 2, "heads": 4, "scale": scale}, ((4, 4, 8),))
        network = Network(graph_of_case(case), dtype="float64")
        if scale == "head":
            network.parameters()["y.qkv.weight"][:8] /= 2
            network.parameters()["y.qkv.bias"][:8] /= 2
        y[scale] = network.run(np.random.default_rng(3).standard_normal((1, 4, 4, 8))).outputs["y"]
    np.testing.assert_allclose(y["input"], y["head"], rtol=1e-12)


def test_the_factor_of_cosines_is_at_most_100() -> None:
    case = Case("window_attention", {"size": 2, "heads": 2, "cosine": True}, ((4, 4, 4),))
    network = Network(graph_of_case(case), dtype="float64")
    x, y = np.random.default_rng(3).standard_normal((1, 4, 4, 4)), []
    for factor in (100, 200):
        network.parameters()["y.logit_scale"][1] = np.log(factor)
        result = network.run(x)
        gradient = result.backward().params["y.logit_scale"]
        y.append(result.outputs["y"])
        assert list(gradient.ravel() != 0) == [True, factor == 100]
    np.testing.assert_array_equal(*y)


def test_the_eps_of_pooled_attention() -> None:
    """One beyond all variance leaves nothing of the input after the pools."""
    pools = {"kernel_q": (1, 3, 3), "kernel_kv": (1, 3, 3)}
    case = Case("pooled_attention", {"heads": 2, "size": (1, 3, 3), "eps": 1e30, **pools}, ((10, 8),))
    x = np.random.default_rng(3).standard_normal((1, 10, 8))
    y = Network(graph_of_case(case), dtype="float64").run(x).outputs["y"]
    assert np.ptp(y, axis=1).max() < 1e-12


@pytest.mark.parametrize(
    ("item", "size", "loose"),
    [
        ("interpolate: {size: 7, mode: bilinear, align_corners: true}", 5, 0),
        ("interpolate: {size: 3, mode: bilinear, align_corners: true}", 8, 0),
        ("interpolate: {size: 3, mode: bicubic, align_corners: true}", 5, 0),
        ("interpolate: {size: 8, mode: bicubic, align_corners: true}", 5, 2),
        ("interpolate: {size: 4, mode: bicubic, align_corners: true}", 1, 0),
        ("upsample: {factor: 4, mode: bicubic}", 6, 0),
        ("upsample: {factor: 3, mode: nearest_exact}", 6, 0),
        ("pixel_unshuffle: {factor: 3}", 12, 0),
    ],
)
def test_resampling_sees_its_field(item: str, size: int, loose: int) -> None:
    """Every input of the field that the table gives and no other, `loose` outputs with weights of 0 aside."""
    graph = graph_of(f"input: [2, {size}, {size}]\nlayers:\n  - {item}\n")
    field = analyze(graph).rows[-1].receptive_field
    assert field is not None
    rows, result = field.axes[0], Network(graph, dtype="float64").run(np.ones((1, 2, size, size)))
    y = next(iter(result.outputs.values()))
    for position in range(y.shape[2]):
        upstream = np.zeros_like(y)
        upstream[:, :, position] = np.random.default_rng(position).standard_normal(upstream[:, :, 0].shape)
        gradient = result.backward(upstream).inputs["input"]
        assert gradient is not None
        reached = np.flatnonzero(np.abs(gradient).max(axis=(0, 1, 3)) > 1e-12)
        periods, phase = divmod(position, len(rows.first))
        bounds = (rows.first[phase] + rows.advance * periods, rows.last[phase] + rows.advance * periods)
        first, last = np.clip(bounds, 0, size - 1)
        assert first <= reached[0] <= reached[-1] <= last
        loose -= (first, last) != (reached[0], reached[-1])
    assert loose == 0


TOKENS = "input: [2]\nlayers:\n  - embedding: {name: table, entries: 5, width: 3}\n"


@pytest.mark.parametrize("token", [5, -1])
def test_a_token_that_is_not_in_the_table(token: int) -> None:
    with pytest.raises(
        ExecutionError, match=f"table: token {token} is none of the table's 5 entries, 0 to 4"
    ):
        Network(graph_of(TOKENS)).run(np.array([[0, token]]))


@pytest.mark.parametrize("token", [0.5, np.nan, np.inf])
def test_a_computed_token_is_a_whole_number(token: float) -> None:
    computed = TOKENS.replace("layers:", "layers:\n  - parameter: {name: moved, shape: [2]}")
    network = Network(graph_of(computed))
    network.parameters()["moved.weight"][...] = [1, 2]
    assert network.run(np.array([[0.0, 1.0]])).outputs["table"].shape == (1, 2, 3)
    with pytest.raises(ExecutionError, match="is none of the table's 5 entries"):
        network.run(np.array([[0.0, token]]))


def test_tokens_have_no_gradient() -> None:
    network = Network(graph_of(TOKENS))
    grads = network.run(np.array([[3, 3], [0, 1]])).backward()
    assert grads.inputs == {"input": None}
    np.testing.assert_array_equal(grads.params["table.weight"][:, 0], [1, 1, 0, 2, 0])


def test_sums_of_rows_are_those_of_numpy() -> None:
    rng = np.random.default_rng(4)
    values, rows = rng.standard_normal((50, 3)), rng.integers(7, size=50)
    table = np.zeros((9, 3))
    np.add.at(table, rows, values)
    np.testing.assert_allclose(parts.summed_rows(values, rows, 9), table, rtol=1e-12, atol=1e-14)
