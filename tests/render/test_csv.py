"""The CSV writer: quoted cells, empty cells, and no control characters."""

import csv
import io

from netcalc.render.csv import csv_document


def test_a_document() -> None:
    chunks = list(csv_document(["name", "count"], [("a,b", 1), ('say "x"', None), ("\x1b[2J\n", 2)]))
    assert chunks == ["name,count\n", '"a,b",1\n', '"say ""x""",\n', "\\x1b[2J\\n,2\n"]
    assert list(csv.reader(io.StringIO("".join(chunks))))[1] == ["a,b", "1"]
