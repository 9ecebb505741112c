"""Items that use the parameters of another item: whose they are, and layers held side by side."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import NamedTuple

from netcalc.diagnostics import Diagnostic, Note, Span
from netcalc.graph.building import Builder
from netcalc.graph.evaluation import Environment
from netcalc.graph.model import Node
from netcalc.graph.problems import Problems
from netcalc.graph.scope import Handle, Use
from netcalc.graph.wiring import Tensors
from netcalc.spec import Body, Evaluated, Item, Spec, Unknown, Value
from netcalc.tensor import TensorType

Values = Mapping[str, Evaluated | Unknown]


class Made(NamedTuple):
    """A use that others may share with: what it was given, and which layers it stands for."""

    name: str
    kind: str
    is_layer: bool
    values: Values
    """Its options or arguments; empty where a mistake keeps them from being known."""
    bodies: tuple[Body, ...]
    names: Environment
    """What the expressions of its branches see."""
    is_known: bool
    start: int
    stop: int
    """Its layers, in the builder's order."""


class Claim(NamedTuple):
    """An item that says of the layers in it whose their parameters are, or whether they are trained."""

    key: str
    span: Span
    start: int
    stop: int
    """Its layers, in the builder's order."""


class Sharing:
    """What was made so far; nothing is remembered of a spec that shares nothing."""

    def __init__(self, spec: Spec, tensors: Tensors, builder: Builder, problems: Problems) -> None:
        self.tensors = tensors
        self.builder = builder
        self.problems = problems
        bodies = [spec.items, *(block.items for block in spec.blocks.values())]
        self._is_wanted = any(_shares(item) for items in bodies for item in items)
        self._made: dict[str, Made] = {}
        self._stacks: dict[str, int] = {}
        self._claims: list[Claim] = []
        """In the order in which the items end: inner ones before those around them."""

    def remember(
        self, use: Use, values: Values | None, handle: Handle, is_layer: bool, start: int, owner: Made | None
    ) -> None:
        """Let others share with a use whose layers are those from `start` on; it may share itself."""
        if not self._is_wanted:
            return
        name = use.full_name if use.name else handle.name  # unnamed branches go by what joins them
        stop, is_known = len(self.builder.laid), values is not None and handle.type is not None
        bodies, names = use.item.bodies, use.names
        if owner is not None and not bodies:
            bodies, names = owner.bodies, owner.names
        self._made[name] = Made(name, use.kind, is_layer, values or {}, bodies, names, is_known, start, stop)

    def remember_stack(self, name: str, rows: int) -> None:
        """Let others share, row by row, with what `repeat` or `each` made."""
        self._stacks[name] = rows

    def claim(self, use: Use, key: str, start: int) -> None:
        """Remember what an item says of its layers, which are those from `start` on, where it says it."""
        value = use.item.value(key)
        if self._is_wanted and value is not None:
            self._claims.append(Claim(key, value.span, start, len(self.builder.laid)))

    def owner(self, use: Use, value: Value, is_layer: bool) -> Made | None:
        """The use whose parameters a use takes; None where there is none, with the reason in `problems`."""
        name = self.tensors.resolve(value, use.scope, use.names)
        if name is None:
            return None
        rows = self._stacks.get(name)
        if rows is not None:
            if use.rows != rows:
                here = f"a stack of {use.rows}" if use.row else "a single one"
                help = f"share with one of them, {name}.0, or write repeat: {rows}"
                self._report(f"{name} is a stack of {rows} and this is {here}", value.span, help)
                return None
            name = f"{name}.{use.row['index']}"
        made = self._made.get(name)
        if made is None:
            if name not in self.tensors or self.tensors[name].type is not None:
                self._report("share: names no layer, block or branches", value.span)
            return None
        if made.is_known and made.is_layer != is_layer:
            whole = "a layer" if made.is_layer else "no layer"
            self._report(f"{use.kind} cannot share with {made.name}, which is {whole}", value.span)
            return None
        return made

    def join(self, use: Use, owner: Made, start: int, span: Span) -> None:
        """Let the layers from `start` on use the parameters of the owner's, one by one."""
        nodes = self.builder.nodes
        laid = self.builder.laid[start:], self.builder.laid[owner.start : owner.stop]
        if any(name not in nodes for names in laid for name in names):
            return  # a mistake inside is reported already
        pairs = []
        for mine, theirs in zip_longest(*laid):
            if mine is None or theirs is None or not _is_alike(nodes[mine], nodes[theirs], owner):
                self._report_structure(use, owner, mine, theirs, span)
                return
            if nodes[mine].params:
                pairs.append((nodes[mine], nodes[theirs]))
        claimed = {key: self._claimed(key, start) for key in ("share", "trainable")}
        for node, other in pairs:
            if not self._fits(node, other, span):
                return
            shared = _sharing(node, other)
            key, message = self._contradiction(node, shared)
            if node.full_name in claimed.get(key, {}):
                note = Note(f"{use.name or use.kind} shares with {owner.name} here", span)
                place = claimed[key][node.full_name]
                self.problems.append(Diagnostic("E508", message, place, (note,)))
                return
            nodes[node.full_name] = shared
        if not pairs:
            self._report(f"{use.name or use.kind} has no parameters to share", span, "leave share: out")

    def _claimed(self, key: str, start: int) -> dict[str, Span]:
        """Where each layer from `start` on is told `key`, by the innermost item around it that says it."""
        places = {}
        for claim in reversed(self._claims):
            if claim.stop <= start:
                break
            if claim.key == key:
                places.update(dict.fromkeys(self.builder.laid[claim.start : claim.stop], claim.span))
        return places

    def _contradiction(self, node: Node, shared: Node) -> tuple[str, str]:
        """The key, if any, by which a layer says otherwise than the item around it that shares, and how."""
        if node.shared is not None:
            inner = self.builder.nodes[node.shared].shared or node.shared
            if inner != shared.shared:
                return (
                    "share",
                    f"{node.full_name} cannot use the parameters of {inner} and of {shared.shared}",
                )
        elif node.is_trained != shared.is_trained:
            return "trainable", f"whether shared parameters are trained is said once, at {shared.shared}"
        return "", ""

    def _fits(self, node: Node, other: Node, span: Span) -> bool:
        """Whether a layer can use another's parameters; every one that differs is reported."""
        owned = {param.name: param for param in other.params}
        before = len(self.problems)
        for param in node.params:
            found = owned.get(param.name)
            if found is None or found.shape != param.shape:
                theirs = "missing" if found is None else f"{TensorType(found.shape)}"
                shapes = f"{param.name} is {TensorType(param.shape)} in {node.full_name} and {theirs} in "
                self._report(f"the parameters cannot be shared: {shapes}{other.full_name}", span)
        return len(self.problems) == before

    def _report_structure(
        self, use: Use, owner: Made, mine: str | None, theirs: str | None, span: Span
    ) -> None:
        nodes = self.builder.nodes
        if mine is None:
            told = f"{theirs} has no counterpart in {use.full_name or use.kind}"
        elif theirs is None:
            told = f"{mine} has no counterpart in {owner.name}"
        else:
            told = f"{mine} is {nodes[mine].layer.kind} and {theirs} is {nodes[theirs].layer.kind}"
        self._report(f"what shares is built alike, layer by layer: {told}", span)

    def _report(self, message: str, span: Span, help: str | None = None) -> None:
        self.problems.append(Diagnostic("E508", message, span, help=help))


def _shares(item: Item) -> bool:
    """Whether an item, or one in its branches, has `share:`."""
    return item.value("share") is not None or any(
        _shares(inner) for body in item.bodies for inner in body.items
    )


def _is_alike(node: Node, other: Node, owner: Made) -> bool:
    """Whether two layers may go together: in blocks and branches those of one kind."""
    return owner.is_layer or node.layer.kind == other.layer.kind


def _sharing(node: Node, owner: Node) -> Node:
    """A layer with the parameters of another, which are trained or not as they are there."""
    frozen = {param.name: param.frozen for param in owner.params}
    params = tuple(param._replace(frozen=frozen[param.name]) for param in node.params)
    return node._replace(shared=owner.shared or owner.full_name, params=params)
