"""The writers of tables: CSV, Markdown and LaTeX of one description."""

import csv
import io

from netcalc.render.csv import csv_chunks
from netcalc.render.latex import latex_chunks
from netcalc.render.markdown import markdown_chunks
from netcalc.render.tabular import Cell, Table, TableColumn

COLUMNS = (
    TableColumn("name", "layer", left=True),
    TableColumn("count", "count\n(k)", lambda count: f"{count / 1000:g}", group="layer"),
    TableColumn("bytes", "bytes", group="output size", full_heading="out bytes"),
)
ROWS = [("a,b", 1000, Cell(5, "five")), ("a_1|\x1b[2J\n", 2500, None)]
TABLE = Table(COLUMNS, ROWS, ("total", 3500, None), "N_1\n*", "S & T", ["first 5%", "second_"])


def test_csv_has_plain_values() -> None:
    chunks = list(csv_chunks(TABLE))
    assert chunks == ["name,count,bytes\n", '"a,b",1000,5\n', "a_1|\\x1b[2J\\n,2500,\n"]
    assert list(csv.reader(io.StringIO("".join(chunks))))[1] == ["a,b", "1000", "5"]
    quoted = Table(COLUMNS[:1], [('say "x"',)])
    assert list(csv_chunks(quoted))[1] == '"say ""x"""\n'


def test_csv_is_written_as_rows_are_made() -> None:
    made: list[int] = []

    def rows() -> list[tuple[int]]:
        made.append(0)
        return [(0,)]

    chunks = csv_chunks(Table(COLUMNS[:1], (row for _ in range(3) for row in rows())))
    assert (next(chunks), made) == ("name\n", [])
    assert (next(chunks), made) == ("0\n", [0])


def test_markdown() -> None:
    assert "".join(markdown_chunks(TABLE)) == (
        "### N\\_1 \\*\n\nS & T\n\n"
        "| layer | layer count (k) | out bytes |\n| :-- | --: | --: |\n"
        "| a,b | 1 | five |\n| a\\_1\\|\\x1b\\[2J | 2.5 |  |\n| **total** | **3.5** |  |\n"
        "\nfirst 5%\n\nsecond\\_\n"
    )
    assert "".join(markdown_chunks(Table(COLUMNS[:1], []))) == "| layer |\n| :-- |\n"


def test_latex() -> None:
    lines = "".join(latex_chunks(TABLE)).splitlines()
    assert lines == [
        "% N_1 *: first 5%", "% second_", r"% needs \usepackage{booktabs}", r"\begin{tabular}{lrr}", r"\toprule",
        r" & \multicolumn{1}{c}{layer} & \multicolumn{1}{c}{output size} \\",
        r"\cmidrule(lr){2-2}\cmidrule(lr){3-3}", r"layer & count (k) & bytes \\", r"\midrule",
        r"a,b & 1 & five \\", r"a\_1\textbar{}\textbackslash{}x1b[2J\textbackslash{}n & 2.5 &  \\", r"\midrule",
        r"total & 3.5 &  \\", r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip
    special = "".join(latex_chunks(Table(COLUMNS[:1], [("<a>|b",)])))
    assert r"\textless{}a\textgreater{}\textbar{}b \\" in special
    bare = "".join(latex_chunks(Table(COLUMNS[:1], [("a",)]))).splitlines()
    assert bare[0] == r"% needs \usepackage{booktabs}"
    assert bare[-3:] == [r"a \\", r"\bottomrule", r"\end{tabular}"]


def test_rows_of_a_tree_are_indented() -> None:
    tree = Table(COLUMNS[:1], [("a",), ("b_1",), ("c",)], branches=["", "├─ ", "│  └─ "])
    assert "".join(markdown_chunks(tree)).splitlines()[2:] == [
        "| a |",
        "| ├─&nbsp;b\\_1 |",
        "| │&nbsp;&nbsp;└─&nbsp;c |",
    ]
    rows = [line for line in "".join(latex_chunks(tree)).splitlines() if line.endswith(r"\\")]
    assert rows[1:] == [r"a \\", r"\quad b\_1 \\", r"\quad \quad c \\"]
    assert list(csv_chunks(tree)) == ["name\n", "a\n", "b_1\n", "c\n"]
