"""A graph with its parameters: forward, backward, and weights in and out."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from time import perf_counter

import numpy as np
import numpy.typing as npt

from netcalc.backend.drawing import drawn_arrays
from netcalc.backend.errors import refuse
from netcalc.backend.inputs import Given, checked_inputs
from netcalc.backend.kernels import KERNELS, Backward, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.lsuv import scale_to_batch
from netcalc.backend.memory import forward_bytes, require_memory
from netcalc.backend.passes import Grads, Pass
from netcalc.backend.precision import PRECISIONS
from netcalc.backend.weights import check_weights, read_weights, write_weights
from netcalc.diagnostics import Note, nearest, type_name, whole_number
from netcalc.graph import Graph, Node
from netcalc.layers import LayerError

Observer = Callable[[Node, tuple[Array, ...], Array, float], None]
"""Called after each layer with its inputs, its output and the seconds it took."""


class Network:
    """A graph's layers with arrays in them, run on NumPy.

    Parameters are drawn from `seed` and the parameter's own name: by the initialisation that the spec
    states, else by each layer's own. Arrays are channel-first with the batch in front.

        >>> network = netcalc.Network(netcalc.load("lenet5"), seed=0)
        >>> y = network.forward(np.zeros((1, 1, 28, 28)))
        >>> grads = network.backward(np.ones_like(y))

    Raises ExecutionError where the parameters alone are more than the machine's memory.
    """

    def __init__(self, graph: Graph, seed: int = 0, dtype: str = "float32") -> None:
        if not isinstance(graph, Graph):
            raise TypeError(f"a Network takes a Graph, as netcalc.load gives it, not {type_name(graph)}")
        seed = whole_number("seed", seed, 0)
        if dtype not in PRECISIONS:
            raise ValueError(f"dtype is one of {', '.join(PRECISIONS)}, not {dtype!r}")
        self.graph = graph
        self.seed = seed
        self.precision = PRECISIONS[dtype]
        self.dtype = self.precision.stored
        """That of its arrays; bfloat16 is held in float32."""
        for node in graph.nodes:
            if node.layer.kind not in KERNELS:
                refuse("E908", f"{node.full_name}: {node.layer.kind} cannot be run", node.span)
        elements = sum(param.numel for node in graph.nodes if node.shared is None for param in node.params)
        require_memory(elements * self.dtype.itemsize, f"the parameters of {graph.name}")
        self._arrays = drawn_arrays(graph, seed, self.precision)
        self.draws = 0
        """The number of the next training run: all that random numbers depend on beside the seed."""
        self._last: Pass | None = None
        scale_to_batch(self)

    def parameters(self) -> dict[str, Array]:
        """Every array by its full name, running statistics among them; the network's own, not copies."""
        return {
            f"{layer}.{name}": array for layer, own in self._arrays.items() for name, array in own.items()
        }

    state_dict = parameters

    def arrays_of(self, node: Node) -> dict[str, Array]:
        """The arrays that a layer uses, by their own names: its own, or those of the layer it shares with."""
        if node.shared is None:
            return self._arrays[node.full_name]
        owned = self._arrays[node.shared]  # which may have more: a bias that this layer does without
        return {param.name: owned[param.name] for param in node.params}

    def load(self, weights: str | os.PathLike[str] | Mapping[str, npt.ArrayLike]) -> None:
        """Take the weights of an `.npz` or `.safetensors` file, or of a mapping by full name.

        Raises ExecutionError where the file cannot be read, or is not of this network; then nothing
        is changed.
        """
        shapes = {name: array.shape for name, array in self.parameters().items()}
        if isinstance(weights, Mapping):
            found = {name: np.asarray(array) for name, array in weights.items()}
            check_weights({name: array.shape for name, array in found.items()}, shapes, "the mapping")
            for name in shapes:
                if found[name].dtype.kind not in "fiub":
                    refuse("E903", f"{name} holds {found[name].dtype}, not numbers")
        else:
            found = read_weights(weights, shapes)
        taken = {name: self.precision.taken(found[name], name) for name in shapes}
        for name, array in self.parameters().items():
            array[...] = taken[name]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights to an `.npz` or `.safetensors` file, whole or not at all.

        bfloat16 is BF16 in safetensors and float32 in an `.npz`.
        """
        arrays = {name: self.precision.rounded(array) for name, array in self.parameters().items()}
        write_weights(path, arrays, bfloat16=arrays if self.precision.name == "bfloat16" else ())

    def forward(
        self,
        x: Given,
        *,
        training: bool = False,
        gradients: bool = True,
        input_gradients: bool | None = None,
        capture: Iterable[str] = (),
    ) -> Array | dict[str, Array]:
        """The output for an input N,C,..., or a dict of them where there are several or `capture` names more.

        `training` takes the batch's own statistics and drops at random; a frozen norm takes its running
        statistics, and leaves them. `gradients` saves what `backward` needs; what it does not need is freed
        once it has been read. `input_gradients` wants those of the inputs too: always, unless layers are
        frozen in training, whose saving it would undo. Raises ExecutionError for inputs that do not fit and
        for runs that need more memory than there is.
        """
        result = self.run(
            x, training=training, gradients=gradients, input_gradients=input_gradients, capture=capture
        )
        self._last = result if gradients else None
        if len(result.outputs) == 1 and not result.captured:
            return next(iter(result.outputs.values()))
        return result.outputs | result.captured

    def backward(self, upstream: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None) -> Grads:
        """The last forward's gradients for an upstream gradient of its output; ones unless given."""
        if self._last is None:
            refuse("E909", "backward needs a forward pass before it that saves tensors: call forward first")
        return self._last.backward(upstream)

    def run(
        self,
        x: Given,
        *,
        training: bool = False,
        gradients: bool = True,
        input_gradients: bool | None = None,
        capture: Iterable[str] = (),
        observe: Observer | None = None,
        draw: int | None = None,
    ) -> Pass:
        """One pass through the layers, as `forward`. `draw` picks the random numbers of training.

        Each training draws anew unless `draw` is given; equal seeds and draws give equal bits.
        """
        tensors = checked_inputs(self.graph, x, self.precision)
        wanted = self._known(capture)
        batch = next(iter(tensors.values())).shape[0]
        if input_gradients is None:
            input_gradients = not (training and any(node.is_frozen for node in self.graph.nodes))
        saving = self._saving(input_gradients) if gradients else frozenset[str]()
        needed = forward_bytes(self.graph, batch, self.dtype.itemsize, saving)
        require_memory(needed, f"the tensors of {self.graph.name} at batch {batch}")
        if draw is None:
            draw = self.next_draw() if training else 0
        returned = {*self.graph.outputs, *wanted}
        backwards: list[tuple[Node, Backward]] = []
        with np.errstate(all="ignore"):
            for number, node in enumerate(self.graph.nodes):
                rng = np.random.default_rng([self.seed, draw, number]) if training else None
                xs = tuple(map(tensors.__getitem__, node.inputs))
                start = perf_counter()
                needs = None if input_gradients else self.graph.inputs_need_gradient(node)
                y, backward = self.apply(node, xs, Context(training, rng, wanted=needs))
                seconds = perf_counter() - start
                tensors[node.full_name] = y
                if observe is not None:
                    observe(node, xs, y, seconds)
                if node.full_name in saving:
                    backwards.append((node, backward))
                del xs, y, backward  # what a backward needs it holds itself
                for name in self._read_last[number] - returned:
                    del tensors[name]
        outputs = {name: tensors[name] for name in self.graph.outputs}
        return Pass(
            self.graph,
            outputs,
            {name: tensors[name] for name in wanted},
            tuple(backwards) if gradients else None,
            self._learnable,
            self.precision,
            input_gradients,
        )

    def next_draw(self) -> int:
        """The number of the next training run, which seeds its random numbers."""
        self.draws += 1
        return self.draws - 1

    def apply(self, node: Node, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
        """Run one layer; an error names it."""
        try:
            kernel = self.precision.around(KERNELS[node.layer.kind])
            context = replace(context, frozen=True) if node.is_frozen else context
            return kernel(node.layer, self.arrays_of(node), xs, context)
        except LayerError as error:
            shapes = ", ".join(str(x.shape) for x in xs)
            message = f"{node.full_name}: {error.message}"
            refuse("E907", message, node.span, (Note(f"its input is of shape {shapes}"),))

    def _saving(self, input_gradients: bool) -> frozenset[str]:
        """The layers that save what their backward needs."""
        if input_gradients:
            return frozenset(node.full_name for node in self.graph.nodes)
        return self.graph.needs_gradient

    @cached_property
    def _learnable(self) -> dict[str, tuple[int, ...]]:
        return {
            f"{node.full_name}.{param.name}": param.shape
            for node in self.graph.nodes
            if node.shared is None
            for param in node.params
            if param.trainable
        }

    @cached_property
    def _read_last(self) -> list[set[str]]:
        """For each layer the tensors that no later one reads."""
        seen: set[str] = set()
        dying = []
        for node in reversed(self.graph.nodes):
            dying.append({*node.inputs, node.full_name} - seen)
            seen.update(node.inputs, (node.full_name,))
        return dying[::-1]

    def _known(self, capture: Iterable[str]) -> tuple[str, ...]:
        names = tuple(capture)
        for name in names:
            if name not in self.graph.types:
                match = nearest(name, self.graph.types)
                help = f"did you mean {match}?" if match else None
                refuse("E915", f"{self.graph.name} has no layer {name!r} to capture", help=help)
        return names

    def __repr__(self) -> str:
        return f"<Network {self.graph.name}: {len(self.graph.nodes)} layers, {self.precision.name}>"
