"""A network as the design rules ask about it: what stands above a layer, and what reads it."""

from collections.abc import Iterator
from functools import cached_property
from math import prod

from netcalc.analysis import Report, Row
from netcalc.graph import Graph, Node
from netcalc.tensor import TensorType


class Net:
    """A counted graph for one sample, and the batch that it is trained with."""

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
        """The report's rows, by the layers' full names."""
        return {row.node.full_name: row for row in self.report.rows}

    def above(self, node: Node) -> Node | None:
        """The layer that a node reads, where it reads one alone; None for an input."""
        row = self.rows.get(node.inputs[0]) if len(node.inputs) == 1 else None
        return None if row is None else row.node

    def upward(self, node: Node) -> Iterator[Node]:
        """The layers above a node, as long as each is read by one layer and is no output."""
        above = self.above(node)
        while above is not None and self.only_reader(above) is not None:
            yield above
            above = self.above(above)

    def maker(self, name: str) -> Node | None:
        """The layer that computes a tensor's values, through views and dropout; None for an input."""
        row = self.rows.get(name)
        while row is not None and row.node.layer.view_in(training=False) is not None:
            row = self.rows.get(row.node.inputs[0])
        return None if row is None else row.node

    def only_reader(self, node: Node) -> Node | None:
        """The layer that reads a node, where nothing else does."""
        return self.graph.only_reader(node.full_name)

    def input(self, node: Node) -> TensorType:
        """The type of the first tensor that a node reads."""
        return self.graph.types[node.inputs[0]]

    @cached_property
    def heads(self) -> frozenset[str]:
        """The layers with weights after which no other one comes."""
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
    """The positions of a channel-first tensor; 1 where it has no space."""
    return prod(type.shape[1:])
