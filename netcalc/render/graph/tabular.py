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
    TableColumn("output", "output", left=True),
    TableColumn("reads", "reads", left=True),
)


def graph_table(graph: Graph) -> Table:
    """A row for each input, block and layer; of equal blocks in a row only the first shows its layers."""
    report = analyze(graph)
    modules = list(flattened(modules_of(layer_line(report, row) for row in report.rows)))
    given = [(one.name, "input", None, str(one.type), None) for one in graph.inputs]
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
        return (name, kind, contents(line), format_shape(line.output_shape), None)
    options = ", ".join(f"{option} {format_option(value)}" for option, value in node.layer.settings().items())
    return (name, node.layer.kind, options, str(node.output), _reads(graph, node))


def _reads(graph: Graph, node: Node) -> Cell:
    """What a layer reads, by the names that a spec could use in its place."""
    return Cell(", ".join(node.inputs), ", ".join(_seen_from(graph, node, name) for name in node.inputs))


def _seen_from(graph: Graph, node: Node, name: str) -> str:
    """The shortest name of a tensor in the block of a node: names resolve from the inside out."""
    block = graph.block_of(node)
    for depth in range(len(block), 0, -1):
        around = "".join(f"{part}." for part in block[:depth])
        if name.startswith(around):
            short = name.removeprefix(around)
            nearer = (".".join((*block[:end], short)) for end in range(depth + 1, len(block) + 1))
            return name if any(other in graph.types for other in nearer) else short
    return name


def _summary(graph: Graph, params: int) -> str:
    outputs = ", ".join(f"{name} {graph.types[name]}" for name in graph.outputs)
    layers = f"{len(graph.nodes):,} layer{'s' * (len(graph.nodes) != 1)}"
    return f"{layers}, {params:,} params; output {outputs}"
