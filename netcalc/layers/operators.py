"""The operators that a layer runs, one after the other, as PyTorch's do.

A layer lists its operators. The lifetimes of their tensors follow: each lives to the last operator that reads
it. In attention the scores can be the largest tensors of a network.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from netcalc.layers.saved import Extra

_NONE = Extra()


class Operator(NamedTuple):
    """One step of a layer. Tensors are numbered: the layer's inputs first, then each operator's output."""

    reads: tuple[int, ...]
    each: Extra
    """The elements of its output, for each sample."""
    once: Extra
    """Those that exist once for the whole batch."""
    workspace: Extra
    """What it makes for each sample in addition to its output, such as a maximum's indices."""
    weights: int
    """The learned elements that it reads."""
    saves: tuple[int, ...]
    """The tensors that its backward reads."""
    copies: bool
    """Whether it only moves elements: its input's gradient then takes its output's memory."""


class Moment(NamedTuple):
    """What is alive while one operator runs."""

    each: Extra = Extra()
    """Tensors between the layer's inputs and its output, for each sample."""
    once: Extra = _NONE
    """Those that exist once for the whole batch."""
    inputs: frozenset[int] | None = None
    """The inputs that it or a later operator reads; None for all."""
    output: bool = True
    """Whether the layer's output exists."""


class BackwardMoment(NamedTuple):
    """What is alive while the gradients of one operator are computed."""

    each: Extra
    """Gradients of tensors between the layer's inputs and its output, for each sample."""
    has_output_gradient: bool
    """Whether the gradient of the layer's output exists."""
    input_gradients: frozenset[int]
    """The inputs of the layer whose gradients exist."""
    weights: int
    """The learned elements whose gradients exist."""
    freed: Extra
    """What of the saved tensors is freed, for each sample."""


class Operators:
    """The operators of a layer, in order; the last one makes its output."""

    def __init__(self, inputs: int = 1) -> None:
        self.inputs = inputs
        self.listed: list[Operator] = []

    def make(
        self,
        values: int,
        *reads: int,
        each: Extra = _NONE,
        once: Extra = _NONE,
        workspace: Extra = _NONE,
        weights: int = 0,
        saves: tuple[int, ...] = (),
        copies: bool = False,
    ) -> int:
        """Add an operator; the number of its output."""
        made = each._replace(values=each.values + values)
        self.listed.append(Operator(reads, made, once, workspace, weights, saves, copies))
        return self.inputs + len(self.listed) - 1

    def product(self, values: int, *reads: int, weights: int = 0, workspace: Extra = _NONE) -> int:
        """Add an operator whose backward reads its inputs."""
        return self.make(values, *reads, weights=weights, workspace=workspace, saves=reads)

    def softmax(self, values: int, read: int) -> int:
        """Add an operator whose backward reads its output."""
        return self.make(values, read, saves=(self.inputs + len(self.listed),))

    def attention(self, values: int, *reads: int, workspace: Extra) -> int:
        """Add an operator whose backward reads its inputs and its output."""
        own = self.inputs + len(self.listed)
        return self.make(values, *reads, workspace=workspace, saves=(*reads, own))

    def copy(self, values: int, *reads: int, once: Extra = _NONE) -> int:
        """Add an operator that moves elements."""
        return self.make(values, *reads, once=once, copies=True)

    def moments(self) -> Iterator[Moment]:
        """What is alive while each operator runs."""
        last = {number: place for place, operator in enumerate(self.listed) for number in operator.reads}
        live = set[int]()
        for place, operator in enumerate(self.listed):
            is_output = place == len(self.listed) - 1
            each, once = operator.workspace, Extra()
            for number in live:
                each, once = each.plus(self._maker(number).each), once.plus(self._maker(number).once)
            once = once.plus(operator.once)
            if not is_output:
                live.add(self.inputs + place)
                each = each.plus(operator.each)
            still = frozenset(number for number in range(self.inputs) if last.get(number, -1) >= place)
            yield Moment(each, once, still, is_output)
            live = {number for number in live if last.get(number, -1) > place}

    def backward_moments(self) -> Iterator[BackwardMoment]:
        """What is alive while the gradients of each operator are computed, from the last to the first."""
        gradients: dict[int, Extra] = {}  # by tensor number; a copy passes its own on
        input_gradients, weights, output = frozenset[int](), 0, self.inputs + len(self.listed) - 1
        savers = Counter(number for operator in self.listed for number in operator.saves)
        freed = Extra()
        for place in range(len(self.listed) - 1, -1, -1):
            operator, number = self.listed[place], self.inputs + place
            own = gradients.get(number, Extra())
            for read in operator.reads:
                if read < self.inputs:
                    input_gradients |= {read}
                if read >= self.inputs and read not in gradients:
                    gradients[read] = own if operator.copies else self._maker(read).each
            if operator.copies and number in gradients:
                del gradients[number]
            weights += operator.weights
            each = Extra()
            for extra in gradients.values():
                each = each.plus(extra)
            yield BackwardMoment(each, number == output, input_gradients, weights, freed)
            gradients.pop(number, None)
            freed = freed.plus(operator.workspace if operator.saves else Extra())
            for saved in operator.saves:
                savers[saved] -= 1
                if not savers[saved] and self.inputs <= saved < output:
                    freed = freed.plus(self._maker(saved).each)

    def _maker(self, number: int) -> Operator:
        return self.listed[number - self.inputs]
