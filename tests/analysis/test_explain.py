"""What explains a figure agrees with what counts it."""

from pathlib import Path

from netcalc import load
from netcalc.analysis import analyze
from netcalc.analysis.explain import explain

TIED = """
input: [7]
layers:
  - embedding: {name: words, entries: 100, width: 16}
  - linear: {name: head, units: 100, bias: false, share: words}
"""


def test_shared_parameters_are_explained_where_they_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "tied.yaml"
    path.write_text(TIED)
    report = analyze(load(path))
    words, head = ({e.figure: e for e in explain(report, row)} for row in report.rows)
    assert words["params"].value == 1600
    assert (head["params"].value, head["params"].remark) == (0, "shared with words")
    assert head["macs"].value == 7 * 16 * 100
