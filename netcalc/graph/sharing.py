"""`share`, `trainable` and `init`: who owns parameters, whether they are trained, and how they begin."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from netcalc.diagnostics import Note, Span
from netcalc.graph.building import Builder
from netcalc.graph.evaluation import Environment
from netcalc.graph.model import Node
from netcalc.graph.problems import ElaborationProblems
from netcalc.graph.scope import Instance, TensorRef
from netcalc.graph.wiring import Tensors
from netcalc.spec import Body, Evaluated, Item, Spec, Unknown, Value
from netcalc.tensor import TensorType

Values = Mapping[str, Evaluated | Unknown]

_SAID_ONCE = {"trainable": "whether shared parameters are trained", "init": "how shared parameters begin"}


class Shareable(NamedTuple):
    """An instance that others may share with: its options or arguments, and its layers."""

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


class Declaration(NamedTuple):
    """A `share`, `trainable` or `init` of an item, and the layers in it."""

    key: str
    span: Span
    start: int
    stop: int
    """Its layers, in the builder's order."""


class Sharing:
    """The instances so far that others may share with; none are kept where no item has `share`."""

    def __init__(self, spec: Spec, tensors: Tensors, builder: Builder, problems: ElaborationProblems) -> None:
        self.tensors = tensors
        self.builder = builder
        self.problems = problems
        bodies = [spec.items, *(block.items for block in spec.blocks.values())]
        self._is_wanted = any(_shares(item) for items in bodies for item in items)
        self._shareable: dict[str, Shareable] = {}
        self._stacks: dict[str, int] = {}
        self._declarations: list[Declaration] = []
        """In the order in which the items end: inner ones before those around them."""

    def remember(
        self,
        instance: Instance,
        values: Values | None,
        output: TensorRef,
        is_layer: bool,
        start: int,
        owner: Shareable | None,
    ) -> None:
        """Let others share with an instance whose layers are those from `start` on; it may share itself."""
        if not self._is_wanted:
            return
        # unnamed branches have the name of the layer that joins them
        name = instance.full_name if instance.name else output.name
        stop, is_known = len(self.builder.order), values is not None and output.type is not None
        bodies, names = instance.item.bodies, instance.names
        if owner is not None and not bodies:
            bodies, names = owner.bodies, owner.names
        self._shareable[name] = Shareable(
            name, instance.kind, is_layer, values or {}, bodies, names, is_known, start, stop
        )

    def remember_stack(self, name: str, rows: int) -> None:
        """Let others share, row by row, with the instances of `repeat` or `each`."""
        self._stacks[name] = rows

    def settle(self, instance: Instance, owner: Shareable | None, start: int) -> None:
        """Apply the `share`, `trainable` and `init` of an instance whose layers are those from `start` on."""
        share = instance.item.value("share")
        if share is not None and owner is not None:
            self._join(instance, owner, start, share.span)
            self._declare(instance, "share", start)
        if (trainable := instance.item.value("trainable")) is not None:
            learned = [name for name in self.builder.order[start:] if self.builder.can_freeze(name)]
            message = f"{instance.label} has no parameters to train"
            self._settle(instance, owner, start, "trainable", trainable.span, learned, message)
        if (init := instance.item.value("init")) is not None and instance.init:
            drawn = [n for n in self.builder.order[start:] if self.builder.begins_by(instance.init, n)]
            message = f"{instance.label} has no parameters that {instance.init} draws"
            self._settle(instance, owner, start, "init", init.span, drawn, message)

    def _settle(
        self,
        instance: Instance,
        owner: Shareable | None,
        start: int,
        key: str,
        span: Span,
        layers: Sequence[str],
        message: str,
    ) -> None:
        """Keep a key that acts on `layers`; refuse it where all of these share, or there are none."""
        self._declare(instance, key, start)
        owners = {self.builder.owner(name) for name in layers}
        if owner is not None or (owners and None not in owners):
            where = owner.name if owner is not None else ", ".join(sorted(filter(None, owners))[:3])
            self.problems.report("E508", f"{_SAID_ONCE[key]} is said once, at {where}", span)
        elif not layers:
            self.problems.report("E404", message, span)

    def _declare(self, instance: Instance, key: str, start: int) -> None:
        """Keep where an item has `share`, `trainable` or `init`; its layers are those from `start` on."""
        value = instance.item.value(key)
        if self._is_wanted and value is not None:
            self._declarations.append(Declaration(key, value.span, start, len(self.builder.order)))

    def owner(self, instance: Instance, value: Value, is_layer: bool) -> Shareable | None:
        """The instance whose parameters another one uses; None where there is none, which is reported."""
        name = self.tensors.resolve(value, instance.scope, instance.names)
        if name is None:
            return None
        rows = self._stacks.get(name)
        if rows is not None:
            if instance.rows != rows:
                here = f"a stack of {instance.rows}" if instance.row else "a single one"
                help = f"share with one of them, {name}.0, or write repeat: {rows}"
                self.problems.report(
                    "E508", f"{name} is a stack of {rows} and this is {here}", value.span, help=help
                )
                return None
            name = f"{name}.{instance.row['index']}"
        owner = self._shareable.get(name)
        if owner is None:
            if name not in self.tensors or self.tensors[name].type is not None:
                self.problems.report("E508", "share: names no layer, block or branches", value.span)
            return None
        if owner.is_known and owner.is_layer != is_layer:
            whole = "a layer" if owner.is_layer else "no layer"
            message = f"{instance.kind} cannot share with {owner.name}, which is {whole}"
            self.problems.report("E508", message, value.span)
            return None
        return owner

    def _join(self, instance: Instance, owner: Shareable, start: int, span: Span) -> None:
        """Let the layers from `start` on use the parameters of the owner's, one by one."""
        nodes = self.builder.nodes
        order = self.builder.order[start:], self.builder.order[owner.start : owner.stop]
        if any(name not in nodes for names in order for name in names):
            return  # a mistake inside is reported
        pairs = []
        for mine, theirs in zip_longest(*order):
            if mine is None or theirs is None or not _is_alike(nodes[mine], nodes[theirs], owner):
                self._report_structure(instance, owner, mine, theirs, span)
                return
            if nodes[mine].params:
                pairs.append((nodes[mine], nodes[theirs]))
        declared = {key: self._declared_spans(key, start) for key in ("share", "trainable", "init")}
        for node, other in pairs:
            if not self._fits(node, other, span):
                return
            shared = _sharing(node, other)
            for key, message in self._contradictions(node, shared):
                if node.full_name in declared[key]:
                    note = Note(f"{instance.label} shares with {owner.name} here", span)
                    place = declared[key][node.full_name]
                    self.problems.report("E508", message, place, notes=(note,))
                    return
            nodes[node.full_name] = shared
        if not pairs:
            message = f"{instance.label} has no parameters to share"
            self.problems.report("E508", message, span, help="leave share: out")

    def _declared_spans(self, key: str, start: int) -> dict[str, Span]:
        """Where the innermost item around each layer from `start` on has `key`."""
        places = {}
        for declaration in reversed(self._declarations):
            if declaration.stop <= start:
                break
            if declaration.key == key:
                places.update(
                    dict.fromkeys(self.builder.order[declaration.start : declaration.stop], declaration.span)
                )
        return places

    def _contradictions(self, node: Node, shared: Node) -> Iterator[tuple[str, str]]:
        """The keys of a layer that contradict the `share` around it, each with a message."""
        if node.shared is not None:
            inner = self.builder.nodes[node.shared].shared or node.shared
            if inner != shared.shared:
                both = f"{inner} and of {shared.shared}"
                yield "share", f"{node.full_name} cannot use the parameters of {both}"
            return
        for key in ("trainable", "init"):
            differ = node.init != shared.init if key == "init" else node.is_frozen != shared.is_frozen
            if differ:
                yield key, f"{_SAID_ONCE[key]} is said once, at {shared.shared}"

    def _fits(self, node: Node, other: Node, span: Span) -> bool:
        """Whether a layer can use another's parameters; every one that differs is reported."""
        owned = {param.name: param for param in other.params}
        before = len(self.problems)
        for param in node.params:
            found = owned.get(param.name)
            if found is None or found.shape != param.shape:
                theirs = "missing" if found is None else f"{TensorType(found.shape)}"
                shapes = f"{param.name} is {TensorType(param.shape)} in {node.full_name} and {theirs} in "
                message = f"the parameters cannot be shared: {shapes}{other.full_name}"
                help = "write bias: false" if found is None and param.name == "bias" else None
                self.problems.report("E508", message, span, help=help)
        return len(self.problems) == before

    def _report_structure(
        self, instance: Instance, owner: Shareable, mine: str | None, theirs: str | None, span: Span
    ) -> None:
        nodes = self.builder.nodes
        if mine is None:
            difference = f"{theirs} has no counterpart in {instance.full_name or instance.kind}"
        elif theirs is None:
            difference = f"{mine} has no counterpart in {owner.name}"
        else:
            difference = f"{mine} is {nodes[mine].layer.kind} and {theirs} is {nodes[theirs].layer.kind}"
        message = f"what shares is built alike, layer by layer: {difference}"
        self.problems.report("E508", message, span)


def inherited_values(instance: Instance, owner: Shareable | None) -> Values:
    """The options that an instance takes from the one it shares with, where they are of one kind."""
    return owner.values if owner is not None and owner.kind == instance.kind else {}


def _shares(item: Item) -> bool:
    """Whether an item, or one in its branches, has `share:`."""
    return item.value("share") is not None or any(
        _shares(inner) for body in item.bodies for inner in body.items
    )


def _is_alike(node: Node, other: Node, owner: Shareable) -> bool:
    """Whether two layers may go together: in blocks and branches those of one kind."""
    return owner.is_layer or node.layer.kind == other.layer.kind


def _sharing(node: Node, owner: Node) -> Node:
    """A layer with the parameters of another, which are trained or not as they are there."""
    frozen = {param.name: param.frozen for param in owner.params}
    params = tuple(param._replace(frozen=frozen[param.name]) for param in node.params)
    return node._replace(shared=owner.shared or owner.full_name, params=params, init=owner.init)
