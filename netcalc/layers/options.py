"""How a layer declares its options: type, default, range and meaning, once.

Error messages, the layer reference and the defaults all come from these declarations. Values are
checked here and nowhere else, whether they come from a spec or from Python.
"""

from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar, overload

from netcalc.diagnostics import format_value, nearest
from netcalc.layers import geometry
from netcalc.layers.errors import LayerError

T_co = TypeVar("T_co", covariant=True)

REQUIRED: Any = object()
"""The default of an option that has none."""

PerAxis = tuple[int, ...]
"""One number for each spatial axis."""

PerSide = tuple[tuple[int, int], ...]
"""Before and after, for each spatial axis."""

Schema = dict[str, Any]
"""A JSON Schema, as plain data."""

LARGEST = 2**31 - 1
"""The largest size an option may have."""


class Option(Generic[T_co]):
    """One declared option. On the class it is this declaration, on a layer its value."""

    words = "a value"
    """What its values are, as a message and the reference say it."""

    def __init__(self, default: Any = REQUIRED, *, doc: str, torch: str | None = None) -> None:
        self.default = default
        self.doc = doc
        self.torch = torch
        """PyTorch's name for it."""
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, layer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, layer: object, owner: type) -> T_co: ...
    def __get__(self, layer: object, owner: type) -> Any:
        return self  # a layer's own value stands in its __dict__, which goes first

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    def parse(self, value: Any) -> Any:
        """The value as the layer keeps it; raises LayerError where it is none of this option's."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """The plain values it takes, as JSON Schema; expressions are the spec's business."""
        raise NotImplementedError

    def per_axis(self, value: Any, axes: int, siblings: Mapping[str, Any]) -> Any:
        """The value spread over the spatial axes; most options do not depend on them."""
        return value

    def is_default(self, value: Any) -> bool:
        """Whether a value, spread over the axes or not, is the default."""
        return bool(value == self.default)

    def refuse(self, value: object, help: str | None = None) -> LayerError:
        message = f"{self.name} is {self.words}, not {format_value(value)}"
        return LayerError(message, option=self.name, help=help)


class Maybe(Option[T_co | None]):
    """An option that may be left out, with a meaning of its own when it is."""

    def __init__(self, inner: Option[T_co]) -> None:
        super().__init__(None, doc=inner.doc, torch=inner.torch)
        self.inner = inner
        self.words = inner.words

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.inner.name = name

    def parse(self, value: Any) -> Any:
        return None if value is None else self.inner.parse(value)

    def schema(self) -> Schema:
        return _any_of(self.inner.schema(), {"type": "null"})

    def per_axis(self, value: Any, axes: int, siblings: Mapping[str, Any]) -> Any:
        return None if value is None else self.inner.per_axis(value, axes, siblings)


class Flag(Option[bool]):
    """True or false."""

    words = "true or false"

    def parse(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.refuse(value)
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


class Choice(Option[str]):
    """One of a few words; the first is the default."""

    def __init__(self, *choices: str, doc: str, torch: str | None = None) -> None:
        super().__init__(choices[0], doc=doc, torch=torch)
        self.choices = choices
        self.words = "one of " + ", ".join(choices)

    def parse(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            match = nearest(value, self.choices) if isinstance(value, str) else None
            raise self.refuse(value, f"did you mean {match}?" if match else None)
        return value

    def schema(self) -> Schema:
        return {"enum": list(self.choices)}


class Number(Option[float]):
    """A real number in a range; `above` leaves its own bound out."""

    def __init__(
        self, default: Any = REQUIRED, *, doc: str, torch: str | None = None,
        at_least: float | None = None, above: float | None = None, at_most: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(default, doc=doc, torch=torch)
        self.at_least, self.above, self.at_most = at_least, above, at_most
        bounds = [
            f"from {at_least:g}" if at_least is not None else "",
            f"above {above:g}" if above is not None else "",
            f"to {at_most:g}" if at_most is not None else "up" if at_least is not None else "",
        ]
        self.words = " ".join(["a number", *filter(None, bounds)])

    def parse(self, value: Any) -> float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        fits = fits and (self.at_least is None or value >= self.at_least)
        fits = fits and (self.above is None or value > self.above)
        fits = fits and (self.at_most is None or value <= self.at_most)
        if not fits:
            raise self.refuse(value)
        return float(value)

    def schema(self) -> Schema:
        bounds = {"minimum": self.at_least, "exclusiveMinimum": self.above, "maximum": self.at_most}
        return {"type": "number"} | {word: bound for word, bound in bounds.items() if bound is not None}


class _Whole(Option[T_co]):
    """What the options made of whole numbers share."""

    def __init__(
        self, default: Any = REQUIRED, *, doc: str, torch: str | None = None, at_least: int | None = 1
    ) -> None:
        super().__init__(default, doc=doc, torch=torch)
        self.at_least = at_least
        self.words = "a whole number" if at_least is None else f"a whole number from {at_least} up"

    def whole(self, value: Any) -> int:
        below = self.at_least is not None and isinstance(value, int) and value < self.at_least
        if isinstance(value, bool) or not isinstance(value, int) or below:
            raise self.refuse(value, self._help(value))
        if abs(value) > LARGEST:
            raise LayerError(f"{self.name} = {value} is beyond the limit of {LARGEST:,}", option=self.name)
        return value

    def schema(self) -> Schema:
        least = -LARGEST if self.at_least is None else self.at_least
        return {"type": "integer", "minimum": least, "maximum": LARGEST}

    def _help(self, value: object) -> str | None:
        if isinstance(value, float) and value.is_integer():
            return f"write {int(value)}; in an expression // divides and round( ) rounds to whole numbers"
        if isinstance(value, str) and value.isdecimal():
            return f"write {value} without quotes"
        return None


class Integer(_Whole[int]):
    """A whole number."""

    def parse(self, value: Any) -> int:
        return self.whole(value)


class Integers(_Whole[tuple[int, ...]]):
    """A list of whole numbers, such as a shape or some axes; a single one is a list of one."""

    def __init__(
        self, default: Any = REQUIRED, *, doc: str, torch: str | None = None, at_least: int | None = 1
    ) -> None:
        super().__init__(default, doc=doc, torch=torch, at_least=at_least)
        self.words = "a list of " + self.words.removeprefix("a ").replace("number", "numbers")

    def parse(self, value: Any) -> tuple[int, ...]:
        if value == ():
            raise self.refuse(value)
        return tuple(map(self.whole, value if isinstance(value, tuple) else (value,)))

    def schema(self) -> Schema:
        return _one_or_a_list(super().schema())


class Sizes(_Whole[PerAxis]):
    """A whole number for every spatial axis, or a list with one for each.

    `like` names the option whose value stands in where this one is not given.
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

    def schema(self) -> Schema:
        plain = _one_or_a_list(super().schema())
        return _any_of(plain, {"type": "null"}) if self.like else plain

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


class Padding(_Whole[PerSide]):
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
        plain = _any_of(whole, {"type": "array", "items": _any_of(whole, pair), "minItems": 1})
        return _any_of(plain, {"enum": [*self.BY_KERNEL]}) if self.same else plain

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
        _require_axes(self.name, len(value), axes)
        return tuple(axis if isinstance(axis, tuple) else (axis, axis) for axis in value)

    def is_default(self, value: Any) -> bool:
        return value == self.default or (
            isinstance(value, tuple) and set(value) == {(self.default, self.default)}
        )


def _require_axes(name: str, given: int, axes: int) -> None:
    if given != axes:
        spatial = "1 spatial axis" if axes == 1 else f"{axes} spatial axes"
        raise LayerError(f"{name} lists {given} for an input with {spatial}", option=name)


def _any_of(*schemas: Schema) -> Schema:
    """Either of some schemas, those that are alternatives themselves taken apart."""
    return {"anyOf": [part for schema in schemas for part in schema.get("anyOf", [schema])]}


def _one_or_a_list(schema: Schema) -> Schema:
    return _any_of(schema, {"type": "array", "items": schema, "minItems": 1})
