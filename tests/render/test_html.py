"""What a notebook shows: tables in HTML, whose blocks fold."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

import pytest

import netcalc
from netcalc.analysis import Report
from netcalc.graph import Graph
from netcalc.render.graph.display import PrintedGraph
from netcalc.render.html import html_chunks
from netcalc.render.table.cells import shown_table
from netcalc.render.table.html import html_chunks as report_chunks
from netcalc.render.table.lines import TableView
from netcalc.render.table.tabular import shown_as_table
from netcalc.render.table.tree import flattened, module_tree
from netcalc.render.table.words import footer_in_words
from netcalc.render.tabular import Cell, Table, TableColumn

from helpers import graph_of, report_of
from random_graphs import random_graph

SAMPLE = ("alexnet", "resnet18", "googlenet", "unet", "vit_b_16", "swin_t", "gpt2")
VIEWS = (
    TableView(),
    TableView(tree=True),
    TableView(depth=1),
    TableView(percent=True),
    TableView(every_layer=True),
    TableView(wanted=("params", "kind")),
)
VOID = {"br", "col"}
COLUMNS = (
    TableColumn("name", "layer", left=True),
    TableColumn("count", "count\n(k)", lambda count: f"{count / 1000:g}", group="layer"),
    TableColumn("bytes", "bytes", group="output size"),
)


class Page(HTMLParser):
    """A piece of HTML that is well-formed: its tables as texts, and the folding of its rows."""

    def __init__(self, chunks: Iterable[str]) -> None:
        super().__init__()
        self.text = "".join(chunks)
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.levels: list[int] = []
        """Of each row, the blocks around it."""
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(self.text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "tr":
            self.rows.append([])
            self.levels.append(self.open.count("details") - ("summary" in self.open))
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if {"td", "th"} & {*self.open}:
            self.rows[-1][-1] += data

    def row(self, name: str) -> list[str]:
        """The row that a name heads."""
        return next(row for row in self.rows if row[0] == name)


def page_of(report: Report, view: TableView = TableView(), bars: bool = False) -> Page:
    return Page(report_chunks(report, view, bars))


def assert_harmless(page: Page) -> None:
    """Inline styles alone, nothing that runs, and nothing from elsewhere."""
    allowed = {"style", "scope", "colspan", "rowspan", "align", "width", "title", "open", "aria-hidden"}
    assert {name for _, name, _ in page.attributes} <= allowed
    assert not re.search(
        r"https?:|url\(|//|@import|javascript", " ".join(value for *_, value in page.attributes)
    )
    assert not re.search(r"<(script|style|link|img|iframe|a|svg)\b", page.text)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_report_folds_as_its_tree(name: str) -> None:
    report = netcalc.analyze(netcalc.load(name))
    page = page_of(report)
    assert_harmless(page)
    modules = list(flattened(module_tree(report, TableView(tree=True))))
    start = next(number for number, row in enumerate(page.rows) if row[0] == "by kind") - len(modules) - 1
    rows, levels = page.rows[start:][: len(modules)], page.levels[start:][: len(modules)]
    assert page.rows[start + len(modules)][0] == "total"
    assert levels == [len(branch) // 3 for branch, _ in modules]
    assert [row[0] for row in rows] == [module.label for _, module in modules]
    assert page.text.count("<details") == sum(bool(module.children) for _, module in modules)


@pytest.mark.parametrize("name", SAMPLE[:6])
@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_every_figure_is_shown(name: str, view: TableView) -> None:
    report = netcalc.analyze(netcalc.load(name))
    page, shown = page_of(report, view), shown_table(report, view)
    assert_harmless(page)
    cells = {cell for row in page.rows for cell in row} | {
        title for _, name, title in page.attributes if name == "title"
    }
    for column, texts in zip(shown.columns, zip(*shown.cells, strict=True), strict=True):
        if column.name not in ("layer", "from"):
            assert {*texts} <= cells | {""}, column.name
    assert {*shown.sums} <= cells | {""}
    assert {*footer_in_words(report, view)} <= {*page.words}


def test_a_network_without_blocks_has_the_terminal_s_table() -> None:
    report = netcalc.analyze(netcalc.load("alexnet"))
    shown, page = shown_table(report), page_of(report)
    assert page.rows[2 : 2 + len(shown.cells)] == shown.cells
    assert page.rows[:2] == [
        ["layer", "input size", "layer", "output size", "memory(KB)", "params(k)", "flop(M)"],
        ["C", "H/W", "filters", "kernel", "stride", "pad", "C", "H/W"],
    ]
    assert page.text.count('scope="colgroup"') == 3 + 3
    assert page.row("convolution") == [
        *("convolution", "5", "1,922", "82%", "", "2,470", "4%", "", "658", "92%", "")
    ]
    assert "width:4.9em;border-top" in page.text  # 82% of 6em
    gaps = re.findall(r"padding:.2em 0 .2em ([0-9.]+)em", page.text.partition("</thead>")[0])
    assert gaps == [*("1.6", "0.9", "0.9"), *("1.6", "0.9", "1.6", "0.9", "0.9", "0.9", "1.6", "0.9")]


def test_blocks_have_their_contents_and_equal_ones_are_named() -> None:
    page = page_of(netcalc.analyze(netcalc.load("resnet50")))
    stage, second = page.row("stage3"), page.row("2-5")
    assert stage == [
        "stage3",
        "512",
        "28",
        "[1x1 256, 3x3 256, 1x1 1024] x 6",
        "1024",
        "14",
        "21,560",
        "7,098",
        "1,464",
    ]
    assert second[3] == "like 1"
    assert ("th", "title", "stage3.0.main") in page.attributes


def test_equal_blocks_are_named_where_no_options_are_shown() -> None:
    page = page_of(netcalc.analyze(netcalc.load("resnet50")), TableView(wanted=("params",)))
    assert page.row("2-5 (like 1)") == ["2-5 (like 1)", "4,469"]


def test_a_report_without_layers() -> None:
    report = netcalc.analyze(netcalc.load("alexnet")).restricted(("lstm",))
    for view in VIEWS:
        assert page_of(report, view).row("total")[0] == "total"
    assert_harmless(page_of(report, bars=True))


def test_blocks_inside_others_are_open_where_they_are_small() -> None:
    text = "".join(report_chunks(netcalc.analyze(netcalc.load("resnet18"))))
    assert text.count("<details open>") > text.count("<details>") > 0
    assert text.index("<details>") < text.index("<details open>")
    lone = report_of("input: [4]\nblocks:\n  b: [relu, {linear: 2}]\nlayers: [{b: {name: one}}]")
    assert "<details open>" in "".join(report_chunks(lone))


def test_bars_are_drawn_in_place_of_the_table() -> None:
    report = netcalc.analyze(netcalc.load("alexnet"))
    page = page_of(report, bars=True)
    assert_harmless(page)
    assert page.row("conv1 + relu") == ["conv1 + relu", "784", "", "23", "", "73", ""]
    assert page.text.count("width:6.0em") == 3  # the longest ones


def test_warnings_are_shown() -> None:
    report = report_of(
        "input: [4]\nlayers:\n  - linear: 4\n  - relu: {name: idle}\n  - linear: {units: 2, from: linear1}"
    )
    page = page_of(report)
    assert "no output depends on idle" in page.words
    assert "line-through" in page.text


HOSTILE = r"""
name: "<script>alert(1)</script>&amp;\e[2J"
source: "<b>'\"\u202E"
inputs: {"<i>\a": [3, 8, 8], other: [3, 8, 8]}
blocks:
  b: [{conv: {name: "c<u>&lt;", filters: 4, kernel: 3, from: "<i>\a"}}, relu]
layers: [{b: {name: "a&lt;", from: other}}, flatten, {linear: {units: 2, name: "x;y"}}]
"""


def test_nothing_of_a_spec_is_markup() -> None:
    report = report_of(HOSTILE)
    tree = html_chunks(shown_as_table(report, TableView(tree=True)))
    for page in (Page(report_chunks(report)), Page(tree), graph_page(report.graph)):
        assert_harmless(page)
        assert "<script>alert(1)</script>&amp;\\x1b[2J" in page.words
        assert {"a&lt;", "x;y"} <= {row[0] for row in page.rows}
        assert not {"\x1b", "\a", "\u202e"} & {*page.text}
    assert "<i>\\x07" in [row[0] for row in page.rows]


def test_a_table_with_groups_and_sums() -> None:
    rows = [("a,b", 1000, Cell(5, "five")), ("<c>\x1b", 2500, None)]
    page = Page(
        html_chunks(Table(COLUMNS, iter(rows), ("total", 3500, None), "N & M", "S", ["first", "second"]))
    )
    assert_harmless(page)
    assert page.rows == [
        ["layer", "layer", "output size"],
        ["count(k)", "bytes"],
        ["a,b", "1", "five"],
        ["<c>\\x1b", "2.5", ""],
        ["total", "3.5", ""],
    ]
    assert [word for word in page.words if word in ("N & M", "first", "second", "S")] == [
        "N & M",
        "first",
        "second",
        "S",
    ]
    assert page.text.count("overflow-x:auto") == 1
    scopes = [value for _, name, value in page.attributes if name == "scope"]
    assert scopes == ["col", "colgroup", "colgroup", "col", "col", "row", "row", "row"]
    assert [value for _, name, value in page.attributes if name == "rowspan"] == ["2"]


def test_a_table_without_groups_or_rows() -> None:
    page = Page(html_chunks(Table(COLUMNS[:1], [])))
    assert page.rows == [["layer"]]
    assert not {"details", "caption", "tfoot"} & {tag for tag, *_ in page.attributes}


def test_a_tree_of_plain_data_folds() -> None:
    names = ("a", "b", "c", "d", "e")
    branches = ("", "├─ ", "│  └─ ", "└─ ", "")
    page = Page(
        html_chunks(Table(COLUMNS[:2], [(name, 1000) for name in names], ("all", 5000), branches=branches))
    )
    assert_harmless(page)
    assert page.levels[2:] == [0, 1, 2, 1, 0, 0]
    assert [row[0] for row in page.rows[2:]] == [*names, "all"]
    assert page.text.count("<details>") == page.text.count("<details open>") == 1
    widths = {
        tuple(re.findall('<col[^>]* style="width:([0-9.]+)em', part))
        for part in page.text.split("<table")[1:]
    }
    assert len(widths) == 1  # the columns of all tables are aligned


def test_long_texts_are_cut_and_whole_in_the_title() -> None:
    name, text = 'a_"long"_name.' * 8, "words " * 20
    columns = (TableColumn("name", "layer", left=True), TableColumn("text", "text", left=True))
    flat = Page(html_chunks(Table(columns, [(name, text)])))
    assert flat.rows[1][1] == text
    assert "min-width" in flat.text
    tree = Page(html_chunks(Table(columns, [("top", ""), (name, text)], branches=["", "└─ "])))
    for page in (flat, tree):
        assert ("th", "title", name) in page.attributes
        assert len(page.rows[-1][0]) == 40
    assert len(tree.rows[-1][1]) <= 34
    assert ("td", "title", text) in tree.attributes


def test_sizes() -> None:
    for name, most in (("resnet152", 200_000), ("swin_t", 220_000)):
        report = netcalc.analyze(netcalc.load(name))
        assert len("".join(report_chunks(report))) < most, name


def graph_page(graph: Graph) -> Page:
    return Page([PrintedGraph.of(graph)._repr_html_()])


def test_a_graph_shows_its_layers() -> None:
    graph = netcalc.load("alexnet")
    assert repr(graph) == "<Graph AlexNet: 19 layers>"
    page = graph_page(graph)
    assert page.text == graph._repr_html_()  # type: ignore[attr-defined]
    assert page.rows[:3] == [
        ["layer", "kind", "options", "output", "reads"],
        ["input", "input", "", "3x227x227", ""],
        ["conv1", "conv", "filters 64, kernel 11, stride 4, pad 2", "64x56x56", "input"],
    ]
    assert "19 layers, 61,100,840 params; output fc8 1000" in page.words
    assert graph.citation in page.words


def test_a_graph_folds_its_blocks() -> None:
    page = graph_page(netcalc.load("resnet18"))
    assert_harmless(page)
    assert page.row("stage2")[1:4] == ["block", "[3x3 128, 3x3 128] x 2", "128x28x28"]
    assert page.row("1")[1] == "like 0"
    reads = [row[4] for row in page.rows if row[0] == "add1"]
    assert reads[0] == "main.conv_bn2.batchnorm1, maxpool1"


def test_names_are_read_from_the_inside_out() -> None:
    spec = """
input: [4]
blocks:
  inner: [{relu: {name: r}}, {linear: {name: l, units: 4, from: r}}]
  outer: [{linear: {name: l, units: 4}}, {relu: {name: r}}, {inner: {name: i}}]
layers: [{outer: {name: o}}]
"""
    rows = graph_page(graph_of(spec)).rows
    assert [row[4] for row in rows[4:]] == ["l", "", "o.r", "r"]


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_are_well_formed(seed: int) -> None:
    graph = random_graph(seed)
    assert_harmless(page_of(netcalc.analyze(graph)))
    page = graph_page(graph)
    assert_harmless(page)
    assert {given.name for given in graph.inputs} <= {row[0] for row in page.rows}
