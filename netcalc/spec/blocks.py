"""Blocks, which read like functions: `basic(filters, stride=1):` and the layers it stands for."""

import ast
import re
from keyword import iskeyword
from typing import NamedTuple

from netcalc.diagnostics import Source, Span
from netcalc.spec.expressions import (
    MAX_EXPRESSION_LENGTH,
    RESERVED,
    Expression,
    ExpressionFault,
    parse_expression,
)
from netcalc.spec.items import BRANCH_KEYS, ITEM_KEYS, Item, ItemReader
from netcalc.spec.problems import SpecProblems, expression_problem
from netcalc.spec.tree import YamlEntry, YamlMapping, YamlScalar, YamlSequence, describe, is_unknown

_ARGUMENT_KEYS = ("args", "arguments", "params", "parameters", "inputs")
"""The keys under which other formats list the arguments of a block."""


class BlockParameter(NamedTuple):
    """An argument of a block; `default` None where it has to be given."""

    name: str
    default: Expression | None
    span: Span


class Block(NamedTuple):
    """A named list of layers with arguments."""

    name: str
    parameters: tuple[BlockParameter, ...]
    items: tuple[Item, ...]
    span: Span
    is_known: bool = True
    """False where a mistake in its head or around its layers keeps it from being known."""


def read_blocks(entry: YamlEntry, problems: SpecProblems) -> dict[str, Block]:
    """The blocks under `blocks:`, by name."""
    if not isinstance(entry.value, YamlMapping):
        if not is_unknown(entry.value):
            message = f"blocks: is a mapping, not {describe(entry.value)}"
            help = "write blocks: {unit(filters): [...]}"
            problems.report("E204", message, entry.key_span, help=help)
        return {}
    blocks: dict[str, Block] = {}
    for declared in entry.value.entries:
        block = _read_block(declared, problems)
        if block is not None and block.name in blocks:
            problems.report("E205", f"there are two blocks {block.name!r}", declared.key_span)
        elif block is not None:
            blocks[block.name] = block
    return blocks


def _read_block(entry: YamlEntry, problems: SpecProblems) -> Block | None:
    name, bracket, rest = entry.key.partition("(")
    name = name.strip()
    closed = not bracket or rest.rstrip().endswith(")")
    if not closed or not name.isidentifier():
        help = "write basic(filters, stride=1): with a name of letters, digits and _"
        problems.report("E205", "this is no head of a block", entry.key_span, help=help)
        return Block(name, (), (), entry.key_span, is_known=False) if name.isidentifier() else None
    if name in BRANCH_KEYS:
        message = f"a block cannot be called {name!r}: {name} joins branches"
        problems.report("E205", message, entry.key_span)
        return None
    parameters = _parameters(entry, rest.rstrip()[:-1] if bracket else "", problems)
    if isinstance(entry.value, YamlMapping):
        message = f"the block {name} is a list of layers, not a mapping"
        problems.report("E204", message, entry.key_span, help=_as_list(name, entry.value))
    if parameters is None or isinstance(entry.value, YamlMapping):
        return Block(name, (), (), entry.key_span, is_known=False)
    return Block(name, parameters, ItemReader(problems).items(entry.value, name), entry.key_span)


def _as_list(name: str, body: YamlMapping) -> str:
    """How a block is written whose arguments and layers stand under keys of their own."""
    head = name
    for entry in body.entries:
        if entry.key in _ARGUMENT_KEYS and isinstance(entry.value, YamlSequence):
            words = (part.value for part in entry.value.items if isinstance(part, YamlScalar))
            head = f"{name}({', '.join(map(str, words))})"
        elif entry.key in _ARGUMENT_KEYS and isinstance(entry.value, YamlMapping):
            head = f"{name}({', '.join(map(_default, entry.value.entries))})"
    return f"write {head}: and list the layers below it, one a line"


def _default(argument: YamlEntry) -> str:
    """An argument with its default as it stands in a head."""
    value = argument.value.source.text[argument.value.start : argument.value.end]
    return f"{argument.key}={value}" if value else argument.key


def _parameters(entry: YamlEntry, text: str, problems: SpecProblems) -> tuple[BlockParameter, ...] | None:
    """The arguments in the head, `filters, stride=1`, as Python's parser reads those of a function.

    None where they cannot be read, with the reason in `problems`.
    """
    head = f"lambda {text}: 0"
    if len(text) > MAX_EXPRESSION_LENGTH:
        message = f"the head of a block is limited to {MAX_EXPRESSION_LENGTH:,} characters"
        problems.report("E109", message, entry.key_span)
        return None
    words = [part.partition("=")[0].strip() for part in text.split(",")]
    if reserved := [word for word in words if iskeyword(word)]:
        for word in reserved:
            _refuse_name(entry, word, problems)
        return None
    try:
        function = ast.parse(head, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        function = None
    if not isinstance(function, ast.Lambda) or not _is_plain(function.args):
        help = "write them as name or name=default, with commas between"
        problems.report("E205", "the arguments of this block cannot be read", entry.key_span, help=help)
        return None
    names = [argument.arg for argument in function.args.args]
    defaults: list[ast.expr | None] = [None] * (len(names) - len(function.args.defaults))
    defaults += function.args.defaults
    parameters = []
    for name, default in zip(names, defaults, strict=True):
        if name in RESERVED or name in ITEM_KEYS:
            _refuse_name(entry, name, problems)
        expression = None
        if default is not None:
            default_text = ast.get_source_segment(head, default) or ""
            try:
                expression = parse_expression(default_text)
            except ExpressionFault as fault:
                problems.add(expression_problem(fault, "E301", entry.key_span, default_text))
        parameters.append(BlockParameter(name, expression, _argument_span(entry, name)))
    return tuple(parameters)


def _refuse_name(entry: YamlEntry, name: str, problems: SpecProblems) -> None:
    if name in ITEM_KEYS:
        reason = "a key that goes with every item has that name"
    elif name in RESERVED:
        reason = "the expression language has that name"
    else:
        reason = "the word is reserved, expressions cannot use it"
    message = f"an argument cannot be called {name!r}: {reason}"
    problems.report(
        "E702", message, _argument_span(entry, name), help=f"give it another name, such as {name}_"
    )


def _is_plain(arguments: ast.arguments) -> bool:
    special = (arguments.posonlyargs, arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    return not any(special)


def _argument_span(entry: YamlEntry, name: str) -> Span:
    source: Source = entry.value.source
    bracket = source.text.find("(", entry.key_start)
    found = re.compile(rf"\b{re.escape(name)}\b").search(source.text, bracket, entry.key_end)
    return Span(source, *found.span()) if found else entry.key_span
