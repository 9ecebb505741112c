"""The axes of a sweep: arguments and input sizes, and the values that each takes."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, NoReturn

from netcalc.diagnostics import Diagnostic, Source, Span, SpecError, nearest
from netcalc.graph.header import own_sizes, read_setting_of, read_size_of
from netcalc.spec import (
    Evaluated,
    Expression,
    InputOverride,
    Setting,
    Spec,
    Unknown,
    Value,
    YamlScalar,
    YamlSequence,
    read_input_override,
    read_setting,
    split_setting,
)
from netcalc.spec.overrides import as_typed

_read = lru_cache(maxsize=4096)(read_setting)

Given = str | Setting | InputOverride
"""A value of an axis: a text such as `width=0.5`, or what a caller from Python gives."""


class SweepAxis(NamedTuple):
    """An argument or the size of an input that varies; each value as it was given and as a plain value."""

    column: str
    name: str
    is_input: bool
    given: tuple[Given, ...]
    values: tuple[Evaluated, ...]


class Varied(NamedTuple):
    """The values of an argument, or the sizes of an input, from Python; each also as it stands in a row."""

    name: str
    given: Sequence[Setting | InputOverride]
    values: Sequence[Evaluated]


def read_axis(spec: Spec, varied: str | Varied, reserved: Sequence[str]) -> SweepAxis:
    """The axis of a text such as `width=0.25,0.5`; its column gets a prefix where the name is `reserved`.

    Raises SpecError where the spec has no such argument or input, or a value stands twice.
    """
    if isinstance(varied, Varied):
        names_input(spec, varied.name)
        return _axis(spec, varied.name, varied.given, varied.values, reserved)
    texts = split_setting(varied)
    settings = [read_setting_of(spec, part) for part in texts]
    name, whole = settings[0].name, Span(Source("--set", varied), 0, len(varied))
    if names_input(spec, name, whole):
        for part in texts:
            read_size_of(spec, part, option="--set")
    values = [plain_setting(setting.value, part) for setting, part in zip(settings, texts, strict=True)]
    return _axis(spec, name, texts, values, reserved, whole)


def names_input(spec: Spec, name: str, span: Span | None = None) -> bool:
    """Whether a name is an input's; SpecError where it is neither an argument's nor an input's."""
    args, declared = [entry.key for entry in spec.args], [given.name for given in spec.inputs]
    if name not in args and name not in declared and not (name == "input" and len(declared) == 1):
        match = nearest(name, [*args, *declared])
        help = f"did you mean {match}?" if match else f"what can vary: {', '.join([*args, *declared])}"
        _fail(f"the spec has no argument {name!r} and no input of that name", help, span)
    return name not in args


def _axis(
    spec: Spec,
    name: str,
    given: Sequence[Given],
    values: Sequence[Evaluated],
    reserved: Sequence[str],
    span: Span | None = None,
) -> SweepAxis:
    seen = set[tuple[type, Evaluated]]()
    for value in values:
        if (key := (type(value), value)) in seen:
            _fail(f"{name} has the value {value} twice", "write each value once", span)
        seen.add(key)
    column = name
    while column in reserved:
        column = f"arg_{column}"
    args, declared = [entry.key for entry in spec.args], [given.name for given in spec.inputs]
    own_name = name if name in (*args, *declared) else declared[0]
    return SweepAxis(column, own_name, name not in args, tuple(given), tuple(values))


def check_inputs(spec: Spec, axes: Sequence[SweepAxis], fixed: Sequence[InputOverride]) -> None:
    """Raise SpecError for the size of an unknown input, and for a name that is set twice."""
    declared = [given.name for given in spec.inputs]
    for given in fixed:
        if given.name not in declared:
            message = f"the spec has no input {given.name!r}" if given.name else "the spec has several inputs"
            help = as_typed("--input", own_sizes(spec))
            raise SpecError([Diagnostic("E701", message, given.span, help=help)])
    names = {given.name for given in fixed}
    for axis in axes:
        if axis.name in names:
            first, span = axis.given[0], None
            help = f"give the sizes of {axis.name} in one place"
            if isinstance(first, str):
                help, span = (
                    f"give all its values at once: {first},...",
                    Span(Source("--set", first), 0, len(first)),
                )
            _fail(f"{axis.name} is set twice", help, span)
        names.add(axis.name)


def input_override(spec: Spec, text: str) -> InputOverride:
    """The shape of an input as `--input` takes it; without a name that of the only input."""
    override = read_size_of(spec, text)
    if override.name is None and len(spec.inputs) == 1:
        return override._replace(name=spec.inputs[0].name)
    return override


def setting_of(given: Given) -> Setting:
    """The setting that a value of an axis is."""
    assert not isinstance(given, InputOverride)
    return _read(given) if isinstance(given, str) else given


def size_of(spec: Spec, given: Given) -> InputOverride:
    """The size of an input that a value of an axis is."""
    assert not isinstance(given, Setting)
    override = read_input_override(given, "--set") if isinstance(given, str) else given
    if override.name == "input" and len(spec.inputs) == 1:
        return override._replace(name=spec.inputs[0].name)
    return override


def plain_setting(value: Value | Evaluated, text: str) -> Evaluated:
    """A setting's value in a row; an expression of the spec stays as it is written."""
    if isinstance(value, YamlScalar):
        plain = value.value
        if isinstance(plain, Expression):
            return f"$({plain.text})"
        return text if isinstance(plain, Unknown) else plain
    if isinstance(value, YamlSequence):
        return tuple(plain_setting(item, text) for item in value.items)
    return text.partition("=")[2]


def _fail(message: str, help: str, span: Span | None) -> NoReturn:
    raise SpecError([Diagnostic("E701", message, span, help=help)])
