"""The axes of a chart: which part a number has of the axis, and where its ticks are."""

from collections.abc import Sequence
from math import ceil, floor, isfinite, log10
from typing import NamedTuple

LOGARITHMIC = 50
"""Numbers that differ by more than this factor stand on a logarithmic axis."""

_DECADES = 8
"""A logarithmic axis has so many powers of ten at most: what is smaller stands at its end."""

_LEAST = 1e-300
"""What is nearer to 0 is drawn as 0: it has too few digits to divide an axis."""


class AxisScale(NamedTuple):
    """A linear or logarithmic axis."""

    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def of(
        cls, values: Sequence[float], *, most: float | None = None, may_be_log: bool = True
    ) -> "AxisScale":
        """The axis that shows some finite numbers, with 0 where it is not far; `most` ends it if they do."""
        low, high = min(values), max(values) if most is None else max(most, *values)
        if may_be_log and high > 0 and high > LOGARITHMIC * max(low, 0):
            positive = min((value for value in values if value > 0), default=high)
            if low >= 0 and high > LOGARITHMIC * positive:
                return cls(max(positive, high / 10**_DECADES), high, True)
        if 0 <= low < 0.6 * high:
            low = 0.0
        if high - low < _LEAST:
            around = 0.5 * (abs(low) if abs(low) >= _LEAST else 1.0)
            low, high = low - around, high if most is not None else high + around
        return cls(low, high)

    def place(self, value: float) -> float:
        """Where a number stands, from 0 at the low end to 1 at the high one."""
        if self.logarithmic:
            value = max(value, self.low)
            return (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int, whole: bool = False) -> list[float]:
        """Round numbers on the axis, `most` at most where that is 2 or more; `whole` ones alone."""
        if self.logarithmic:
            return self._powers(most)
        power = floor(log10((self.high - self.low) / max(1, most)))
        step = 10.0 ** (max(0, power) if whole else power)
        for factor in (1, 2, 5, 10, 20, 50):
            first, last = ceil(self.low / step / factor - 1e-9), floor(self.high / step / factor + 1e-9)
            if last - first + 1 <= max(2, most):
                break
        return [number * step * factor for number in range(first, last + 1)]

    def _powers(self, most: int) -> list[float]:
        """Powers of ten; with 2 and 5, or 3, between them where there is room, and some of them if not."""
        first, last = floor(log10(self.low)), ceil(log10(self.high))
        found: list[float] = []
        for factors in ((1, 2, 5), (1, 3), (1,)):
            numbers = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
            found = [
                number
                for number in numbers
                if number / self.low >= 1 - 1e-9 and number <= self.high * (1 + 1e-9)
            ]
            if len(found) <= max(2, most):
                return found
        return found[:: ceil(len(found) / max(2, most))]


def tick_texts(ticks: Sequence[float], percent: bool = False) -> list[str]:
    """The ticks with as many digits as tell them apart."""
    if percent:
        return [f"{100 * tick:g}%" for tick in map(_rounded, ticks)]
    return [f"{_rounded(tick):g}" for tick in ticks]


def _rounded(value: float) -> float:
    return (
        float(f"{value:.6g}") if isfinite(value) and abs(value) > 1e-12 else 0.0 if isfinite(value) else value
    )
