"""What optimisers share: the parameters and their groups, weight decay, state in and out.

An optimiser goes through the parameters in blocks that stay in the processor's cache, and writes into arrays
that it has allocated once.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.layers.options import Flag, Number
from netcalc.train.configurable import Configurable, OptionError
from netcalc.train.gradients import require_gradients
from netcalc.train.parameters import TrainedParameter, trained_parameters

_BLOCK = 2**15
"""Elements of a block: with its gradient, its state and the workspace they are less than 1 MiB in float32."""


class UpdateBlock(NamedTuple):
    """A part of a parameter, flat, and what belongs to it."""

    parameter: str
    part: slice
    weights: Array
    state: tuple[Array, ...]
    workspace: Array
    """For intermediate results of the update."""
    decay_workspace: Array
    """For the gradient with L2 added."""
    rate: float
    """The learning rate before the schedule's factor."""
    decay: float


class Optimiser(Configurable):
    """Updates a network's parameters in place from their gradients.

        >>> optimiser = Adam(network, lr=1e-3)
        >>> optimiser.step(step.backward(dy).params, factor=schedule(number))

    Weight decay is for the weights of linear maps and embeddings; biases, norms, scales and learned positions
    are left out unless `decay_all` is set. Frozen parameters have no gradient and stay as they are, and one
    that layers share is updated once. A parameter that no gradient reaches has a gradient of zeros.

    `factors` are factors of the learning rate by patterns of names, such as `{"conv*": 0.1}`. Raises
    OptionError for options, ValueError for factors and a network in half precision.
    """

    lr = Number(1e-3, above=0, doc="the learning rate, before the schedule's factor", torch="lr")
    weight_decay = Number(0.0, at_least=0, doc="how strongly weights are drawn to zero", torch="weight_decay")
    decoupled = Flag(False, doc="take lr weight_decay w off the weights themselves (Loshchilov and Hutter "
                     "2019), where L2 adds weight_decay w to the gradient")  # fmt: skip
    decay_all = Flag(False, doc="decay biases, norms and other scales as well")

    def __init__(self, network: Network, *, factors: Mapping[str, float] | None = None, **given: Any) -> None:
        super().__init__(**given)
        self.steps = 0
        """How often it has updated."""
        self.parameters = trained_parameters(network, factors)
        self._state = {
            f"{slot}.{parameter.name}": np.zeros_like(parameter.array)
            for slot in self.slots
            for parameter in self.parameters
        }
        self._shapes = {parameter.name: parameter.array.shape for parameter in self.parameters}
        largest = max((parameter.array.size for parameter in self.parameters), default=0)
        self._workspaces = [np.empty(min(largest, _BLOCK), network.dtype) for _ in range(2)]
        self._blocks = tuple(block for parameter in self.parameters for block in self._cut(parameter))

    @classmethod
    def parsed(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        values = super().parsed(given)
        if not values["weight_decay"]:
            for name in ("decoupled", "decay_all"):
                if values.get(name):
                    message = f"{cls.name}: {name} is about weight decay, and there is none"
                    raise OptionError(message, name, "write weight_decay: 0.0001")
        return values

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of its state arrays; each parameter has one of its own shape for every slot."""
        return ()

    def update(self, w: Array, g: Array, lr: float, state: tuple[Array, ...], workspace: Array) -> None:
        """Move weights w against their gradient g, in place; all arrays are flat and of one size."""
        raise NotImplementedError

    def step(self, gradients: Mapping[str, Array], factor: float = 1.0) -> None:
        """Update every parameter once. The gradients, by full name, are read and not changed.

        `factor` is the schedule's. Raises ValueError, with nothing updated, where the gradients are not those
        of the trained parameters, or the factor is not a finite number from 0 up.
        """
        if not 0 <= factor < float("inf"):
            raise ValueError(f"the factor of the learning rate is a number from 0 up, not {factor}")
        require_gradients(gradients, self._shapes)
        flat = {name: gradient.reshape(-1) for name, gradient in gradients.items()}
        self.steps += 1
        with np.errstate(all="ignore"):
            for block in self._blocks:
                w, g, lr = block.weights, flat[block.parameter][block.part], factor * block.rate
                if block.decay and self.decoupled:
                    w *= 1 - lr * block.decay
                elif block.decay:
                    decayed = np.multiply(w, block.decay, out=block.decay_workspace)
                    decayed += g
                    g = decayed
                self.update(w, g, lr, block.state, block.workspace)

    def state(self) -> dict[str, Array]:
        """Its state by name, `steps` among it: its own arrays, not copies.

        An optimiser with the same options to which `load_state` gives it goes on bit for bit.
        """
        return {"steps": np.array(self.steps, np.int64), **self._state}

    def load_state(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Take what `state` gave. Raises ValueError, with nothing changed, where it does not fit."""
        steps = np.asarray(state.get("steps", 0))
        if steps.dtype.kind in "iu" and (steps < 0).any():
            raise ValueError(f"the state of {self.name}: steps is {steps}, which no count is")
        load_arrays(self.state(), state, f"the state of {self.name}")
        self.steps = int(steps)

    def _cut(self, parameter: TrainedParameter) -> Iterator[UpdateBlock]:
        flat = parameter.array.reshape(-1, copy=False)
        own = [self._state[f"{slot}.{parameter.name}"].reshape(-1) for slot in self.slots]
        decays = parameter.decays or self.decay_all
        for start in range(0, flat.size, _BLOCK):
            part = slice(start, min(start + _BLOCK, flat.size))
            room, decay_room = (each[: part.stop - start] for each in self._workspaces)
            yield UpdateBlock(
                parameter.name, part, flat[part], tuple(array[part] for array in own), room, decay_room,
                self.lr * parameter.factor, self.weight_decay if decays else 0.0,
            )  # fmt: skip


def load_arrays(arrays: Mapping[str, Array], given: Mapping[str, npt.ArrayLike], what: str) -> None:
    """Copy arrays by their names; raises ValueError, before any copy, where one does not fit."""
    found = {name: np.asarray(array) for name, array in given.items()}
    if found.keys() != arrays.keys():
        name = sorted(found.keys() ^ arrays.keys())[0]
        raise ValueError(f"{what} {'lacks' if name in arrays else 'has no'} {name}")
    for name, array in arrays.items():
        if (found[name].shape, found[name].dtype) != (array.shape, array.dtype):
            here, there = (f"{each.dtype} {each.shape}" for each in (array, found[name]))
            raise ValueError(f"{what}: {name} is {here}, not {there}")
    for name, array in arrays.items():
        array[...] = found[name]
