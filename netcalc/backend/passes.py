"""One run of a network through its layers, and its backward pass."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array, Backward
from netcalc.backend.precision import ElementType
from netcalc.graph import Graph, Node
from netcalc.tensor import format_shape


class Grads(NamedTuple):
    """Gradients by full name: of the inputs, None for token numbers, and of the learnable parameters."""

    inputs: dict[str, Array | None]
    params: dict[str, Array]


class LayerBackward(NamedTuple):
    """One layer's backward: its output's gradient `upstream`, and the gradients that it computed."""

    node: Node
    upstream: Array
    inputs: tuple[Array | None, ...]
    params: dict[str, Array]
    seconds: float


@dataclass(frozen=True)
class Pass:
    """The results of a forward run, with what the backward pass needs.

    `outputs` and `captured` are by full name, the batch in front.
    """

    graph: Graph
    outputs: dict[str, Array]
    captured: dict[str, Array]
    backwards: tuple[tuple[Node, Backward], ...] | None
    """The backward of each layer that has one; None where nothing was to be saved."""
    zeros: Mapping[str, tuple[int, ...]]
    """The shapes of all parameters that are not frozen, for those that no gradient reaches."""
    precision: ElementType
    input_gradients: bool = True
    """Whether the inputs have gradients; without, layers upstream of all trained ones saved nothing."""

    def backward(
        self,
        upstream: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None,
        observe: Callable[[LayerBackward], None] | None = None,
    ) -> Grads:
        """The gradients for an upstream gradient of the output, or of each by name; ones unless given.

        Gradients of tensors that several layers read, and of shared parameters, are summed.
        Raises ExecutionError where an upstream gradient does not fit, or nothing was saved.
        """
        if self.backwards is None:
            refuse("E909", "this pass saved nothing for backward: run it with gradients=True")
        flowing = checked_upstream(self.outputs, upstream, self.precision)
        carried = {node.full_name for node, _ in self.backwards}
        carried.update(given.name for given in self.graph.inputs if self.input_gradients)
        params: dict[str, Array] = {}
        rounded = self.precision.rounded
        with np.errstate(all="ignore"):
            for node, backward in reversed(self.backwards):
                dy = flowing.pop(node.full_name, None)
                if dy is None:
                    continue
                start = perf_counter()
                dxs, dparams = backward(dy)
                seconds = perf_counter() - start
                for name, dx in zip(node.inputs, dxs, strict=True):
                    if dx is not None and name in carried:
                        flowing[name] = rounded(flowing[name] + dx) if name in flowing else dx
                owner = node.shared or node.full_name
                trained = {own: g for own, g in dparams.items() if f"{owner}.{own}" in self.zeros}
                for own, gradient in trained.items():
                    name = f"{owner}.{own}"
                    params[name] = rounded(params[name] + gradient) if name in params else gradient
                if observe is not None:
                    observe(LayerBackward(node, dy, dxs, trained, seconds))
        dtype = self.precision.stored
        every = {name: params.get(name, np.zeros(shape, dtype)) for name, shape in self.zeros.items()}
        inputs = {
            given.name: flowing.get(given.name) if self.input_gradients else None
            for given in self.graph.inputs
        }
        return Grads(inputs, every)


def checked_upstream(
    outputs: Mapping[str, Array],
    given: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None,
    precision: ElementType,
) -> dict[str, Array]:
    """The gradient of each output by name, in the network's precision; ones where nothing is given.

    Raises ExecutionError for names, shapes and dtypes that do not fit.
    """
    if given is None:
        return {name: np.ones_like(y) for name, y in outputs.items()}
    if not isinstance(given, Mapping):
        if len(outputs) != 1:
            refuse("E901", f"name each upstream gradient: the outputs are {', '.join(outputs)}")
        given = {next(iter(outputs)): given}
    flowing = {}
    for name, gradient in given.items():
        if name not in outputs:
            refuse("E901", f"there is no output {name!r}; the outputs are {', '.join(outputs)}")
        y, dy = outputs[name], np.asarray(gradient)
        if dy.dtype.kind not in "fiu":
            refuse("E903", f"the upstream gradient of {name} holds {dy.dtype}, not numbers")
        if dy.shape != y.shape:
            found = format_shape(dy.shape)
            refuse("E902", f"the upstream gradient of {name} is {format_shape(y.shape)}, not {found}")
        flowing[name] = precision.taken(dy, f"the upstream gradient of {name}")
    return flowing
