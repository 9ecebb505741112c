"""Memory of the backward pass, as PyTorch's autograd runs it.

The gradient of a tensor lives from the backward of its last reader to that of its layer. A second gradient of
the same tensor is added to the first in place, or to a new tensor where the first has other references. What
a layer saved is released once its backward has run.
"""

from collections.abc import Iterator, Mapping

from netcalc.analysis.allocations import Allocations, Bytes, MemoryEvent, Parts, peaks
from netcalc.analysis.moments import backward_moments
from netcalc.analysis.precision import PrecisionPolicy
from netcalc.analysis.references import References
from netcalc.graph import Node
from netcalc.layers import View
from netcalc.layers.operators import Operators
from netcalc.layers.saved import Extra


class BackwardReplay:
    """The backward of each layer, event by event."""

    def __init__(self, references: References, precision: PrecisionPolicy, allocations: Allocations) -> None:
        self.references = references
        self.aliasing = references.aliasing
        self.graph = references.aliasing.graph
        self.precision = precision
        self.allocations = allocations
        self._gradients: dict[str, int] = {}  # the allocation of each tensor's gradient
        self._views = set[str]()  # the tensors whose gradient is a view of another gradient
        self._allocated = 0
        self._shared_weights: dict[str, bool] = {}  # owners with a gradient, and whether it can be added to

    def start_from(self, name: str) -> None:
        """Allocate the gradient of an output."""
        self._gradients[name] = self._new_gradient(name)

    def events(self, layer: int) -> Iterator[MemoryEvent]:
        """The backward of a layer."""
        node = self.graph.nodes[layer]
        upstream, is_view = self._gradients.pop(node.full_name), node.full_name in self._views
        needs = self.graph.inputs_need_gradient(node)
        computed = {
            place: self._input_gradient(node, name, upstream)
            for place, name in enumerate(node.inputs)
            if needs[place]
        }
        is_second = self._allocate_weight_gradients(layer)
        yield from self._operators(layer, upstream, computed)
        self.allocations.release(("gradient", upstream))
        self.allocations.release(("beside", layer))
        for copy in self.references.saved_by(layer):
            self.allocations.release(copy)
        if is_second:
            yield from self._add_weight_gradients(layer)
        for place, gradient in computed.items():
            name = node.inputs[place]
            before = self._gradients.get(name)
            if before is not None:
                yield from self._add_gradient(layer, name, before, gradient)
                continue
            self._gradients[name] = gradient
            is_upstream_view = gradient == upstream and (is_view or self._changes_view(node, name))
            if is_upstream_view or node.layer.gives_view(self.graph.types[name]):
                self._views.add(name)

    def _add_gradient(self, layer: int, name: str, before: int, gradient: int) -> Iterator[MemoryEvent]:
        """Add a gradient to the first one: in place, unless that is shared or a view."""
        if self.allocations.is_shared(("gradient", before)) or name in self._views:
            self._gradients[name] = self._new_gradient(name)
            self._views.discard(name)
            yield MemoryEvent("backward", layer, self.allocations.parts)
            self.allocations.release(("gradient", before))
        self.allocations.release(("gradient", gradient))

    def _operators(self, layer: int, upstream: int, computed: Mapping[int, int]) -> Iterator[MemoryEvent]:
        """The operators of a layer's backward; `computed` are gradients of its inputs by position."""
        node, parts = self.graph.nodes[layer], self.allocations.parts
        types, needs = self.graph.input_types(node), self.graph.inputs_need_gradient(node)
        workspace = node.layer.backward_workspace(types, node.output, needs)
        if workspace is not None:
            temporary = parts.temporary.plus(self._per_sample(workspace))
            yield MemoryEvent("backward", layer, parts._replace(temporary=temporary))
            return
        operators = node.layer.operators(types, node.output)
        if operators is None or len(operators.listed) == 1:
            yield MemoryEvent("backward", layer, parts)
            return
        for moment in peaks(self._moments(node, operators, upstream, computed)):
            yield MemoryEvent("backward", layer, moment)

    def _moments(
        self, node: Node, operators: Operators, upstream: int, computed: Mapping[int, int]
    ) -> Iterator[Parts]:
        """The live memory during the backward of each operator of a layer."""
        parts = self.allocations.parts
        trained = sum(param.numel for param in node.params if param.trainable)
        saved = self.aliasing.saved[node.full_name].each
        for moment in backward_moments(operators):
            is_upstream_live = moment.has_output_gradient or self.allocations.is_shared(
                ("gradient", upstream)
            )
            absent = Bytes() if is_upstream_live else self.allocations.size(("gradient", upstream))
            for place, gradient in computed.items():
                if gradient != upstream and place not in moment.input_gradients:
                    absent = absent.plus(self.allocations.size(("gradient", gradient)))
            later = Bytes(max(trained - moment.weights, 0) * self.precision.itemsize)  # frozen ones have none
            freed = Extra(*map(min, moment.freed, saved))  # a frozen layer saves less
            yield Parts(
                parts.kept.plus(self._per_sample(freed), -1),
                parts.passing,
                parts.gradients.plus(absent, -1),
                parts.weight_gradients.plus(later, -1),
                parts.temporary.plus(self._per_sample(moment.each)),
            )

    def _per_sample(self, extra: Extra) -> Bytes:
        return Bytes(per_sample=self.precision.extra_bytes(extra))

    def _input_gradient(self, node: Node, name: str, upstream: int) -> int:
        """The gradient of an input: the upstream one where the layer passes it on, or a new one."""
        if node.layer.passes_gradient(self.graph.types[name], node.output):
            self.allocations.retain(("gradient", upstream))
            return upstream
        return self._new_gradient(name)

    def _changes_view(self, node: Node, name: str) -> bool:
        """Whether a gradient that is passed on is a reshaped or transposed view of the upstream one."""
        is_reshaped = self.graph.types[name].shape != node.output.shape
        return is_reshaped or node.layer.view_in(training=True) is View.STRIDED

    def _new_gradient(self, name: str) -> int:
        self._allocated += 1
        nbytes = self.graph.types[name].numel * self.precision.itemsize
        self.allocations.allocate(("gradient", self._allocated), Bytes(per_sample=nbytes), "gradients")
        return self._allocated

    def _allocate_weight_gradients(self, layer: int) -> bool:
        """Allocate the gradients of a layer's weights; true where shared weights already have some."""
        node = self.graph.nodes[layer]
        owner = node.shared or node.full_name
        trained = sum(param.numel for param in node.params if param.trainable)
        size = Bytes(trained * self.precision.itemsize)
        self.allocations.allocate(("weights", layer), size, "weight_gradients")
        is_second = owner in self._shared_weights
        if not is_second:
            self._shared_weights[owner] = not node.layer.transposes
        return is_second

    def _add_weight_gradients(self, layer: int) -> Iterator[MemoryEvent]:
        """Add the gradients of shared weights: in place, unless the first is a transposed view."""
        node = self.graph.nodes[layer]
        owner = node.shared or node.full_name
        if not self._shared_weights[owner]:
            largest = max((param.numel for param in node.params if param.trainable), default=0)
            size = Bytes(largest * self.precision.itemsize)
            self.allocations.allocate(("sum", layer), size, "weight_gradients")
            yield MemoryEvent("backward", layer, self.allocations.parts)
            self.allocations.release(("sum", layer))
            self._shared_weights[owner] = True
        self.allocations.release(("weights", layer))
