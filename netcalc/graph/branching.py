"""`parallel` and `residual` to layers: each branch in a scope of its own, and the layer that joins them."""

from collections.abc import Callable, Sequence

from netcalc.graph.binding import option_values
from netcalc.graph.building import Builder
from netcalc.graph.constructs import CONSTRUCTS, Parallel, Residual, join_of, share_of
from netcalc.graph.evaluation import Environment
from netcalc.graph.expansion import Expander
from netcalc.graph.naming import Namer
from netcalc.graph.problems import ElaborationProblems
from netcalc.graph.scope import Instance, Scope, TensorRef
from netcalc.graph.sharing import Shareable, Values, inherited_values
from netcalc.graph.wiring import Tensors
from netcalc.layers import LAYERS, Layer
from netcalc.spec import BRANCH_EXAMPLES, Body, Evaluated, Item

WalkBody = Callable[[Instance, Sequence[Item], Scope], TensorRef]
"""Elaborates the items inside an instance, and gives their output."""


class Branching:
    """Elaborates branches and joins them."""

    def __init__(
        self,
        tensors: Tensors,
        builder: Builder,
        namer: Namer,
        expander: Expander,
        problems: ElaborationProblems,
    ) -> None:
        self.tensors = tensors
        self.builder = builder
        self.namer = namer
        self.expander = expander
        self.problems = problems

    def build(
        self, instance: Instance, owner: Shareable | None, walk_body: WalkBody
    ) -> tuple[Values | None, TensorRef]:
        """The options of a construct, and the output of its joined branches, whose items are walked."""
        kind = instance.kind
        values = option_values(CONSTRUCTS[kind], instance, inherited_values(instance, owner), self.problems)
        read = self.tensors.read_one(instance, kind)
        if values is None:
            return None, instance.unknown_output()
        construct = CONSTRUCTS[kind](**values)
        self.expander.count(len(instance.item.bodies), instance.item, instance.scope)
        bodies, names = _bodies(instance, construct, owner)
        if not bodies:
            help = BRANCH_EXAMPLES[kind]
            self.problems.report("E403", f"{kind} has no branches", instance.item.span, help=help)
            return None, instance.unknown_output()
        ends = self._ends(instance, construct, bodies, names, read, walk_body)
        return values, ends[0] if len(ends) == 1 else self._joined(instance, construct, ends)

    def _ends(
        self,
        instance: Instance,
        construct: Layer,
        bodies: Sequence[Body],
        names: Environment,
        read: TensorRef | None,
        walk_body: WalkBody,
    ) -> list[TensorRef]:
        """The output of each branch; that of an absent shortcut is the input."""
        outer = (*instance.path, instance.name) if instance.name else instance.path
        ends = []
        for number, body in enumerate(bodies):
            start = read
            if isinstance(construct, Parallel) and construct.split:
                start = self._channel_share(instance, read, number, len(bodies))
            path = (*outer, self.namer.branch(body.name, outer))
            scope = instance.inner_scope(body.items, path, start, names)
            ends.append(walk_body(instance, body.items, scope))
        if isinstance(construct, Residual) and construct.connect and len(ends) == 1:
            ends.append(read or instance.unknown_output())
        return ends

    def _joined(self, instance: Instance, construct: Layer, ends: Sequence[TensorRef]) -> TensorRef:
        kind, options = join_of(construct)
        name = instance.name or self.namer.numbered(kind, instance.scope)
        return self._layer(instance._replace(kind=kind, name=name), options, ends)

    def _channel_share(
        self, instance: Instance, read: TensorRef | None, number: int, branches: int
    ) -> TensorRef:
        """The slice of the channels that a branch of `split: true` reads."""
        if read is None or read.type is None:
            return instance.unknown_output()
        channels = read.type.shape[0] if read.type.shape else 1
        if channels % branches:
            if number == 0:
                message = f"{channels} channels cannot be dealt out to {branches} branches"
                self.problems.report("E601", message, instance.item.span)
            return instance.unknown_output()
        name = self.namer.numbered("slice", instance.scope)
        piece = instance._replace(kind="slice", path=instance.scope.path, name=name)
        return self._layer(piece, share_of(channels, number, branches), [read])

    def _layer(
        self, instance: Instance, options: dict[str, Evaluated], reads: Sequence[TensorRef]
    ) -> TensorRef:
        """The output of a layer that the construct adds."""
        output = self.builder.build(instance, LAYERS[instance.kind], options, reads)
        self.tensors.add(instance.full_name, output)
        return output


def _bodies(
    instance: Instance, construct: Layer, owner: Shareable | None
) -> tuple[Sequence[Body], Environment]:
    """The branches, and what their expressions see; those of the owner where an item shares with it."""
    bodies, names = instance.item.bodies, instance.names
    if owner is not None and not bodies:
        bodies, names = owner.bodies, owner.names
    if isinstance(construct, Residual) and not construct.connect:
        bodies = tuple(body for body in bodies if body.name == "main")
    return bodies, names
