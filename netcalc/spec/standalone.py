"""A spec as one text that stands alone: a variant's values as the defaults, included blocks written in."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NoReturn

from netcalc.diagnostics import Diagnostic, Source, SpecError
from netcalc.spec.expressions import Expression
from netcalc.spec.library import NamedSpec, open_beside
from netcalc.spec.overrides import Setting
from netcalc.spec.reader import OF_VARIANTS, read_spec
from netcalc.spec.tree import Value, YamlEntry, YamlMapping, YamlScalar, YamlSequence
from netcalc.spec.writing import flow_text
from netcalc.spec.yaml_reader import read_document

Sections = dict[str, str]
"""The text of each key of a mapping, the comments above it included, in order."""


def standalone_text(found: NamedSpec) -> str:
    """The YAML of a spec, or of the variant that was asked for, without `include:` and other variants.

    Layers, blocks and comments are given as they are written; a text that needs no change is given whole.

    Raises SpecError where the spec cannot be read, or where what has to change is in braces or an alias.
    """
    source, variant = found
    problems = read_spec(source, variant).problems
    if problems:
        raise SpecError(problems)
    root = read_document(source).root
    top = {entry.key: entry for entry in _entries(root)}
    if variant is None and "include" not in top:
        return source.text
    sections = _sections(source, _lines(root))
    if variant is not None:
        sections = _chosen(sections, top, variant)
    if "include" in top:
        sections = _with_included(sections, top)
    text = _joined(source, sections, top)
    _check(text, top["include" if variant is None else "variants"])
    return text


def settled_text(
    found: NamedSpec, name: str, settings: Sequence[Setting], shapes: Mapping[str, Sequence[int]]
) -> str:
    """The spec as one text without variants, with other arguments and other shapes of its inputs.

    `name` is the network's. Without settings and shapes it is `standalone_text`. Raises SpecError as that.
    """
    text = standalone_text(found)
    if not settings and not shapes:
        return text
    source = Source(found.source.name, text)
    root = read_document(source).root
    top = {entry.key: entry for entry in _entries(root)}
    new = {each.name: _flow(each.value) for each in settings if isinstance(each.value, Value)}
    if shapes:
        sizes = {given: list(shape) for given, shape in shapes.items()}
        new |= {"inputs": flow_text(sizes)} if "inputs" in top else {"input": flow_text(*sizes.values())}
    if "variants" in top or "expect" in top:
        new["name"] = flow_text(name)
    return _joined(source, _with_values(_sections(source, _lines(root)), top, new), top)


def _joined(source: Source, sections: Sections, top: Mapping[str, YamlEntry]) -> str:
    """The sections one after another, below what stands above the first key."""
    text = source.text[: _start(next(iter(top.values())))]
    for key, section in sections.items():
        gap = "\n" if key in ("blocks", "layers") and not text.endswith("\n\n") else ""
        text += gap + section
    return text


def _chosen(sections: Sections, top: dict[str, YamlEntry], variant: str) -> Sections:
    """The sections with a variant's arguments and keys in place of the spec's own, and no variants."""
    (values,) = (_entries(entry.value) for entry in _entries(top["variants"].value) if entry.key == variant)
    new = {entry.key: _flow(entry.value) for entry in values}
    new.setdefault("name", flow_text(variant))
    if "ignore" in top and "ignore" in new:
        both = [top["ignore"].value, *(entry.value for entry in values if entry.key == "ignore")]
        new["ignore"] = f"[{', '.join(_flow(item) for value in both for item in _items(value))}]"
    return _with_values(sections, top, new)


def _with_values(sections: Sections, top: dict[str, YamlEntry], new: Mapping[str, str]) -> Sections:
    """The sections with other values of arguments and keys, without variants and their figures."""
    own = [key for key in OF_VARIANTS if key in new and key not in top]
    replaced = {"expect"} | ({"input", "inputs"} if new.keys() & {"input", "inputs"} else set())
    result: Sections = {} if "variants" in top else {key: f"{key}: {new[key]}\n" for key in own}
    for key, text in sections.items():
        if key == "variants":
            result |= {key: f"{key}: {new[key]}\n" for key in own}
        elif key == "args":
            changed = [entry for entry in _entries(top[key].value) if entry.key in new]
            result[key] = _replaced(text, _start(top[key]), changed, new)
        elif key in new:
            result[key] = _replaced(text, _start(top[key]), [top[key]], new)
        elif key not in replaced:
            result[key] = text
    return result


def _with_included(sections: Sections, top: dict[str, YamlEntry]) -> Sections:
    """The sections with the blocks of the included files in front of the spec's own."""
    include = top["include"].value
    own = _lines(top["blocks"].value) if "blocks" in top else ()
    found: dict[str, tuple[str, int]] = {}
    for part in _items(include):
        assert isinstance(part, YamlScalar)
        beside = open_beside(include.source, str(part.value))
        for entry in _entries(read_document(beside).root):
            inner = _lines(entry.value)
            for head, text in _sections(beside, inner, entry.value.end).items():
                found[_name(head)] = text.rstrip() + "\n", _column(inner[0])
    overridden = {_name(entry.key) for entry in own}
    wanted = [place for name, place in found.items() if name not in overridden]
    column = max([_column(own[0]) if own else 2, *(column for _, column in wanted)])
    included = "".join(_shifted(text, column - before) for text, before in wanted)
    result: Sections = {}
    for key, text in sections.items():
        if key == "blocks":
            inside = _start(own[0]) - _start(top["blocks"])
            result[key] = text[:inside] + included + _shifted(text[inside:], column - _column(own[0]))
        elif key != "include":
            result[key] = text
        elif included and not own:
            result["blocks"] = f"blocks:\n{included}"
    return result


def _check(text: str, rewritten: YamlEntry) -> None:
    """Refuse a text that does not read: an anchor, say, stood in what is rewritten."""
    try:
        problems = list(read_spec(Source("", text)).problems)
    except SpecError as error:
        problems = list(error.diagnostics)
    if problems:
        _refuse(rewritten, f"this cannot be written in one text: {problems[0].message}")


def _sections(source: Source, entries: Sequence[YamlEntry], end: int | None = None) -> Sections:
    """The text of each entry, a key a line, from the comments above it to the next one, or the end."""
    text = source.text if source.text.endswith("\n") else f"{source.text}\n"
    bounds = pairwise([*map(_start, entries), len(text) if end is None else end])
    return {entry.key: text[start:end] for entry, (start, end) in zip(entries, bounds, strict=True)}


def _column(entry: YamlEntry) -> int:
    """How many characters stand before a key."""
    return entry.key_span.source.position(entry.key_start)[1] - 1


def _shifted(text: str, columns: int) -> str:
    """A text further to the right, which changes nothing of what it means."""
    return textwrap.indent(text, " " * columns)


def _start(entry: YamlEntry) -> int:
    """Where the line of a key begins, or the comments directly above it."""
    text = entry.value.source.text
    start = text.rfind("\n", 0, entry.key_start) + 1
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above:start].lstrip().startswith("#"):
            break
        start = above
    return start


def _replaced(text: str, start: int, entries: Sequence[YamlEntry], new: Mapping[str, str]) -> str:
    """The text that begins at `start` with other values for some entries."""
    for entry in reversed(entries):
        after = entry.value.source.text.index(":", entry.key_end) + 1
        if entry.value.start < after:
            _refuse(entry, "an alias cannot be rewritten")
        text = f"{text[: after - start]} {new[entry.key]}{text[_end(entry.value) - start :]}"
    return text


def _lines(value: Value) -> tuple[YamlEntry, ...]:
    """The entries of a mapping that has each key on a line of its own."""
    entries = _entries(value)
    if value.source.text[value.start] == "{":
        _refuse(entries[0], "what stands in braces cannot be rewritten")
    return entries


def _refuse(entry: YamlEntry, message: str) -> NoReturn:
    help = "write each key on a line of its own, and its value after it"
    raise SpecError([Diagnostic("E204", message, entry.key_span, help=help)])


def _entries(value: Value) -> tuple[YamlEntry, ...]:
    return value.entries if isinstance(value, YamlMapping) else ()


def _items(value: Value) -> tuple[Value, ...]:
    return value.items if isinstance(value, YamlSequence) else (value,)


def _name(head: str) -> str:
    """The name of a block, whose head may have arguments."""
    return head.partition("(")[0].strip()


def _end(value: Value) -> int:
    """Where a value ends: a list or mapping of lines with its last part, not where the next key begins."""
    parts = value.items if isinstance(value, YamlSequence) else tuple(e.value for e in _entries(value))
    return value.end if _is_flow(value) or not parts else _end(parts[-1])


def _flow(value: Value) -> str:
    """A value on one line, each scalar as it is format_value, in quotes where it could mean more there."""
    if isinstance(value, YamlSequence):
        return f"[{', '.join(map(_flow, value.items))}]"
    if isinstance(value, YamlMapping):
        return f"{{{', '.join(f'{entry.key}: {_flow(entry.value)}' for entry in value.entries)}}}"
    written = value.source.text[value.start : value.end]
    if written[:1] in ("'", '"') or not set(written) & set(",[]{}#:|>\n"):
        return written
    plain = value.value
    return flow_text(f"$({plain.text})" if isinstance(plain, Expression) else plain)


def _is_flow(value: Value) -> bool:
    return isinstance(value, YamlScalar) or value.source.text[value.start] in "[{"
