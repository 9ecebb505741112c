"""Layers to nodes: bound, inferred, and checked against what they read."""

from collections.abc import Sequence

from netcalc.diagnostics import Note
from netcalc.graph.binding import option_span
from netcalc.graph.model import Node
from netcalc.graph.problems import ElaborationProblems
from netcalc.graph.scope import Instance, TensorRef
from netcalc.layers import Layer, LayerError, ParamSpec
from netcalc.spec import Evaluated
from netcalc.tensor import MAX_AXES, MAX_ELEMENTS, TensorType


class Builder:
    """Makes nodes; equal layers on equal inputs are made and inferred once."""

    def __init__(self, problems: ElaborationProblems) -> None:
        self.problems = problems
        self.nodes: dict[str, Node] = {}
        self.order: list[str] = []
        """The full names of all layers in the order of the text, those with a mistake among them."""
        self._layers: dict[tuple[object, ...], Layer] = {}
        self._inferred: dict[tuple[object, ...], tuple[TensorType, tuple[ParamSpec, ...]]] = {}

    def build(
        self,
        instance: Instance,
        layer_class: type[Layer],
        values: dict[str, Evaluated] | None,
        reads: Sequence[TensorRef | None],
    ) -> TensorRef:
        """Bind a layer, add its node and return its output, of unknown type where that fails."""
        name = instance.full_name
        unknown = TensorRef(name, None, instance.item.span)
        self.order.append(name)
        if values is None or not self._arity_fits(instance, layer_class, reads):
            return unknown
        refs = [ref for ref in reads if ref is not None]
        types = tuple(ref.type for ref in refs if ref.type is not None)
        if len(types) < len(reads):
            return unknown
        try:
            layer = self._layer(layer_class, values, types)
            output, params = self._infer(layer, types)
        except LayerError as error:
            self._report_shape(instance, error, refs)
            return unknown
        if self._is_too_large(instance, output, params):
            return unknown
        sources = tuple(ref.name for ref in refs)
        if not instance.trainable:
            params = tuple(param._replace(frozen=True) for param in params)
        span = instance.item.span._replace(via=instance.scope.used_at)
        init = instance.init if self.has_a_say(instance.init, params) else ""
        self.nodes[name] = Node(
            instance.name, instance.path, layer, sources, output, params, span, None, instance.ignored, init
        )
        return TensorRef(name, output, instance.item.span)

    def can_freeze(self, full_name: str) -> bool:
        """Whether a layer has parameters or running statistics; True for one with a mistake."""
        node = self.nodes.get(full_name)
        return node is None or bool(node.params)

    def begins_by(self, init: str, full_name: str) -> bool:
        """Whether an initialisation has a say in a layer; True for one with a mistake."""
        node = self.nodes.get(full_name)
        return node is None or self.has_a_say(init, node.params)

    @staticmethod
    def has_a_say(init: str, params: tuple[ParamSpec, ...]) -> bool:
        """Whether an initialisation changes how any of the parameters begins."""
        if not init or not params:
            return False
        from netcalc.graph.initialisation import has_a_say  # few specs state one

        return has_a_say(init, params)

    def owner(self, full_name: str) -> str | None:
        """The layer whose parameters a layer uses; None where they are its own, or not known."""
        node = self.nodes.get(full_name)
        return None if node is None else node.shared

    def _layer(
        self, layer_class: type[Layer], values: dict[str, Evaluated], types: tuple[TensorType, ...]
    ) -> Layer:
        ranks = tuple(len(type.shape) for type in types)  # all of the inputs that a layer is made with
        key = (layer_class, ranks, *values.items())
        if (layer := self._layers.get(key)) is None:
            layer = self._layers[key] = layer_class(types, **values)
        return layer

    def _infer(self, layer: Layer, types: tuple[TensorType, ...]) -> tuple[TensorType, tuple[ParamSpec, ...]]:
        key = (id(layer), types)  # the layer lives in self._layers as long as its id is used here
        if key not in self._inferred:
            self._inferred[key] = (layer.infer(types), layer.params(types))
        return self._inferred[key]

    def _arity_fits(
        self, instance: Instance, layer_class: type[Layer], reads: Sequence[TensorRef | None]
    ) -> bool:
        least, most = layer_class.arity
        if len(reads) >= least and (most is None or len(reads) <= most):
            return True
        wanted = f"{least} input{'s' if least > 1 else ''}" + (" or more" if most is None else "")
        above = instance.scope.previous.name if instance.scope.previous else ""
        help = "join them first with concat or add"
        if least > 1:
            help = f"write from: [{above}, ...]" if above else "write from: [left, right]"
        if least == 1 and not reads:
            help = "leave from: out, then it reads the layer above, or name what it reads: from: input"
        sources = instance.item.value("from")
        span = sources.span if sources else instance.item.span
        message = f"{layer_class.kind} reads {wanted}, here {len(reads)}"
        self.problems.report("E505", message, span, help=help)
        return False

    def _is_too_large(self, instance: Instance, output: TensorType, params: tuple[ParamSpec, ...]) -> bool:
        if len(output.shape) > MAX_AXES:
            message = f"its output has {len(output.shape):,} axes, {MAX_AXES} is the limit"
            self.problems.report("E602", message, instance.item.span)
            return True
        for what, numel in (("output", output.numel), *((param.name, param.numel) for param in params)):
            if numel > MAX_ELEMENTS:
                message = f"its {what} has more elements than 64 bits can count"
                self.problems.report("E602", message, instance.item.span)
                return True
        return False

    def _report_shape(self, instance: Instance, error: LayerError, reads: Sequence[TensorRef]) -> None:
        name = instance.name or instance.kind
        notes = tuple(Note(f"{name} reads {read.type} from {read.name}", read.span) for read in reads)
        span = option_span(instance.item, error.option)
        self.problems.report("E601", error.message, span, notes=notes, help=error.help)
