"""A network for design rules: navigation from a layer to those before and after it."""

from collections.abc import Iterator
from functools import cached_property
from math import prod

from netcalc.analysis import Report, Row
from netcalc.graph import Graph, Node
from netcalc.tensor import TensorType


class Net:
    """A report for one sample, and the training batch."""

    def __init__(self, report: Report, batch: int) -> None:
        self.report = report
        self.batch = batch

    @property
    def graph(self) -> Graph:
        return self.report.graph

    @cached_property
    def outputs(self) -> frozenset[str]:
        """The names of the network's outputs."""
        return frozenset(self.graph.outputs)

    @cached_property
    def rows(self) -> dict[str, Row]:
        """The report's rows by full name."""
        return {row.node.full_name: row for row in self.report.rows}

    def above(self, node: Node) -> Node | None:
        """The layer whose output is a node's only input; None for inputs of the network."""
        row = self.rows.get(node.inputs[0]) if len(node.inputs) == 1 else None
        return None if row is None else row.node

    def upward(self, node: Node) -> Iterator[Node]:
        """The chain of layers above a node, as long as each has one reader and is no output."""
        above = self.above(node)
        while above is not None and self.only_reader(above) is not None:
            yield above
            above = self.above(above)

    def narrowing(self, node: Node) -> Node | None:
        """The layer above a node whose input last had more than one position."""
        above = self.above(node)
        while above is not None and positions(self.input(above)) == 1:
            above = self.above(above)
        return above

    def producer(self, name: str) -> Node | None:
        """The layer that computes a tensor's values, looking through views; None for an input."""
        row = self.rows.get(name)
        while row is not None and row.node.layer.view_in(training=False) is not None:
            row = self.rows.get(row.node.inputs[0])
        return None if row is None else row.node

    def only_reader(self, node: Node) -> Node | None:
        """The only reader of a node; None where it has several, or is an output."""
        return self.graph.only_reader(node.full_name)

    def input(self, node: Node) -> TensorType:
        """The type of the first tensor that a node reads."""
        return self.graph.types[node.inputs[0]]

    @cached_property
    def heads(self) -> frozenset[str]:
        """The layers with weights that no other layer with weights follows."""
        followed: set[str] = set()
        heads = set()
        for node in reversed(self.graph.nodes):
            if node.full_name in followed:
                followed.update(node.inputs)
            elif node.layer.weighted:
                heads.add(node.full_name)
                followed.update(node.inputs)
        return frozenset(heads)


def positions(type: TensorType) -> int:
    """The number of positions of a channels-first tensor; 1 without spatial axes."""
    return prod(type.shape[1:])
