"""Counting conventions: the definition of a FLOP."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from netcalc.layers import Cost, Layer
from netcalc.layers.pooling import Pooling

ConventionName = Literal["lecture", "macs", "flops"]


class Convention(NamedTuple):
    """A definition of FLOPs in terms of multiply-adds and other operations."""

    name: str
    unit: str
    """The heading of the column."""
    words: str
    flops: Callable[[Layer, Cost], int]


def _lecture(layer: Layer, cost: Cost) -> int:
    return cost.macs + (cost.other_ops if isinstance(layer, Pooling) else 0)


def _macs(_: Layer, cost: Cost) -> int:
    return cost.macs


def _flops(_: Layer, cost: Cost) -> int:
    return 2 * cost.macs + cost.other_ops


CONVENTIONS: dict[str, Convention] = {
    convention.name: convention
    for convention in (
        Convention(
            "lecture", "flop",
            "1 flop = 1 multiply-add; pooling K x K an output, bias and activations nothing", _lecture,
        ),
        Convention(
            "macs", "macs",
            "multiply-adds in dot products alone, without bias", _macs,
        ),
        Convention(
            "flops", "FLOPs",
            "2 a multiply-add with the bias, 1 for every other operation or comparison",
            _flops,
        ),
    )
}  # fmt: skip
