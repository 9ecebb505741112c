"""A Spec to a Graph: items are walked in order, with the types of their inputs known.

The items of blocks and branches are walked in the same way, in a scope of their own. The output of what
has a mistake is unknown, and nothing that depends on something unknown is reported: one run reports
every independent mistake once.
"""

from collections import ChainMap
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from netcalc.diagnostics import GraphError, SpecError
from netcalc.graph.binding import block_values, layer_type, option_values
from netcalc.graph.building import Builder
from netcalc.graph.constructs import CONSTRUCTS
from netcalc.graph.expansion import Expander
from netcalc.graph.header import arguments, expectations, inputs, preprocessing
from netcalc.graph.limits import budget, ignored
from netcalc.graph.model import Graph
from netcalc.graph.naming import Namer
from netcalc.graph.problems import ElaborationProblems, TooMuchError
from netcalc.graph.scope import Instance, Scope, TensorRef, declared_names
from netcalc.graph.sharing import Shareable, Sharing, Values, inherited_values
from netcalc.graph.wiring import Tensors, shape_names
from netcalc.spec import Block, InputOverride, Item, Setting, Spec, YamlSequence

if TYPE_CHECKING:
    from netcalc.graph.branching import Branching


def elaborate(spec: Spec, settings: Sequence[Setting] = (), overrides: Sequence[InputOverride] = ()) -> Graph:
    """The graph that a spec describes, with arguments and input sizes set from outside.

    Raises SpecError or GraphError with every independent mistake that was found.
    """
    problems = ElaborationProblems(spec.problems)
    try:
        return _Elaborator(spec, settings, overrides, problems).graph()
    except TooMuchError:
        raise GraphError(problems.by_place()) from None


_NO_LAYERS = {"when": "when: is false", "repeat": "repeat: is 0", "each": "each: has no row"}
"""Why an item gives no layer, by its key."""


class _Elaborator:
    def __init__(
        self,
        spec: Spec,
        settings: Sequence[Setting],
        overrides: Sequence[InputOverride],
        problems: ElaborationProblems,
    ) -> None:
        self.spec = spec
        self.problems = problems
        self.arguments = arguments(spec, settings, problems)
        self.inputs = inputs(spec, overrides, self.arguments, problems, settings)
        self.tensors = Tensors([TensorRef(*given) for given in self.inputs], problems)
        self.builder = Builder(problems)
        self.sharing = Sharing(spec, self.tensors, self.builder, problems)
        self.namer = Namer(spec, self.tensors, problems)
        self.expander = Expander(spec, self.tensors, self.namer, self.sharing, problems)

    @cached_property
    def _branching(self) -> "Branching":
        from netcalc.graph.branching import Branching  # a chain of layers does without

        return Branching(self.tensors, self.builder, self.namer, self.expander, self.problems)

    def graph(self) -> Graph:
        """Evaluate the header, walk the items, and report the mistakes or return the graph."""
        spec, names, problems = self.spec, self.arguments, self.problems
        first = self.tensors[self.inputs[0].name] if len(self.inputs) == 1 else None
        top = Scope((), names, first, declared=declared_names(spec.items, names))
        self._walk(spec.items, top)
        outputs = self._outputs(top)
        expect = expectations(spec, names, problems)
        preprocess = preprocessing(spec, names, problems)
        limits = budget(spec, names, problems)
        init = self._init()
        silenced = [rule for value in spec.ignore for rule in ignored(value, names, problems)]
        self._report_what_is_missing()
        if problems:
            self._doubt_inputs()
            raise (SpecError if spec.problems else GraphError)(problems.by_place())
        return Graph(
            name=spec.name,
            inputs=tuple(given.as_input() for given in self.inputs),
            nodes=tuple(self.builder.nodes.values()),
            outputs=outputs,
            citation=spec.citation,
            year=spec.year,
            expect=expect,
            preprocess=preprocess,
            expected_at={entry.key: entry.value.span for entry in spec.expect},
            budget=limits,
            ignored=tuple(silenced),
            init=init,
        )

    def _init(self) -> str:
        """The initialisation at the top of the spec, which some layer has to follow."""
        if self.spec.init is None:
            return ""
        from netcalc.graph.initialisation import follows, scheme_of  # few specs have one

        init = scheme_of(self.spec.init, self.arguments, self.problems)
        is_followed = any(follows(node, init) for node in self.builder.nodes.values()) if init else True
        if not is_followed and not self.problems:
            message = f"no layer begins by it: none has parameters that {init} draws, or each says otherwise"
            self.problems.report("E404", message, self.spec.init.span)
        return init

    def _walk(self, items: Sequence[Item], scope: Scope) -> None:
        """Elaborate items one after another; each reads by default what the one before it gives."""
        for item in items:
            for instance in self.expander.instances(item, scope):
                scope.previous = self._place(instance)

    def _walk_body(self, instance: Instance, items: Sequence[Item], scope: Scope) -> TensorRef:
        """The output of the items inside an instance; without items it is their input."""
        scope.previous = known = scope.previous or instance.unknown_output()
        self.tensors.add(scope.full("input"), known)
        self._walk(items, scope)
        return scope.previous

    def _place(self, instance: Instance) -> TensorRef:
        """The output of an instance: that of a layer, of a block, or of joined branches."""
        share, start = instance.item.value("share"), len(self.builder.order)
        is_layer = instance.kind not in CONSTRUCTS and instance.kind not in self.spec.blocks
        owner = None if share is None else self.sharing.owner(instance, share, is_layer)
        if share is None or (owner is not None and owner.is_known):
            values, output = self._elaborated(instance, owner)
            self.sharing.remember(instance, values, output, is_layer, start, owner)
            if output.type is not None:
                self.sharing.settle(instance, owner, start)
        else:
            output = instance.unknown_output()
        if output.type is None:
            self.problems.unknown_at = instance.item.span
        if instance.name:
            self.tensors.add(instance.full_name, output)
        return output

    def _elaborated(self, instance: Instance, owner: Shareable | None) -> tuple[Values | None, TensorRef]:
        """The options or arguments of an instance, None where one of them is wrong, and its output."""
        if instance.kind in CONSTRUCTS:
            return self._branching.build(instance, owner, self._walk_body)
        if instance.kind in self.spec.blocks:
            return self._block(instance, self.spec.blocks[instance.kind], owner)
        return self._layer(instance, owner)

    def _layer(self, instance: Instance, owner: Shareable | None) -> tuple[Values | None, TensorRef]:
        layer_class = layer_type(instance, self.spec.blocks, self.problems)
        reads = self.tensors.read_by(instance)
        if layer_class is None:
            self.builder.order.append(instance.full_name)
            return None, instance.unknown_output()
        values = option_values(layer_class, instance, inherited_values(instance, owner), self.problems)
        if layer_class.kind != instance.kind:
            values = None  # its options are checked, but what it gives is not known
        return values, self.builder.build(instance, layer_class, values, reads)

    def _block(
        self, instance: Instance, block: Block, owner: Shareable | None
    ) -> tuple[Values | None, TensorRef]:
        """A block's items in a scope of their own, which sees its arguments and the file's."""
        read = self.tensors.read_one(instance, f"the block {block.name}")
        if not block.is_known:
            return None, instance.unknown_output()
        outer = ChainMap(shape_names(read), self.arguments)
        values = block_values(block, instance, outer, inherited_values(instance, owner), self.problems)
        names = ChainMap(values, self.arguments)
        first = len(self.problems)
        path = (*instance.path, instance.name)
        scope = instance.inner_scope(block.items, path, read, names, block.name)
        output = self._walk_body(instance, block.items, scope)
        self.problems.add_use(first, instance.item.span)
        return values, output

    def _outputs(self, top: Scope) -> tuple[str, ...]:
        """The names in `outputs:`, or the last layer's."""
        value = self.spec.outputs
        if value is None:
            return (top.previous.name,) if top.previous and self.builder.nodes else ()
        parts = value.items if isinstance(value, YamlSequence) else (value,)
        if not parts:
            self.problems.report("E507", "outputs: names no layer", value.span)
        found = [name for part in parts if (name := self.tensors.resolve(part, top, self.arguments))]
        there = list(filter(self.tensors.is_taken, found))  # what is left out gives no output of its own
        return tuple(dict.fromkeys(self.tensors[name].name for name in there or found))

    def _doubt_inputs(self) -> None:
        """Say of shapes that do not fit that an input may be an image in another layout."""
        from netcalc.graph.images import likely_sizes  # only mistakes need it

        for given in self.inputs:
            place = given.span.source.name
            option = place if place.startswith("--") else None
            if given.type is not None and (why := likely_sizes(given.name, given.type.shape, option)):
                self.problems.explain("E601", why, given.span)

    def _report_what_is_missing(self) -> None:
        """Report a layer that stays unknown without a mistake, and a network without layers."""
        if self.problems.unknown_at is not None and not self.problems:
            message = "the expressions of this layer ask for what is not known before it is expanded"
            help = "give in_channels or in_shape as an argument instead"
            self.problems.report("E302", message, self.problems.unknown_at, help=help)
        if not self.builder.nodes and not self.problems and self.spec.items:
            keys = {entry.key for item in self.spec.items for entry in item.general}
            stated = [key for key in _NO_LAYERS if key in keys] or ["when", "repeat"]
            message = f"no layer is left: each {' or '.join(_NO_LAYERS[key] for key in stated)}"
            self.problems.report("E202", message, self.spec.items[0].span)
