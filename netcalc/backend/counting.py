"""Multiply-adds counted while they are done: arrays whose matrix products are a naive loop."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from netcalc.backend.kernels.base import Array

LOOP_LIMIT = 100_000
"""How many multiply-adds the loop does for one Count; products beyond are counted by their sizes."""


@dataclass
class Count:
    """Multiply-adds so far, and those of them that the loop did."""

    macs: int = 0
    looped: int = 0


class Counting(np.ndarray):
    """An array whose matrix products go through `naive_product`; all else is NumPy's own."""

    count = Count()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        plain = tuple(map(_plain, inputs))
        if out is not None:
            options["out"] = tuple(map(_plain, out))
        if ufunc is np.matmul and method == "__call__":
            result = naive_product(plain[0], plain[1], Counting.count)
            if out is not None:
                options["out"][0][...] = result
        else:
            result = getattr(ufunc, method)(*plain, **options)
        return out[0] if out is not None else _counted(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function in (np.dot, np.einsum, np.tensordot, np.inner, np.vdot):
            raise TypeError(f"{function.__name__} is a product that nobody counts: use matmul")
        return _counted(function(*_plain(arguments), **_plain(options)))


@contextmanager
def counting() -> Iterator[Count]:
    """Count the multiply-adds of products of Counting arrays inside."""
    Counting.count = Count()
    yield Counting.count


def naive_product(first: Array, second: Array, count: Count) -> Array:
    """The product y[i, j] = sum over k of first[i, k] second[k, j], counting each term."""
    vectors = first.ndim == 1, second.ndim == 1
    first = first[None] if vectors[0] else first
    second = second[:, None] if vectors[1] else second
    batch = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    rows, inner, columns = first.shape[-2], first.shape[-1], second.shape[-1]
    macs = prod(batch) * rows * inner * columns
    if count.looped + macs <= LOOP_LIMIT:
        result = np.zeros((*batch, rows, columns), np.result_type(first, second))
        left = np.broadcast_to(first, (*batch, rows, inner)).reshape(-1, rows, inner)
        right = np.broadcast_to(second, (*batch, inner, columns)).reshape(-1, inner, columns)
        for a, b, y in zip(left.tolist(), right.tolist(), result.reshape(-1, rows, columns), strict=True):
            _loop(a, b, y, count)
    else:
        result = first @ second
        count.macs += macs
    if vectors[0]:
        result = result[..., 0, :]
    return result[..., 0] if vectors[1] else result


def _loop(a: list[list[float]], b: list[list[float]], y: Array, count: Count) -> None:
    for i, row in enumerate(a):
        for j in range(y.shape[1]):
            total = 0.0
            for k, factor in enumerate(row):
                total += factor * b[k][j]
                count.macs += 1
                count.looped += 1
            y[i, j] = total


def counted(array: Array) -> Array:
    """The array as one whose products are counted."""
    return array.view(Counting)


def _counted(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_counted, value))
    return value.view(Counting) if isinstance(value, np.ndarray) else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_plain, value))
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value.view(np.ndarray) if isinstance(value, Counting) else value
