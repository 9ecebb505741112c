"""What was probably meant by an option, an argument or a kind that is not there, and what to type instead."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple

from netcalc.diagnostics import Diagnostic, listed, nearest
from netcalc.graph.calls import as_item
from netcalc.graph.constructs import CONSTRUCTS
from netcalc.layers import LAYERS, Layer, kinds_by_name
from netcalc.layers.vocabulary import (
    ACTIVATION_OPTIONS,
    FROM_INPUT,
    LEFT_OUT,
    LEFT_OUT_ENDS,
    NO_ACTIVATION,
    NO_LAYERS,
    OTHER_NAMES,
    SHORT_KINDS,
)
from netcalc.spec import (
    BRANCH_EXAMPLES,
    BRANCH_KEYS,
    ITEM_KEYS,
    Block,
    Evaluated,
    ExpressionFault,
    Item,
    Value,
    YamlEntry,
    YamlScalar,
    YamlSequence,
)
from netcalc.spec.evaluator import is_number
from netcalc.spec.expressions import FUNCTIONS, parse_expression
from netcalc.spec.items import OTHER_ITEM_KEYS

_CLOSE = 0.75
"""How alike two words are that are taken for one another, of 1: they differ by a slip of the hand."""
_LONGEST_WORD = 40
_BATCH_AXIS_NAMES = ("dim", "dims", "start_dim", "end_dim")
"""PyTorch's options that number axes with the batch among them."""
_AXIS_OPTIONS = ("axis", "axes", "start", "end", "order")


class Meant(NamedTuple):
    """What an unknown key means: one of our own, something else, or nothing that is known."""

    key: str | None
    """The option or general key that it stands for."""
    help: str
    is_clear: bool = True
    """False where it may stand for any option."""


def unknown_kind(kind: str, item: Item, blocks: Collection[str]) -> Meant:
    """What to type instead of a kind that is not there; a key where it is another name for that layer."""
    if kind in ITEM_KEYS:
        if kind == "repeat":
            help = "repeat: goes with an item: put the layers in a block and write - unit: {repeat: 3}"
            return Meant(None, help)
        return Meant(None, f"{kind}: goes with an item: - relu: {{{kind}: ...}}")
    name, sign, given = re.sub("[=(]", ":", kind, count=1).partition(":")
    plain = _plain(name)
    synonyms = {name: name for name in (*blocks, *CONSTRUCTS)} | SHORT_KINDS | kinds_by_name()
    by_plain = {_plain(name): own for name, own in synonyms.items()}
    match = synonyms.get(kind) or by_plain.get(plain)
    if match and sign:
        written = as_item(match, kind, option_names(LAYERS[match])) if match in LAYERS else None
        example = _example(match, given.strip(" )"))
        return Meant(None, f"write - {written or (f'{match}: {example}' if example else match)}")
    if match:
        return Meant(match if match in LAYERS else None, f"did you mean {match}?")
    if plain == "activation" and item.short is not None and (match := _kind_of(item.short)):
        return Meant(None, f"write - {match}")
    if plain in NO_LAYERS:
        return Meant(None, NO_LAYERS[plain])
    if kind in _every_option():
        return Meant(None, _inside(kind, item))
    match = by_plain.get(nearest(plain, by_plain) or "")
    return Meant(None, f"did you mean {match}?" if match else "netcalc layers lists the kinds")


def _inside(option: str, item: Item) -> str:
    """Where an option that stands as an item belongs."""
    kinds = [kind for kind, layer in LAYERS.items() if option in layer.options]
    text = item.short.source.text[item.short.start : item.short.end] if item.short is not None else "..."
    among = ", ".join(kinds) if len(kinds) <= 3 else f"{', '.join(kinds[:3])} and others"
    required = [name for name, each in LAYERS[kinds[0]].options.items() if each.required and name != option]
    others = "".join(f"{name}: ..., " for name in required)
    return f"{option} is an option of {among}: it stands inside, - {kinds[0]}: {{{others}{option}: {text}}}"


def unknown_option(layer: type[Layer], entry: YamlEntry) -> tuple[Diagnostic, Meant]:
    """The error for an option that a layer does not have, and what is meant."""
    message = f"{layer.kind} has no option {entry.key!r}"
    if entry.key in BRANCH_KEYS.get(layer.kind, ()):
        message = f"an expression chooses {layer.kind} here, which then has no branches of its own"
        meant = Meant(None, BRANCH_EXAMPLES[layer.kind])
    else:
        meant = _meant(layer, entry)
    return Diagnostic("E402", message, entry.key_span, help=meant.help), meant


def unknown_argument(block: Block, entry: YamlEntry) -> tuple[Diagnostic, Meant]:
    """The error for an argument that a block does not have, and what is meant."""
    known = [parameter.name for parameter in block.parameters]
    match = nearest(entry.key, known) or _general_key(entry.key)
    if match is not None:
        meant = Meant(match, f"did you mean {match}?")
    elif known:
        meant = Meant(None, f"it has {listed(sorted(known))}", is_clear=False)
    else:
        meant = Meant(None, f"it has none; a head with arguments is {block.name}({entry.key}):")
    message = f"the block {block.name} has no argument {entry.key!r}"
    return Diagnostic("E402", message, entry.key_span, help=meant.help), meant


def no_main_option(what: str, options: Mapping[str, bool], item: Item, given: Value) -> Diagnostic:
    """The error for a bare value where there is no main option; `options` says which are required."""
    kind = what if what in LAYERS or not isinstance(item.kind, str) else item.kind
    message = f"{what} has no main option: its options are given by name"
    required = [name for name, is_required in options.items() if is_required]
    parts = given.items if isinstance(given, YamlSequence) else (given,)
    if kind in LAYERS and LAYERS[kind].arity[1] != 1 and not required:
        message = f"what {kind} reads stands under from:"
        help = _sources(kind, parts)
    elif not required:
        message = f"{what} has no options" if not options else message
        named = f", or name the option: - {kind}: {{{next(iter(options))}: ...}}" if options else ""
        help = f"write - {kind}{named}"
    else:
        words = [part.source.text[part.start : part.end] if _is_number(part) else "..." for part in parts]
        words += ["..."] * len(required)
        pairs = ", ".join(f"{name}: {word}" for name, word in zip(required, words, strict=False))
        help = f"it has {', '.join(options)}: write - {kind}: {{{pairs}}}"
    return Diagnostic("E203", message, given.span, help=help)


def unfit_value(layer: type[Layer], option: str, value: Evaluated, names: Collection[str]) -> str | None:
    """What to type instead of a word or a list that an option does not take.

    An argument's name lacks its dollar, an expression its brackets; a pair of sizes begins with the input's.
    """
    if isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value)):
        known = f"the size of the input is known: write - {layer.kind}: {value[1]}"
        return known if option == layer.main else None
    if not isinstance(value, str):
        return None
    expression = value.replace("{{", "").replace("}}", "").replace("$", "").strip()
    if expression in names:
        return f"write ${expression}"
    with suppress(ExpressionFault):
        used = parse_expression(expression).names - FUNCTIONS.keys()
        if used and used <= set(names):
            return f"write $({expression})"
    whole = f"{value}_{layer.kind}"
    return f"write - {whole}" if whole in LAYERS else None


def _sources(kind: str, parts: Sequence[Value]) -> str:
    """How a layer names what it reads, given as a bare value."""
    if all(map(_is_number, parts)):
        return f"write - {kind}: {{from: [left, right]}}; scale multiplies by a number, or adds one"
    if not all(isinstance(part, YamlScalar) and isinstance(part.value, str) for part in parts):
        branches = "{left: [...], right: [...]}"
        return f"branches are written - parallel: {{branches: {branches}, join: {kind}}}"
    names = ", ".join(part.source.text[part.start : part.end] for part in parts)
    return f"write - {kind}: {{from: [{names}{', ...' if len(parts) == 1 else ''}]}}"


def _is_number(value: Value) -> bool:
    return isinstance(value, YamlScalar) and is_number(value.value)


def _meant(layer: type[Layer], entry: YamlEntry) -> Meant:
    key = entry.key
    for advised in layer.__mro__:
        if key in vars(advised).get("instead", {}):
            help = vars(advised)["instead"][key]
            return Meant(None, help, is_clear=not help.startswith("write"))
    names = option_names(layer)
    if key in names:
        return Meant(names[key], _as_axis(key, names[key], entry) or f"did you mean {names[key]}?")
    if key in FROM_INPUT:
        return Meant(None, f"leave it out: {layer.kind} takes it from its input")
    if key in LEFT_OUT or key.endswith(LEFT_OUT_ENDS):
        return Meant(None, f"leave it out: {LEFT_OUT.get(key, LEFT_OUT['seed'])}")
    if key in OTHER_ITEM_KEYS:
        return Meant(OTHER_ITEM_KEYS[key], f"did you mean {OTHER_ITEM_KEYS[key]}?")
    if layer.kind in LAYERS and (below := _as_item(entry)) is not None:
        return Meant(None, below)
    name, sign, value = key.replace("=", ":").partition(":")
    if sign and name.strip() in {*layer.options, *names, *ITEM_KEYS}:
        own = names.get(name.strip(), name.strip())
        return Meant(own, f"write {own}: {value.strip() or '...'}, with a space after the colon")
    known = {**{name: name for name in (*layer.options, *BRANCH_KEYS.get(layer.kind, ()))}, **names}
    match = known.get(_closest(key, known) or "") or _general_key(key)
    if match is not None:
        return Meant(match, f"did you mean {match}?")
    options = ", ".join((*BRANCH_KEYS.get(layer.kind, ()), *layer.options))
    help = f"{layer.kind} has {options}" if options else f"{layer.kind} has no options"
    return Meant(None, help, is_clear=False)


def option_names(layer: type[Layer]) -> dict[str, str]:
    """The options of a layer by the names that other frameworks have for them."""
    names = {other: name for name in layer.options for other in OTHER_NAMES.get(name, ())}
    names |= {option.torch: name for name, option in layer.options.items() if option.torch}
    return {other: name for other, name in names.items() if other not in layer.options}


def _as_axis(key: str, option: str, entry: YamlEntry) -> str | None:
    """The axes that numbers of PyTorch's mean, which count the batch."""
    parts = entry.value.items if isinstance(entry.value, YamlSequence) else (entry.value,)
    numbers = [part.value for part in parts if isinstance(part, YamlScalar) and type(part.value) is int]
    if key not in _BATCH_AXIS_NAMES or option not in _AXIS_OPTIONS or len(numbers) < len(parts):
        return None
    if option == "order" and numbers[:1] == [0]:
        numbers = numbers[1:]
    if 0 in numbers:
        return f"axis 0 is the batch there, and no layer reads along it; here {option} counts from 0 after it"
    ours = [number - 1 if number > 0 else number for number in numbers]
    text = ours if isinstance(entry.value, YamlSequence) else ours[0]
    return f"write {option}: {text}; axes are counted without the batch"


def _as_item(entry: YamlEntry) -> str | None:
    """The item that an option stands for which is a layer here: an activation, a norm, dropout."""
    kinds = kinds_by_name()
    if entry.key in ACTIVATION_OPTIONS:
        word = entry.value.value if isinstance(entry.value, YamlScalar) else ""
        if str(word).lower() in NO_ACTIVATION:
            return "leave it out: without an item of its own there is no activation"
        kind = _kind_of(entry.value)
        return f"put it in an item of its own below: - {kind or 'relu'}"
    if entry.key not in kinds:
        return None
    kind, value = kinds[entry.key], entry.value
    given = value.source.text[value.start : value.end] if _is_number(value) and LAYERS[kind].main else ""
    return f"put it in an item of its own below: - {kind}{f': {given}' if given else ''}"


def _example(kind: str, given: str) -> str:
    """How the options of a kind are written, with `given` as the main one; empty where none is required."""
    options = LAYERS[kind].options if kind in LAYERS else {}
    if kind in LAYERS and LAYERS[kind].main and given.isdecimal():
        return given
    required = [name for name, option in options.items() if option.required]
    return f"{{{', '.join(f'{name}: ...' for name in required)}}}" if required else ""


def _kind_of(value: object) -> str | None:
    """The kind of layer that a word names in any framework."""
    word = value.value if isinstance(value, YamlScalar) else None
    kinds = {_plain(name): kind for name, kind in kinds_by_name().items()}
    return kinds.get(_plain(word)) if isinstance(word, str) else None


def _general_key(key: str) -> str | None:
    """The general key that a word is a misspelling of; an option of another layer is none."""
    if key in OTHER_ITEM_KEYS:
        return OTHER_ITEM_KEYS[key]
    return None if key in _every_option() else _closest(key, ITEM_KEYS)


@cache
def _every_option() -> frozenset[str]:
    return frozenset(name for layer in LAYERS.values() for name in layer.options)


def _closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that differs from a word by a slip of the hand."""
    found = get_close_matches(word.lower(), known, 1, _CLOSE) if len(word) <= _LONGEST_WORD else []
    return found[0] if found else None


def _plain(name: str) -> str:
    """`nn.Conv2d` to `conv`, `LSTMCell` to `lstm`: no module, dimensions, underscores or capitals."""
    name = name.rpartition(".")[2] or name
    return re.sub(r"[123]d|[_-]|cell$", "", name.lower()) or name
