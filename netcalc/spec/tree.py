"""The located tree that a YAML text becomes: immutable, unevaluated, every part with its place."""

from typing import Final, NamedTuple

from netcalc.diagnostics import Source, Span, format_value
from netcalc.spec.expressions import Expression
from netcalc.spec.scalars import describe_plain


class Unknown:
    """The value of something that is wrong; it is reported already, so nothing that uses it is reported."""


UNKNOWN: Final = Unknown()

Plain = None | bool | int | float | str


class YamlScalar(NamedTuple):
    """A single value, or an expression that elaboration evaluates."""

    value: Plain | Expression | Unknown
    source: Source
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)


class YamlSequence(NamedTuple):
    """A YAML list."""

    items: "tuple[Value, ...]"
    source: Source
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)


class YamlEntry(NamedTuple):
    """One `key: value` of a mapping; the key is always a word."""

    key: str
    key_start: int
    key_end: int
    value: "Value"

    @property
    def key_span(self) -> Span:
        return Span(self.value.source, self.key_start, self.key_end)


class YamlMapping(NamedTuple):
    """A YAML mapping, in the order of the text; keys are distinct."""

    entries: tuple[YamlEntry, ...]
    source: Source
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)


Value = YamlScalar | YamlSequence | YamlMapping


def describe(value: Value) -> str:
    """What a value is, in the words of an error message."""
    if isinstance(value, YamlSequence):
        return "a list"
    if isinstance(value, YamlMapping):
        return "a mapping"
    if isinstance(value.value, Expression):
        return f"the expression {format_value(f'$({value.value.text})')}"
    return describe_plain(value.value)


def names_in(value: Value) -> frozenset[str]:
    """The names that the expressions in a value refer to."""
    if isinstance(value, YamlScalar):
        return value.value.names if isinstance(value.value, Expression) else frozenset()
    parts = value.items if isinstance(value, YamlSequence) else [entry.value for entry in value.entries]
    return frozenset[str]().union(*map(names_in, parts))


def is_unknown(value: Value) -> bool:
    """Whether a value could not be read, which is reported already."""
    return isinstance(value, YamlScalar) and value.value is UNKNOWN
