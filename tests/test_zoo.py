"""Every bundled architecture has the figures that it claims, and a source."""

import pytest

from netcalc import load
from netcalc.analysis import analyze
from netcalc.analysis.explain import explain
from netcalc.render.table.display import PrintedReport
from netcalc.spec import bundled_names, find_spec

NAMES = bundled_names()


def test_the_zoo_is_there() -> None:
    assert {
        "alexnet",
        "alexnet-two-gpu",
        "lenet5",
        "vgg11",
        "vgg13",
        "vgg16",
        "vgg16-lecture",
        "vgg19",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_expectations(name: str) -> None:
    graph = load(name)
    assert graph.citation
    assert graph.expect
    assert {"params", "macs"} <= graph.expect.keys()
    totals = analyze(graph).totals
    assert {figure: getattr(totals, figure) for figure in graph.expect} == graph.expect


def test_a_variant_named_as_its_file_is_found() -> None:
    assert find_spec("googlenet").variant == "googlenet"
    assert find_spec("resnet").variant is None
    assert load("googlenet").expect


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_is_explained_as_it_is_counted(name: str) -> None:
    report = analyze(load(name))
    for row in report.rows:
        by_figure = {e.figure: e.value for e in explain(report, row)}
        assert by_figure["memory"] == row.figures.output_bytes
        assert by_figure["params"] == row.figures.params
        assert by_figure["macs"] == row.figures.macs


def test_the_paper_alexnet_makes_55_by_55() -> None:
    assert load("alexnet-two-gpu").nodes[0].output.shape == (96, 55, 55)


def test_a_report_prints_itself() -> None:
    report = PrintedReport.of(analyze(load("alexnet")))
    assert str(report) == repr(report)
    assert "conv1 + relu" in str(report)
    assert ">conv1 + relu</th>" in report._repr_html_()
