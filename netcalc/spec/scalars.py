"""Plain values: how an unquoted YAML scalar is read, and how a message describes a value.

Scalars follow the core schema of YAML 1.2: `1e-5` is a number, `no` is a word.

Source: https://yaml.org/spec/1.2.2/#1032-tag-resolution
"""

from contextlib import suppress
from math import inf, isfinite, nan

from netcalc.diagnostics import format_value

MAX_INTEGER = 2**53 - 1
"""The largest integer a spec may hold: beyond it, JSON readers lose digits."""

_KEYWORDS: dict[str, None | bool] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_NUMBER_STARTS = frozenset("+-.0123456789")
_BASES = {"0o": 8, "0x": 16}
_DIGITS = {8: frozenset("01234567"), 10: frozenset("0123456789"), 16: frozenset("0123456789abcdefABCDEF")}
_IN_FLOATS = frozenset("+-.0123456789eE")
_NOT_FINITE = {".inf": inf, "+.inf": inf, "-.inf": -inf, ".nan": nan}


class ScalarFault(ValueError):
    """A scalar that reads as a number which netcalc does not take."""


def resolve_plain(text: str) -> None | bool | int | float | str:
    """The value of an unquoted scalar.

    Raises ScalarFault for an integer beyond MAX_INTEGER and for a float that is not finite.
    """
    if text in _KEYWORDS:
        return _KEYWORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    base = _BASES.get(text[:2], 10)
    digits = text[2:] if base != 10 else text[text[0] in "+-" :]
    if digits and _DIGITS[base].issuperset(digits):
        if len(text) > 64:
            raise ScalarFault(f"an integer of {len(text)} digits is beyond the limit of 2^53 - 1")
        integer = int(text, base)
        if abs(integer) > MAX_INTEGER:
            raise ScalarFault(f"{text} is beyond the limit of 2^53 - 1")
        return integer
    number = _NOT_FINITE.get(text.lower())
    if number is None and _IN_FLOATS.issuperset(text):
        with suppress(ValueError):
            number = float(text)
    if number is not None and not isfinite(number):
        raise ScalarFault(f"{text} is not a finite number")
    return text if number is None else number


def describe_plain(value: object) -> str:
    """What an evaluated value is, in the words of an error message."""
    if isinstance(value, str):
        return f"the word {format_value(value)}"
    return f"the list {format_value(value)}" if isinstance(value, tuple) else format_value(value)
