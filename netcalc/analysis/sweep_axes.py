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

setting = lru_cache(maxsize=4096)(read_setting)
"""The setting of a text such as `width=0.5`."""


class SweepAxis(NamedTuple):
    """An argument or the size of an input that varies; each value as a text and as a plain value."""

    column: str
    name: str
    is_input: bool
    texts: tuple[str, ...]
    values: tuple[Evaluated, ...]


def read_axis(spec: Spec, text: str, reserved: Sequence[str]) -> SweepAxis:
    """The axis of a text such as `width=0.25,0.5`; its column gets a prefix where the name is `reserved`.

    Raises SpecError where the spec has no such argument or input, or a value stands twice.
    """
    texts = split_setting(text)
    settings = [read_setting_of(spec, part) for part in texts]
    name = settings[0].name
    args, declared = [entry.key for entry in spec.args], [given.name for given in spec.inputs]
    if name not in args and name not in declared and not (name == "input" and len(declared) == 1):
        match = nearest(name, [*args, *declared])
        help = f"did you mean {match}?" if match else f"what can vary: {', '.join([*args, *declared])}"
        _fail(text, f"the spec has no argument {name!r} and no input of that name", help)
    is_input = name not in args
    if is_input:
        for part in texts:
            read_size_of(spec, part, option="--set")
    values = tuple(_plain(setting.value, part) for setting, part in zip(settings, texts, strict=True))
    for number, value in enumerate(values):
        if any(value == other and type(value) is type(other) for other in values[:number]):
            _fail(text, f"{name} has the value {value} twice", "write each value once")
    column = name
    while column in reserved:
        column = f"arg_{column}"
    own_name = name if name in (*args, *declared) else declared[0]
    return SweepAxis(column, own_name, is_input, tuple(texts), values)


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
            text = axis.texts[0]
            _fail(text, f"{axis.name} is set twice", f"give all its values at once: {text},...")
        names.add(axis.name)


def input_override(spec: Spec, text: str) -> InputOverride:
    """The shape of an input as `--input` takes it; without a name that of the only input."""
    override = read_size_of(spec, text)
    if override.name is None and len(spec.inputs) == 1:
        return override._replace(name=spec.inputs[0].name)
    return override


def input_size(spec: Spec, text: str) -> InputOverride:
    """The size of an input as `--set` takes it."""
    override = read_input_override(text, "--set")
    if override.name == "input" and len(spec.inputs) == 1:
        return override._replace(name=spec.inputs[0].name)
    return override


def _plain(value: Value | Evaluated, text: str) -> Evaluated:
    """A setting's value in a row; an expression of the spec stays as it is written."""
    if isinstance(value, YamlScalar):
        plain = value.value
        if isinstance(plain, Expression):
            return f"$({plain.text})"
        return text if isinstance(plain, Unknown) else plain
    if isinstance(value, YamlSequence):
        return tuple(_plain(item, text) for item in value.items)
    return text.partition("=")[2]


def _fail(text: str, message: str, help: str) -> NoReturn:
    source = Source("--set", text)
    raise SpecError([Diagnostic("E701", message, Span(source, 0, len(text)), help=help)])
