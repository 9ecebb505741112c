"""Options of windows: a size for each spatial axis, and padding on each side of it."""

import re
from collections.abc import Mapping
from typing import Any

from netcalc.diagnostics import format_value
from netcalc.layers import geometry
from netcalc.layers.errors import LayerError
from netcalc.layers.options import REQUIRED, Schema, WholeNumbers, any_of, one_or_a_list

PerAxis = tuple[int, ...]
"""One number for each spatial axis."""

PerSide = tuple[tuple[int, int], ...]
"""Before and after, for each spatial axis."""


class Sizes(WholeNumbers[PerAxis]):
    """A whole number for every spatial axis, or a list with one for each.

    `like` names the option whose value is the default.
    """

    def __init__(
        self, default: Any = REQUIRED, *, doc: str, torch: str | None = None,
        at_least: int = 1, like: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(None if like else default, doc=doc, torch=torch, at_least=at_least)
        self.like = like
        self.words += ", or a list with one for each axis"

    def parse(self, value: Any) -> int | PerAxis | None:
        if value is None and self.like:
            return None
        return tuple(map(self.whole, value)) if isinstance(value, tuple) and value else self.whole(value)

    def _help(self, value: object) -> str | None:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9}){1,2}", value):
            return f"write [{value.replace('x', ', ')}]"
        return super()._help(value)

    def schema(self) -> Schema:
        plain = one_or_a_list(super().schema())
        return any_of(plain, {"type": "null"}) if self.like else plain

    def per_axis(self, value: int | PerAxis | None, axes: int, siblings: Mapping[str, Any]) -> PerAxis:
        if value is None:
            like: PerAxis = siblings[self.like or ""]
            return like
        if isinstance(value, tuple):
            _require_axes(self.name, len(value), axes)
            return value
        return (value,) * axes

    def is_default(self, value: Any) -> bool:
        return value == self.default or (isinstance(value, tuple) and set(value) == {self.default})


class Padding(WholeNumbers[PerSide]):
    """A whole number for every side, a list per axis, [before, after] pairs per axis, or a word.

    The words go by the kernel and are for options with `same`: that one keeps the size at stride 1, and
    `causal` does so on one axis without reading ahead.
    """

    BY_KERNEL = ("same", "causal")

    def __init__(
        self, default: Any = REQUIRED, *, doc: str, torch: str | None = "padding", same: bool = True
    ) -> None:
        super().__init__(default, doc=doc, torch=torch, at_least=0)
        self.same = same
        self.words = "a whole number from 0 up, a list for each axis, or [before, after] pairs"
        if same:
            self.words = self.words.replace(", or", ",") + ", same, or causal"

    def parse(self, value: Any) -> str | int | tuple[int | tuple[int, int], ...]:
        if self.same and isinstance(value, str) and value in self.BY_KERNEL:
            return value
        if not isinstance(value, tuple) or not value:
            return self.whole(value)
        return tuple(map(self._axis, value))

    def schema(self) -> Schema:
        whole = super().schema()
        pair = {"type": "array", "items": whole, "minItems": 2, "maxItems": 2}
        plain = any_of(whole, {"type": "array", "items": any_of(whole, pair), "minItems": 1})
        return any_of(plain, {"enum": [*self.BY_KERNEL]}) if self.same else plain

    def _help(self, value: object) -> str | None:
        word = value.lower() if isinstance(value, str) else ""
        if word == "valid":
            return f"leave it out, or write {self.name}: 0"
        if word in self.BY_KERNEL and self.same:
            return f"did you mean {word}?"
        if word == "same":
            return f"{self.name}: 1 goes with a kernel of 3, {self.name}: 2 with one of 5"
        return super()._help(value)

    def _axis(self, axis: Any) -> int | tuple[int, int]:
        if not isinstance(axis, tuple):
            return self.whole(axis)
        if len(axis) != 2:
            message = f"{self.name} gives an axis two sides, [before, after], not {format_value(axis)}"
            raise LayerError(message, option=self.name)
        return self.whole(axis[0]), self.whole(axis[1])

    def per_axis(self, value: Any, axes: int, siblings: Mapping[str, Any]) -> PerSide:
        if isinstance(value, str):
            if value == "causal" and axes > 1:
                message = f"causal padding is for one axis, in time, and the input has {axes}"
                raise LayerError(message, option=self.name, help="give each axis its [before, after]")
            rule = geometry.same_padding if value == "same" else geometry.causal_padding
            return tuple(map(rule, siblings["kernel"], siblings.get("dilation", (1,) * axes)))
        if not isinstance(value, tuple):
            return ((value, value),) * axes
        _require_axes(self.name, len(value), axes, self._pairs_of_pytorch(value, axes))
        return tuple(axis if isinstance(axis, tuple) else (axis, axis) for axis in value)

    def _pairs_of_pytorch(self, value: tuple[int | tuple[int, int], ...], axes: int) -> str | None:
        """The pairs for as many sides as an input has; PyTorch lists those of the last axis first."""
        if len(value) != 2 * axes or axes == 1 or not all(isinstance(side, int) for side in value):
            return None
        pairs = [value[at : at + 2] for at in range(0, len(value), 2)]
        text = format_value(tuple(reversed(pairs)))
        return f"write {self.name}: {text}, which is [before, after] of each axis"

    def is_default(self, value: Any) -> bool:
        return value == self.default or (
            isinstance(value, tuple) and set(value) == {(self.default, self.default)}
        )


def _require_axes(name: str, given: int, axes: int, help: str | None = None) -> None:
    if given != axes:
        spatial = "1 spatial axis" if axes == 1 else f"{axes} spatial axes"
        raise LayerError(f"{name} lists {given} for an input with {spatial}", option=name, help=help)
