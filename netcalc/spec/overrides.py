"""What the command line or a caller puts in place of a spec's own arguments and inputs."""

from typing import NamedTuple, NoReturn

from netcalc.diagnostics import Diagnostic, Source, Span, SpecError
from netcalc.spec.expressions import Evaluated
from netcalc.spec.tree import Value, YamlMapping, YamlScalar, YamlSequence
from netcalc.spec.yaml_reader import read_document
from netcalc.tensor import Shape


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


def read_setting(text: str) -> Setting:
    """Read `width=0.5`; the value is YAML, so `depths=[2, 2]` is a list.

    Raises SpecError where it is not of that form.
    """
    source = Source("--set", text)
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        _fail(source, "a setting is name=value", "write --set width=0.5")
    if not value.strip():
        _fail(source, f"the setting {name} has no value", f"write --set {name}=1")
    root, problems = read_document(source, " " * (len(name) + 1) + value)
    if problems:
        raise SpecError(problems)
    if isinstance(root, YamlMapping):
        _fail(source, "a setting is a number, a word or a list", "write --set width=0.5")
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


def read_input_override(text: str, option: str = "--input") -> InputOverride:
    """Read `3x224x224` or `image=3x224x224`; raises SpecError where it is neither."""
    source = Source(option, text)
    name, equals, sizes = text.rpartition("=")
    if not all(size.isascii() and size.isdecimal() and len(size) < 16 for size in sizes.split("x")):
        _fail(
            source, "an input is its sizes with x between them, without the batch", "write --input 3x224x224"
        )
    if equals and not name.strip():
        _fail(source, "the input before the = has no name", "write --input image=3x224x224")
    shape = tuple(map(int, sizes.split("x")))
    if 0 in shape:
        _fail(source, "an input's sizes are whole numbers from 1 up", "write --input 3x224x224")
    return InputOverride(name.strip() if equals else None, shape, Span(source, 0, len(text)))


def _fail(source: Source, message: str, help: str) -> NoReturn:
    raise SpecError([Diagnostic("E701", message, Span(source, 0, len(source.text)), help=help)])
