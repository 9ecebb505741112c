"""The located tree to a Spec: what stands where, nothing evaluated yet."""

from dataclasses import dataclass
from typing import NamedTuple

from netcalc.diagnostics import Diagnostic, Note, Source, Span, SpecError, nearest
from netcalc.spec.expressions import Expression
from netcalc.spec.tree import Entry, Mapping, Scalar, Sequence, Value, describe, is_unknown
from netcalc.spec.yaml_reader import read_document

TOP_LEVEL = ("name", "source", "input", "inputs", "args", "expect", "layers", "outputs")
ITEM_KEYS = ("name", "from", "repeat", "each", "when")
EXPECTATIONS = ("params", "trainable_params", "buffers", "macs", "other_ops", "output_bytes")


class Item(NamedTuple):
    """One entry of a layer list: a kind, its options, and the keys that go with every item.

    An item too malformed to name a kind has `kind` None; its mistake is reported already.
    """

    kind: str | None
    span: Span
    options: tuple[Entry, ...] = ()
    name: Value | None = None
    sources: Value | None = None
    repeat: Value | None = None
    each: Value | None = None
    when: Value | None = None


class InputDeclaration(NamedTuple):
    """A named input and its shape, not evaluated yet."""

    name: str
    span: Span
    shape: Value


@dataclass(frozen=True, slots=True)
class Spec:
    """What a text says. `problems` are the mistakes found so far; elaboration adds its own."""

    source: Source
    name: str
    citation: str
    inputs: tuple[InputDeclaration, ...]
    args: tuple[Entry, ...]
    expect: tuple[Entry, ...]
    items: tuple[Item, ...]
    outputs: Value | None
    problems: tuple[Diagnostic, ...]


def read_spec(source: Source) -> Spec:
    """Read a spec; raises SpecError where the text is not even a mapping in YAML."""
    root, problems = read_document(source)
    if not isinstance(root, Mapping):
        if is_unknown(root):
            raise SpecError(problems)
        message = f"a spec is a mapping with input: and layers:, this is {describe(root)}"
        end = min(root.end, root.start + 1)
        raise SpecError([*problems, Diagnostic("E110", message, Span(source, root.start, end))])
    return _Reader(source, root, list(problems)).spec()


class _Reader:
    def __init__(self, source: Source, root: Mapping, problems: list[Diagnostic]) -> None:
        self.source = source
        self.root = root
        self.problems = problems
        self.meant: set[str] = set()
        """The keys that were probably meant by misspelt ones; nobody needs to hear that they are missing."""

    def spec(self) -> Spec:
        top = {entry.key: entry for entry in self.root.entries}
        for entry in self.root.entries:
            if entry.key not in TOP_LEVEL:
                match = nearest(entry.key, TOP_LEVEL)
                self.meant.add(match or "")
                help = f"did you mean {match}?" if match else f"there are {', '.join(TOP_LEVEL)}"
                self._report("E201", f"unknown key {entry.key!r}", entry.key_span, help)
        return Spec(
            source=self.source,
            name=self._text(top.get("name")) or _stem(self.source.name),
            citation=self._text(top.get("source")),
            inputs=self._inputs(top),
            args=self._mapping(top.get("args")),
            expect=self._expect(top.get("expect")),
            items=self._layers(top.get("layers")),
            outputs=top["outputs"].value if "outputs" in top else None,
            problems=tuple(self.problems),
        )

    def _text(self, entry: Entry | None) -> str:
        if entry is None:
            return ""
        value = entry.value
        if isinstance(value, Scalar) and isinstance(value.value, str | int | float):
            return str(value.value)
        if is_unknown(value):
            return ""
        self._report("E204", f"{entry.key}: is a text, not {describe(value)}", value.span)
        return ""

    def _mapping(self, entry: Entry | None) -> tuple[Entry, ...]:
        if entry is None:
            return ()
        if isinstance(entry.value, Mapping):
            return entry.value.entries
        if is_unknown(entry.value):
            return ()
        self._report("E204", f"{entry.key}: is a mapping, not {describe(entry.value)}", entry.key_span)
        return ()

    def _expect(self, entry: Entry | None) -> tuple[Entry, ...]:
        entries = self._mapping(entry)
        for expected in entries:
            if expected.key not in EXPECTATIONS:
                match = nearest(expected.key, EXPECTATIONS)
                help = f"did you mean {match}?" if match else f"there are {', '.join(EXPECTATIONS)}"
                self._report("E201", f"unknown expectation {expected.key!r}", expected.key_span, help)
        return tuple(expected for expected in entries if expected.key in EXPECTATIONS)

    def _inputs(self, top: dict[str, Entry]) -> tuple[InputDeclaration, ...]:
        if "input" in top and "inputs" in top:
            note = Note("the other one", top["input"].key_span)
            self.problems.append(
                Diagnostic(
                    "E204", "input: and inputs: are one key, give one", top["inputs"].key_span, (note,)
                )
            )
        entry = top.get("input") or top.get("inputs")
        if entry is None:
            if not self.meant & {"input", "inputs"}:
                self._report("E202", "the spec has no input:", self._first_key(), "add input: [3, 224, 224]")
            return ()
        if not isinstance(entry.value, Mapping):
            return (InputDeclaration("input", entry.key_span, entry.value),)
        if not entry.value.entries:
            self._report("E202", f"{entry.key}: names no input", entry.key_span, "add image: [3, 224, 224]")
        return tuple(
            InputDeclaration(named.key, named.key_span, named.value) for named in entry.value.entries
        )

    def _layers(self, entry: Entry | None) -> tuple[Item, ...]:
        help = "list them, one a line: - conv: {filters: 64, kernel: 3}"
        if entry is None:
            if "layers" not in self.meant:
                self._report("E202", "the spec has no layers:", self._first_key(), help)
            return ()
        if not isinstance(entry.value, Sequence):
            if is_unknown(entry.value):
                return ()
            self._report("E204", f"layers: is a list, not {describe(entry.value)}", entry.key_span, help)
            return ()
        if not entry.value.items:
            self._report("E202", "layers: is empty", entry.value.span, help)
        return tuple(map(self._item, entry.value.items))

    def _item(self, value: Value) -> Item:
        if isinstance(value, Scalar) and isinstance(value.value, str) and value.value:
            return Item(value.value, value.span)
        if isinstance(value, Mapping) and len(value.entries) == 1:
            entry = value.entries[0]
            body = entry.value
            if isinstance(body, Mapping):
                return self._item_with_options(entry, body.entries)
            if isinstance(body, Scalar) and body.value is None:
                return Item(entry.key, entry.key_span)
            if is_unknown(body):
                return Item(None, entry.key_span)
            self._report("E203", f"the options of {entry.key} are a mapping, not {describe(body)}", body.span,
                         f"write - {entry.key}: {{option: value}}")  # fmt: skip
            return Item(None, entry.key_span)
        return self._malformed(value)

    def _item_with_options(self, entry: Entry, options: tuple[Entry, ...]) -> Item:
        general = {option.key: option.value for option in options if option.key in ITEM_KEYS}
        own = tuple(option for option in options if option.key not in general) if general else options
        return Item(
            entry.key, entry.key_span, own, general.get("name"), general.get("from"),
            general.get("repeat"), general.get("each"), general.get("when"),
        )  # fmt: skip

    def _malformed(self, value: Value) -> Item:
        if isinstance(value, Mapping) and value.entries:
            first, second = value.entries[0], value.entries[1]
            message = f"a layer is one kind with its options, here a second key {second.key!r} follows"
            help = f"put the options inside: - {first.key}: {{{second.key}: ...}}"
            self._report("E203", message, second.key_span, help)
            return Item(None, first.key_span)
        if is_unknown(value):
            return Item(None, value.span)
        what = describe(value)
        if isinstance(value, Scalar) and isinstance(value.value, Expression):
            what = "an expression"
        span = Span(value.source, value.start, max(value.end, value.start + 1))
        self._report("E203", f"a layer is a kind with its options, not {what}", span,
                     "write - relu or - conv: {filters: 64, kernel: 3}")  # fmt: skip
        return Item(None, span)

    def _first_key(self) -> Span:
        if self.root.entries:
            return self.root.entries[0].key_span
        return Span(self.source, self.root.start, self.root.start + 1)

    def _report(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.problems.append(Diagnostic(code, message, span, help=help))


def _stem(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".yaml").removesuffix(".yml")
