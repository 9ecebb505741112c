"""Layers to nodes: bound, inferred, and checked against what they read."""

from collections.abc import Sequence

from netcalc.diagnostics import Diagnostic, Note, Span
from netcalc.graph.binding import option_span
from netcalc.graph.model import Node
from netcalc.graph.problems import Problems
from netcalc.graph.scope import Handle, Use
from netcalc.graph.wiring import Tensors
from netcalc.layers import Layer, LayerError, ParamSpec
from netcalc.spec import Evaluated
from netcalc.tensor import MAX_AXES, MAX_ELEMENTS, TensorType


class Builder:
    """Makes nodes; equal layers on equal inputs are made and inferred once."""

    def __init__(self, tensors: Tensors, problems: Problems) -> None:
        self.tensors = tensors
        self.problems = problems
        self.nodes: dict[str, Node] = {}
        self.laid: list[str] = []
        """The full names of the layers that were to be made, in order, those with a mistake among them."""
        self._layers: dict[tuple[object, ...], Layer] = {}
        self._inferred: dict[tuple[object, ...], tuple[TensorType, tuple[ParamSpec, ...]]] = {}

    def build(
        self,
        use: Use,
        layer_class: type[Layer],
        values: dict[str, Evaluated] | None,
        reads: Sequence[Handle | None],
    ) -> Handle:
        """The output of a layer that is bound and made a node; of no known type where it cannot be."""
        name = use.full_name
        unknown = Handle(name, None, use.item.span)
        self.laid.append(name)
        if values is None or not self._arity_fits(use, layer_class, reads):
            return unknown
        handles = [handle for handle in reads if handle is not None]
        types = tuple(handle.type for handle in handles if handle.type is not None)
        if len(types) < len(reads):
            return unknown
        try:
            layer = self._layer(layer_class, values, types)
            output, params = self._infer(layer, types)
        except LayerError as error:
            self._report_shape(use, error, handles)
            return unknown
        if self._is_too_large(use, output, params):
            return unknown
        sources = tuple(handle.name for handle in handles)
        if not use.trainable:
            params = tuple(param._replace(frozen=not param.buffer) for param in params)
        span = use.item.span._replace(via=use.scope.used_at)
        self.nodes[name] = Node(use.name, use.path, layer, sources, output, params, span, ignored=use.ignored)
        return Handle(name, output, use.item.span)

    def has_parameters(self, full_name: str) -> bool:
        """Whether a layer has something to learn; one with a mistake might."""
        node = self.nodes.get(full_name)
        return node is None or not all(param.buffer for param in node.params)

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

    def _arity_fits(self, use: Use, layer_class: type[Layer], reads: Sequence[Handle | None]) -> bool:
        least, most = layer_class.arity
        if len(reads) >= least and (most is None or len(reads) <= most):
            return True
        wanted = f"{least} input{'s' if least > 1 else ''}" + (" or more" if most is None else "")
        above = use.scope.previous.name if use.scope.previous else "a"
        help = f"write from: [{above}, ...]" if least > 1 else "join them first with concat or add"
        sources = use.item.value("from")
        span = sources.span if sources else use.item.span
        message = f"{layer_class.kind} reads {wanted}, here {len(reads)}"
        self._report("E505", message, span, help)
        return False

    def _is_too_large(self, use: Use, output: TensorType, params: tuple[ParamSpec, ...]) -> bool:
        if len(output.shape) > MAX_AXES:
            message = f"its output has {len(output.shape):,} axes, {MAX_AXES} is the limit"
            self._report("E602", message, use.item.span)
            return True
        for what, numel in (("output", output.numel), *((param.name, param.numel) for param in params)):
            if numel > MAX_ELEMENTS:
                message = f"its {what} has more elements than 64 bits can count"
                self._report("E602", message, use.item.span)
                return True
        return False

    def _report_shape(self, use: Use, error: LayerError, reads: Sequence[Handle]) -> None:
        name = use.name or use.kind
        notes = tuple(Note(f"{name} reads {read.type} from {read.name}", read.span) for read in reads)
        span = option_span(use.item, error.option)
        self.problems.append(Diagnostic("E601", error.message, span, notes, error.help))

    def _report(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.problems.append(Diagnostic(code, message, span, help=help))
