"""What the command line or a caller puts in place of a spec's own arguments and inputs."""

import re
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from netcalc.diagnostics import Diagnostic, Source, Span, SpecError
from netcalc.spec.expressions import Evaluated
from netcalc.spec.tree import Value, YamlMapping, YamlScalar, YamlSequence
from netcalc.spec.yaml_reader import read_document
from netcalc.tensor import MAX_ELEMENTS, Shape

TOO_MANY_ELEMENTS = "the input has more elements than 64 bits can count"
_MAX_DIGITS = len(str(MAX_ELEMENTS))
_MOST_GIVEN = 6
"""How many settings or sizes a help writes out."""


class Setting(NamedTuple):
    """A value for one of the spec's `args`."""

    name: str
    value: Value | Evaluated

    @property
    def span(self) -> Span | None:
        """Where the value stands, unless it is a plain value from Python."""
        return self.value.span if isinstance(self.value, YamlScalar | YamlSequence | YamlMapping) else None


class InputOverride(NamedTuple):
    """Another shape for an input; `name` None is the only input."""

    name: str | None
    shape: Shape
    span: Span | None = None


def read_setting(text: str, own: Sequence[str] = ("width=0.5",)) -> Setting:
    """Read `width=0.5`; the value is YAML, so `depths=[2, 2]` is a list.

    `own` are the settings that the spec has, for the help of the SpecError where it is not of that form.
    """
    source = Source("--set", text)
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        _fail(source, "a setting is name=value", own)
    if not value.strip():
        _fail(source, f"the setting {name} has no value", own)
    root, problems = read_document(source, " " * (len(name) + 1) + value)
    if problems:
        raise SpecError(problems)
    if isinstance(root, YamlMapping):
        _fail(source, "a setting is a number, a word or a list", own)
    return Setting(name.strip(), root)


def split_setting(text: str) -> list[str]:
    """`width=0.5,1` as `width=0.5` and `width=1`: at the commas that stand in no bracket and no quotes."""
    name, equals, values = text.partition("=")
    parts, depth, quote = [""], 0, ""
    for character in values:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[({":
            depth += 1
        elif character in "])}":
            depth -= 1
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [f"{name.strip()}{equals}{part.strip()}" for part in parts]


def read_input_override(
    text: str, option: str = "--input", own: Sequence[str] = ("3x224x224",)
) -> InputOverride:
    """Read `3x224x224` or `image=3x224x224`; raises SpecError where it is neither.

    `own` are the sizes that the spec has, for the help.
    """
    source = Source(option, text)
    name, equals, sizes = text.rpartition("=")
    if not all(size.isascii() and size.isdecimal() for size in sizes.split("x")):
        if meant := _separated(sizes):
            own = (f"{name.strip()}={meant}" if equals else meant,)
        _fail(source, "an input is its sizes with x between them, without the batch", own)
    if equals and not name.strip():
        _fail(source, "the input before the = has no name", own)
    if max(map(len, sizes.split("x"))) > _MAX_DIGITS:
        _fail(source, TOO_MANY_ELEMENTS, own, "E602")
    shape = tuple(map(int, sizes.split("x")))
    if 0 in shape:
        _fail(source, "an input's sizes are whole numbers from 1 up", own)
    return InputOverride(name.strip() if equals else None, shape, Span(source, 0, len(text)))


def _separated(text: str) -> str:
    """Sizes that are written with commas, spaces, brackets or other signs, with x between them."""
    is_other = re.fullmatch(r"[\[(]?\s*\d{1,19}(?:[\s,;*X×]+\d{1,19})+\s*[\])]?", text.strip(), re.ASCII)
    return "x".join(re.findall(r"\d+", text)) if is_other else ""


def as_typed(option: str, given: Sequence[str]) -> str:
    """`write --input image=3x32x32 --input words=20`, quoted as a shell needs it; empty without any."""
    from shlex import quote  # only mistakes need it

    words = " ".join(f"{option} {quote(each)}" for each in given[:_MOST_GIVEN])
    return f"write {words}" if words else ""


def _fail(source: Source, message: str, own: Sequence[str], code: str = "E701") -> NoReturn:
    """Refuse a text; its help writes what the spec has under that name, or else all inputs, one argument."""
    option, name = source.name, source.text.partition("=")[0].strip()
    named = [given for given in own if given.partition("=")[0] == name]
    help = as_typed(option, named or (own if option == "--input" else own[:1]))
    span = Span(source, 0, len(source.text))
    raise SpecError([Diagnostic(code, message, span, help=help or "the spec has no arguments")])
