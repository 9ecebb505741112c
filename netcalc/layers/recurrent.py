"""Recurrent layers: a state of `units` features carried along a sequence, T x D.

A step takes a product with the input and one with the state for each gate, D units + units^2 multiply-adds
in all a gate; further layers read the outputs below. Other operations are those of the formula: the
addition of the two products, 4 a sigmoid, 1 a hyperbolic tangent, and what joins the gates.

Parameters have PyTorch's names and layouts, the gates stacked along the first axis in the order of the
formula, and as there two bias vectors: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, with
`_reverse` at the end for the backward direction.
"""

from collections.abc import Iterator
from typing import ClassVar

from netcalc.layers import geometry
from netcalc.layers.activation import Sigmoid, Tanh
from netcalc.layers.axes import SEQUENCE, Axes
from netcalc.layers.base import Cost, Layer, ParamSpec
from netcalc.layers.errors import LayerError
from netcalc.layers.operators import Operators
from netcalc.layers.options import Choice, Flag, Integer
from netcalc.layers.saved import Extra, Saved
from netcalc.tensor import Shape, TensorType

MAX_LAYERS = 1000
"""The most layers of one recurrent stack."""


_FIXED = dict.fromkeys(
    ("activation", "recurrent_activation"), "leave it out: the gates are sigmoid, the state tanh"
)


class Recurrent(Layer):
    """T x D to T x units, twice as many with two directions; one state for `last`."""

    family = "recurrent"
    mixes_tokens = True
    transposes = True
    gates: ClassVar[int]
    states: ClassVar[int] = 1
    """Tensors that are carried from step to step."""
    unit_ops: ClassVar[int]
    """Operations of a unit in each step without its dot products."""

    instead: ClassVar[dict[str, str]] = {
        "return_sequences": "leave it out for the state of every step; last: true gives the final one alone",
        "return_state": "leave it out; last: true gives the final state alone",
        "dropout": "leave it out, or write single layers with - dropout: 0.5 between them",
        "proj_size": "leave it out: a state has as many features as units",
        "recurrent_dropout": "leave it out: the states are not dropped",
    }

    units = Integer(doc="features of the state", torch="hidden_size")
    layers = Integer(1, doc="layers above one another, each reading the outputs below", torch="num_layers")
    bidirectional = Flag(False, doc="run backward as well, the outputs side by side", torch="bidirectional")
    bias = Flag(True, doc="whether the two bias vectors are added", torch="bias")
    last = Flag(False, doc="give only the final state of each direction, PyTorch's h_n of the top layer")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if len(x.shape) != 2:
            raise LayerError(f"{self.kind} reads steps and features, T x D, not {x}")
        most = f"layers={self.layers} is beyond the limit of {MAX_LAYERS}"
        geometry.require_at_least(MAX_LAYERS, self.layers, most, "layers")
        width = self.units * len(self.directions)
        return TensorType((width,) if self.last else (x.shape[0], width), x.dtype)

    def reads_axes(self, rank: int) -> Axes | None:
        return SEQUENCE

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return SEQUENCE[-len(y.shape) :]

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        rows = self.gates * self.units
        bound = f"uniform:{self.units**-0.5}"
        specs = []
        for number, features in enumerate(self._features(x)):
            for direction in self.directions:
                shapes: dict[str, Shape] = {"weight_ih": (rows, features), "weight_hh": (rows, self.units)}
                if self.bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                for name, shape in shapes.items():
                    specs.append(ParamSpec(f"{name}_l{number}{direction}", shape, bound))
        return tuple(specs)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        runs = xs[0].shape[0] * len(self.directions)
        read = sum(features + self.units for features in self._features(xs[0]))
        return Cost(runs * self.gates * self.units * read, runs * self.layers * self.units * self.unit_ops)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """What each layer and direction reads, in a copy, and its steps; every later layer reads one.

        The first state of all layers and directions is one tensor.
        """
        directions, steps = len(self.directions), xs[0].shape[0]
        first, *later = self._features(xs[0])
        read = steps * (directions * first + sum(later))
        return Saved(each=Extra(values=read + directions * self.layers * self._saved_states(steps)))

    def saved_frozen(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Its steps alone, without what they read: that and the states before are for the weights."""
        states = self._saved_states(xs[0].shape[0]) - self._states_for_weights(xs[0].shape[0])
        return Saved(each=Extra(values=len(self.directions) * self.layers * states))

    def backward_macs(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
        """Twice the forward's, but for the state before the first step: it needs no gradient."""
        runs = len(self.directions) * self.gates * self.units
        reading = 0 if any(needs) else xs[0].numel
        return 2 * self.cost(xs, y).macs - runs * (self.layers * self.units + reading)

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        """For each layer and direction the products with its input, the states step by step, their stack."""
        operators, steps, read = Operators(), xs[0].shape[0], 0
        size = self.layers * len(self.directions) * self.units
        first = [operators.make(size) for _ in range(self.states)]
        final: list[int] = []  # the states after the last step, which PyTorch returns too
        for number, features in enumerate(self._features(xs[0])):
            sequences = []
            for _ in self.directions:
                hidden, states = self._run(operators, read, steps, features, number == 0, first)
                final += states
                sequences.append(operators.make(steps * self.units, *hidden, *final))
            read = sequences[0]
            if self.bidirectional:
                read = operators.copy(steps * self.units * 2, *sequences, *final)
        if self.last:
            operators.make(y.numel, read, *final)
        return operators

    def _run(
        self, operators: Operators, read: int, steps: int, features: int, is_first: bool, states: list[int]
    ) -> tuple[list[int], list[int]]:
        """The hidden states of one layer in one direction, and the states after its last step."""
        size = self.gates * self.units
        if is_first:
            read = operators.copy(steps * features, read)
        joined = operators.make(steps * size, read, weights=size * features)
        if is_first and self.bias:
            joined = operators.make(steps * size, joined)
        hidden = []
        for _ in range(steps):
            states = self._step(operators, joined, states)
            hidden.append(states[0])
        return hidden, states

    def _step(self, operators: Operators, joined: int, states: list[int]) -> list[int]:
        """The next states, the hidden one first."""
        total = operators.make(self.units, joined, states[0])
        return [operators.make(self.units, total)]

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        return True

    def _saved_states(self, steps: int) -> int:
        """Elements that a layer's steps save in one direction: gates, states and intermediate results."""
        return 7 * steps * self.units

    def _states_for_weights(self, steps: int) -> int:
        """The elements of the saved states that only the weights' gradients read."""
        return steps * self.units

    @property
    def directions(self) -> tuple[str, ...]:
        """The suffix of parameter names for each direction."""
        return ("", "_reverse") if self.bidirectional else ("",)

    def _features(self, x: TensorType) -> Iterator[int]:
        """How many features each layer reads."""
        yield x.shape[1]
        for _ in range(1, self.layers):
            yield self.units * len(self.directions)


class RNN(Recurrent):
    """h[t] = tanh(W x[t] + b + U h[t-1] + c), as PyTorch's RNN (Elman 1990).

    T steps take T units (D + units) multiply-adds a layer and direction, and 2 operations a unit.

    Example: `rnn: {units: 64}` on 10x32 gives 10x64
    """

    kind = "rnn"
    main = "units"
    also = ("RNN", "SimpleRNN", "simple_rnn")
    gates = 1
    unit_ops = 1 + Tanh.ops

    activation = Choice("tanh", "relu", doc="the function of the sum", torch="nonlinearity")

    def _saved_states(self, steps: int) -> int:
        return (steps + 1) * self.units

    def _states_for_weights(self, steps: int) -> int:
        return self.units


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), as PyTorch's LSTM.

    i, f, o = sigmoid and g = tanh of W x[t] + b + U h[t-1] + c, stacked as i, f, g, o;
    c[t] = f c[t-1] + i g, h[t] = o tanh(c[t]). T steps take 4 T units (D + units) multiply-adds a
    layer and direction, and 22 operations a unit.

    Example: `lstm: {units: 64}` on 10x32 gives 10x64
    """

    kind = "lstm"
    main = "units"
    also = ("LSTM",)
    instead: ClassVar[dict[str, str]] = _FIXED
    gates = 4
    states = 2
    unit_ops = 4 + 3 * Sigmoid.ops + 2 * Tanh.ops + 4

    def _step(self, operators: Operators, joined: int, states: list[int]) -> list[int]:
        hidden, cell = states
        gates = operators.make(4 * self.units, joined, hidden)
        kept = operators.make(self.units, gates, cell)
        new = operators.make(self.units, gates)
        operators.make(0, kept, new)  # added in place
        bounded = operators.make(self.units, kept)
        return [operators.make(self.units, gates, bounded), kept]


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014), as PyTorch's GRU.

    r, z = sigmoid(W x[t] + b + U h[t-1] + c), n = tanh(W x[t] + b + r (U h[t-1] + c)), stacked as
    r, z, n; h[t] = (1 - z) n + z h[t-1]. T steps take 3 T units (D + units) multiply-adds a layer and
    direction, and 17 operations a unit.

    Example: `gru: {units: 64, bidirectional: true, last: true}` on 10x32 gives 128
    """

    kind = "gru"
    main = "units"
    also = ("GRU",)
    instead: ClassVar[dict[str, str]] = _FIXED
    gates = 3
    unit_ops = 3 + 1 + 2 * Sigmoid.ops + Tanh.ops + 4

    def _step(self, operators: Operators, joined: int, states: list[int]) -> list[int]:
        gates = operators.make(3 * self.units, states[0])
        reset = operators.make(self.units, joined, gates)
        operators.make(0, gates, reset)  # the new gate in place
        return [operators.make(self.units, states[0], gates)]
