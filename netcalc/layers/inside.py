"""What a layer makes inside itself while it runs, one operator after the other, as PyTorch's do.

A layer states its operators; when its tensors come and go follows from them: each lives to the last operator
that reads it. Attention is the case in point: its scores can be the largest tensors of a network.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from netcalc.layers.kept import Extra

_NONE = Extra()


class Operator(NamedTuple):
    """One step of a layer. Tensors are numbered: the layer's inputs first, then what each operator makes."""

    reads: tuple[int, ...]
    each: Extra
    """The elements of what it makes, for each sample."""
    once: Extra
    """Those of the batch as a whole."""
    beside: Extra
    """What it makes for each sample beside that, which nobody reads."""
    weights: int
    """The learned elements that it reads."""
    keeps: tuple[int, ...]
    """The tensors that its way back reads."""
    copies: bool
    """Whether it only moves elements: on the way back the gradient of what it read is that of its result."""


class Moment(NamedTuple):
    """What lives while one operator runs."""

    each: Extra = Extra()
    """What the layer made before its output, for each sample."""
    once: Extra = _NONE
    """The same for the batch as a whole."""
    inputs: frozenset[int] | None = None
    """The inputs that it or a later operator reads; None for all."""
    output: bool = True
    """Whether the layer's output is there."""


class BackMoment(NamedTuple):
    """What lives while the gradients of one operator are computed."""

    each: Extra
    """Gradients of what the layer made before its output, for each sample."""
    came: bool
    """Whether the gradient of the layer's output is there."""
    gives: frozenset[int]
    """The inputs of the layer whose gradients are."""
    weights: int
    """The learned elements whose gradients are there."""
    gone: Extra
    """What the layer kept of each sample and no longer needs."""


class Inside:
    """The operators of a layer, in order; the last one makes its output."""

    def __init__(self, inputs: int = 1) -> None:
        self.inputs = inputs
        self.operators: list[Operator] = []

    def make(
        self,
        values: int,
        *reads: int,
        each: Extra = _NONE,
        once: Extra = _NONE,
        beside: Extra = _NONE,
        weights: int = 0,
        keeps: tuple[int, ...] = (),
        copies: bool = False,
    ) -> int:
        """Add an operator; the number of the tensor that it makes."""
        made = each._replace(values=each.values + values)
        self.operators.append(Operator(reads, made, once, beside, weights, keeps, copies))
        return self.inputs + len(self.operators) - 1

    def product(self, values: int, *reads: int, weights: int = 0, beside: Extra = _NONE) -> int:
        """Add an operator whose way back reads what it read."""
        return self.make(values, *reads, weights=weights, beside=beside, keeps=reads)

    def softmax(self, values: int, read: int) -> int:
        """Add an operator whose way back reads its result."""
        return self.make(values, read, keeps=(self.inputs + len(self.operators),))

    def attention(self, values: int, *reads: int, beside: Extra) -> int:
        """Add an operator whose way back reads what it read and its result."""
        own = self.inputs + len(self.operators)
        return self.make(values, *reads, beside=beside, keeps=(*reads, own))

    def copy(self, values: int, *reads: int, once: Extra = _NONE) -> int:
        """Add an operator that moves elements."""
        return self.make(values, *reads, once=once, copies=True)

    def moments(self) -> Iterator[Moment]:
        """What lives while each operator runs."""
        last = {number: place for place, operator in enumerate(self.operators) for number in operator.reads}
        live = set[int]()
        for place, operator in enumerate(self.operators):
            is_output = place == len(self.operators) - 1
            each, once = operator.beside, Extra()
            for number in live:
                each, once = each.plus(self._made(number).each), once.plus(self._made(number).once)
            once = once.plus(operator.once)
            if not is_output:
                live.add(self.inputs + place)
                each = each.plus(operator.each)
            still = frozenset(number for number in range(self.inputs) if last.get(number, -1) >= place)
            yield Moment(each, once, still, is_output)
            live = {number for number in live if last.get(number, -1) > place}

    def back_moments(self) -> Iterator[BackMoment]:
        """What lives while the gradients of each operator are computed, from the last on."""
        gradients: dict[int, Extra] = {}  # of what is made inside, by number; a copy's is not new
        gives, weights, came = frozenset[int](), 0, self.inputs + len(self.operators) - 1
        keepers = Counter(number for operator in self.operators for number in operator.keeps)
        gone = Extra()
        for place in range(len(self.operators) - 1, -1, -1):
            operator, number = self.operators[place], self.inputs + place
            own = gradients.get(number, Extra())
            for read in operator.reads:
                if read < self.inputs:
                    gives |= {read}
                if read >= self.inputs and read not in gradients:
                    gradients[read] = own if operator.copies else self._made(read).each
            if operator.copies and number in gradients:
                del gradients[number]
            weights += operator.weights
            each = Extra()
            for extra in gradients.values():
                each = each.plus(extra)
            yield BackMoment(each, number == came, gives, weights, gone)
            gradients.pop(number, None)
            gone = gone.plus(operator.beside if operator.keeps else Extra())
            for kept in operator.keeps:
                keepers[kept] -= 1
                if not keepers[kept] and self.inputs <= kept < came:
                    gone = gone.plus(self._made(kept).each)

    def _made(self, number: int) -> Operator:
        return self.operators[number - self.inputs]
