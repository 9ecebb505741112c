"""What is alive while each operator of a layer runs, forward and backward."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from netcalc.layers.operators import Operators
from netcalc.layers.saved import Extra


class Moment(NamedTuple):
    """What is alive while one operator runs."""

    each: Extra = Extra()
    """Tensors between the layer's inputs and its output, for each sample."""
    once: Extra = Extra()
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


def forward_moments(operators: Operators) -> Iterator[Moment]:
    """What is alive while each operator runs."""
    last = {number: place for place, operator in enumerate(operators.listed) for number in operator.reads}
    live = set[int]()
    for place, operator in enumerate(operators.listed):
        is_output = place == len(operators.listed) - 1
        each, once = operator.workspace, Extra()
        for number in live:
            each, once = each.plus(operators.maker(number).each), once.plus(operators.maker(number).once)
        once = once.plus(operator.once)
        if not is_output:
            live.add(operators.inputs + place)
            each = each.plus(operator.each)
        still = frozenset(number for number in range(operators.inputs) if last.get(number, -1) >= place)
        yield Moment(each, once, still, is_output)
        live = {number for number in live if last.get(number, -1) > place}


def backward_moments(operators: Operators) -> Iterator[BackwardMoment]:
    """What is alive while the gradients of each operator are computed, from the last to the first."""
    gradients: dict[int, Extra] = {}  # by tensor number; a copy passes its own on
    input_gradients, weights, output = frozenset[int](), 0, operators.inputs + len(operators.listed) - 1
    savers = Counter(number for operator in operators.listed for number in operator.saves)
    freed = Extra()
    for place in range(len(operators.listed) - 1, -1, -1):
        operator, number = operators.listed[place], operators.inputs + place
        own = gradients.get(number, Extra())
        for read in operator.reads:
            if read < operators.inputs:
                input_gradients |= {read}
            if read >= operators.inputs and read not in gradients:
                gradients[read] = own if operator.copies else operators.maker(read).each
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
            if not savers[saved] and operators.inputs <= saved < output:
                freed = freed.plus(operators.maker(saved).each)
