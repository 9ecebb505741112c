"""The figures of the course lectures: EECS 498-007 lecture 7 (2019, 2020), EECS 442, DeepRob.

Where a printed figure is wrong, the right one stands here with the reason beside it.
"""

import pytest

from netcalc import load
from netcalc.analysis import analyze
from netcalc.render.table.lines import lines

from helpers import layer_report, only_row

ALEXNET = [
    # name, in C, in H/W, filters, kernel, stride, pad, out C, out H/W, memory KB, params k, flop M
    ("conv1", 3, 227, 64, 11, 4, 2, 64, 56, 784, 23, 73),
    ("pool1", 64, 56, None, 3, 2, 0, 64, 27, 182, 0, 0),
    ("conv2", 64, 27, 192, 5, 1, 2, 192, 27, 547, 307, 224),
    ("pool2", 192, 27, None, 3, 2, 0, 192, 13, 127, 0, 0),
    ("conv3", 192, 13, 384, 3, 1, 1, 384, 13, 254, 664, 112),
    ("conv4", 384, 13, 256, 3, 1, 1, 256, 13, 169, 885, 150),  # printed 145: 256*13*13*384*9 is 149.5 M
    ("conv5", 256, 13, 256, 3, 1, 1, 256, 13, 169, 590, 100),
    ("pool5", 256, 13, None, 3, 2, 0, 256, 6, 36, 0, 0),
    ("flatten", 256, 6, None, None, None, None, 9216, None, 36, 0, 0),
    ("fc6", 9216, None, 4096, None, None, None, 4096, None, 16, 37753, 38),  # printed without biases: 37,749
    ("fc7", 4096, None, 4096, None, None, None, 4096, None, 16, 16781, 17),  # 16,777
    ("fc8", 4096, None, 1000, None, None, None, 1000, None, 4, 4097, 4),  # 4,096
]


def rounded(value: int, unit: int) -> int:
    """Half up, as the lecture rounds 253.5 to 254."""
    return (2 * value + unit) // (2 * unit)


def test_alexnet_has_the_lectures_twelve_rows() -> None:
    listed = lines(analyze(load("alexnet")))
    assert [line.row.node.name for line in listed] == [row[0] for row in ALEXNET]


@pytest.mark.parametrize("expected", ALEXNET, ids=[row[0] for row in ALEXNET])
def test_alexnet_row(expected: tuple[int | None, ...]) -> None:
    name, in_channels, in_size, filters, kernel, stride, pad, out_channels, out_size, memory, params, flop = (
        expected
    )
    line = next(line for line in lines(analyze(load("alexnet"))) if line.row.node.name == name)
    layer = line.row.node.layer
    square = (in_size, in_size) if in_size else ()
    assert line.row.input_shapes == ((in_channels, *square),)
    assert line.row.output_shape == (out_channels, *((out_size, out_size) if out_size else ()))
    assert getattr(layer, "filters", getattr(layer, "units", None)) == filters
    assert getattr(layer, "kernel", None) == ((kernel, kernel) if kernel else None)
    assert getattr(layer, "stride", None) == ((stride, stride) if stride else None)
    assert getattr(layer, "pad", None) == (((pad, pad), (pad, pad)) if pad is not None else None)
    assert rounded(line.figures.output_bytes, 1024) == memory
    assert rounded(line.figures.params, 1000) == params
    assert rounded(line.figures.flops, 1_000_000) == flop


def test_alexnet_exactly() -> None:
    rows = {row.node.name: row for row in analyze(load("alexnet")).rows}
    assert rows["conv1"].node.output.numel == 200_704
    assert rows["conv1"].figures.output_bytes == 784 * 1024
    assert rows["conv1"].figures.params == 23_296
    assert rows["conv1"].figures.flops == 72_855_552 == 200_704 * 363
    assert rows["pool1"].figures.output_bytes == 182.25 * 1024
    assert rows["pool1"].figures.flops == 419_904
    assert rows["conv4"].figures.macs == 149_520_384
    assert [rows[name].figures.params for name in ("fc6", "fc7", "fc8")] == [
        37_752_832,
        16_781_312,
        4_097_000,
    ]


@pytest.mark.parametrize(
    ("name", "params", "macs", "weighted_megabytes"),
    [
        ("alexnet", 61_100_840, 716_767_232, 1.91),
        ("vgg16", 138_357_544, 15_470_264_320, 51.71),
        ("vgg16-lecture", 137_767_464, 13_620_576_256, 48.65),  # printed for VGG-16: 48.6 MB and 13.6 G
        ("vgg19", 143_667_240, 19_632_062_464, None),
    ],
)
def test_totals(name: str, params: int, macs: int, weighted_megabytes: float | None) -> None:
    report = analyze(load(name))
    assert (report.totals.params, report.totals.macs) == (params, macs)
    if weighted_megabytes is not None:
        families = report.by_family
        weighted = families["convolution"].output_bytes + families["linear"].output_bytes
        assert round(weighted / 1024**2, 2) == weighted_megabytes


def test_vgg16_with_every_line_counted() -> None:
    total = sum(line.figures.output_bytes for line in lines(analyze(load("vgg16"))))
    assert round(total / 1024**2, 2) == 57.65


def test_ratios_of_vgg16_to_alexnet() -> None:
    alexnet, lecture, real = (analyze(load(name)) for name in ("alexnet", "vgg16-lecture", "vgg16"))

    def weighted(report):  # type: ignore[no-untyped-def]
        return sum(report.by_family[family].output_bytes for family in ("convolution", "linear"))

    assert int(weighted(lecture) / weighted(alexnet)) == 25
    assert round(lecture.totals.params / alexnet.totals.params, 1) == 2.3
    # the 19.4x printed is the ratio of the rounded figures
    assert round(lecture.totals.macs / alexnet.totals.macs, 1) == 19.0
    assert round(real.totals.macs / alexnet.totals.macs, 1) == 21.6


def test_lenet5_as_drawn() -> None:
    graph = load("lenet5")
    assert graph.inputs[0].type.shape == (1, 28, 28)
    assert [(node.layer.kind, node.output.shape) for node in graph.nodes] == [
        ("conv", (20, 28, 28)),
        ("relu", (20, 28, 28)),
        ("maxpool", (20, 14, 14)),
        ("conv", (50, 14, 14)),
        ("relu", (50, 14, 14)),
        ("maxpool", (50, 7, 7)),
        ("flatten", (2450,)),
        ("linear", (500,)),
        ("relu", (500,)),
        ("linear", (10,)),
    ]
    weights = [param.shape for node in graph.nodes for param in node.params if param.name == "weight"]
    # the lecture writes a linear layer's weights as in x out; PyTorch and netcalc as out x in
    assert weights == [(20, 1, 5, 5), (50, 20, 5, 5), (500, 2450), (10, 500)]


@pytest.mark.parametrize(
    ("input", "item", "output", "params", "macs"),
    [
        ((3072,), "linear: {units: 10, bias: false}", (10,), 30_720, 30_720),
        ((3, 32, 32), "conv: {filters: 1, kernel: 5}", (1, 28, 28), 75 + 1, 28 * 28 * 75),
        ((3, 32, 32), "conv: {filters: 10, kernel: 5, stride: 1, pad: 2}", (10, 32, 32), 760, 768_000),
        ((64, 56, 56), "conv: {filters: 32, kernel: 1}", (32, 56, 56), 64 * 32 + 32, 32 * 56 * 56 * 64),
        ((1, 7, 7), "conv: {filters: 1, kernel: 3}", (1, 5, 5), 10, 25 * 9),
        ((1, 7, 7), "conv: {filters: 1, kernel: 3, stride: 2}", (1, 3, 3), 10, 9 * 9),
        ((64, 224, 224), "maxpool: {kernel: 2, stride: 2}", (64, 112, 112), 0, 0),
        ((3, 32), "conv: {filters: 8, kernel: 5}", (8, 28), 8 * 3 * 5 + 8, 8 * 28 * 15),
        (
            (3, 8, 8, 8),
            "conv: {filters: 8, kernel: 3, pad: same}",
            (8, 8, 8, 8),
            8 * 3 * 27 + 8,
            8 * 512 * 81,
        ),
    ],
)
def test_single_layer(
    input: tuple[int, ...], item: str, output: tuple[int, ...], params: int, macs: int
) -> None:
    row = only_row(input, item)
    assert row.output_shape == output
    assert (row.figures.params, row.figures.macs) == (params, macs)


def test_three_stacked_convolutions() -> None:
    report = layer_report(
        (3, 32, 32),
        "conv: {filters: 6, kernel: 5}",
        "conv: {filters: 10, kernel: 3}",
        "conv: {filters: 12, kernel: 3}",
    )
    assert [row.output_shape for row in report.rows] == [(6, 28, 28), (10, 26, 26), (12, 24, 24)]
    assert [row.node.params[0].shape for row in report.rows] == [(6, 3, 5, 5), (10, 6, 3, 3), (12, 10, 3, 3)]


@pytest.mark.parametrize("length", [1, 2, 3, 10])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_field_of_stacked_convolutions(length: int, kernel: int) -> None:
    report = layer_report((4, 64, 64), *[f"conv: {{filters: 4, kernel: {kernel}, pad: same}}"] * length)
    field = report.rows[-1].receptive_field
    assert field is not None
    assert [axis.size for axis in field.axes] == [1 + length * (kernel - 1)] * 2


def test_one_five_against_two_threes() -> None:
    channels, size = 16, 20
    one = layer_report(
        (channels, size, size), f"conv: {{filters: {channels}, kernel: 5, pad: 2, bias: false}}"
    )
    three = f"conv: {{filters: {channels}, kernel: 3, pad: 1, bias: false}}"
    two = layer_report((channels, size, size), three, three)
    assert one.totals.params == 25 * channels**2
    assert two.totals.params == 18 * channels**2
    assert one.totals.macs == 25 * channels**2 * size**2
    assert two.totals.macs == 18 * channels**2 * size**2
    fields = [report.rows[-1].receptive_field for report in (one, two)]
    assert [field and field.axes[0].size for field in fields] == [5, 5]


def test_every_vgg_stage_costs_the_same() -> None:
    channels, size = 8, 10
    item = "conv: {filters: %d, kernel: 3, pad: 1, bias: false}"
    first = only_row((channels, 2 * size, 2 * size), item % channels)
    second = only_row((2 * channels, size, size), item % (2 * channels))
    assert first.node.output.numel == 4 * size * size * channels
    assert second.node.output.numel == 2 * size * size * channels
    assert (first.figures.params, second.figures.params) == (9 * channels**2, 36 * channels**2)
    assert first.figures.macs == second.figures.macs == 36 * size * size * channels**2
