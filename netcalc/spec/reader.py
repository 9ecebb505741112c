"""The located tree to a Spec: what stands where, nothing evaluated yet."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from netcalc.diagnostics import Diagnostic, Note, Source, Span, SpecError, listed, nearest
from netcalc.spec.blocks import Block, read_blocks
from netcalc.spec.items import Item, ItemReader
from netcalc.spec.library import find_spec, open_beside
from netcalc.spec.problems import SpecProblems
from netcalc.spec.tree import Value, YamlEntry, YamlMapping, YamlScalar, YamlSequence, describe, is_unknown
from netcalc.spec.yaml_reader import read_document

TOP_LEVEL = (
    "name", "source", "year", "input", "inputs", "preprocess", "args", "variants", "expect", "budget",
    "ignore", "init", "include", "blocks", "layers", "outputs",
)  # fmt: skip
OTHER_TOP_LEVEL = {
    **dict.fromkeys(("model", "network", "architecture", "modules", "nodes", "backbone"), "layers"),
    **dict.fromkeys(("input_shape", "input_size", "in_shape"), "input"),
    **dict.fromkeys(("params", "parameters", "variables", "vars", "hyperparameters"), "args"),
    **dict.fromkeys(("definitions", "functions", "templates"), "blocks"),
}
"""What those keys are called elsewhere, for the help of an error."""
EXPECTATIONS = ("params", "trainable_params", "buffers", "macs", "other_ops", "output_bytes")
BUDGETS = (*EXPECTATIONS, "training_memory")
PREPROCESSING = ("resize", "mean", "std")
OF_VARIANTS = (*TOP_LEVEL[:6], "expect", "budget", "ignore", "init")
"""The keys of the top level that a variant may have for itself."""

YEARS = (1900, 2200)
"""The first and the last year that a `year:` may be."""


class InputDeclaration(NamedTuple):
    """A named input and its shape, not evaluated yet."""

    name: str
    span: Span
    shape: Value


class Variant(NamedTuple):
    """A named set of arguments, with what else differs: `own` are keys of the top level."""

    name: str
    args: tuple[YamlEntry, ...]
    own: tuple[YamlEntry, ...]
    span: Span


class Spec(NamedTuple):
    """What a text says. `problems` are the mistakes found so far; elaboration adds its own."""

    source: Source
    name: str
    citation: str
    year: int | None
    inputs: tuple[InputDeclaration, ...]
    args: tuple[YamlEntry, ...]
    preprocess: tuple[YamlEntry, ...]
    expect: tuple[YamlEntry, ...]
    budget: tuple[YamlEntry, ...]
    ignore: tuple[Value, ...]
    """The rules that are silenced: the spec's own list, and its variant's."""
    init: Value | None
    variants: Mapping[str, Variant]
    blocks: Mapping[str, Block]
    items: tuple[Item, ...]
    outputs: Value | None
    problems: tuple[Diagnostic, ...]


def read_spec(source: Source, variant: str | None = None) -> Spec:
    """Read a spec, with the arguments of one of its variants in place of its own.

    Raises SpecError where the text is not even a mapping in YAML, or has no such variant.
    """
    root, problems = read_document(source)
    if not isinstance(root, YamlMapping):
        if is_unknown(root):
            raise SpecError(problems)
        message = f"a spec is a mapping with input: and layers:, this is {describe(root)}"
        end = min(root.end, root.start + 1)
        raise SpecError([*problems, Diagnostic("E110", message, Span(source, root.start, end))])
    reader = _Reader(source, root, SpecProblems(problems))
    spec = reader.spec()
    return spec if variant is None else reader.with_variant(spec, variant)


class _Reader:
    def __init__(self, source: Source, root: YamlMapping, problems: SpecProblems) -> None:
        self.source = source
        self.root = root
        self.problems = problems
        self.meant: set[str] = set()
        """The keys that misspelt ones probably stand for, which are not reported as missing too."""

    def spec(self) -> Spec:
        top = {entry.key: entry for entry in self.root.entries}
        for entry in self.root.entries:
            if entry.key not in TOP_LEVEL:
                match = OTHER_TOP_LEVEL.get(entry.key) or nearest(entry.key, TOP_LEVEL)
                self.meant.add(match or "")
                help = f"did you mean {match}?" if match else f"there are {', '.join(TOP_LEVEL)}"
                self.problems.report("E201", f"unknown key {entry.key!r}", entry.key_span, help=help)
        args = self._mapping(top.get("args"))
        return Spec(
            source=self.source,
            name=self._text(top.get("name")) or _stem(self.source.name),
            citation=self._text(top.get("source")),
            year=self._year(top.get("year")),
            inputs=self._inputs(top),
            args=args,
            preprocess=self._keyed(top.get("preprocess"), PREPROCESSING, "preprocessing"),
            expect=self._keyed(top.get("expect"), EXPECTATIONS, "expectation"),
            budget=self._keyed(top.get("budget"), BUDGETS, "budget"),
            ignore=_given(top.get("ignore")),
            init=top["init"].value if "init" in top else None,
            variants=self._variants(top.get("variants"), {entry.key for entry in args}),
            blocks={**self._included(top.get("include")), **self._blocks(top.get("blocks"))},
            items=self._layers(top.get("layers")),
            outputs=top["outputs"].value if "outputs" in top else None,
            problems=tuple(self.problems),
        )

    def with_variant(self, spec: Spec, name: str) -> Spec:
        """The spec with a variant's arguments, and its inputs, expectations and names where it has them."""
        if name not in spec.variants:
            match = nearest(name, spec.variants)
            others = f"there are {listed(spec.variants)}" if spec.variants else "it has no variants"
            help = f"did you mean {match}?" if match else others
            problem = Diagnostic("E703", f"{spec.name} has no variant {name!r}", self._first_key(), help=help)
            raise SpecError([*self.problems, problem])
        variant = spec.variants[name]
        chosen = {entry.key: entry for entry in variant.args}
        own = {entry.key: entry for entry in variant.own}
        return spec._replace(
            name=self._text(own.get("name")) or name,
            citation=self._text(own.get("source")) or spec.citation,
            year=self._year(own["year"]) if "year" in own else spec.year,
            inputs=self._inputs(own) if own.keys() & {"input", "inputs"} else spec.inputs,
            args=tuple(chosen.get(entry.key, entry) for entry in spec.args),
            preprocess=self._keyed(own["preprocess"], PREPROCESSING, "preprocessing")
            if "preprocess" in own
            else spec.preprocess,
            expect=self._keyed(own.get("expect"), EXPECTATIONS, "expectation"),
            budget=self._keyed(own["budget"], BUDGETS, "budget") if "budget" in own else spec.budget,
            ignore=(*spec.ignore, *_given(own.get("ignore"))),
            init=own["init"].value if "init" in own else spec.init,
            problems=tuple(self.problems),
        )

    def _text(self, entry: YamlEntry | None) -> str:
        if entry is None:
            return ""
        value = entry.value
        if isinstance(value, YamlScalar) and isinstance(value.value, str | int | float):
            return str(value.value)
        if is_unknown(value):
            return ""
        self.problems.report("E204", f"{entry.key}: is a text, not {describe(value)}", value.span)
        return ""

    def _year(self, entry: YamlEntry | None) -> int | None:
        if entry is None or is_unknown(entry.value):
            return None
        year = entry.value.value if isinstance(entry.value, YamlScalar) else None
        if isinstance(year, int) and YEARS[0] <= year <= YEARS[1]:
            return year
        self.problems.report("E204", f"year: is a year, not {describe(entry.value)}", entry.key_span)
        return None

    def _mapping(self, entry: YamlEntry | None) -> tuple[YamlEntry, ...]:
        if entry is None:
            return ()
        if isinstance(entry.value, YamlMapping):
            return entry.value.entries
        if is_unknown(entry.value):
            return ()
        self.problems.report(
            "E204", f"{entry.key}: is a mapping, not {describe(entry.value)}", entry.key_span
        )
        return ()

    def _keyed(self, entry: YamlEntry | None, known: tuple[str, ...], what: str) -> tuple[YamlEntry, ...]:
        """The entries of a mapping that has some keys and no others."""
        entries = self._mapping(entry)
        for given in entries:
            if given.key not in known:
                match = nearest(given.key, known)
                help = f"did you mean {match}?" if match else f"there are {', '.join(known)}"
                self.problems.report("E201", f"unknown {what} {given.key!r}", given.key_span, help=help)
        return tuple(given for given in entries if given.key in known)

    def _inputs(self, top: dict[str, YamlEntry]) -> tuple[InputDeclaration, ...]:
        if "input" in top and "inputs" in top:
            note = Note("the other one", top["input"].key_span)
            message = "input: and inputs: are one key, give one"
            self.problems.report("E204", message, top["inputs"].key_span, notes=(note,))
        entry = top.get("input") or top.get("inputs")
        if entry is None:
            if not self.meant & {"input", "inputs"}:
                self.problems.report(
                    "E202", "the spec has no input:", self._first_key(), help="add input: [3, 224, 224]"
                )
            return ()
        if not isinstance(entry.value, YamlMapping):
            return (InputDeclaration("input", entry.key_span, entry.value),)
        if not entry.value.entries:
            self.problems.report(
                "E202", f"{entry.key}: names no input", entry.key_span, help="add image: [3, 224, 224]"
            )
        return tuple(
            InputDeclaration(named.key, named.key_span, named.value) for named in entry.value.entries
        )

    def _variants(self, entry: YamlEntry | None, args: set[str]) -> dict[str, Variant]:
        variants = {}
        for named in self._mapping(entry):
            entries = self._mapping(named)
            for given in entries:
                if given.key not in args and given.key not in OF_VARIANTS:
                    match = nearest(given.key, [*args, *OF_VARIANTS])
                    help = f"did you mean {match}?" if match else "add it to args: with a default"
                    self.problems.report(
                        "E201", f"the spec has no argument {given.key!r}", given.key_span, help=help
                    )
            own = tuple(given for given in entries if given.key in OF_VARIANTS)
            chosen = tuple(given for given in entries if given.key in args)
            variants[named.key] = Variant(named.key, chosen, own, named.key_span)
        return variants

    def _blocks(self, entry: YamlEntry | None) -> dict[str, Block]:
        return {} if entry is None else read_blocks(entry, self.problems)

    def _included(self, entry: YamlEntry | None) -> dict[str, Block]:
        """The blocks of the files that `include:` names."""
        if entry is None or is_unknown(entry.value):
            return {}
        listed = entry.value.items if isinstance(entry.value, YamlSequence) else (entry.value,)
        blocks: dict[str, Block] = {}
        for part in listed:
            if not isinstance(part, YamlScalar) or not isinstance(part.value, str):
                self.problems.report(
                    "E204", f"include: names files beside this one, not {describe(part)}", part.span
                )
                continue
            try:
                root, problems = read_document(open_beside(self.source, part.value))
            except SpecError as error:
                for problem in error.diagnostics:
                    span = problem.span if problem.span and problem.span.source.text else part.span
                    self.problems.add(problem._replace(span=span))
                continue
            for problem in problems:
                self.problems.add(problem)
            for found in root.entries if isinstance(root, YamlMapping) else ():
                if found.key == "blocks":
                    blocks |= read_blocks(found, self.problems)
                else:
                    self.problems.report("E206", "an included file has blocks: alone", found.key_span)
        return blocks

    def _layers(self, entry: YamlEntry | None) -> tuple[Item, ...]:
        help = "list them, one a line: - conv: {filters: 64, kernel: 3}"
        if entry is None:
            if "layers" not in self.meant:
                self.problems.report("E202", "the spec has no layers:", self._first_key(), help=help)
            return ()
        if isinstance(entry.value, YamlSequence) and not entry.value.items:
            self.problems.report("E202", "layers: is empty", entry.value.span, help=help)
        return ItemReader(self.problems).items(entry.value, "layers")

    def _first_key(self) -> Span:
        if self.root.entries:
            return self.root.entries[0].key_span
        return Span(self.source, self.root.start, self.root.start + 1)


def included_files(path: str) -> list[str]:
    """The files that the spec in a file includes; none where it is no spec."""
    try:
        root, _ = read_document(find_spec(path).source)
    except SpecError:
        return []
    entries = root.entries if isinstance(root, YamlMapping) else ()
    named = next((entry.value for entry in entries if entry.key == "include"), None)
    parts = named.items if isinstance(named, YamlSequence) else (named,)
    names = [part.value for part in parts if isinstance(part, YamlScalar)]
    return [os.path.join(os.path.dirname(path), name) for name in names if isinstance(name, str)]


def _given(entry: YamlEntry | None) -> tuple[Value, ...]:
    return () if entry is None else (entry.value,)


def _stem(name: str) -> str:
    return os.path.basename(name.replace("\\", "/")).removesuffix(".yaml").removesuffix(".yml")
