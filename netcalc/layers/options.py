"""How a layer declares its options: type, default, range and meaning, once.

Error messages, the layer reference and the defaults all come from these declarations. Values are
checked here and nowhere else, whether they come from a spec or from Python.
"""

from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar, overload

from netcalc.diagnostics import format_value, nearest
from netcalc.layers.errors import LayerError

T_co = TypeVar("T_co", covariant=True)

REQUIRED: Any = object()
"""The default of an option that has none."""

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
        return self  # a layer's own value is in its __dict__, which is looked up first

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


_TRUTHS = {**dict.fromkeys(("yes", "on", "true", "y", "1"), "true"),
           **dict.fromkeys(("no", "off", "false", "n", "none", "null", "0"), "false")}  # fmt: skip


def truth_help(value: object) -> str | None:
    """How true and false are written, where a value is another word for one of them."""
    word = _TRUTHS.get(format_value(value).strip("'").lower())
    return f"write {word}" if word else None


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
        return any_of(self.inner.schema(), {"type": "null"})

    def per_axis(self, value: Any, axes: int, siblings: Mapping[str, Any]) -> Any:
        return None if value is None else self.inner.per_axis(value, axes, siblings)


class Flag(Option[bool]):
    """True or false."""

    words = "true or false"

    def parse(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.refuse(value, truth_help(value))
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


class WholeNumbers(Option[T_co]):
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
        if isinstance(value, str) and value.startswith("(") and value.endswith(")"):
            return f"write [{value[1:-1]}]: a list stands in square brackets"
        return None


class Integer(WholeNumbers[int]):
    """A whole number."""

    def parse(self, value: Any) -> int:
        return self.whole(value)


class Integers(WholeNumbers[tuple[int, ...]]):
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
        return one_or_a_list(super().schema())


def any_of(*schemas: Schema) -> Schema:
    """Any of some schemas; nested alternatives are flattened."""
    return {"anyOf": [part for schema in schemas for part in schema.get("anyOf", [schema])]}


def one_or_a_list(schema: Schema) -> Schema:
    """One value of a schema, or a list of them."""
    return any_of(schema, {"type": "array", "items": schema, "minItems": 1})
