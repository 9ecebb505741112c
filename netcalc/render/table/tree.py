"""A report's lines as the tree of its blocks: each block stands above what it holds."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from netcalc.analysis import Report, Row, total
from netcalc.render.table.cells import ShownTable, cell, total_cells
from netcalc.render.table.columns import chosen_columns
from netcalc.render.table.lines import TableLine, TableView, layer_line, lines, totals
from netcalc.render.table.shares import whole_of, with_shares

_SAME = " (same)"


class Module(NamedTuple):
    """A layer, a block with what it holds, or several equal blocks that follow each other."""

    line: TableLine
    label: str
    """Its name within the block around it."""
    children: tuple["Module", ...] = ()
    like: str = ""
    """The block before it that it equals, by its name there; what it holds is shown there alone."""


def module_tree(report: Report, view: TableView) -> tuple[Module, ...]:
    """The outermost modules of a report.

    Blocks at the view's depth have no children. Of equal blocks that follow each other only the first has
    them, unless the view is of every layer.
    """
    return tuple(_modules(_leaves(report, view), 0, view))


def modules_of(layers: Iterable[TableLine]) -> tuple[Module, ...]:
    """The outermost modules of layers, each of which has a line of its own."""
    return tuple(_modules(layers, 0, TableView()))


def flattened(modules: Sequence[Module], before: str = "", level: int = 0) -> Iterator[tuple[str, Module]]:
    """Every module below the one that holds it, with what stands before its name: `│  ├─ `."""
    for module in modules:
        last = module is modules[-1]
        branch = ("└─ " if last else "├─ ") if level else ""
        yield before + branch, module
        below = ("   " if last else "│  ") if level else ""
        yield from flattened(module.children, before + below, level + 1)


def tree_view(view: TableView) -> TableView:
    """The view with the names first, where other columns were asked for."""
    if all(name.startswith("+") for name in view.wanted):
        return view
    return view._replace(wanted=("layer", *(name for name in view.wanted if name != "layer")))


def shown_tree(report: Report, view: TableView) -> ShownTable:
    """The cells of the tree; empty columns are left out unless they were asked for."""
    view = tree_view(view)
    columns = with_shares(chosen_columns(report, view), whole_of(report, view))
    branches, modules = [], []
    for branch, module in flattened(module_tree(report, view)):
        branches.append(branch)
        modules.append(module)
    names = [column.name for column in columns]
    cells = [[cell(column, module.line) for column in columns] for module in modules]
    for module, row in zip(modules, cells, strict=True):
        row[0] = module.label
        if "kind" not in names:
            row[0] += _SAME if module.like else ""
        elif module.like:
            row[names.index("kind")] = f"like {module.like}"
        elif module.line.times > 1:
            row[names.index("kind")] = f"{module.line.times} blocks"
    sums = total_cells(columns, totals(lines(report, view)))
    shown = ShownTable(columns, tuple(module.line for module in modules), [], cells, sums, tuple(branches))
    return shown.without_empty(view.wanted)


def without_kind(shown: ShownTable) -> ShownTable:
    """The tree without the column of kinds; that blocks equal the one before is said behind their names."""
    at = [column.name for column in shown.columns].index("kind")
    cells = [[row[0] + _SAME * row[at].startswith("like "), *row[1:]] for row in shown.cells]
    return shown._replace(cells=cells).without("kind")


def _leaves(report: Report, view: TableView) -> Iterator[TableLine]:
    """The lines of layers: in-place ones share that of the layer before them if one block holds both."""
    if view.every_layer:
        yield from (layer_line(report, row) for row in report.rows)
        return
    for group in report.groups:
        for _, members in groupby(group, key=lambda row: report.graph.block_of(row.node)):
            first, *folded = members
            line = layer_line(report, first, *folded)
            in_place = first is not group[0]
            yield line._replace(counted=line.figures._replace(output_bytes=0)) if in_place else line


def _modules(leaves: Iterable[TableLine], level: int, view: TableView) -> Iterator[Module]:
    """The modules of a block, or of the network; `level` is the number of blocks around them."""

    def signature(part: Sequence[TableLine]) -> tuple[object, ...]:
        return _signature(part, level, view)

    for _, members in groupby(_parts(leaves, level), key=signature):
        first, *others = members
        if len(first[0].path) <= level:
            yield Module(first[0], _layer_label(first[0]))
        elif level + 1 == view.depth:
            blocks = [first, *others]
            yield Module(_block(blocks, level), _span([_name(block, level) for block in blocks]))
        else:
            children = tuple(_modules(first, level + 1, view))
            module = Module(_block([first], level), _name(first, level), children)
            yield module
            if others:
                label = _span([_name(part, level) for part in others])
                yield Module(_block(others, level), label, like=module.label)


def _parts(leaves: Iterable[TableLine], level: int) -> Iterator[tuple[TableLine, ...]]:
    """The layers, and the blocks with all that they hold."""
    for inner, members in groupby(leaves, key=lambda leaf: leaf.path[level : level + 1]):
        if inner:
            yield tuple(members)
        else:
            yield from ((leaf,) for leaf in members)


def _signature(part: Sequence[TableLine], level: int, view: TableView) -> tuple[object, ...]:
    """What makes two blocks equal. A layer equals no other, nor does a block where every layer is shown."""
    node, path = part[0].row.node, part[0].path
    if view.every_layer or len(path) <= level:
        return (path[: level + 1], node.full_name if len(path) <= level else None)
    return tuple(
        (
            line.path[level + 1 :],
            _own_name(line, row),
            row.node.layer,
            row.input_shapes,
            row.used,
            line.figures,
        )
        for line in part
        for row in line.rows
    )


def _block(blocks: Sequence[Sequence[TableLine]], level: int) -> TableLine:
    """One line for equal blocks."""
    inside = tuple(leaf for block in blocks for leaf in block)
    first, figures = inside[0].row, total(leaf.figures for leaf in inside)
    return TableLine(
        first, inside=inside, block=inside[0].path[: level + 1], times=len(blocks), counted=figures
    )


def _name(block: Sequence[TableLine], level: int) -> str:
    return block[0].path[level]


def _span(names: Sequence[str]) -> str:
    """The names of blocks in a row: `encoder2-12` where they are numbered."""
    first, last = names[0], names[-1]
    stem = first.rstrip("0123456789")
    if len(names) == 1:
        return first
    if last.rstrip("0123456789") == stem and stem not in (first, last):
        return f"{first}-{last.removeprefix(stem)}"
    return f"{first} ... {last}"


def _layer_label(line: TableLine) -> str:
    """A layer that joins branches has their block's name, so its kind tells it."""
    return " + ".join((_own_name(line, line.row), *(row.node.layer.kind for row in line.folded)))


def _own_name(line: TableLine, row: Row) -> str:
    """The name of a row of a line within its block: the kind of what joins the block's branches."""
    node = row.node
    return node.layer.kind if row is line.row and line.path != node.path else node.name
