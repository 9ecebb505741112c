"""Values inside braces and brackets that a comma or a bracket cuts off: `{units: $(max(a, b))}`."""

from typing import NamedTuple

from netcalc.diagnostics import Diagnostic, Source, Span
from netcalc.spec.expressions import MAX_EXPRESSION_LENGTH

_CLOSES = {"(": ")", "[": "]", "{": "}"}


class CutOff(NamedTuple):
    """What YAML cuts off, with its end in the text."""

    problem: Diagnostic
    end: int


def cut_off(source: Source, text: str, start: int) -> CutOff | None:
    """The mistake of an unquoted value that goes on where YAML ends it; None where it does not."""
    end = _balanced_end(source.text, start + text.startswith("$"))
    if end <= start + len(text):
        return None
    whole, span = source.text[start:end], Span(source, start, end)
    if text.startswith("$("):
        quoted = f"'{whole}'" if '"' in whole else f'"{whole}"'
        what = "comma" if whole[len(text) :].lstrip().startswith(",") else "bracket"
        message = f"inside braces and brackets a {what} ends a value: this expression stops at {text}"
        return CutOff(Diagnostic("E301", message, span, help=f"quote it: {quoted}"), end)
    message = "a list stands in square brackets, not in parentheses"
    return CutOff(Diagnostic("E204", message, span, help=f"write [{whole[1:-1]}]"), end)


def _balanced_end(text: str, start: int) -> int:
    """The end of the brackets that open at an offset; 0 where none open, or they stay open on its line."""
    expected: list[str] = []
    quote = ""
    for at in range(start, min(len(text), start + MAX_EXPRESSION_LENGTH)):
        character = text[at]
        if character == "\n":
            return 0
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in _CLOSES:
            expected.append(_CLOSES[character])
        elif not expected or (character in _CLOSES.values() and character != expected.pop()):
            return 0
        if not expected:
            return at + 1
    return 0
