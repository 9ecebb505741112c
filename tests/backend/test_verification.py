"""Multiply-adds are counted as they are done, and what differs from the table is named."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from netcalc.backend import Network
from netcalc.backend.counting import Count, counted, counting, naive_product
from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array, Arrays, Backward
from netcalc.backend.saved_tensors import saved_bytes
from netcalc.backend.verification import verify
from netcalc.layers import Cost
from netcalc.layers.linear import Linear
from netcalc.render.numbers import byte_size

from helpers import graph_of

NET = "input: [3, 7, 7]\nlayers:\n  - conv: {filters: 4, kernel: 3}\n  - linear: {units: 5}\n"


@pytest.mark.parametrize(
    ("first", "second", "macs"),
    [
        ((3, 4), (4, 5), 60),
        ((2, 3, 4), (4, 5), 120),
        ((7, 1, 3, 4), (2, 4, 1), 7 * 2 * 12),
        ((4,), (4, 5), 20),
        ((3, 4), (4,), 12),
        ((2, 3, 4), (4,), 24),
    ],
)
def test_the_naive_product_is_the_product(first: tuple[int, ...], second: tuple[int, ...], macs: int) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(first), rng.standard_normal(second)
    count = Count()
    np.testing.assert_allclose(naive_product(a, b, count), a @ b, rtol=1e-12)
    assert (count.macs, count.looped) == (macs, macs)


def test_large_products_are_counted_by_their_sizes() -> None:
    a = np.ones((200, 300))
    with counting() as count:
        y = counted(a) @ a.T
    assert y[0, 0] == 300
    assert (count.macs, count.looped) == (200 * 300 * 200, 0)


def test_a_product_that_nobody_counts_is_refused() -> None:
    with counting(), pytest.raises(TypeError, match="einsum is a product that nobody counts"):
        np.einsum("ij,jk", counted(np.ones((2, 2))), np.ones((2, 2)))


def test_a_network_is_as_counted(cli: Any, tmp_path: Any) -> None:
    (tmp_path / "net.yaml").write_text(NET)
    result = cli("run", str(tmp_path / "net.yaml"), "--verify")
    assert result.code == 0
    assert "all 2 layers are as counted" in result.out
    assert "3,200 of 3,200 multiply-adds done and counted by a naive loop" in result.out


def test_what_is_kept_is_what_netcalc_memory_shows(cli: Any, tmp_path: Any) -> None:
    """A pool after a ReLU, which keeps its output, keeps nothing but its indices: 4 x 4 x 4 of 8 bytes."""
    path = tmp_path / "net.yaml"
    path.write_text(
        "input: [3, 8, 8]\nlayers:\n  - conv: {filters: 4, kernel: 1}\n  - relu\n  - maxpool: {kernel: 2}\n"
        "  - maxpool: {kernel: 2}\n"
    )
    lines = {line.split()[0]: line for line in cli("run", str(path), "--verify").out.splitlines() if line}
    shown = json.loads(cli("memory", str(path), "--batch", "1", "--loss", "none", "--format", "json").out)
    kept = {layer["name"]: layer["kept_bytes"] for layer in shown["training"]["layers"]}
    assert kept["maxpool1"] == 512
    for name, each in kept.items():
        assert byte_size(each) == " ".join(lines[name].split()[4:6])


def test_a_wrong_count_is_found(cli: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "net.yaml").write_text(NET)
    monkeypatch.setattr(Linear, "cost", lambda self, xs, y: Cost(macs=y.numel * xs[0].shape[-1] + y.numel))
    result = cli("run", str(tmp_path / "net.yaml"), "--verify")
    assert result.code == 1
    assert "linear1: 500 multiply-adds where 600 are counted" in result.out
    assert "1 of 2 layers differ from the table" in result.out


def test_a_kernel_that_keeps_too_much_is_found(
    cli: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    kernel = KERNELS["linear"]

    def hoarding(
        layer: Any, params: Arrays, xs: tuple[Array, ...], context: Context
    ) -> tuple[Array, Backward]:
        y, backward = kernel(layer, params, xs, context)
        hoard = xs[0][:, :1].copy()
        return y, lambda dy: backward(dy + 0 * hoard.sum())

    (tmp_path / "net.yaml").write_text(NET)
    monkeypatch.setitem(KERNELS, "linear", hoarding)
    result = cli("run", str(tmp_path / "net.yaml"), "--verify")
    assert result.code == 1
    assert "linear1: 500 bytes held for backward where 400 are counted" in result.out
    assert "1 of 2 layers differ from the table" in result.out


def through_a_closure(array: Array) -> Backward:
    return lambda dy: ((dy * array,), {})


def through_a_view(array: Array) -> Backward:
    view = array[:1].T
    return lambda dy: ((dy * view,), {})


def through_a_function_that_is_called(array: Array) -> Backward:
    inner = through_a_closure(array)
    return lambda dy: inner(dy)


def through_values(array: Array) -> Backward:
    values = [{"a": (array, array)}]
    return lambda dy: ((dy * values[0]["a"][0],), {})


@pytest.mark.parametrize(
    "hold",
    [
        through_a_closure,
        through_a_view,
        through_a_function_that_is_called,
        through_values,
        lambda array: partial(lambda own, dy: ((dy * own,), {}), array),
        lambda array: lambda dy, own=array: ((dy * own,), {}),
    ],
)
def test_what_is_kept_is_found_where_it_hangs(hold: Callable[[Array], Backward]) -> None:
    array = np.ones((3, 5))
    assert saved_bytes(hold(array), without={}) == array.nbytes
    assert saved_bytes(hold(array), without={"weight": array}) == 0


def test_wrong_parameters_are_found() -> None:
    network = Network(graph_of(NET))
    network.arrays_of(network.graph.node("linear1"))["scale"] = np.ones(3, np.float32)
    conv, linear = verify(network)
    assert not conv.wrong
    assert linear.wrong == ("33 parameters where 30 are counted",)
