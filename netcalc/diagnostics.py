"""Located diagnostics as data, and the exceptions that carry them.

    NetcalcError            something the user gave is wrong; holds every diagnostic found
    ├── SpecError           the text of a spec cannot be read
    ├── GraphError          the spec reads, but describes no valid network
    └── ExecutionError      a valid network cannot be run on what it was given

`netcalc.render` formats diagnostics for terminals and files.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from itertools import islice
from operator import index
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]


class Source:
    """A named text: a file, standard input, or a command-line option; `folder` is where a file stands."""

    def __init__(self, name: str, text: str, folder: str | None = None) -> None:
        self.name = name
        self.text = text
        self.folder = folder

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        newline = self.text.find("\n")
        while newline >= 0:
            starts.append(newline + 1)
            newline = self.text.find("\n", newline + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of a character offset."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def place(self, offset: int) -> str:
        """`net.yaml:3:7`: the place of a character offset, for messages."""
        line, column = self.position(offset)
        return f"{self.name}:{line}:{column}"

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its line break."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else None].rstrip("\r")

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Source) and self._identity == other._identity)

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, str, str | None]:
        return self.name, self.text, self.folder

    def __repr__(self) -> str:
        return f"Source({self.name!r})"


class Span(NamedTuple):
    """A stretch of a source, in character offsets; `via` is where the block around it was used."""

    source: Source
    start: int
    end: int
    via: "Span | None" = None

    def __str__(self) -> str:
        return self.source.place(self.start)


class Note(NamedTuple):
    """Evidence beside a message, with its own place where it has one."""

    text: str
    span: Span | None = None


class Diagnostic(NamedTuple):
    """One finding: `message` says what, `notes` give evidence, `help` says what to type."""

    code: str
    message: str
    span: Span | None = None
    notes: tuple[Note, ...] = ()
    help: str | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        where = f"{self.span}: " if self.span else ""
        return f"{where}{self.severity}[{self.code}]: {self.message}"


class NetcalcError(Exception):
    """Something the user gave is wrong; `diagnostics` says what and where."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        helps = (f"\n  help: {found.help}" if found.help else "" for found in self.diagnostics)
        return "\n".join(f"{found}{help}" for found, help in zip(self.diagnostics, helps, strict=True))


class SpecError(NetcalcError):
    """The text of a spec cannot be read."""


class GraphError(NetcalcError):
    """The spec reads, but describes no valid network."""


class ExecutionError(NetcalcError):
    """A valid network cannot be run on what it was given."""


class ArgumentError(ValueError):
    """An argument of a function is wrong: `argument` names it, the message says what there is."""

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(message)
        self.argument = argument

    def __reduce__(self) -> tuple[type["ArgumentError"], tuple[str, str]]:
        return type(self), (self.argument, str(self))


def require_text(argument: str, value: object) -> None:
    """Raise TypeError unless the value of an argument is a string."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} is a string, not {type(value).__name__}")


def require_choice(argument: str, value: object, choices: Iterable[str]) -> None:
    """Raise ArgumentError unless the value of an argument is one of some words."""
    if not isinstance(value, str) or value not in choices:
        raise ArgumentError(argument, f"{argument} is one of {', '.join(choices)}, not {value!r}")


def whole_number(argument: str, value: object, least: int | None = None, most: int | None = None) -> int:
    """The value of an argument as an int, if NumPy's; ArgumentError unless it is one within the limits."""
    number: int | None = None
    if not isinstance(value, bool) and hasattr(value, "__index__"):
        with suppress(TypeError):  # an array
            number = index(value)
    if number is None or not (least is None or least <= number) or not (most is None or number <= most):
        limits = "" if least is None else f" from {least} up" if most is None else f" from {least} to {most}"
        shown = "a larger one" if number is not None and abs(number) > 10**30 else repr(value)
        raise ArgumentError(argument, f"{argument} is a whole number{limits}, not {shown}")
    return number


def flag(argument: str, value: object) -> bool:
    """The value of an argument as a bool, if NumPy's; TypeError for anything else."""
    plain = plain_bool(value)
    if not isinstance(plain, bool):
        raise TypeError(f"{argument} is True or False, not {plain!r}")
    return plain


def names(argument: str, value: object) -> tuple[str, ...]:
    """Names in a sequence, or in a text with commas between them; TypeError for anything else."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",")) if value else ()
    found: tuple[object, ...] | None = None
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | Mapping):
        with suppress(TypeError):  # an array of no axes
            found = tuple(value)
    if found is None:
        raise TypeError(f"{argument} is a sequence of names, or a text with commas, not {type_name(value)}")
    for name in found:
        require_text(f"a name of {argument}", name)
    return tuple(map(str, found))


def plain_bool(value: object) -> object:
    """A truth value of NumPy as Python's; any other value unchanged."""
    is_numpy = type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_")
    return bool(value) if is_numpy else value


def type_name(value: object) -> str:
    """The name of a value's type, as `int` or `numpy.ndarray`."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


class Problems:
    """Collects diagnostics, so that one run reports every independent mistake."""

    def __init__(self, found: Iterable[Diagnostic] = ()) -> None:
        self._found = [*found]

    def report(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        notes: tuple[Note, ...] = (),
        help: str | None = None,
    ) -> None:
        """Add an error."""
        self.add(Diagnostic(code, message, span, notes, help))

    def add(self, problem: Diagnostic) -> None:
        """Add a diagnostic."""
        self._found.append(problem)

    def raise_if_any(self, error: type[NetcalcError]) -> None:
        """Raise `error` with everything collected, unless that is nothing."""
        if self._found:
            raise error(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found)


def suggestion(name: str, known: Iterable[str], otherwise: str) -> str:
    """The known name nearest to an unknown one, or else a hint."""
    match = nearest(name, known)
    return f"did you mean {match}?" if match else otherwise


_LONGEST_WORD = 100
_MOST_NAMES = 300
"""Limits of the search for a similar name, whose time grows with both."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None where none is like it."""
    from difflib import get_close_matches  # only mistakes need it

    if len(word) > _LONGEST_WORD:
        return None
    by_lowercase = {name.lower(): name for name in islice(known, _MOST_NAMES)}
    match = get_close_matches(word.lower(), by_lowercase, n=1, cutoff=0.6)
    return by_lowercase[match[0]] if match else None


def listed(names: Iterable[str], most: int = 20) -> str:
    """Names with commas between, the first ones where there are many."""
    shown = list(islice(names, most + 1))
    return ", ".join([*shown[:most], *(["..."] if len(shown) > most else [])])


def counted(number: int, noun: str) -> str:
    """`1 layer`, `2 layers`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def extra_help(extra: str) -> str:
    """How an optional extra is installed: from the package index, or in a checkout."""
    return f"pip install 'netcalc-nn[{extra}]', or '.[{extra}]' in a checkout"


def format_value(value: object) -> str:
    """A plain value in YAML syntax, truncated where it is long."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 else repr(value[:40]) + "..."
    if isinstance(value, tuple):
        return f"[{', '.join(map(format_value, value[:8]))}{', ...' if len(value) > 8 else ''}]"
    return str(value)
