"""Layer lists: each entry's kind, options and bodies, nothing evaluated yet."""

from typing import NamedTuple

from netcalc.diagnostics import Span
from netcalc.spec.expressions import Expression, ExpressionFault, parse_expression
from netcalc.spec.problems import SpecProblems, expression_problem
from netcalc.spec.tree import (
    Value,
    YamlEntry,
    YamlMapping,
    YamlScalar,
    YamlSequence,
    describe,
    is_unknown,
    names_in,
)
from netcalc.spec.yaml_reader import inside_dollar

ITEM_KEYS = ("name", "from", "share", "repeat", "each", "when", "ignore", "trainable", "init")
"""The keys that go with every item."""

OTHER_ITEM_KEYS = {
    **dict.fromkeys(("inputs", "input", "in", "src", "bottom", "reads", "after", "with"), "from"),
    **dict.fromkeys(("share_weights", "shared", "share_with", "weights_of", "tie", "tied"), "share"),
    **dict.fromkeys(("times", "repeats", "count", "num_repeats"), "repeat"),
    **dict.fromkeys(("id", "label", "layer_name"), "name"),
    **dict.fromkeys(("if", "enabled"), "when"),
    **dict.fromkeys(("frozen", "freeze", "requires_grad"), "trainable"),
    **dict.fromkeys(("initializer", "initialiser", "weight_init", "kernel_initializer"), "init"),
}
"""What those keys are called elsewhere, for the help of an error."""

_KIND_KEYS = ("type", "kind", "layer", "op", "class", "module", "class_name")
"""The keys under which other formats name a layer's kind."""

BRANCH_KEYS = {"parallel": ("branches",), "residual": ("main", "shortcut")}
"""The keys under which branches stand."""

BRANCH_EXAMPLES = {
    "parallel": "write - parallel: {branches: {left: [...]}}",
    "residual": "write - residual: {main: [...]}",
}
"""How branches are written."""

LAYER_NAME = r"[^\s.,:=\[\]{}$\"']{1,200}"
"""What a layer may be called."""


class Body(NamedTuple):
    """A named list of items inside an item: a branch."""

    name: str
    span: Span
    items: "tuple[Item, ...]"


class Item(NamedTuple):
    """One entry of a layer list: a kind, its options, and the keys that go with every item.

    The kind may be an expression. An item too malformed to name a kind has `kind` None; its mistake
    is reported already. `bodies` are the branches of `parallel` and `residual`.
    """

    kind: str | Expression | None
    span: Span
    options: tuple[YamlEntry, ...] = ()
    general: tuple[YamlEntry, ...] = ()
    bodies: tuple[Body, ...] = ()
    short: Value | None = None
    """A number, a word or a list in place of the options: the value of the kind's main one."""

    @property
    def names(self) -> frozenset[str]:
        """The names that its expressions refer to, those of its branches among them."""
        values = [entry.value for entry in (*self.options, *self.general)]
        found = set(self.kind.names) if isinstance(self.kind, Expression) else set[str]()
        found = found.union(*map(names_in, values), names_in(self.short) if self.short else ())
        return frozenset(found.union(*(item.names for body in self.bodies for item in body.items)))

    def value(self, key: str) -> Value | None:
        """The value of one of ITEM_KEYS, where it is given."""
        for entry in self.general:
            if entry.key == key:
                return entry.value
        return None


class ItemReader:
    """Reads layer lists; what is wrong goes to `problems`."""

    def __init__(self, problems: SpecProblems) -> None:
        self.problems = problems

    def items(self, value: Value, what: str) -> tuple[Item, ...]:
        """The items of a list; `what` is the key it stands under."""
        if isinstance(value, YamlSequence):
            return tuple(map(self._item, value.items))
        if _begins_with_dash(value):
            from netcalc.spec.syntax import missing_space  # only mistakes need it

            self.problems.add(missing_space(value.source, value.start, "E204"))
        elif not is_unknown(value):
            help = "list them, one a line: - conv: {filters: 64, kernel: 3}"
            self.problems.report(
                "E204", f"{what}: is a list, not {describe(value)}", _start(value), help=help
            )
        return ()

    def _item(self, value: Value) -> Item:
        if isinstance(value, YamlScalar) and value.value and isinstance(value.value, str | Expression):
            if value.value in BRANCH_KEYS:
                help = BRANCH_EXAMPLES[value.value]
                self.problems.report("E403", f"{value.value} has no branches", value.span, help=help)
                return Item(None, value.span)
            return Item(value.value, value.span)
        if isinstance(value, YamlMapping) and len(value.entries) == 1:
            return self._item_with_options(value.entries[0])
        return self._malformed(value)

    def _item_with_options(self, entry: YamlEntry) -> Item:
        kind, body = self._kind(entry), entry.value
        if kind in ("parallel", "residual"):
            return self._branching(str(kind), entry)
        if isinstance(body, YamlMapping):
            general = tuple(option for option in body.entries if option.key in ITEM_KEYS)
            own = (
                tuple(option for option in body.entries if option not in general) if general else body.entries
            )
            return Item(kind, entry.key_span, own, general)
        if isinstance(body, YamlScalar) and body.value is None:
            return Item(kind, entry.key_span)
        return Item(None if is_unknown(body) else kind, entry.key_span, short=body)

    def _kind(self, entry: YamlEntry) -> str | Expression | None:
        inner = inside_dollar(entry.key) if entry.key.startswith("$") else None
        if inner is None:
            return entry.key
        try:
            return parse_expression(inner)
        except ExpressionFault as fault:
            self.problems.add(expression_problem(fault, "E301", entry.key_span, inner))
            return None

    def _branching(self, kind: str, entry: YamlEntry) -> Item:
        """`parallel` with its named branches, or `residual` with main and shortcut, as they are written."""
        if not isinstance(entry.value, YamlMapping):
            if not is_unknown(entry.value):
                self.problems.report(
                    "E203", f"{kind} has branches", entry.key_span, help=BRANCH_EXAMPLES[kind]
                )
            return Item(None, entry.key_span)
        options = {option.key: option for option in entry.value.entries}
        if kind == "residual":
            branches = [options.pop(name) for name in [*options] if name in BRANCH_KEYS[kind]]
            complete = any(branch.key == "main" for branch in branches)
            is_borrowed = "share" in options and not branches
        else:
            mapping = options.pop("branches", None)
            branches = [] if mapping is None else self._branches(mapping.value)
            complete = mapping is not None
            is_borrowed = "share" in options and mapping is None
        if not complete and not is_borrowed:
            self.problems.report(
                "E403", f"{kind} has no branches", entry.key_span, help=BRANCH_EXAMPLES[kind]
            )
        if not is_borrowed and not (complete and branches):
            return Item(None, entry.key_span)
        bodies = tuple(Body(b.key, b.key_span, self._body(b)) for b in branches)
        general = tuple(option for key, option in options.items() if key in ITEM_KEYS)
        own = tuple(option for key, option in options.items() if key not in ITEM_KEYS)
        return Item(kind, entry.key_span, own, general, bodies)

    def _branches(self, value: Value) -> list[YamlEntry]:
        if isinstance(value, YamlMapping) and value.entries:
            return [*value.entries]
        if not is_unknown(value):
            found = "an empty one" if isinstance(value, YamlMapping) else describe(value)
            help = "write branches: {left: [...], right: [...]}"
            message = f"branches: is a mapping of layer lists, not {found}"
            self.problems.report("E204", message, _start(value), help=help)
        return []

    def _body(self, entry: YamlEntry) -> tuple[Item, ...]:
        """A branch; nothing at all is the identity."""
        if isinstance(entry.value, YamlScalar) and entry.value.value is None:
            return ()
        return self.items(entry.value, entry.key)

    def _malformed(self, value: Value) -> Item:
        if is_unknown(value):
            return Item(None, value.span)
        if isinstance(value, YamlMapping) and value.entries:
            first, second = value.entries[0], value.entries[1]
            message = f"a layer is one kind with its options, here a second key {second.key!r} follows"
            self.problems.report("E203", message, second.key_span, help=_put_inside(value))
            named = (entry for entry in value.entries if OTHER_ITEM_KEYS.get(entry.key, entry.key) == "name")
            return Item(None, first.key_span, general=tuple(entry._replace(key="name") for entry in named))
        help = "write - relu or - conv: {filters: 64, kernel: 3}"
        message = f"a layer is a kind with its options, not {describe(value)}"
        self.problems.report("E203", message, _start(value), help=help)
        return Item(None, _start(value))


def _begins_with_dash(value: Value) -> bool:
    """Whether what should be a list is a word or a key after a dash without its space."""
    text = value.source.text[value.start : value.start + 2]
    return text[:1] == "-" and (text[1:].isalpha() or text[1:] in ("_", "$"))


def _put_inside(item: YamlMapping) -> str:
    """How an item of several keys is written, by which of them probably is the kind."""
    keys = [entry.key for entry in item.entries]
    named = next((entry for entry in item.entries if entry.key in _KIND_KEYS), None)
    if named is not None and isinstance(named.value, YamlScalar) and isinstance(named.value.value, str):
        kind, inside = named.value.value, [key for key in keys if key != named.key]
    elif keys[0] == "repeat" and "layers" in keys:
        times = _shown(item.entries[0].value)
        return f"put the layers in a block and repeat that: - unit: {{repeat: {times}}}"
    else:
        general = [key for key in keys if key in ITEM_KEYS or key in OTHER_ITEM_KEYS]
        kind = next((key for key in keys if key not in general), keys[0])
        inside = [OTHER_ITEM_KEYS.get(key, key) for key in keys if key != kind]
    options = ", ".join(f"{key}: ..." for key in inside[:3])
    other = ""
    if named is None and keys[0] == kind and inside[0] not in ITEM_KEYS:
        first, second = (entry.value for entry in item.entries[:2])
        is_alone = [isinstance(value, YamlScalar) and value.value is None for value in (first, second)]
        other = ", or indent them further" if is_alone[0] else ""
        other = f", or begin another item: - {inside[0]}" if is_alone[1] else other
    return f"put the options inside: - {kind}: {{{options}}}{other}"


def _shown(value: Value) -> str:
    """A plain value as it stands in the text."""
    return value.source.text[value.start : value.end] if isinstance(value, YamlScalar) else "..."


def _start(value: Value) -> Span:
    """Where a value stands, at least one character wide."""
    return Span(value.source, value.start, max(value.end, value.start + 1))
