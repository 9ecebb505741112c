"""How losses, optimisers and schedules declare their options: default, range and meaning, once.

The options are those of `netcalc.layers.options`, so that a recipe checks them as a spec does.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, ClassVar

import numpy as np

from netcalc.diagnostics import format_value, nearest
from netcalc.layers import LayerError
from netcalc.layers.options import Number, Option, Schema


class OptionError(ValueError):
    """An option that is unknown, missing or out of range: "adam: lr is a number above 0, not -1".

    `option` is its name; `help` is what to type.
    """

    def __init__(self, message: str, option: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.option = option
        self.help = help


class UnknownOptionError(OptionError):
    """An option that there is not."""


class Configurable:
    """Something that a recipe chooses by its name and gives options. Subclasses declare them as fields."""

    name: ClassVar[str]
    """What a recipe calls it: its key in the registry."""
    options: ClassVar[Mapping[str, Option[Any]]] = {}

    def __init_subclass__(cls) -> None:
        own = {option.name: option for option in vars(cls).values() if isinstance(option, Option)}
        inherited = {**cls.options, **own}
        # a subclass that gives an option a fixed value has it no longer
        cls.options = {name: option for name, option in inherited.items() if getattr(cls, name) is option}

    def __init__(self, **given: Any) -> None:
        """Take some options; the others have their defaults. Raises OptionError."""
        self.__dict__.update(self.parsed(given))

    @classmethod
    def parsed(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every option where some are given; raises OptionError where one does not fit."""
        for name in given:
            if name not in cls.options:
                match = nearest(name, cls.options)
                help = f"did you mean {match}?" if match else f"its options are {', '.join(cls.options)}"
                raise UnknownOptionError(f"{cls.name} has no option {name!r}", name, help)
        return {name: cls._value(option, given) for name, option in cls.options.items()}

    @classmethod
    def _value(cls, option: Option[Any], given: Mapping[str, Any]) -> Any:
        if option.name not in given:
            if option.required:
                raise OptionError(f"{cls.name} needs {option.name}", option.name)
            return option.default
        value = given[option.name]
        try:
            value = option.parse(value.item() if isinstance(value, np.generic) else value)
            if isinstance(value, float) and not isfinite(value):
                raise option.refuse(value)
        except LayerError as error:
            raise OptionError(f"{cls.name}: {error.message}", option.name, error.help) from None
        except OverflowError:
            raise OptionError(f"{cls.name}: {option.name} is too large", option.name) from None
        return value

    def settings(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        own = self.__dict__
        return {name: own[name] for name, option in self.options.items() if not option.is_default(own[name])}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.settings().items())})"


def positive(value: object, what: str) -> float:
    """The value as a finite number above 0; raises ValueError, which names `what` it is, where it is none."""
    if (
        isinstance(value, int | float | np.number)
        and not isinstance(value, bool)
        and 0 < value < float("inf")
    ):
        return float(value)
    raise ValueError(f"{what} is a number above 0, not {format_value(value)}")


class Fraction(Number):
    """A number from 0 to below 1, such as what a running mean keeps."""

    def __init__(self, default: float, *, doc: str, torch: str | None = None) -> None:
        super().__init__(default, doc=doc, torch=torch, at_least=0)
        self.words = "a number from 0 to below 1"

    def parse(self, value: Any) -> float:
        number = super().parse(value)
        if number >= 1:
            raise self.refuse(value)
        return number

    def schema(self) -> Schema:
        return super().schema() | {"exclusiveMaximum": 1}


class Numbers(Option[tuple[float, ...]]):
    """A list of numbers from 0 up."""

    words = "a list of numbers from 0 up"

    def parse(self, value: Any) -> tuple[float, ...]:
        given = value.tolist() if isinstance(value, np.ndarray) else value
        if not isinstance(given, list | tuple) or not given:
            raise self.refuse(value)
        for number in given:
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise self.refuse(value)
            if not (isfinite(number) and number >= 0):
                raise self.refuse(value)
        return tuple(map(float, given))

    def schema(self) -> Schema:
        return {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 1}
