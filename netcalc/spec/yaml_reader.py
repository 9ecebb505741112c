"""YAML text to a located tree.

The parser's events are read, not its nodes: one pass with an explicit stack has no recursion limit,
counts the values that aliases expand to, and is faster than composing nodes first.
"""

from typing import Any, NamedTuple, NoReturn

import yaml

from netcalc.diagnostics import Diagnostic, Note, Source, Span, SpecError
from netcalc.spec.expressions import Expression, ExpressionFault, parse_expression
from netcalc.spec.problems import SpecProblems, expression_problem, one_character
from netcalc.spec.scalars import ScalarFault, resolve_plain
from netcalc.spec.tree import (
    UNKNOWN,
    Plain,
    Unknown,
    Value,
    YamlEntry,
    YamlMapping,
    YamlScalar,
    YamlSequence,
)

MAX_TEXT = 8 * 1024**2
MAX_VALUES = 400_000
MAX_ITEMS = 100_000
"""The most items of a list, and so the most layers that a spec can list."""
MAX_PARTS = 300_000
"""The most lines and commas, which are counted before anything is read."""
MAX_DEPTH = 100

_EXPRESSION_VALUES, _EXPRESSION_CHARACTERS = 4, 10
"""An expression counts as 4 values, and one more for every 10 characters: it takes longer to read."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document(NamedTuple):
    """A text as a tree, with the mistakes that did not keep it from being read."""

    root: Value
    problems: tuple[Diagnostic, ...]


def read_document(source: Source, text: str | None = None, *, dollars: bool = False) -> Document:
    """Read the one YAML document of a source, or of a `text` with the same offsets.

    With `dollars` a text in quotes may begin with $, which is no expression then.

    Raises SpecError where the text is not YAML, is empty, holds several documents or goes beyond
    the limits. Tags, repeated keys and bad scalars are reported in `problems`.
    """
    if len(source.text) > MAX_TEXT:
        _stop(
            source, 0, 1, "E109", f"the text has {len(source.text):,} characters; {MAX_TEXT:,} is the limit"
        )
    parts = source.text.count("\n") + source.text.count(",")
    if parts > MAX_PARTS:
        _stop(source, 0, 1, "E109", f"the text has {parts:,} lines and commas; {MAX_PARTS:,} is the limit")
    composer = _Composer(source, dollars)
    try:
        for event in yaml.parse(source.text if text is None else text, Loader=_Loader):
            composer.take(event)
    except SpecError as error:
        found = [problem for problem in error.diagnostics if problem not in composer.problems]
        raise SpecError([*composer.problems, *found]) from None
    except yaml.reader.ReaderError as error:
        code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "?")
        _stop(
            source,
            *one_character(source, error.position),
            "E101",
            f"the character U+{code:04X} is not allowed in YAML",
        )
    except yaml.MarkedYAMLError as error:
        from netcalc.spec.syntax import syntax_problem  # only mistakes need it

        mark = error.problem_mark or error.context_mark
        at = mark.index if mark else 0
        problem = [] if at in composer.cut_off else [syntax_problem(source, error)]
        raise SpecError([*composer.problems, *problem]) from None
    if composer.root is None:
        _stop(
            source,
            *one_character(source, 0),
            "E104",
            "the text is empty",
            "a spec has at least input: and layers:",
        )
    return Document(composer.root, tuple(composer.problems))


class _Open:
    """A list or mapping whose end has not come yet."""

    __slots__ = (
        "anchor", "entries", "first_keys", "is_mapping", "items", "key", "refused", "start", "values_before",
    )  # fmt: skip

    def __init__(
        self, is_mapping: bool, start: int, anchor: str | None, values_before: int, refused: bool
    ) -> None:
        self.refused = refused
        self.is_mapping = is_mapping
        self.start = start
        self.anchor = anchor
        self.values_before = values_before
        self.items: list[Value] = []
        self.entries: list[YamlEntry] = []
        self.key: tuple[str, int, int] | None = None
        self.first_keys: dict[str, tuple[int, int]] = {}


class _Composer:
    """Builds the tree from events; the stack holds the open collections."""

    def __init__(self, source: Source, dollars: bool) -> None:
        self.source = source
        self._dollars = dollars
        self.root: Value | None = None
        self.problems = SpecProblems()
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._values = 0
        self.cut_off = range(0)
        """Where the last value goes on that YAML has cut off: what begins there is a part of it."""

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._take_scalar(event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._open(event, kind is yaml.MappingStartEvent)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close(event)
        elif kind is yaml.AliasEvent:
            self._take_alias(event)
        elif kind is yaml.DocumentStartEvent and self.root is not None:
            start, end = one_character(self.source, event.start_mark.index)
            _stop(self.source, start, end, "E105", "a spec is one YAML document, a second one begins here",
                  "remove the --- line")  # fmt: skip

    def _take_scalar(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        refused = self._refuses_tag(event)
        if self._expects_key():
            self._take_key(event.value, start, end)
            return
        value: Plain | Expression | Unknown
        if refused or self._is_cut_off(event, start):
            value = UNKNOWN
        elif event.value.startswith("$") and not (event.style and self._dollars):
            value = self._expression(event.value, start, end)
            self._values += _EXPRESSION_VALUES + len(event.value) // _EXPRESSION_CHARACTERS
        elif event.style:
            value = event.value
        else:
            try:
                value = resolve_plain(event.value)
            except ScalarFault as fault:
                self.problems.report("E109", str(fault), Span(self.source, start, end))
                value = UNKNOWN
        self._add(YamlScalar(value, self.source, start, end), 1, event.anchor)

    def _is_cut_off(self, event: Any, start: int) -> bool:
        """Whether YAML ends a value too early, which is reported; what follows up to its end is no part."""
        text = event.value
        if event.style or not text.startswith(("$(", "(")) or text.count("(") == text.count(")"):
            return False
        from netcalc.spec.flow import cut_off  # only mistakes need it

        found = cut_off(self.source, text, start)
        if found is not None:
            self.problems.add(found.problem)
            self.cut_off = range(start + 1, found.end)
        return found is not None

    def _expression(self, text: str, start: int, end: int) -> Expression | Unknown:
        inner = inside_dollar(text)
        if inner is None:
            help = "write $name or $(...)" + (f": $({text[1:]})" if text[1:2].isalpha() else "")
            message = f"{text} is neither a $name nor a $(...) expression"
            self.problems.report("E301", message, Span(self.source, start, end), help=help)
            return UNKNOWN
        try:
            return parse_expression(inner)
        except ExpressionFault as fault:
            self.problems.add(expression_problem(fault, "E301", Span(self.source, start, end), inner))
            return UNKNOWN

    def _take_key(self, key: str, start: int, end: int) -> None:
        collection = self._stack[-1]
        if key.startswith("$"):
            self._values += _EXPRESSION_VALUES + len(key) // _EXPRESSION_CHARACTERS
        first = collection.first_keys.setdefault(key, (start, end))
        if first != (start, end):
            notes = (Note("it stands first here", Span(self.source, *first)),)
            message = f"the key {key!r} stands twice in one mapping"
            self.problems.report("E107", message, Span(self.source, start, end), notes=notes)
        collection.key = (key, start, end)

    def _take_alias(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if self._expects_key():
            _stop(self.source, start, end, "E111", "a key is a plain word, not an alias")
        if event.anchor not in self._anchors:
            open_anchors = [collection.anchor for collection in self._stack]
            what = "stands inside itself" if event.anchor in open_anchors else "has no anchor before it"
            _stop(self.source, start, end, "E108", f"the alias *{event.anchor} {what}")
        value, size = self._anchors[event.anchor]
        self._add(value, size, None)

    def _open(self, event: Any, is_mapping: bool) -> None:
        start = event.start_mark.index
        if self._expects_key():
            _stop(self.source, start, start + 1, "E111", "a key is a plain word, not a list or a mapping")
        if len(self._stack) >= MAX_DEPTH:
            _stop(self.source, start, start + 1, "E109", f"values may nest {MAX_DEPTH} deep, not more")
        refused = self._refuses_tag(event)
        self._stack.append(_Open(is_mapping, start, event.anchor, self._values, refused))

    def _close(self, event: Any) -> None:
        closed = self._stack.pop()
        end = event.end_mark.index
        value: Value
        if closed.refused:
            value = YamlScalar(UNKNOWN, self.source, closed.start, end)
        elif closed.is_mapping:
            value = YamlMapping(tuple(closed.entries), self.source, closed.start, end)
        else:
            value = YamlSequence(tuple(closed.items), self.source, closed.start, end)
        self._add(value, 1, closed.anchor, self._values - closed.values_before)

    def _add(self, value: Value, size: int, anchor: str | None, inner: int = 0) -> None:
        self._values += size
        if self._values > MAX_VALUES:
            _stop(self.source, value.start, value.start + 1, "E109",
                  f"the text expands to more than {MAX_VALUES:,} values")  # fmt: skip
        if anchor is not None:
            self._anchors[anchor] = (value, size + inner)
        if not self._stack:
            self.root = value
            return
        parent = self._stack[-1]
        first = parent.key[1] if parent.key else value.start
        if first in self.cut_off:
            parent.key = None
            return
        if not parent.is_mapping:
            parent.items.append(value)
            if len(parent.items) > MAX_ITEMS:
                _stop(self.source, value.start, value.start + 1, "E109",
                      f"a list has at most {MAX_ITEMS:,} items")  # fmt: skip
            return
        assert parent.key is not None
        if parent.first_keys[parent.key[0]] == parent.key[1:]:  # a repeated key is reported, not kept
            parent.entries.append(YamlEntry(*parent.key, value))
        parent.key = None

    def _expects_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_mapping and self._stack[-1].key is None

    def _refuses_tag(self, event: Any) -> bool:
        if event.tag is not None:
            start = event.start_mark.index
            message = f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not allowed"
            span = Span(self.source, start, start + 1)
            self.problems.report("E106", message, span, help="write the value without a tag")
        return event.tag is not None


def inside_dollar(text: str) -> str | None:
    """`width` of `$width`, `2 * width` of `$(2 * width)`, None where it is neither."""
    if text.startswith("$(") and text.endswith(")"):
        return text[2:-1]
    return text[1:] if text[1:].isidentifier() else None


def _stop(source: Source, start: int, end: int, code: str, message: str, help: str | None = None) -> NoReturn:
    raise SpecError([Diagnostic(code, message, Span(source, start, end), help=help)])
