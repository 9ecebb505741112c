"""The operators that a layer runs, one after the other, as PyTorch's do.

A layer lists its operators. The lifetimes of their tensors follow: each lives to the last operator that reads
it. In attention the scores can be the largest tensors of a network.
"""

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

    def maker(self, number: int) -> Operator:
        """The operator that makes a tensor inside the layer."""
        return self.listed[number - self.inputs]
