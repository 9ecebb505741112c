"""Where texts are cut: what blocks hold, source lines around a mistake, summaries beside long kinds."""

import pytest
from rich.cells import cell_len

from netcalc.analysis.memory import inference, training
from netcalc.layers import LAYERS
from netcalc.render.diagnostics import _window
from netcalc.render.layout import cut_end, cut_start
from netcalc.render.memory.result import MemoryResult
from netcalc.render.memory.text import memory_lines
from netcalc.render.reference.layers import index_lines
from netcalc.render.table.cells import ShownTable, shown_table
from netcalc.render.table.lines import TableView

from helpers import graph_of, report_of

BLOCK = """
input: [3, 32, 32]
blocks:
  unit(name_of_another_unit, n):
    - conv: {each: {f: [8, 16, 24, 32, 40, 48]}, filters: $f, kernel: 3, pad: 1, repeat: $n}
layers:
  - unit: {name: first_unit_with_a_long_name, name_of_another_unit: 1, n: 1}
  - unit: {name: second, name_of_another_unit: 1, n: 1}
  - add: {from: [first_unit_with_a_long_name, second]}
"""
SPEC = (
    BLOCK.replace("name_of_another_unit, ", "")
    .replace("name_of_another_unit: 1, ", "")
    .replace(", repeat: $n", "")
)


def column(shown: ShownTable, name: str) -> list[str]:
    at = [column.name for column in shown.columns].index(name)
    return [row[at] for row in shown.cells]


def test_contents_are_cut_at_their_end_and_no_more_than_needed() -> None:
    shown = shown_table(report_of(SPEC), TableView(depth=1))
    whole = "[3x3 8, 3x3 16, 3x3 24, 3x3 32, 3x3 40, 3x3 48]"
    assert column(shown, "contents")[0] == whole
    assert column(shown.with_cut("contents", 0), "contents")[0] == whole
    for excess in (1, 10, len(whole) - 24):
        cut = column(shown.with_cut("contents", excess), "contents")[0]
        assert cut == f"{whole[: len(whole) - excess - 1].rstrip()}…"
    assert column(shown.with_cut("contents", 1000), "contents")[0] == f"{whole[:23]}…"
    assert column(shown.with_cut("contents", 1000), "layer") == column(shown, "layer")
    assert shown.with_cut("from", 10) == shown


def test_names_are_cut_in_their_middle_and_lists_at_their_end() -> None:
    view = TableView(wanted=("layer", "from", "params"))
    shown = shown_table(report_of(SPEC), view)
    reads = column(shown.with_texts_cut(view.wanted, lambda _: 100, 60), "from")
    assert reads[1] == "first_uni…long_name.conv1"[:9] + "…" + "_long_name.conv1"[-14:]
    assert reads[-1].startswith("first_unit_with_a_long_")
    assert reads[-1].endswith("…")
    assert {cell_len(text) for text in (reads[1], reads[-1])} == {24}
    assert shown.with_texts_cut((), lambda _: 100, 60) == shown


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (16, ("aaaa", "bbbbbbbb", "cccc")),
        (15, ("…aa", "bbbbbbbb", "cccc")),
        (10, ("", "bbbbbbbb", "c…")),
        (9, ("", "bbbbbbbb", "…")),
        (8, ("…", "bbbbbb…", "")),
        (4, ("…", "bb…", "")),
    ],
)
def test_a_source_line_is_cut_around_the_carets(room: int, shown: tuple[str, str, str]) -> None:
    assert _window("aaaabbbbbbbbcccc", 4, 8, room) == shown
    assert sum(map(cell_len, shown)) <= room


def test_no_room_holds_nothing() -> None:
    assert [
        cut(text, width) for cut in (cut_end, cut_start) for text in ("", "abc") for width in (0, -3)
    ] == [""] * 8


@pytest.mark.parametrize("width", [60, 80, 100])
def test_summaries_begin_at_one_column(width: int) -> None:
    """Beside the longest kind where there is room; else at 22, and longer kinds stand alone."""
    lines = ["".join(text for text, _ in line) for line in index_lines(width)]
    longest = max(map(len, LAYERS))
    at = longest + 4 if width - longest >= 50 else 22
    for kind in LAYERS:
        (line,) = (line for line in lines if line.split()[:1] == [kind] and line.startswith("  "))
        if 2 + len(kind) + 2 > at:
            assert line.strip() == kind
        else:
            assert line[:at].strip() == kind
            assert line[at] != " "


@pytest.mark.parametrize(
    ("items", "optimiser", "inside"),
    [
        ("[{conv: {filters: 2, kernel: 1}}, {maxpool: 8}, flatten, {linear: 3000}]", "adam", "the optimiser"),
        ("[{slice: {axis: 1, start: 0, end: 1}}, {reshape: [32, 3]}, {lstm: 64}]", "sgd", "lstm"),
    ],
)  # fmt: skip
def test_what_is_inside_a_layer_at_the_peak_names_its_kind(items: str, optimiser: str, inside: str) -> None:
    graph = graph_of(f"input: [3, 32, 32]\nlayers: {items}\n")
    view = MemoryResult(
        graph, 1, "float32", optimiser, inference(graph, "float32"), training(graph, "float32", optimiser)
    )
    lines = ["".join(text for text, _ in line) for line in memory_lines(view, 80)]
    assert any(f"of them inside {inside} " in line for line in lines), lines
