"""The report as a table for people: the lecture's, with totals by column and by family."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from netcalc.analysis import Figures, Report
from netcalc.render import numbers
from netcalc.render.columns import Column, channels_of, chosen_columns, sizes_of
from netcalc.render.layout import Heading, Layout, Segment, lay_out
from netcalc.render.lines import Line, View, lines, totals
from netcalc.tensor import format_shape

_MEGABYTES = ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB"), (1, "bytes"))
_EIGHTHS = " ▏▎▍▌▋▊▉█"

HEAVY = 0.15
"""From this share of a column's total on, a figure is set in bold."""

_DROPPABLE = (
    "contents",
    "from",
    "axes",
    "pad",
    "stride",
    "in_size",
    "in_channels",
    "input",
    "kernel",
    "filters",
)
"""What a narrow terminal does without, in this order."""


def table_lines(
    report: Report,
    view: View = View(),
    *,
    bars: bool = False,
    width: int | None = None,
) -> Iterator[list[Segment]]:
    """The whole view: heading, table or bars, totals by family, and what was counted how."""
    listed = lines(report, view)
    yield from _heading(report, width)
    if bars:
        yield from _bars(report, listed, width)
    else:
        yield from _table(shown_table(report, view), view, width)
    yield []
    base = lines(report, view._replace(depth=None))
    yield from _families(report, base)
    yield []
    yield from _footer(report, view, base, width)


def totals_in_words(report: Report, listed: Sequence[Line]) -> str:
    """The exact totals: `61,100,840 params, 716,767,232 multiply-adds, 2.28 MB of outputs`."""
    figures = totals(listed)
    memory = numbers.with_unit(figures.output_bytes, byte_units(report))
    buffers = f" + {figures.buffers:,} buffers" if figures.buffers else ""
    frozen = figures.params - figures.trainable_params
    split = f" ({figures.trainable_params:,} trainable, {frozen:,} frozen)" if frozen else ""
    parts = [f"{figures.params:,} params{split}{buffers}", f"{figures.macs:,} multiply-adds"]
    if report.convention.name != "macs":
        parts.append(f"{figures.flops:,} {report.convention.unit}")
    weighted = _weighted_bytes(report)
    of_these = f" ({numbers.with_unit(weighted, byte_units(report))} of conv and linear)" if weighted else ""
    return ", ".join([*parts, f"{memory} of outputs{of_these}"])


def conditions_in_words(report: Report, view: View) -> str:
    """Convention, batch, element type and units."""
    kilobyte = "KB" if report.convention.name == "lecture" else "KiB"
    in_place = "" if view.every_layer else "; activations work in place, in their layer's line"
    only = f"; only {', '.join(report.only)}" if report.only else ""
    return (
        f"{report.convention.name} convention: {report.convention.words}; "
        f"batch {report.batch}, {report.dtype.name}; {kilobyte} = 1024 bytes{in_place}{only}"
    )


def byte_units(report: Report) -> tuple[tuple[int, str], ...]:
    """The lecture prints KB and MB for 1024 and 1024^2 bytes; elsewhere they are KiB and MiB."""
    return _MEGABYTES if report.convention.name == "lecture" else numbers.BYTE_UNITS


def cell(column: Column, line: Line) -> str:
    """What a column shows of a line."""
    value = column.value(line)
    return "" if value is None else column.show(value)


def _heading(report: Report, width: int | None) -> Iterator[list[Segment]]:
    graph = report.graph
    given = ", ".join(
        format_shape(i.type.shape) if len(graph.inputs) == 1 else f"{i.name} {i.type}" for i in graph.inputs
    )
    yield [(graph.name, "bold"), ("  ", ""), (f"·  input {given}", "")]
    if graph.citation:
        yield from ([(part, "dim")] for part in wrap(graph.citation, width or 1000))
    yield []


class ShownTable(NamedTuple):
    """The table as text, before it is laid out: the same for every format."""

    columns: list[Column]
    lines: tuple[Line, ...]
    head: list[list[str]]
    cells: list[list[str]]
    sums: list[str]

    def without(self, name: str) -> "ShownTable":
        """The table without a column."""
        kept = [number for number, column in enumerate(self.columns) if column.name != name]

        def pick(row: list[str]) -> list[str]:
            return [row[number] for number in kept]

        columns = [self.columns[number] for number in kept]
        return ShownTable(
            columns, self.lines, list(map(pick, self.head)), list(map(pick, self.cells)), pick(self.sums)
        )

    def with_short_labels(self) -> "ShownTable":
        """The table with each line named by its layer alone."""
        if self.columns[0].name != "layer":
            return self
        labels = (line.label if line.inside else line.name for line in self.lines)
        return self._replace(cells=[[label, *row[1:]] for label, row in zip(labels, self.cells, strict=True)])

    def with_contents_cut(self, excess: int) -> "ShownTable":
        """The table with what the blocks hold cut short, so that it is narrower by `excess` characters."""
        names = [column.name for column in self.columns]
        if "contents" not in names:
            return self
        at = names.index("contents")
        room = max(24, max(len(row[at]) for row in self.cells) - excess)
        cut = [row[at] if len(row[at]) <= room else f"{row[at][: room - 3]}..." for row in self.cells]
        cells = [[*row[:at], text, *row[at + 1 :]] for row, text in zip(self.cells, cut, strict=True)]
        return self._replace(cells=cells)


def shown_table(report: Report, view: View = View()) -> ShownTable:
    """The cells of the table; columns that nobody asked for and that are empty go."""
    listed = lines(report, view)
    columns = chosen_columns(report, view)
    has_input = view.every_layer and view.depth is None and len(report.graph.inputs) == 1
    head = [_input_cells(columns, report)] if has_input and not report.only else []
    cells = [[cell(column, line) for column in columns] for line in listed]
    shown = ShownTable(columns, listed, head, cells, _total_cells(columns, totals(listed)))
    for column, texts in zip(columns, zip(*cells, strict=True), strict=False):
        if not any(texts) and column.name not in asked_for(view.wanted):
            shown = shown.without(column.name)
    return shown


def asked_for(wanted: Sequence[str]) -> set[str]:
    """The names of the columns that were asked for."""
    return {name.removeprefix("+") for name in wanted}


def _table(shown: ShownTable, view: View, width: int | None) -> Iterator[list[Segment]]:
    hidden = []
    layout = _laid_out(shown, width)
    if width is not None and layout.width > width:
        shown = shown.with_short_labels()
        layout = _laid_out(shown, width)
    if width is not None and layout.width > width:
        shown = shown.with_contents_cut(layout.width - width)
        layout = _laid_out(shown, width)
    for name in _DROPPABLE:
        column = next((column for column in shown.columns if column.name == name), None)
        if width is None or layout.width <= width:
            break
        if column is not None and name not in asked_for(view.wanted):
            hidden.append(f"{column.group} {column.heading}".strip())
            shown = shown.without(name)
            layout = _laid_out(shown, width)
    yield from layout.heading_lines()
    yield _rule(layout)
    yield from (layout.line([(text, "dim") for text in row]) for row in shown.head)
    everything = totals(shown.lines)
    for line, row in zip(shown.lines, shown.cells, strict=True):
        cells = zip(shown.columns, row, strict=True)
        yield layout.line([(text, _style(column, line, everything)) for column, text in cells])
    yield _rule(layout)
    yield layout.line([(text, "bold") for text in shown.sums])
    if hidden:
        told = f"not shown at {width} columns: {', '.join(hidden)}"
        yield from ([(part, "dim")] for part in wrap(told, width or 100))


def _laid_out(shown: ShownTable, width: int | None) -> Layout:
    headings = [Heading(column.group, column.heading, column.left) for column in shown.columns]
    rows = [*shown.head, *shown.cells, shown.sums]
    layout = lay_out(headings, rows, width)
    if width is not None and layout.width > width:
        short = [heading._replace(group=heading.group.removesuffix(" size")) for heading in headings]
        layout = lay_out(short, rows, width)
    return layout


def _rule(layout: Layout) -> list[Segment]:
    return [("─" * layout.width, "dim")]


def _style(column: Column, line: Line, everything: Figures) -> str:
    if not line.row.used:
        return "dim strike"
    if column.of_figures is None:
        return "cyan" if column.name == "layer" else ""
    part, whole = column.of_figures(line.figures), column.of_figures(everything)
    if part == 0:
        return "dim"
    return "bold" if part >= HEAVY * whole else ""


def _total_cells(columns: Sequence[Column], figures: Figures) -> list[str]:
    return [
        "total" if number == 0 else column.show(column.of_figures(figures)) if column.of_figures else ""
        for number, column in enumerate(columns)
    ]


def _input_cells(columns: Sequence[Column], report: Report) -> list[str]:
    """The input's own line, which stands above every layer's."""
    given = report.graph.inputs[0]
    shape, axes = given.type.shape, report.axes[given.name]
    channels, sizes = channels_of(shape, axes), sizes_of(shape, axes)
    shown = {
        "layer": given.name,
        "kind": "input",
        "output": str(given.type),
        "axes": ",".join(axes),
        "out_channels": "" if channels is None else str(channels),
        "out_size": "" if sizes is None else numbers.sizes(sizes),
    }
    return [shown.get(column.name, "") for column in columns]


def _bars(report: Report, listed: Sequence[Line], width: int | None) -> Iterator[list[Segment]]:
    """The lecture's three bar charts side by side: memory, parameters, flops of each line."""
    if not listed:
        yield [("no layers", "dim")]
        return
    columns = [column for column in chosen_columns(report, View()) if column.of_figures is not None]
    values = [[column.of_figures(line.figures) for column in columns if column.of_figures] for line in listed]
    shown = [[column.show(value) for column, value in zip(columns, row, strict=True)] for row in values]
    label = min(max((len(line.label) for line in listed), default=5), 28)
    digits = [max(map(len, texts)) for texts in zip(*shown, strict=True)]
    room = ((width or 100) - label - sum(digits) - 3 * 4) // 3
    bar = max(4, min(room, 30))
    headings = [Heading("", "layer", left=True)]
    for column in columns:
        headings += [Heading("", column.heading.replace("\n", " "), left=True), Heading("", "")]
    largest = [max(column) for column in zip(*values, strict=True)]
    layout = Layout(
        headings, [label, *(size for width in digits for size in (bar, width))], [0, *([2, 1] * 3)]
    )
    yield layout.line([(heading.text, "bold") for heading in headings])
    yield _rule(layout)
    for line, numbers_row, texts in zip(listed, values, shown, strict=True):
        cells: list[Segment] = [(line.label, "cyan")]
        for value, text, most, colour in zip(
            numbers_row, texts, largest, ("blue", "magenta", "green"), strict=True
        ):
            cells += [(draw_bar(value, most, bar), colour), (text, "" if value else "dim")]
        yield layout.line(cells)


def draw_bar(value: int, most: int, width: int) -> str:
    """A bar of eighths of a character; anything above nothing shows."""
    if value == 0:
        return ""
    eighths = max(1, value * width * 8 // most)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def _families(report: Report, listed: Sequence[Line]) -> Iterator[list[Segment]]:
    """Totals by kind of layer, each with its share and a bar."""
    groups: dict[str, list[Line]] = {}
    for line in listed:
        groups.setdefault(line.row.node.layer.family, []).append(line)
    columns = [column for column in chosen_columns(report, View()) if column.of_figures is not None]
    everything = totals(listed)
    headings = [Heading("", "by kind", left=True), Heading("", "lines")]
    for column in columns:
        headings += [
            Heading("", column.heading.replace("\n", " ")),
            Heading("", ""),
            Heading("", "", left=True),
        ]
    rows: list[list[str]] = []
    for family, members in groups.items():
        figures = totals(members)
        row = [family, str(len(members))]
        for column in columns:
            assert column.of_figures is not None
            part, whole = column.of_figures(figures), column.of_figures(everything)
            row += [column.show(part), numbers.percent(part, whole), draw_bar(part, whole or 1, 6)]
        rows.append(row)
    widths = [max(len(heading.text), *(len(row[at]) for row in rows)) if rows else len(heading.text)
              for at, heading in enumerate(headings)]  # fmt: skip
    layout = Layout(headings, widths, [0, 2, *([2, 1, 1] * len(columns))])
    yield layout.line([(heading.text, "bold") for heading in headings])
    styles = ["cyan", "", *(["", "dim", "blue", "", "dim", "magenta", "", "dim", "green"])]
    for row in rows:
        yield layout.line(list(zip(row, styles, strict=True)))


def _footer(report: Report, view: View, listed: Sequence[Line], width: int | None) -> Iterator[list[Segment]]:
    texts = [totals_in_words(report, listed), conditions_in_words(report, view)]
    unused = sorted(report.graph.unused)
    if unused:
        texts.append(
            f"no output depends on {', '.join(unused[:8])}{' and others' if len(unused) > 8 else ''}"
        )
    crooked = [
        row.node.full_name for row in report.rows if row.receptive_field and not row.receptive_field.aligned
    ]
    if crooked:
        texts.append(f"paths with differently centred receptive fields join in {', '.join(crooked[:8])}")
    for text, style in zip(texts, ["bold", "dim", "yellow", "yellow"], strict=False):
        yield from ([(part, style)] for part in wrap(text, width or 100))


def _weighted_bytes(report: Report) -> int:
    """The lecture compares networks by the outputs of convolution and linear layers alone."""
    families = report.by_family
    if "convolution" not in families:
        return 0
    return sum(families[family].output_bytes for family in ("convolution", "linear") if family in families)
