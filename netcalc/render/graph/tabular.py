"""The layers of a graph as a table of plain data, in the tree of their blocks."""

from collections.abc import Sequence

from netcalc.analysis import analyze
from netcalc.graph import Graph, Node
from netcalc.render.numbers import format_option
from netcalc.render.table.lines import contents, layer_line
from netcalc.render.table.tree import Module, flattened, modules_of
from netcalc.render.tabular import Cell, Table, TableColumn
from netcalc.tensor import format_shape

_COLUMNS = (
    TableColumn("layer", "layer", left=True),
    TableColumn("kind", "kind", left=True),
    TableColumn("options", "options", left=True),
    TableColumn("reads", "reads", left=True),
    TableColumn("output", "output", left=True),
)


def graph_table(graph: Graph) -> Table:
    """A row for each input, block and layer; of equal blocks in a row only the first shows its layers."""
    report = analyze(graph)
    modules = list(flattened(modules_of(layer_line(report, row) for row in report.rows)))
    given = [(one.name, "input", None, None, str(one.type)) for one in graph.inputs]
    return Table(
        _COLUMNS,
        [*given, *(_row(graph, module) for _, module in modules)],
        title=graph.name,
        source=graph.citation,
        notes=[_summary(graph, report.totals.params)],
        branches=[*("" for _ in given), *(branch for branch, _ in modules)],
    )


def _row(graph: Graph, module: Module) -> Sequence[object]:
    line, node = module.line, module.line.row.node
    name = Cell(line.name, module.label)
    if line.inside:
        kind = f"like {module.like}" if module.like else "block"
        return (name, kind, contents(line), None, format_shape(line.output_shape))
    options = ", ".join(f"{option} {format_option(value)}" for option, value in node.layer.settings().items())
    return (name, node.layer.kind, options, _reads(graph, node), str(node.output))


def _reads(graph: Graph, node: Node) -> Cell:
    """What a layer reads: by their own names the layers of its block, by their full names others."""
    block = "".join(f"{name}." for name in graph.block_of(node))
    return Cell(", ".join(node.inputs), ", ".join(name.removeprefix(block) for name in node.inputs))


def _summary(graph: Graph, params: int) -> str:
    outputs = ", ".join(f"{name} {graph.types[name]}" for name in graph.outputs)
    return f"{len(graph.nodes):,} layers, {params:,} params; output {outputs}"
