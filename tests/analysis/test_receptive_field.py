"""Receptive fields against Araujo, Norris and Sim (Distill 2019), and against brute force."""

import itertools
import json
import random

import pytest

from netcalc import load
from netcalc.analysis import Field, Report, analyze

from helpers import TESTS, layer_report, report_of

ORACLE = json.loads((TESTS / "golden" / "receptive_fields.json").read_text())

ALEXNET_V2 = """
input: [3, 224, 224]
layers:
  - conv: {name: conv1, filters: 64, kernel: 11, stride: 4}
  - maxpool: {name: pool1, kernel: 3, stride: 2}
  - conv: {name: conv2, filters: 192, kernel: 5, pad: same}
  - maxpool: {name: pool2, kernel: 3, stride: 2}
  - conv: {name: conv3, filters: 384, kernel: 3, pad: same}
  - conv: {name: conv4, filters: 384, kernel: 3, pad: same}
  - conv: {name: conv5, filters: 256, kernel: 3, pad: same}
  - maxpool: {name: pool5, kernel: 3, stride: 2}
"""


def numbers(field: Field | None) -> list[tuple[int, float, int]]:
    assert field is not None
    return [(axis.size, float(axis.stride), axis.padding) for axis in field.axes]


def vgg(stages: tuple[int, ...]) -> str:
    lines = ["input: [3, 224, 224]", "layers:"]
    for stage, convs in enumerate(stages, 1):
        name = f"conv{stage}_%d, filters: 8, kernel: 3, pad: 1"
        lines += [f"  - conv: {{name: {name % conv}}}" for conv in range(1, convs + 1)]
        lines += [f"  - maxpool: {{name: pool{stage}, kernel: 2, stride: 2}}"]
    return "\n".join(lines) + "\n"


SPECS = {"alexnet_v2": ALEXNET_V2, "vgg_a": vgg((1, 1, 2, 2, 2)), "vgg_16": vgg((2, 2, 3, 3, 3))}


@pytest.mark.parametrize(
    "point", ORACLE["end_points"], ids=[point["end_point"] for point in ORACLE["end_points"]]
)
def test_end_point(point: dict[str, object]) -> None:
    rows = {row.node.name: row for row in report_of(SPECS[str(point["cnn"])]).rows}
    expected = (point["rf"], point["effective_stride"], point["effective_padding"])
    assert numbers(rows[str(point["end_point"]).rsplit("/", 1)[1]].receptive_field) == [expected] * 2


def two_paths(left: str, right: str, size: int = 16) -> Report:
    return report_of(f"""
input: [4, {size}, {size}]
layers:
{left}
{right}
  - add: {{name: joined, from: [left, right]}}
""")


NETWORK_1 = (
    "  - conv: {name: left, from: input, filters: 4, kernel: 1, stride: 4}",
    "  - pad: {from: input, pad: [[1, 0], [1, 0]]}\n"
    "  - conv: {filters: 4, kernel: 3, stride: 2}\n"
    "  - conv: {name: right, filters: 4, kernel: 1, stride: 2}",
)


def test_network_1_is_aligned() -> None:
    field = two_paths(*NETWORK_1).rows[-1].receptive_field
    assert numbers(field) == [(3, 4, 1)] * 2
    assert field is not None
    assert field.aligned


def test_network_2_with_max_pools() -> None:
    left, right = (path.replace("conv: {filters: 4, kernel: 3", "maxpool: {kernel: 3") for path in NETWORK_1)
    assert numbers(two_paths(left, right).rows[-1].receptive_field) == [(3, 4, 1)] * 2


def test_network_3_is_not_aligned() -> None:
    field = (
        two_paths(
            "  - pad: {from: input, pad: [[2, 1], [2, 1]]}\n"
            "  - conv: {name: left, filters: 4, kernel: 5, stride: 2}",
            "  - conv: {from: input, filters: 4, kernel: 3}\n  - conv: {name: right, filters: 4, kernel: 3}",
            size=7,
        )
        .rows[-1]
        .receptive_field
    )
    assert field is not None
    assert not field.aligned


@pytest.mark.parametrize(
    ("size", "pad", "aligned"), [(9, "[[1, 1], [1, 1]]", True), (8, "[[0, 1], [0, 1]]", False)]
)
def test_network_4_pads_same_by_its_input_size(size: int, pad: str, aligned: bool) -> None:
    right = (
        f"  - conv: {{from: input, filters: 4, kernel: 3, stride: 2, pad: {pad}}}\n"
        "  - conv: {name: right, filters: 4, kernel: 1, stride: 2}"
    )
    field = two_paths(NETWORK_1[0], right, size).rows[-1].receptive_field
    assert field is not None
    assert field.aligned is aligned
    if aligned:
        assert numbers(field) == [(3, 4, 1)] * 2


def test_network_5_differs_by_axis() -> None:
    report = layer_report(
        (4, 32, 32),
        "conv: {filters: 4, kernel: [3, 5], stride: 2}",
        "conv: {filters: 4, kernel: [3, 1], stride: 2}",
    )
    assert numbers(report.rows[-1].receptive_field) == [(7, 4, 0), (5, 4, 0)]


def test_networks_8_and_9_with_two_joins() -> None:
    text = """
input: [4, 17, 17]
layers:
  - conv: {name: left, from: input, filters: 4, kernel: 1, stride: 4}
  - pad: {from: input, pad: [[1, 1], [1, 1]]}
  - conv: {filters: 4, kernel: 3, stride: 2}
  - conv: {name: right, filters: 4, kernel: 1, stride: 2}
  - add: {from: [left, right]}
  - relu: {name: middle}
  - conv: {name: left2, filters: 4, kernel: 1, stride: 2}
  - pad: {from: middle, pad: [[1, 1], [1, 1]]}
  - conv: {name: right2, filters: 4, kernel: 3, stride: 2}
  - add: {from: [left2, right2]}
"""
    field = report_of(text).rows[-1].receptive_field
    assert numbers(field) == [(11, 8, 5)] * 2
    assert field is not None
    assert field.aligned


def test_the_table_marks_a_crooked_join() -> None:
    from netcalc.render.table.text import table_lines

    text = "".join(
        part
        for line in table_lines(
            two_paths(
                NETWORK_1[0],
                "  - conv: {from: input, filters: 4, kernel: 3, stride: 2, pad: [[0, 1], [0, 1]]}\n"
                "  - conv: {name: right, filters: 4, kernel: 1, stride: 2}",
                size=8,
            )
        )
        for part, _ in line
    )
    assert "differently centred receptive fields join in joined" in text


def test_nothing_after_a_flatten_or_a_global_operation() -> None:
    report = layer_report((4, 8, 8), "conv: {filters: 4, kernel: 3}", "global_avgpool: {keep: true}", "relu")
    assert [row.receptive_field is None for row in report.rows] == [False, True, True]
    assert layer_report((4, 8, 8), "flatten", "relu").rows[-1].receptive_field is None


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_rank(rank: int) -> None:
    report = layer_report(
        (2, *(20,) * rank), "conv: {filters: 2, kernel: 3, stride: 2, pad: 1}", "maxpool: {kernel: 2}"
    )
    assert numbers(report.rows[-1].receptive_field) == [(5, 4, 1)] * rank


def test_upsampling_and_transposed_convolution() -> None:
    fields = [
        numbers(row.receptive_field)[0]
        for row in layer_report(
            (2, 16),
            "maxpool: {kernel: 2}",
            "upsample: {factor: 2}",
            "conv: {filters: 2, kernel: 3, pad: 1}",
            "conv_transpose: {filters: 2, kernel: 4, stride: 2, pad: 1}",
        ).rows
    ]
    assert [(size, stride) for size, stride, _ in fields] == [(2, 2), (2, 1), (4, 1), (6, 0.5)]


STEPS = {
    "conv: {filters: 1, kernel: 3, pad: 1}": lambda n: [[u + k - 1 for k in range(3)] for u in range(n)],
    "conv: {filters: 1, kernel: 3, stride: 2, pad: 1}": lambda n: [
        [2 * u + k - 1 for k in range(3)] for u in range((n - 1) // 2 + 1)
    ],
    "conv: {filters: 1, kernel: 2, dilation: 3, pad: [[2, 1]]}": lambda n: [[u - 2, u + 1] for u in range(n)],
    "maxpool: {kernel: 2}": lambda n: [[2 * u, 2 * u + 1] for u in range(n // 2)],
    "avgpool: {kernel: 3, stride: 1, pad: 1}": lambda n: [[u - 1, u, u + 1] for u in range(n)],
    "upsample: {factor: 3}": lambda n: [[u // 3] for u in range(3 * n)],
    "upsample: {factor: 2, mode: bilinear}": lambda n: [
        [(2 * u - 1) // 4, (2 * u - 1) // 4 + 1] for u in range(2 * n)
    ],
    "conv_transpose: {filters: 1, kernel: 4, stride: 2, pad: 1}": lambda n: [
        [i for i in range(-3, n + 3) if 0 <= u + 1 - 2 * i < 4] for u in range(2 * n)
    ],
    "crop: {crop: [[2, 1]]}": lambda n: [[u + 2] for u in range(n - 3)],
    "pad: {pad: [[1, 2]]}": lambda n: [[u - 1] for u in range(n + 3)],
    "slice: {axis: 1, start: 1, step: 2}": lambda n: [[2 * u + 1] for u in range(n // 2)],
    "relu": lambda n: [[u] for u in range(n)],
}


@pytest.mark.parametrize("seed", range(40))
def test_chains_against_brute_force(seed: int) -> None:
    """Follow every output of a random chain back to the inputs, in the middle where no border cuts in."""
    choose = random.Random(seed)
    chain = [choose.choice(list(STEPS)) for _ in range(choose.randint(1, 6))]
    start = 720
    report = layer_report((1, start), *chain)
    reach: list[set[int]] = [{u} for u in range(start)]
    for item in chain:
        last = len(reach)
        reach = [set().union(*(reach[i] for i in row if 0 <= i < last)) for row in STEPS[item](last)]
    field = report.rows[-1].receptive_field
    assert field is not None
    axis = field.axes[0]
    period = len(axis.first)
    middle = range(len(reach) // 3, 2 * len(reach) // 3)
    assert len(middle) > 2 * period
    for u in middle:
        shift = axis.advance * (u // period)
        assert (min(reach[u]), max(reach[u])) == (
            axis.first[u % period] + shift,
            axis.last[u % period] + shift,
        )
    sizes = [max(seen) - min(seen) + 1 for seen in itertools.islice((reach[u] for u in middle), 2 * period)]
    assert axis.size == max(sizes)


@pytest.mark.parametrize(
    ("name", "layer", "final"),
    [
        ("alexnet", "pool5", "alexnet_v2"),
        ("vgg16", "pool5", "vgg_16"),
        ("inception_v3", "7c", "inception_v3"),
    ],
)
def test_final_layers_of_the_zoo(name: str, layer: str, final: str) -> None:
    expected = next(row for row in ORACLE["final_layer"] if row["cnn"] == final)
    graph = load(name)
    rows = [row for row in analyze(graph).rows if layer in (row.node.full_name, *row.node.path)]
    field = rows[-1].receptive_field
    assert field is not None
    assert {(axis.size, axis.stride) for axis in field.axes} == {
        (expected["rf"], expected["effective_stride"])
    }


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("softmax: {axis: 0}", (1, 1, 0)),
        ("batchnorm", (1, 1, 0)),
        ("lrn: {size: 3}", (1, 1, 0)),
        ("layernorm: {channels: true}", (1, 1, 0)),
        ("dropout", (1, 1, 0)),
        ("concat: {from: [input, input]}", (1, 1, 0)),
        ("adaptive_avgpool: {size: 4}", (2, 2, 0)),
        ("adaptive_avgpool: {size: 16}", (1, 0.5, 0)),
        ("upsample: {factor: 1, mode: bilinear}", (1, 1, 0)),
        ("softmax", None),
        ("layernorm", None),
        ("instancenorm", None),
        ("adaptive_avgpool: {size: 3}", None),
        ("concat: {from: [input, input], axis: 1}", None),
    ],
)
def test_window_of_a_layer(item: str, expected: tuple[float, ...] | None) -> None:
    field = layer_report((4, 8, 8), item).rows[-1].receptive_field
    assert (field and numbers(field)) == (expected and [expected] * 2)


def test_paths_with_differing_strides_are_not_aligned() -> None:
    left = "  - conv: {name: left, from: input, filters: 4, kernel: 1, stride: 2}"
    right = "  - conv: {name: right, from: input, filters: 4, kernel: 3}"
    field = two_paths(left, right, size=4).rows[-1].receptive_field
    assert field is not None
    assert not field.aligned
