"""LaTeX: every table in LaTeX comes here, in the style of the booktabs package."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from netcalc.render.escaping import visible
from netcalc.render.tabular import Table, TableColumn, branched, texts

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip

_BRANCH = 3
"""Characters of a tree's branch for each level."""


def latex_chunks(table: Table) -> Iterator[str]:
    """The lines of a tabular, with the title and the notes as comments above it."""
    alignment = "".join("l" if column.left else "r" for column in table.columns)
    title = " ".join(table.title.split())
    comments = [*table.notes]
    if title:
        comments[:1] = [f"{title}: {comments[0]}" if comments else title]
    for comment in comments:
        yield f"% {visible(comment)}\n"
    yield f"% needs \\usepackage{{booktabs}}\n\\begin{{tabular}}{{{alignment}}}\n\\toprule\n"
    yield from _headings(table.columns)
    yield "\\midrule\n"
    for branch, row in branched(table):
        yield "\\quad " * (len(branch) // _BRANCH) + _row(texts(table.columns, row))
    if table.sums:
        yield "\\midrule\n" + _row(texts(table.columns, table.sums))
    yield "\\bottomrule\n\\end{tabular}\n"


def _headings(columns: Sequence[TableColumn]) -> Iterator[str]:
    if any(column.group for column in columns):
        groups, rules, start = [], [], 1
        for name, members in groupby(columns, key=lambda column: column.group):
            width = len(list(members))
            groups += [f"\\multicolumn{{{width}}}{{c}}{{{_escaped(name)}}}"] if name else [""] * width
            rules += [f"\\cmidrule(lr){{{start}-{start + width - 1}}}"] if name else []
            start += width
        yield f"{' & '.join(groups)} \\\\\n" + "".join(rules) + "\n"
    yield _row([column.heading.replace("\n", " ") for column in columns])


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(map(_escaped, cells))} \\\\\n"


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in visible(text))
