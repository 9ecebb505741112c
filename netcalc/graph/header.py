"""What stands above the layers: arguments, inputs, what is expected, and which rules are silenced."""

import re
from collections.abc import Sequence
from fractions import Fraction
from keyword import iskeyword
from typing import NamedTuple

from netcalc.diagnostics import Diagnostic, Span, nearest, written
from netcalc.graph.evaluation import Environment, value_of, whole_number
from netcalc.graph.model import Ignored, Input, Limit
from netcalc.spec import UNKNOWN, Evaluated, InputOverride, Mapping, Scalar, Setting, Spec, Unknown, Value
from netcalc.spec import Sequence as Listed
from netcalc.spec.expressions import CONSTANTS, FUNCTIONS
from netcalc.tensor import MAX_ELEMENTS, TensorType

COUNT_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BYTE_UNITS = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
MEMORY = ("output_bytes", "training_memory")
"""The figures in bytes, which follow the batch."""
_LIMIT = r"(?P<number>[0-9]{1,15}(\.[0-9]{1,15})?) ?(?P<unit>[A-Za-z]*)(@batch(?P<batch>[1-9][0-9]{0,8}))?"
"""How a limit with a unit is written."""

RESERVED = frozenset({"in_channels", "in_shape", "index", *CONSTANTS, *FUNCTIONS})


class DeclaredInput(NamedTuple):
    """An input of the network; `type` None where a mistake keeps it from being known."""

    name: str
    type: TensorType | None
    span: Span

    def as_input(self) -> Input:
        assert self.type is not None
        return Input(self.name, self.type)


def arguments(
    spec: Spec, settings: Sequence[Setting], problems: list[Diagnostic]
) -> dict[str, Evaluated | Unknown]:
    """The spec's `args` in order: set from outside, or by a default that may use earlier ones."""
    names: dict[str, Evaluated | Unknown] = {}
    chosen = {setting.name: setting for setting in settings}
    for entry in spec.args:
        chosen_value = chosen.pop(entry.key).value if entry.key in chosen else entry.value
        if entry.key in RESERVED or not entry.key.isidentifier() or iskeyword(entry.key):
            reason = (
                "the expression language has that name"
                if entry.key in RESERVED
                else "it cannot be written as $name"
            )
            message = f"an argument cannot be called {entry.key!r}: {reason}"
            problems.append(Diagnostic("E702", message, entry.key_span))
            names[entry.key] = UNKNOWN
        elif isinstance(chosen_value, Scalar | Listed | Mapping):
            names[entry.key] = value_of(chosen_value, names, problems)
        else:
            names[entry.key] = chosen_value
    for setting in chosen.values():
        match = nearest(setting.name, names)
        help = f"did you mean {match}?" if match else _known("arguments", list(names))
        problems.append(
            Diagnostic("E701", f"the spec has no argument {setting.name!r}", setting.span, help=help)
        )
    return names


def inputs(
    spec: Spec, overrides: Sequence[InputOverride], names: Environment, problems: list[Diagnostic]
) -> tuple[DeclaredInput, ...]:
    """The inputs that the spec declares, with the shapes given from outside in place of its own."""
    by_name = {declaration.name: declaration for declaration in spec.inputs}
    shapes = {}
    for override in overrides:
        name = override.name or (next(iter(by_name)) if len(by_name) == 1 else "")
        if name in by_name:
            shapes[name] = TensorType(override.shape)
        elif by_name:
            help = f"write {next(iter(by_name))}=3x224x224; {_known('inputs', list(by_name))}"
            message = f"the spec has no input {name!r}" if name else "the spec has several inputs: say which"
            problems.append(Diagnostic("E701", message, override.span, help=help))
    declared = []
    for name, span, value in spec.inputs:
        found = shapes.get(name) or _input_type(value_of(value, names, problems), value.span, problems)
        if found is not None and found.numel > MAX_ELEMENTS:
            problems.append(Diagnostic("E602", "the input has more elements than 64 bits can count", span))
            found = None
        declared.append(DeclaredInput(name, found, span))
    return tuple(declared)


def expectations(spec: Spec, names: Environment, problems: list[Diagnostic]) -> dict[str, int]:
    """The figures in `expect:`."""
    figures = {}
    for entry in spec.expect:
        value = value_of(entry.value, names, problems)
        figure = whole_number(value, entry.key, 0, entry.value.span, problems)
        if figure is not None:
            figures[entry.key] = figure
    return figures


def budget(spec: Spec, names: Environment, problems: list[Diagnostic]) -> dict[str, Limit]:
    """The limits in `budget:`: `params: 5M`, `training_memory: 8GiB@batch32`."""
    limits = {}
    for entry in spec.budget:
        value = value_of(entry.value, names, problems)
        if isinstance(value, Unknown):
            continue
        limit = _limit(entry.key, value, entry.value.span)
        if limit is None:
            example = "8GiB@batch32" if entry.key in MEMORY else "5M"
            units = ", ".join(filter(None, _units(entry.key)))
            message = f"a limit of {entry.key} is a whole number, or one with {units}, not {written(value)}"
            help = f"write {entry.key}: {example}"
            problems.append(Diagnostic("E404", message, entry.value.span, help=help))
        else:
            limits[entry.key] = limit
    return limits


def ignored(value: Value, names: Environment, problems: list[Diagnostic]) -> tuple[Ignored, ...]:
    """The codes in `ignore:`, one or a list of them; whether there are such rules is not asked here."""
    found = []
    for part in value.items if isinstance(value, Listed) else (value,):
        code = value_of(part, names, problems)
        if isinstance(code, str):
            found.append(Ignored(code, part.span))
        elif not isinstance(code, Unknown):
            message = f"ignore: has the codes of design rules, not {written(code)}"
            problems.append(Diagnostic("E404", message, part.span, help="write ignore: [N101]"))
    return tuple(found)


def _units(figure: str) -> dict[str, int]:
    return BYTE_UNITS if figure in MEMORY else COUNT_UNITS


def _limit(figure: str, value: Evaluated, span: Span) -> Limit | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Limit(value, None, span)
    parts = re.fullmatch(_LIMIT, value) if isinstance(value, str) else None
    if parts is None or parts["unit"] not in _units(figure) or (parts["batch"] and figure not in MEMORY):
        return None
    most = Fraction(parts["number"]) * _units(figure)[parts["unit"]]
    return Limit(int(most), int(parts["batch"]) if parts["batch"] else None, span)


def _input_type(value: Evaluated | Unknown, span: Span, problems: list[Diagnostic]) -> TensorType | None:
    if isinstance(value, Unknown):
        return None
    shape = value if isinstance(value, tuple) else (value,)
    sizes = tuple(size for size in shape if isinstance(size, int) and not isinstance(size, bool) and size > 0)
    if not shape or len(sizes) < len(shape):
        message = f"an input is a list of sizes from 1 up, without the batch, not {written(value)}"
        problems.append(Diagnostic("E404", message, span, help="write [3, 224, 224]"))
        return None
    return TensorType(sizes)


def _known(what: str, names: list[str]) -> str:
    return f"its {what} are {', '.join(names)}" if names else f"it has no {what}"
