"""A spec that is a mapping of plain values: it is written as YAML, and its places are told by their keys."""

import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any, TypeGuard

from netcalc.diagnostics import Diagnostic, Source, SpecError, plain_bool, type_name
from netcalc.spec.scalars import MAX_INTEGER, resolve_plain
from netcalc.spec.yaml_reader import MAX_DEPTH, MAX_VALUES

_PLAIN_WORD = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_UNWRITABLE = re.compile(r"[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON leaves as it is, and YAML has only escaped, or reads as a line break."""
_NO_SPEC = "{path}: a spec holds numbers, words, lists and mappings, not {type}"
_NO_ARGUMENT = "the argument {path} is a number, a word or a list, not {type}"
_MOST_INDENT = 4
"""Lists and mappings that stand deeper than this are written on one line."""


class MappingSource(Source):
    """The text of a mapping, with the path of keys to each place."""

    def __init__(self, text: str, places: list[tuple[int, str]], name: str = "<mapping>") -> None:
        super().__init__(name, text)
        self._starts = [start for start, _ in places]
        self._paths = [path for _, path in places]

    def place(self, offset: int) -> str:
        """`<mapping>: layers[0].conv.kernel`."""
        path = self._paths[max(0, bisect_right(self._starts, offset) - 1)]
        return f"{self.name}: {path}" if path else self.name


def mapping_source(spec: Mapping[str, object]) -> MappingSource:
    """The source of a spec that is given as plain values.

    Raises TypeError for a key that is no word and for a value that YAML has not, SpecError beyond the limits.
    """
    writer = _Writer()
    writer.block_mapping(spec, "", 0)
    return MappingSource("".join(writer.parts).lstrip("\n") + "\n", writer.places)


def argument_source(name: str, value: object) -> MappingSource:
    """The source of a value of one of the spec's arguments, as it would stand in a spec's `args`.

    Raises TypeError for a mapping and for a value that YAML has not, SpecError beyond the limits.
    """
    writer = _Writer(_NO_ARGUMENT)
    writer.argument(value, name)
    return MappingSource("".join(writer.parts), writer.places, "args")


class _Writer:
    """Writes values: what holds layers over several lines, all else on one line."""

    def __init__(self, refusal: str = _NO_SPEC) -> None:
        self._refusal = refusal
        self.parts: list[str] = []
        self.places: list[tuple[int, str]] = [(0, "")]
        self._length = -1  # the line break at the start goes
        self._values = 0

    def write(self, text: str) -> None:
        self.parts.append(text)
        self._length += len(text)

    def block_mapping(self, mapping: Mapping[str, object], path: str, indent: int) -> None:
        for key, value in mapping.items():
            inner = _joined(path, key)
            self.write("\n" + " " * indent)
            self._mark(inner)
            self.write(f"{_word(key)}:")
            self._block(value, inner, indent + 2)

    def argument(self, value: object, path: str) -> None:
        self._length = 0
        self._inline(value, path, 1)

    def _block(self, value: object, path: str, indent: int) -> None:
        """The value of a key: below it, or beside it."""
        holds_more = isinstance(value, Mapping) and any(_is_collection(part) for part in value.values())
        if isinstance(value, Mapping) and holds_more and indent < _MOST_INDENT:
            self.block_mapping(value, path, indent)
        elif _is_list(value) and any(isinstance(part, Mapping) for part in value):
            for number, part in enumerate(value):
                self.write("\n" + " " * indent + "- ")
                is_single = isinstance(part, Mapping) and len(part) == 1
                self._inline(part, f"{path}[{number}]", 2, braces=not is_single)
        else:
            self.write(" ")
            self._inline(value, path, 1)

    def _inline(self, value: Any, path: str, depth: int, braces: bool = True) -> None:
        """A value on one line; a mapping without its braces stands alone after the dash of a list."""
        self._values += 1
        if depth > MAX_DEPTH or self._values > MAX_VALUES:
            limit = f"nest {MAX_DEPTH} deep" if depth > MAX_DEPTH else f"be {MAX_VALUES:,}"
            raise SpecError([Diagnostic("E109", f"{path[:80]}: values may {limit}, not more")])
        self._mark(path)
        if isinstance(value, Mapping) and self._refusal is not _NO_ARGUMENT:
            self.write("{" if braces else "")
            for number, (key, part) in enumerate(value.items()):
                inner = _joined(path, key)
                self.write(", " if number else "")
                self._mark(inner)
                self.write(f"{_word(key)}: ")
                self._inline(part, inner, depth + 1)
            self.write("}" if braces else "")
        elif _is_list(value):
            self.write("[")
            for number, part in enumerate(value):
                self.write(", " if number else "")
                self._inline(part, f"{path}[{number}]", depth + 1)
            self.write("]")
        else:
            self.write(self._scalar(value, path))

    def _scalar(self, value: object, path: str) -> str:
        value = plain_bool(value)
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        if isinstance(value, str):
            return _word(value)
        if isinstance(value, Integral):
            if abs(int(value)) > MAX_INTEGER:
                raise SpecError(
                    [Diagnostic("E109", f"{path[:80]}: an integer is beyond the limit of 2^53 - 1")]
                )
            return str(int(value))
        if isinstance(value, Real):
            number = _float(value)
            return repr(number) if isfinite(number) else f".{number}".replace(".-", "-.")
        raise TypeError(self._refusal.format(path=path, type=type_name(value)))

    def _mark(self, path: str) -> None:
        self.places.append((self._length, path))


def _joined(path: str, key: object) -> str:
    """The path to a key; TypeError where that is no word."""
    if not isinstance(key, str):
        where = f" in {path}" if path else ""
        raise TypeError(f"the key {key!r}{where} is no word; a spec's keys are words")
    shown = key if key.isprintable() else repr(key)[1:-1]
    return f"{path}.{shown}" if path else shown


def _is_collection(value: object) -> bool:
    return isinstance(value, Mapping) or _is_list(value)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview)


def _float(value: Real) -> float:
    try:
        return float(value)
    except OverflowError:  # of a fraction
        return inf


def _word(text: str) -> str:
    """A word as it is, any other text in quotes."""
    is_plain = _PLAIN_WORD.fullmatch(text) and resolve_plain(text) == text
    if is_plain:
        return text
    return _UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
