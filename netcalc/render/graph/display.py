"""A Graph that shows its layers in a notebook."""

from dataclasses import dataclass, fields

from netcalc.graph import Graph


@dataclass(frozen=True, repr=False)
class PrintedGraph(Graph):
    """A graph that a notebook shows as a table of its layers, its blocks folded."""

    @classmethod
    def of(cls, graph: Graph) -> "PrintedGraph":
        """The same graph, able to show itself."""
        return cls(**{field.name: getattr(graph, field.name) for field in fields(Graph)})

    def _repr_html_(self) -> str:
        from netcalc.render.graph.tabular import graph_table
        from netcalc.render.html import html_chunks

        return "".join(html_chunks(graph_table(self)))
