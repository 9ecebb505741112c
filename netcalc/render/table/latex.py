"""The report as a LaTeX table in the style of the booktabs package, for slides and papers."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from netcalc.analysis import Report
from netcalc.render.escaping import visible
from netcalc.render.table.cells import shown_table
from netcalc.render.table.columns import Column
from netcalc.render.table.lines import TableView
from netcalc.render.table.words import footer_in_words

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
}  # fmt: skip


def latex_chunks(report: Report, view: TableView = TableView()) -> Iterator[str]:
    """The lines of a tabular, with what was counted as comments above it."""
    shown = shown_table(report, view)
    alignment = "".join("l" if column.left else "r" for column in shown.columns)
    first, *others = footer_in_words(report, view)
    yield f"% {visible(' '.join(report.graph.name.split()))}: {first}\n"
    yield from (f"% {text}\n" for text in others)
    yield f"% needs \\usepackage{{booktabs}}\n\\begin{{tabular}}{{{alignment}}}\n\\toprule\n"
    yield from _headings(shown.columns)
    yield "\\midrule\n"
    for cells in shown.head:
        yield _row([_escaped(text) for text in cells])
    branches = shown.branches or [""] * len(shown.cells)
    for branch, cells in zip(branches, shown.cells, strict=True):
        name, *others = map(_escaped, cells)
        yield _row(["\\quad " * (len(branch) // 3) + name, *others])
    yield "\\midrule\n" + _row([_escaped(text) for text in shown.sums])
    yield "\\bottomrule\n\\end{tabular}\n"


def _headings(columns: Sequence[Column]) -> Iterator[str]:
    if any(column.group for column in columns):
        groups, rules, start = [], [], 1
        for name, members in groupby(columns, key=lambda column: column.group):
            width = len(list(members))
            groups += [f"\\multicolumn{{{width}}}{{c}}{{{_escaped(name)}}}"] if name else [""] * width
            rules += [f"\\cmidrule(lr){{{start}-{start + width - 1}}}"] if name else []
            start += width
        yield _row(groups) + "".join(rules) + "\n"
    yield _row([_escaped(column.heading.replace("\n", " ")) for column in columns])


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\\n"


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in visible(text))
