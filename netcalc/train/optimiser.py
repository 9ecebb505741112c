"""What optimisers share: the parameters and their groups, weight decay, state in and out.

An optimiser goes through the parameters in blocks that stay in the processor's cache, and writes into arrays
that it has allocated once. Small parameters are updated together, since each call of NumPy's takes time.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.layers.options import Flag, Number
from netcalc.train.configurable import Configurable, OptionError
from netcalc.train.gradients import require_gradients
from netcalc.train.parallel import in_parallel, workers_for
from netcalc.train.parameters import TrainedParameter, trained_parameters

_BLOCK = 2**15
"""Elements of a block: with gradient, state and workspaces they are less than 1 MiB in float32."""

_LARGE = 2**12
"""Elements from which on a parameter has blocks of its own, because copies would take longer than calls."""


class Piece(NamedTuple):
    """Elements of a parameter, flat, in a block."""

    parameter: str
    part: slice
    """Of the parameter."""
    weights: Array
    place: slice
    """In the block."""


class UpdateBlock(NamedTuple):
    """What is updated at a time: pieces of parameters with one learning rate and one decay, and their state.

    A block of several pieces is updated in the workspaces.
    """

    pieces: tuple[Piece, ...]
    size: int
    state: tuple[Array, ...]
    rate: float
    """The learning rate before the schedule's factor."""
    decay: float


class Workspaces(NamedTuple):
    """One worker's arrays of a block's size."""

    update: Array
    """For intermediate results of the update."""
    gradient: Array
    """For gradients that are gathered or have L2 added."""
    weights: Array


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
        self._shapes = {parameter.name: parameter.array.shape for parameter in self.parameters}
        elements = sum(parameter.array.size for parameter in self.parameters)
        flat = np.zeros((len(self.slots), elements), network.dtype)
        self._state: dict[str, Array] = {}
        self._blocks = tuple(self._cut(flat))
        self._workers = workers_for(elements)
        largest = max((block.size for block in self._blocks), default=0)
        self._workspaces = [Workspaces(*np.empty((3, largest), network.dtype)) for _ in range(self._workers)]

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

        def update(worker: int, block: UpdateBlock) -> None:
            self._update_block(block, flat, factor * block.rate, self._workspaces[worker])

        in_parallel(update, self._blocks, self._workers)

    def _update_block(
        self, block: UpdateBlock, gradients: Mapping[str, Array], lr: float, workspaces: Workspaces
    ) -> None:
        update, gathered, copied = (array[: block.size] for array in workspaces)
        pieces = block.pieces
        if len(pieces) == 1:
            ((name, part, w, _),) = pieces
            g = gradients[name][part]
        else:
            w = np.concatenate([piece.weights for piece in pieces], out=copied)
            g = np.concatenate([gradients[piece.parameter][piece.part] for piece in pieces], out=gathered)
        if block.decay and self.decoupled:
            w *= 1 - lr * block.decay
        elif block.decay:
            np.multiply(w, block.decay, out=update)
            g = np.add(update, g, out=gathered)
        self.update(w, g, lr, block.state, update)
        if len(pieces) > 1:
            for piece in pieces:
                piece.weights[...] = w[piece.place]

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

    def _cut(self, flat: Array) -> Iterator[UpdateBlock]:
        """The blocks, whose states lie one after another in the rows of `flat`, a row a slot."""
        groups: dict[tuple[float, float, str], list[TrainedParameter]] = {}
        for parameter in self.parameters:
            decay = self.weight_decay if parameter.decays or self.decay_all else 0.0
            alone = parameter.name if parameter.array.size >= _LARGE else ""
            groups.setdefault((self.lr * parameter.factor, decay, alone), []).append(parameter)
        starts, start = {}, 0
        for (rate, decay, _), parameters in groups.items():
            first = start
            for parameter in parameters:
                starts[parameter.name] = start
                start += parameter.array.size
            for at in range(first, start, _BLOCK):
                end = min(at + _BLOCK, start)
                pieces = tuple(_pieces(parameters, starts, at, end))
                yield UpdateBlock(pieces, end - at, tuple(flat[:, at:end]), rate, decay)
        for slot, row in zip(self.slots, flat, strict=True):
            for name, shape in self._shapes.items():
                own = row[starts[name] : starts[name] + prod(shape)]
                self._state[f"{slot}.{name}"] = own.reshape(shape, copy=False)


def _pieces(
    parameters: Iterable[TrainedParameter], starts: Mapping[str, int], first: int, end: int
) -> Iterator[Piece]:
    """What lies from `first` to `end` of the parameters, each of which starts somewhere."""
    for parameter in parameters:
        start = starts[parameter.name]
        own = slice(max(first - start, 0), min(end - start, parameter.array.size))
        if own.start < own.stop:
            weights = parameter.array.reshape(-1, copy=False)[own]
            place = slice(start + own.start - first, start + own.stop - first)
            yield Piece(parameter.name, own, weights, place)


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
