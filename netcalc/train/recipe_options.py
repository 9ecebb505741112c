"""The options that only a recipe has: one of a registry with options of its own, numbers by name, paths."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

from netcalc.diagnostics import ExecutionError, nearest
from netcalc.layers.errors import LayerError
from netcalc.layers.options import Option, Schema, any_of
from netcalc.spec.scalars import ScalarFault, resolve_plain
from netcalc.train.augmentation import Augmentation, parsed
from netcalc.train.configurable import Configurable, OptionError

_OPTION_STARTS = re.compile(r"[:,](?=\s*\w+\s*=)")
"""What divides the options of `adamw:lr=2e-3,weight_decay=0.05`; commas inside a list do not."""
_SHAPE = re.compile(r"[1-9][0-9]{0,6}(x[1-9][0-9]{0,6}){0,5}", re.ASCII)
LARGEST_NUMBER = 1e30


class Configured(NamedTuple):
    """A loss, optimiser or schedule by its class, with the options that were given for it."""

    kind: type[Any]
    options: dict[str, Any]

    def __call__(self, *args: Any, **more: Any) -> Any:
        """An instance; `args` are what it needs beside its options."""
        return self.kind(*args, **{**self.options, **more})

    @property
    def plain(self) -> dict[str, dict[str, Any]]:
        """`{adamw: {lr: 0.001, ...}}`: all options, but those that are refused without another one."""
        values = self.kind.parsed(self.options)
        shown = dict(self.options)
        for name, value in values.items():
            try:
                self.kind.parsed({**shown, name: value})
            except OptionError:
                continue
            shown[name] = value
        return {self.kind.name: {name: _plain(values[name]) for name in values if name in shown}}

    def __str__(self) -> str:
        given = ",".join(f"{name}={_text(value)}" for name, value in self.options.items())
        return f"{self.kind.name}:{given}" if given else str(self.kind.name)


class Chosen(Option[Configured]):
    """A name of a registry, alone or with options: `adamw`, `adamw:lr=2e-3`, `{adamw: {lr: 2e-3}}`."""

    def __init__(self, registry: Mapping[str, type[Configurable]], default: str, *, doc: str) -> None:
        super().__init__(Configured(registry[default], {}), doc=doc)
        self.registry = registry
        self.words = "one of " + ", ".join(registry)

    def parse(self, value: Any) -> Configured:
        if isinstance(value, Configured):
            return value
        name, options = self._divided(value)
        if name not in self.registry:
            match = nearest(name, self.registry)
            help = f"did you mean {match}?" if match else f"there are {', '.join(self.registry)}"
            raise OptionError(f"there is no {self.name} {name!r}", self.name, help)
        kind = self.registry[name]
        try:
            kind.parsed(options)
        except OptionError as error:
            path = f"{self.name}.{name}.{error.option}"
            raise type(error)(error.message, path, error.help) from None
        return Configured(kind, dict(options))

    def _divided(self, value: Any) -> tuple[str, Mapping[str, Any]]:
        """The name and the options of what was written."""
        if isinstance(value, str):
            return self._divided_text(value)
        if isinstance(value, Mapping) and len(value) == 1:
            ((name, options),) = value.items()
            if options is None:
                options = {}
            if isinstance(name, str) and isinstance(options, Mapping):
                return name, options
            message = f"{self.name}: the options of {name} are a mapping"
            raise OptionError(message, f"{self.name}.{name}", f"write {self.name}: {{{name}: {{...}}}}")
        raise OptionError(f"{self.name} is {self.words}, alone or with its options", self.name)

    def _divided_text(self, text: str) -> tuple[str, dict[str, Any]]:
        name, *parts = (part.strip() for part in _OPTION_STARTS.split(text))
        options: dict[str, Any] = {}
        for part in parts:
            key, _, written = (word.strip() for word in part.partition("="))
            if key in options:
                raise OptionError(f"{self.name}: {key} stands twice in {text!r}", self.name)
            options[key] = _value(written)
        if ":" in name or "=" in name:
            help = f"write {name.partition(':')[0]}:option=value"
            raise OptionError(f"{self.name} {text!r} is no name with options", self.name, help)
        return name, options

    def schema(self) -> Schema:
        """A name, or a mapping of it to its options."""
        names = list(self.registry)
        mapping = {"type": "object", "maxProperties": 1, "propertyNames": {"enum": names}}
        return any_of({"type": "string"}, mapping)


class Augmentations(Option[Augmentation]):
    """A list of augmentations, as `crop:4,flip`."""

    words = "a list of augmentations, as crop:4,flip"

    def __init__(self, *, doc: str) -> None:
        super().__init__(Augmentation(), doc=doc)

    def parse(self, value: Any) -> Augmentation:
        if isinstance(value, Augmentation):
            return value
        listed = value if isinstance(value, list | tuple) else [value or ""]
        if not all(isinstance(part, str) for part in listed):
            raise self.refuse(value)
        try:
            return parsed(",".join(listed))
        except ExecutionError as error:
            (found,) = error.diagnostics
            raise LayerError(found.message, option=self.name, help=found.help) from None

    def schema(self) -> Schema:
        return {"type": "string"}


class NumberByName(Option[dict[str, float]]):
    """A mapping of names or patterns to numbers from 0 up: `{aux1: 0.3}`, in a text `aux1=0.3,aux2=0.3`."""

    def __init__(self, *, doc: str, above: bool = False) -> None:
        super().__init__({}, doc=doc)
        self._above = above
        numbers = "numbers above 0" if above else "numbers from 0 up"
        self.words = f"a mapping of names to {numbers}"

    def parse(self, value: Any) -> dict[str, float]:
        if isinstance(value, str):
            pairs = [part.partition("=") for part in value.split(",") if part.strip()]
            value = {name.strip(): _value(number.strip()) for name, _, number in pairs}
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.refuse(value)
        for name, number in value.items():
            fits = isinstance(number, int | float) and not isinstance(number, bool) and isfinite(number)
            if not fits or number < 0 or (self._above and number == 0) or number > LARGEST_NUMBER:
                what = "a number above 0" if self._above else "a number from 0 up"
                raise OptionError(f"{self.name}: {name} is {what}, not {number!r}", f"{self.name}.{name}")
        return {str(name): float(number) for name, number in value.items()}

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}


class Patterns(Option[tuple[str, ...]]):
    """Names of layers and blocks with `*`, `?` and `[...]`: `[conv*, stage1]`, in a text `conv*,stage1`."""

    words = "a list of names or patterns, as [conv*, stage1]"

    def __init__(self, *, doc: str) -> None:
        super().__init__((), doc=doc)

    def parse(self, value: Any) -> tuple[str, ...]:
        listed = value.split(",") if isinstance(value, str) else [] if value is None else value
        if not isinstance(listed, list | tuple) or not all(isinstance(name, str) for name in listed):
            raise self.refuse(value)
        return tuple(name.strip() for name in listed if name.strip())

    def schema(self) -> Schema:
        return any_of({"type": "string"}, {"type": "array", "items": {"type": "string"}})


class Text(Option[str]):
    """A word or a path; empty where there is none."""

    words = "a text"

    def parse(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.refuse(value)
        return str(value)

    def schema(self) -> Schema:
        return {"type": "string"}


class ShapeText(Text):
    """The shape of a sample, as `3x64x64`; empty where it is the data's own."""

    words = "a shape as 3x64x64"

    def __init__(self, *, doc: str) -> None:
        super().__init__("", doc=doc)

    def parse(self, value: Any) -> str:
        text = "x".join(map(str, value)) if isinstance(value, list | tuple) else super().parse(value)
        if text and not _SHAPE.fullmatch(text):
            raise self.refuse(value)
        return text


def _value(text: str) -> Any:
    """A value of a command line: a number, a word, true or false, or a list of them in brackets."""
    if text.startswith("[") and text.endswith("]"):
        return [_value(part.strip()) for part in text[1:-1].split(",")]
    try:
        return resolve_plain(text)
    except ScalarFault as fault:
        raise LayerError(str(fault)) from None


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
