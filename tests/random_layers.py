"""A layer of any kind with random options that fit what it reads: drawn by the options' own declarations."""

from functools import cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from netcalc.layers import LAYERS, LayerError
from netcalc.layers import options as declared
from netcalc.tensor import Shape, TensorType

from cases import CASES, Case, frozen

MOST_ELEMENTS = 2500
"""Of a sample's tensor: that is 12 channels of 14 x 14 cells."""
MOST_WORK = 250_000
"""Operations of a layer for one sample."""
_TRIES = 8
_RARE = {"padding_mode": 0.25, "groups": 0.3}
"""How often options are given that take a convolution away from the fast ways; others half of the time."""


class Drawn(NamedTuple):
    """A layer that fits, and what it gives."""

    kind: str
    options: dict[str, Any]
    output: TensorType


class Drawing:
    """Random layers and random choices, all from one generator of random numbers."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def pick(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def layer(self, kind: str, *xs: TensorType, keeping: bool = False, **fixed: Any) -> Drawn | None:
        """A layer of a kind with random options, or None where none was found that fits.

        `keeping` wants the output in the input's shape; `fixed` are options that are not drawn.
        """
        for _ in range(_TRIES if xs[0].shape else 0):  # nothing is drawn on a single number
            options = {**self._options(kind, xs[0].shape, keeping), **fixed}
            output = output_of(kind, options, xs)
            if output is not None and not (keeping and output.shape != xs[0].shape):
                return Drawn(kind, options, output)
        return None

    def _options(self, kind: str, shape: Shape, keeping: bool) -> dict[str, Any]:
        options = {}
        for name, option in LAYERS[kind].options.items():
            if option.required or self.chance(_RARE.get(name, 0.5)):
                options[name] = self._value(kind, name, option, shape)
        if keeping:  # what most often decides about the shape
            options |= {
                name: value
                for name, value in {
                    "filters": shape[0], "units": shape[-1], "stride": 1, "pad": "same", "multiplier": 1, "last": False,
                }.items()
                if name in LAYERS[kind].options and not (kind == "conv_transpose" and name == "pad")
            }  # fmt: skip
        return options

    def _value(self, kind: str, name: str, option: declared.Option[Any], shape: Shape) -> Any:  # noqa: C901
        """A value for an option: by its name where the input's shape decides what fits, or by its type."""
        rank = len(shape)
        match kind, name:
            case _, "filters":
                return self.pick(1, 2, 3, 4, 6, 8, 8, 8, 12, 16)
            case "linear", "units":
                return self.pick(1, 2, 3, 5, 5, 8, 12, 20, 31)
            case ("groupnorm" | "channel_shuffle" | "conv" | "conv_transpose", "groups"):
                return self.pick(*_divisors(shape[0]))
            case "prelu", "channels":
                return self.pick(1, shape[0])
            case _, "heads":
                return self.pick(*_divisors(shape[-1]))
            case "reshape", "shape":
                return self._factors(prod(shape))
            case "parameter", "shape":
                broadcast = [self.pick(1, size) for size in shape[self.rng.integers(rank) :]]
                return broadcast if self.chance(0.6) else [self.pick(1, 2, size) for size in shape]
            case "permute", "order":
                return [int(axis) - self.pick(0, 0, rank) for axis in self.rng.permutation(rank)]
            case "roll", "shift":
                return [int(shift) for shift in self.rng.integers(-3, 4, rank)]
            case "squeeze", "axes":
                return [self.pick(*(axis for axis in range(rank) if shape[axis] == 1), 0)]
            case "reduce", "axes":
                count = self.rng.integers(1, rank + 1)
                return [int(axis) - self.pick(0, rank) for axis in self.rng.permutation(rank)[:count]]
            case _, "axis":
                return int(self.rng.integers(-rank, rank))
            case _, "step":
                return self.pick(1, 1, 2, 3)
        return self._by_type(name, option.inner if isinstance(option, declared.Maybe) else option, rank)

    def _by_type(self, name: str, option: declared.Option[Any], rank: int) -> Any:
        if isinstance(option, declared.Flag):
            return self.chance(0.7) != option.default
        if isinstance(option, declared.Choice):
            return self.pick(*option.choices)
        if isinstance(option, declared.Number):
            return self._number(name, option)
        if isinstance(option, declared.Sizes):
            sizes = {"kernel": (1, 2, 3, 3, 3, 5), "size": (1, 2, 3, 4, 7), "dilation": (1, 2)}
            return self._per_axis(sizes.get(name, (option.at_least, 1, 2, 3)), rank - 1)
        if isinstance(option, declared.Padding):
            if option.same and self.chance(0.4):
                return "same"
            if self.chance(0.7) or rank < 2:
                return self._per_axis((0, 1, 1, 2), rank - 1)
            return [[self.pick(0, 1, 2), self.pick(0, 1)] for _ in range(rank - 1)]
        if isinstance(option, declared.Integers):
            return [self.pick(1, 2, 3) for _ in range(rank)]
        assert isinstance(option, declared.Integer), f"{type(option).__name__}: say here how one is drawn"
        least = -4 if option.at_least is None else option.at_least
        return int(self.rng.integers(least, 7))

    def _number(self, name: str, option: declared.Number) -> float:
        if name == "rate":
            return float(self.pick(0.1, 0.4, 0.5, 1.0))
        start = option.default if isinstance(option.default, int | float) and option.default else 0.3
        factors = (0.5, 2, 1.5)
        value = start * self.pick(*factors)
        return float(value if option.at_most is None else min(value, option.at_most))

    def _per_axis(self, sizes: tuple[int, ...], axes: int) -> Any:
        return self.pick(*sizes) if axes < 1 or self.chance(0.4) else [self.pick(*sizes) for _ in range(axes)]

    def _factors(self, numel: int) -> list[int]:
        """A shape of so many elements, now and then with a size left to be found."""
        shape: list[int] = []
        for _ in range(self.pick(0, 1, 2, 3)):
            shape.append(self.pick(*_divisors(numel)))
            numel //= shape[-1]
        return [*shape, -1 if self.chance(0.5) else numel]


def output_of(kind: str, options: dict[str, Any], xs: tuple[TensorType, ...]) -> TensorType | None:
    """What a layer gives; None where it does not fit or would be large."""
    least, most = LAYERS[kind].arity
    if len(xs) < least or (most is not None and len(xs) > most):
        return None
    try:
        layer = LAYERS[kind](xs, **{name: frozen(value) for name, value in options.items()})
        output = layer.infer(xs)
        work = sum(layer.cost(xs, output)) + sum(param.numel for param in layer.params(xs))
    except LayerError:
        return None
    return output if output.numel <= MOST_ELEMENTS and work <= MOST_WORK else None


@cache
def small_cases() -> dict[str, list[Case]]:
    """For kinds that have some the cases of the laws that are small enough for a random graph."""
    small: dict[str, list[Case]] = {kind: [] for kind in LAYERS}
    for case in CASES:
        fits = all(type.numel <= MOST_ELEMENTS for type in case.types)
        if fits and output_of(case.kind, case.options, case.types) is not None:
            small[case.kind].append(case)
    return {kind: cases for kind, cases in small.items() if cases}


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, min(number, 64) + 1) if number % divisor == 0]
