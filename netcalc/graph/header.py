"""The header of a spec, above `layers`: arguments, inputs and expected figures."""

import re
from collections.abc import Iterator, Sequence
from keyword import iskeyword
from typing import Any, NamedTuple

from netcalc.diagnostics import Diagnostic, Span, SpecError, format_value, listed, nearest
from netcalc.graph.evaluation import Environment, value_of, whole_number
from netcalc.graph.model import Input, Preprocess
from netcalc.graph.problems import ElaborationProblems, TooMuchError
from netcalc.spec import (
    UNKNOWN,
    Evaluated,
    InputOverride,
    Setting,
    Spec,
    Unknown,
    YamlEntry,
    YamlMapping,
    YamlScalar,
    YamlSequence,
    read_input_override,
    read_setting,
)
from netcalc.spec.expressions import RESERVED
from netcalc.spec.overrides import TOO_MANY_ELEMENTS, as_typed
from netcalc.tensor import MAX_AXES, MAX_ELEMENTS, Shape, TensorType, format_shape


class DeclaredInput(NamedTuple):
    """An input of the network; `type` None where a mistake keeps it from being known."""

    name: str
    type: TensorType | None
    span: Span

    def as_input(self) -> Input:
        assert self.type is not None
        return Input(self.name, self.type)


def arguments(
    spec: Spec, settings: Sequence[Setting], problems: ElaborationProblems
) -> dict[str, Evaluated | Unknown]:
    """The spec's `args` in order: set from outside, or by a default that may use earlier ones."""
    names: dict[str, Evaluated | Unknown] = {}
    chosen = {setting.name: setting for setting in settings}
    for entry in spec.args:
        chosen_value = chosen.pop(entry.key).value if entry.key in chosen else entry.value
        if entry.key in RESERVED or not entry.key.isidentifier() or iskeyword(entry.key):
            problems.add(_refused_name(entry))
            names[entry.key] = UNKNOWN
        elif isinstance(chosen_value, YamlScalar | YamlSequence | YamlMapping):
            names[entry.key] = value_of(chosen_value, names, problems)
        else:
            names[entry.key] = chosen_value
    for unknown in unknown_settings(spec, list(chosen.values())):
        problems.add(unknown)
    return names


def unknown_settings(spec: Spec, settings: Sequence[Setting]) -> Iterator[Diagnostic]:
    """An error for each setting of an argument that the spec has not."""
    names = [entry.key for entry in spec.args] if settings else []
    for setting in settings:
        if setting.name not in names:
            match = nearest(setting.name, names)
            help = f"did you mean {match}?" if match else _known("arguments", names)
            message = f"the spec has no argument {setting.name!r}"
            yield Diagnostic("E701", message, setting.span, help=help)


def _refused_name(entry: YamlEntry) -> Diagnostic:
    """The error for an argument whose name expressions cannot use."""
    reason, help = "the expression language has that name", f"give it another name, such as {entry.key}_"
    if entry.key not in RESERVED:
        reason = "the word is reserved, expressions cannot use it"
        if not iskeyword(entry.key):
            reason = "it cannot be written as $name"
            help = "write letters, digits and _, a letter first"
    message = f"an argument cannot be called {entry.key!r}: {reason}"
    return Diagnostic("E702", message, entry.key_span, help=help)


def inputs(
    spec: Spec,
    overrides: Sequence[InputOverride],
    names: Environment,
    problems: ElaborationProblems,
    settings: Sequence[Setting] = (),
) -> tuple[DeclaredInput, ...]:
    """The inputs that the spec declares, with the shapes given from outside in place of its own."""
    by_name = {declaration.name: declaration for declaration in spec.inputs}
    shapes = {}
    for override in overrides:
        name = override.name or (next(iter(by_name)) if len(by_name) == 1 else "")
        if name in by_name:
            shapes[name] = TensorType(override.shape)
        elif by_name:
            help = _known("inputs", list(by_name))
            if override.span is not None:  # not from Python
                help = as_typed(override.span.source.name, own_sizes(spec, settings))
            message = f"the spec has no input {name!r}" if name else "the spec has several inputs: say which"
            problems.report("E701", message, override.span, help=help)
    declared = []
    for name, span, value in spec.inputs:
        found = shapes.get(name) or _input_type(value_of(value, names, problems), value.span, problems)
        at = next((o.span for o in overrides if name in shapes and o.shape == shapes[name].shape), None)
        if found is not None and len(found.shape) > MAX_AXES:
            message = f"an input has at most {MAX_AXES} axes, not {len(found.shape):,}"
            problems.report("E602", message, at or value.span)
            found = None
        if found is not None and found.numel > MAX_ELEMENTS:
            problems.report("E602", TOO_MANY_ELEMENTS, at or span)
            found = None
        declared.append(DeclaredInput(name, found, span))
    return tuple(declared)


def read_setting_of(spec: Spec, text: str) -> Setting:
    """Read a setting of a spec; the help for what cannot be read names one that the spec has."""
    try:
        return read_setting(text)
    except SpecError:
        return read_setting(text, own_settings(spec))


def read_size_of(
    spec: Spec, text: str, settings: Sequence[Setting] = (), option: str = "--input"
) -> InputOverride:
    """Read the size of an input; the help for what cannot be read names those that the spec has."""
    try:
        return read_input_override(text, option)
    except SpecError:
        return read_input_override(text, option, own_sizes(spec, settings, named=option == "--set"))


def own_shapes(spec: Spec, settings: Sequence[Setting] = ()) -> dict[str, Shape]:
    """The shapes of the inputs as the spec has them, as far as they can be known."""
    problems = ElaborationProblems()  # elaboration finds them again
    try:
        declared = inputs(spec, (), arguments(spec, settings, problems), problems)
    except TooMuchError:
        return {}
    return {given.name: given.type.shape for given in declared if given.type is not None}


def own_sizes(spec: Spec, settings: Sequence[Setting] = (), named: bool = False) -> list[str]:
    """Those shapes as `--input` takes them: `3x224x224`; `image=3x224x224` of several, or where `named`."""
    shapes = own_shapes(spec, settings)
    is_named = named or len(spec.inputs) != 1
    return [(f"{name}=" if is_named else "") + format_shape(shape) for name, shape in shapes.items()]


def own_settings(spec: Spec) -> list[str]:
    """The arguments of the spec as `--set` takes them: `width=0.5`."""
    from netcalc.spec.writing import flow_text  # only mistakes need it

    try:
        names = arguments(spec, (), ElaborationProblems())
    except TooMuchError:
        return []
    return [f"{name}={flow_text(value)}" for name, value in names.items() if not isinstance(value, Unknown)]


def expectations(spec: Spec, names: Environment, problems: ElaborationProblems) -> dict[str, int]:
    """The figures in `expect:`."""
    figures = {}
    for entry in spec.expect:
        value = value_of(entry.value, names, problems)
        figure = whole_number(value, entry.key, 0, entry.value.span, problems)
        if figure is not None:
            figures[entry.key] = figure
    return figures


def preprocessing(spec: Spec, names: Environment, problems: ElaborationProblems) -> Preprocess:
    """How pictures become inputs, by `preprocess:`."""
    found: dict[str, Any] = {}
    for entry in spec.preprocess:
        value, span = value_of(entry.value, names, problems), entry.value.span
        if entry.key == "resize":
            found["resize"] = whole_number(value, "resize", 1, span, problems)
        elif not isinstance(value, Unknown):
            values = value if isinstance(value, tuple) else (value,)
            numbers = tuple(
                float(x) for x in values if isinstance(x, int | float) and not isinstance(x, bool)
            )
            if len(numbers) < len(values) or not numbers or (entry.key == "std" and min(numbers) <= 0):
                least = " above 0" if entry.key == "std" else ""
                message = f"{entry.key} is a number{least} for each channel, not {format_value(value)}"
                problems.report("E404", message, span, help="write [0.485, 0.456, 0.406]")
            found[entry.key] = numbers
    return Preprocess(**found)


def _input_type(value: Evaluated | Unknown, span: Span, problems: ElaborationProblems) -> TensorType | None:
    if isinstance(value, Unknown):
        return None
    shape = value if isinstance(value, tuple) else (value,)
    sizes = tuple(size for size in shape if isinstance(size, int) and not isinstance(size, bool) and size > 0)
    if not shape or len(sizes) < len(shape):
        message = f"an input is a list of sizes from 1 up, without the batch, not {format_value(value)}"
        problems.report("E404", message, span, help=_sizes_help(shape))
        return None
    return TensorType(sizes)


def _sizes_help(given: tuple[Evaluated, ...]) -> str:
    """How the sizes of an input are written that stand there as a word, or with an open batch."""
    sizes = given[1:] if given[:1] in ((None,), (-1,)) else ()
    if len(given) == 1 and isinstance(given[0], str):
        sizes = tuple(map(int, re.findall(r"[0-9]{1,9}", given[0])))
    if not sizes or not all(type(size) is int and size > 0 for size in sizes):
        return "write [3, 224, 224]"
    return f"write {format_value(sizes)}"


def _known(what: str, names: list[str]) -> str:
    return f"its {what} are {listed(names)}" if names else f"it has no {what}"
