"""Networks side by side, and layer by layer: the lecture's ratios, and what every difference obeys."""

import random
from collections import Counter
from itertools import combinations, pairwise

import pytest

from netcalc import load
from netcalc.analysis import Figures, Report, analyze, total
from netcalc.analysis.comparison import compare
from netcalc.analysis.difference import Difference, difference
from netcalc.render.numbers import ratio, signed
from netcalc.render.table.lines import lines, totals

from helpers import report_of

CHAIN = "input: [3, 8, 8]\nlayers:\n"


NAMES = (
    "alexnet", "alexnet-two-gpu", "lenet5", "mobilenet_v1_025", "mobilenet_v1", "resnet18", "resnet34", "squeezenet1_1", "vgg16",
    "vgg16-lecture",
)  # fmt: skip
"""Networks alike and unalike; all pairs of the whole zoo would take an hour."""


@pytest.fixture(scope="module")
def bundled() -> dict[str, Report]:
    return {name: analyze(load(name)) for name in NAMES}


def pairs(bundled: dict[str, Report]) -> list[tuple[Report, Report]]:
    """Neighbours in the zoo, and others by chance, both ways round."""
    chosen = random.Random(7).sample(list(combinations(bundled, 2)), 40)
    ways = [*pairwise(bundled), *chosen, *((after, before) for before, after in chosen)]
    return [(bundled[before], bundled[after]) for before, after in ways]


def changes(found: Difference) -> list[str]:
    """`+ relu1`, `~ conv1 kernel`: every layer that is not unchanged."""
    marks = {"added": "+", "removed": "-", "changed": "~", "renamed": "="}
    return [
        " ".join([marks[layer.status], layer.row.node.full_name, *(detail.what for detail in layer.details)])
        for layer in found.layers
        if layer.status != "unchanged"
    ]


def test_alexnet_against_vgg16_is_the_lectures_page(bundled: dict[str, Report]) -> None:
    names = ["alexnet", "vgg16-lecture"]
    comparison = compare([bundled[name] for name in names], names)
    values = {measure.name: comparison.values(measure) for measure in comparison.measures}
    assert [f"{value / 1024**2:.2f}" for value in values["weighted_output_bytes"]] == ["1.91", "48.65"]
    ratios = {name: ratio(last, first) for name, (first, last) in values.items()}
    assert ratios["weighted_output_bytes"] == "25x"
    assert ratios["params"] == "2.3x"
    assert ratios["macs"] == "19.0x"


def test_outputs_are_held_as_the_table_counts_them(bundled: dict[str, Report]) -> None:
    for report in bundled.values():
        assert total(map(report.held, report.rows)) == totals(lines(report))


def test_flops_are_compared_where_they_are_not_the_multiply_adds() -> None:
    for convention, last in (("lecture", "flops"), ("flops", "flops"), ("macs", "macs")):
        report = analyze(load("lenet5"), convention=convention)
        assert compare([report, report], ["a", "b"]).measures[-1].name == last


def test_labels_tell_the_networks_apart(bundled: dict[str, Report]) -> None:
    same = [bundled["alexnet"], bundled["alexnet"]]
    assert [member.label for member in compare(same, ["alexnet", "mine.yaml"]).members] == [
        "alexnet",
        "mine.yaml",
    ]
    assert [member.label for member in compare(same, ["alexnet"] * 2).members] == [
        "AlexNet (1)",
        "AlexNet (2)",
    ]


def test_only_what_is_counted_alike_is_compared(bundled: dict[str, Report]) -> None:
    with pytest.raises(ValueError, match="two networks or more, not 1"):
        compare([bundled["alexnet"]], ["alexnet"])
    with pytest.raises(ValueError, match="one batch, dtype and convention"):
        compare([bundled["alexnet"], analyze(load("alexnet"), batch=2)], ["a", "b"])


def test_the_costs_add_up_to_the_difference_of_the_totals(bundled: dict[str, Report]) -> None:
    for before, after in pairs(bundled):
        found = difference(before, after)
        expected = total(map(after.held, after.rows)).minus(total(map(before.held, before.rows)))
        assert found.cost == expected
        assert (found.cost.params, found.cost.macs) == (
            after.totals.params - before.totals.params,
            after.totals.macs - before.totals.macs,
        )


def test_every_layer_stands_in_one_step_and_in_its_order(bundled: dict[str, Report]) -> None:
    for before, after in pairs(bundled):
        layers = difference(before, after).layers
        assert tuple(layer.before for layer in layers if layer.before) == before.rows
        assert tuple(layer.after for layer in layers if layer.after) == after.rows
        for layer in layers:
            matched = layer.before is not None and layer.after is not None
            assert matched == (layer.status in ("unchanged", "renamed", "changed"))
            assert bool(layer.details) == (layer.status in ("renamed", "changed"))
            assert layer.status not in ("unchanged", "renamed") or layer.cost == Figures()


def test_a_network_does_not_differ_from_itself(bundled: dict[str, Report]) -> None:
    for report in bundled.values():
        assert changes(difference(report, report)) == []


def test_a_family_differs_by_whole_blocks(bundled: dict[str, Report]) -> None:
    assert changes(difference(bundled["vgg16"], bundled["vgg16-lecture"])) == [
        "- conv3_3",
        "- bn_relu7.relu1",
    ]
    found = difference(bundled["resnet18"], bundled["resnet34"])
    assert Counter(layer.status for layer in found.layers) == {"unchanged": 68, "added": 56}


def test_a_layer_put_in_shifts_the_counted_names_of_none() -> None:
    before = report_of(
        CHAIN
        + "  - conv: {filters: 4, kernel: 3, pad: 1}\n  - relu\n  - conv: {filters: 4, kernel: 1}\n  - relu\n"
    )
    after = report_of(
        CHAIN
        + "  - conv: {filters: 3, kernel: 5, pad: 2}\n  - conv: {filters: 4, kernel: 3, pad: 1}\n  - relu\n"
        "  - conv: {filters: 4, kernel: 1}\n  - relu\n"
    )
    assert changes(difference(before, after)) == ["+ conv1"]
    assert changes(difference(after, before)) == ["- conv1"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("conv: {filters: 4, kernel: 3}", "conv: {filters: 4, kernel: 3, pad: 1}", "~ x pad output"),
        ("conv: {filters: 4, kernel: 1}", "conv: {filters: 4, kernel: 1, bias: false}", "~ x bias"),
        ("maxpool: {kernel: 2}", "avgpool: {kernel: 2}", "~ x kind"),
        ("conv: {filters: 3, kernel: 1}", "depthwise_conv: {kernel: 1}", "~ x kind filters"),
        ("relu", "tanh", "~ x kind"),
    ],
)  # fmt: skip
def test_what_changed_is_named(before: str, after: str, expected: str) -> None:
    reports = []
    for item in (before, after):
        kind, _, options = item.partition(": ")
        inside = options.strip("{}")
        reports.append(report_of(CHAIN + f"  - {kind}: {{name: x{', ' if inside else ''}{inside}}}\n"))
    assert changes(difference(*reports)) == [expected]


def test_a_layer_that_reads_another_one_has_changed() -> None:
    text = (
        CHAIN
        + "  - tanh: {name: a}\n  - relu: {name: b}\n  - tanh: {name: c}\n  - add: {name: sum, from: [c, %s]}\n"
    )
    found = difference(report_of(text % "b"), report_of(text % "a"))
    assert "~ sum reads" in changes(found)
    assert found.cost.params == found.cost.macs == 0


def test_names_break_ties() -> None:
    """Of equal layers the one that went is told; counted names say nothing, and the last one goes."""
    conv = "  - conv: {filters: 3, kernel: 3, pad: 1%s}\n"
    for names in ("abc", ("one", "two", "three"), ("conv1", "conv2", "conv3")):
        first, second, third = (conv % f", name: {name}" for name in names)
        whole, without = report_of(CHAIN + first + second + third), report_of(CHAIN + first + third)
        assert changes(difference(whole, without)) == [f"- {names[1]}"]
        assert changes(difference(without, whole)) == [f"+ {names[1]}"]
    three, two = report_of(CHAIN + 3 * (conv % "")), report_of(CHAIN + 2 * (conv % ""))
    assert changes(difference(three, two)) == ["- conv3"]


def test_a_block_that_is_renamed_renames_its_layers() -> None:
    text = "input: [3, 8, 8]\nblocks:\n  b():\n    - tanh\n    - relu\nlayers:\n  - b: {name: %s}\n  - b\n"
    found = difference(report_of(text % "stage"), report_of(text % "layer"))
    assert changes(found) == ["= layer.tanh1 name", "= layer.relu1 name"]


def test_every_layer_of_resnet18_has_a_partner_in_resnet50(bundled: dict[str, Report]) -> None:
    found = difference(bundled["resnet18"], analyze(load("resnet50")))
    assert not [layer for layer in found.layers if layer.status == "removed"]
    partners = {layer.before.node.full_name: layer.after for layer in found.layers if layer.before}
    for name in ("stage1.0.relu1", "stage2.1.add1", "stage4.1.relu1"):
        partner = partners[name]
        assert partner is not None
        assert partner.node.full_name == name


def test_shared_parameters_are_a_change_that_costs() -> None:
    text = (
        CHAIN + "  - conv: {name: a, filters: 3, kernel: 1}\n  - conv: {name: b, filters: 3, kernel: 1%s}\n"
    )
    found = difference(report_of(text % ""), report_of(text % ", share: a"))
    assert changes(found) == ["~ b share"]
    assert found.cost.params == -12


def test_long_networks_are_aligned_in_good_time() -> None:
    before = report_of("input: [3]\nlayers:\n  - relu: {repeat: 5000}\n  - tanh: {repeat: 5000}\n")
    after = report_of("input: [3]\nlayers:\n  - tanh: {repeat: 5000}\n  - relu: {repeat: 5000}\n")
    assert difference(before, after).cost.output_bytes == 0


@pytest.mark.parametrize(
    ("value", "base", "shown"),
    [(48, 2, "24x"), (255, 10, "26x"), (39, 2, "19.5x"), (190, 10, "19.0x"), (9, 4, "2.3x"), (7, 7, "1.0x"),
     (4, 9, "0.44x"), (1, 300, "0.0033x"), (0, 5, "0x"), (5, 0, "")],
)  # fmt: skip
def test_ratios_are_rounded_as_the_lecture_rounds(value: int, base: int, shown: str) -> None:
    assert ratio(value, base) == shown


def test_signs() -> None:
    assert [signed(value, str) for value in (-3, 0, 3)] == ["-3", "0", "+3"]


def test_a_layer_works_in_place_only_where_nobody_else_reads_its_input() -> None:
    chain = CHAIN + "  - tanh: {name: a}\n  - relu: {name: b}\n  - dropout: {name: c}\n"
    assert report_of(chain).in_place == {"b", "c"}
    assert report_of(chain + "  - add: {from: [b, c]}\n").in_place == {"b"}
    assert report_of("outputs: [b, c]\n" + chain).in_place == {"b"}
    assert report_of(chain + "  - relu: {name: d, from: a}\n").in_place == {"c"}
