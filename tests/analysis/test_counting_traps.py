"""The cases that other tools count wrong. Beside each, what well-known counters print for it."""

import pytest

from netcalc import load
from netcalc.analysis import analyze

from helpers import only_row, report_of


@pytest.mark.parametrize(
    ("input", "item", "macs", "params"),
    [
        # some add the bias: 458,752
        ((3, 32, 32), "conv: {filters: 16, kernel: 3, pad: 1}", 442_368, 448),
        # one popular analyser ignores groups
        ((16, 32, 32), "conv: {filters: 16, kernel: 3, pad: 1, groups: 4}", 589_824, 592),
        ((8, 32, 32), "conv: {filters: 8, kernel: 3, pad: 2, dilation: 2}", 589_824, 584),
        # input positions; others 528,384 or 524,288 (output positions)
        ((8, 16, 16), "conv_transpose: {filters: 4, kernel: 4, stride: 2, pad: 1}", 131_072, 516),
        # 270,336; 262,144; 0
        ((8, 16, 16), "conv_transpose: {filters: 8, kernel: 4, stride: 2, pad: 1, groups: 4}", 65_536, 264),
        ((10, 64), "linear: {units: 32}", 20_480, 2_080),  # 2,080: the positions forgotten
        ((16, 64), "multi_head_attention: {heads: 4}", 294_912, 16_640),  # 0; 262,144
        ((16, 64), "multi_head_attention: {heads: 4, causal: true}", 294_912, 16_640),
        # 0 everywhere but one
        (
            (16, 64),
            "scaled_dot_product_attention: {heads: 4, from: [input, input, input]}",
            32_768,
            0,
        ),
        ((10, 32), "lstm: {units: 64}", 245_760, 25_088),  # 0; two bias vectors
        ((10,), "embedding: {entries: 100, width: 16}", 0, 1_600),
        ((16, 32, 32), "batchnorm", 0, 32),  # 32; 32,768; 65,536
        ((64, 10, 10), "adaptive_avgpool: {size: 3}", 0, 0),  # counted by some as macs
        ((64, 10, 10), "relu", 0, 0),
        ((64, 10, 10), "hardswish", 0, 0),
        ((64, 10, 10), "reshape: {shape: [100, 64]}", 0, 0),
        ((64, 10, 10), "flatten", 0, 0),
    ],
)
def test_trap(input: tuple[int, ...], item: str, macs: int, params: int) -> None:
    figures = only_row(input, item).figures
    assert (figures.macs, figures.params) == (macs, params)


def test_batch_norm_keeps_running_statistics() -> None:
    assert only_row((16, 32, 32), "batchnorm").figures.buffers == 32


def test_alexnet_at_224_is_torchvisions() -> None:
    report = analyze(load("alexnet", input=(3, 224, 224)))
    assert (report.totals.params, report.totals.macs) == (61_100_840, 714_188_480)


def test_a_batch_multiplies_counts_and_outputs_not_parameters() -> None:
    one, many = (analyze(load("alexnet"), batch=batch).totals for batch in (1, 128))
    assert many.params == one.params
    assert many.param_bytes == one.param_bytes
    for figure in ("macs", "other_ops", "flops", "output_bytes"):
        assert getattr(many, figure) == 128 * getattr(one, figure)


@pytest.mark.parametrize(
    ("dtype", "size"), [("float64", 8), ("float32", 4), ("float16", 2), ("bfloat16", 2), ("int8", 1)]
)
def test_element_size(dtype: str, size: int) -> None:
    totals = analyze(load("lenet5"), dtype=dtype).totals
    assert totals.param_bytes == 1_256_080 * size
    assert totals.output_bytes == analyze(load("lenet5"), dtype="int8").totals.output_bytes * size


def test_conventions_follow_from_two_integers() -> None:
    lecture, macs, flops = (
        analyze(load("alexnet"), convention=name).totals for name in ("lecture", "macs", "flops")
    )
    assert (lecture.macs, lecture.other_ops) == (macs.macs, macs.other_ops) == (flops.macs, flops.other_ops)
    pooling = 419_904 + 192 * 13 * 13 * 9 + 256 * 6 * 6 * 9
    assert lecture.flops == lecture.macs + pooling
    assert macs.flops == lecture.macs
    assert flops.flops == 2 * lecture.macs + lecture.other_ops


def test_unused_layers_are_kept_marked_and_counted() -> None:
    text = "input: [4]\noutputs: used\nlayers:\n  - linear: {name: used, units: 2}\n  - linear: {name: idle, units: 3}\n"
    report = report_of(text)
    assert [(row.node.name, row.used) for row in report.rows] == [("used", True), ("idle", False)]
    assert report.totals.params == 10 + 9


@pytest.mark.parametrize(
    ("kind", "ops"),
    [
        ("maxpool: {kernel: 3, stride: 2}", 8 * 4 * 4 * 9),
        ("avgpool: {kernel: 2}", 8 * 5 * 5 * 4),
        ("adaptive_avgpool: {size: 3}", 8 * 12 * 12),  # windows 0-4, 3-7, 6-10: 4 cells each
        ("global_avgpool", 8 * 100),
        ("relu", 800),
        ("sigmoid", 4 * 800),
        ("batchnorm", 2 * 800),
        ("layernorm", 7 * 800),
        ("layernorm: {bias: false}", 6 * 800),
        ("groupnorm: {groups: 2, affine: false}", 5 * 800),
        ("lrn: {size: 5}", 10 * 800),
        ("softmax", 5 * 800),
        ("upsample: {factor: 2}", 0),
        ("upsample: {factor: 2, mode: bilinear}", 7 * 3200),
        ("dropout", 0),
        ("reduce: {axes: [1, 2]}", 800),
        ("interpolate: {size: 20, mode: bilinear}", 7 * 3200),
        ("stochastic_depth: {rate: 0.1}", 0),
        ("roll: {shift: [0, 2]}", 0),
        ("parameter: {shape: [8, 1, 1], join: multiply}", 800),
        ("parameter: {shape: [8, 1, 10], join: prepend, axis: 1}", 0),
    ],
)
def test_other_operations(kind: str, ops: int) -> None:
    assert only_row((8, 10, 10), kind).figures.other_ops == ops


def test_adding_three_tensors_takes_two_additions_an_element() -> None:
    report = report_of(
        "input: [4, 5]\nlayers:\n  - relu: {name: a}\n  - relu: {name: b}\n  - add: {from: [a, b, input]}\n"
    )
    assert report.rows[-1].figures.other_ops == 2 * 20


@pytest.mark.parametrize(
    ("input", "item", "ops"),
    [
        ((16, 64), "multi_head_attention: {heads: 4}", 4 * 16 * 16 * 6),
        ((16, 64), "scaled_dot_product_attention: {heads: 4, from: [input, input, input]}", 4 * 16 * 16 * 6),
        # 9 windows of 9 positions, the input padded to 9 x 9
        ((8, 8, 4), "window_attention: {size: 3, heads: 2}", 2 * 81 * 9 * 7),
        ((8, 8, 4), "window_attention: {size: 3, heads: 2, shift: 1}", 2 * 81 * 9 * 8),
        # one window, so nothing is shifted
        ((3, 3, 4), "window_attention: {size: 3, heads: 2, shift: 1}", 2 * 9 * 9 * 7),
        # lengths of queries and keys, 16 sigmoid of the biases, the ReLU of 25 offsets
        (
            (3, 3, 4),
            "window_attention: {size: 3, heads: 2, cosine: true}",
            2 * 9 * 9 * 7 + 2 * 9 * 4 * 3 + 2 * 9 * 9 * 5 + 25 * 512,
        ),
        # keys and values pooled to 4 positions and normalised; 9 queries and 5 keys with the class token
        (
            (9, 4),
            "pooled_attention: {heads: 2, size: [1, 2, 4], stride_kv: [1, 1, 2], residual: patches}",
            2 * 9 * 5 * 6 + 2 * 5 * 4 * 7 + 8 * 4,
        ),
        # tables of 7 offsets along H and W, 3 needed along H; 3 additions a score between patches
        (
            (9, 4),
            "pooled_attention: {heads: 2, size: [1, 2, 4], positions: true, residual: all}",
            2 * 9 * 9 * 6 + 2 * 8 * 8 * 3 + 3 * 2 * 3 + 9 * 4,
        ),
        ((10, 32), "rnn: {units: 64}", 10 * 64 * 2),
        ((10, 32), "lstm: {units: 64}", 10 * 64 * 22),
        ((10, 32), "gru: {units: 64, layers: 3, bidirectional: true}", 10 * 64 * 17 * 6),
    ],
)
def test_other_operations_of_sequences(input: tuple[int, ...], item: str, ops: int) -> None:
    assert only_row(input, item).figures.other_ops == ops


def test_a_memory_is_projected_at_its_own_length() -> None:
    text = "input: {x: [5, 8], m: [7, 6]}\nlayers:\n  - multi_head_attention: {heads: 2, from: [x, m]}\n"
    figures = report_of(text).totals
    assert figures.macs == 2 * 5 * 8 * 8 + 2 * 7 * 6 * 8 + 2 * 5 * 7 * 8
    assert figures.params == 8 * 8 + 2 * 8 * 6 + 3 * 8 + 8 * 8 + 8


def test_a_matrix_product_of_two_inputs() -> None:
    text = "input: {a: [3, 16, 64], b: [1, 20, 64]}\nlayers:\n  - matmul: {from: [a, b], transpose: true}\n"
    report = report_of(text)
    assert (report.rows[0].output_shape, report.totals.macs) == ((3, 16, 20), 3 * 16 * 20 * 64)


@pytest.mark.parametrize(
    ("kind", "ops"),
    [
        ("relu6", 2), ("leaky_relu", 2), ("prelu", 2), ("elu", 4), ("selu", 5), ("celu", 7), ("gelu", 5),
        ("gelu: {form: tanh}", 9), ("silu", 4), ("tanh", 1), ("hardsigmoid", 4), ("hardswish", 5), ("softplus", 6),
        ("mish", 5), ("log_softmax", 5), ("instancenorm", 5), ("batchnorm: {running: false}", 7),
    ],
)  # fmt: skip
def test_operations_an_element(kind: str, ops: int) -> None:
    assert only_row((8, 10, 10), kind).figures.other_ops == ops * 800


@pytest.mark.parametrize(("input", "an_output"), [((2, 4), 3), ((2, 4, 4), 7), ((2, 4, 4, 4), 15)])
def test_interpolation_takes_all_corners(input: tuple[int, ...], an_output: int) -> None:
    row = only_row(input, "upsample: {factor: 2, mode: bilinear}")
    assert row.figures.other_ops == an_output * row.node.output.numel


def test_memory_does_not_depend_on_the_order_of_outputs() -> None:
    from netcalc.render.table.lines import lines, totals

    text = "input: [4, 8, 8]\noutputs: %s\nlayers:\n  - conv: {name: feat, filters: 4, kernel: 1}\n  - relu: {name: y}\n"
    sums = [
        totals(lines(report_of(text % outputs))).output_bytes
        for outputs in ("[feat, y]", "[y, feat]", "feat")
    ]
    assert sums == [2048, 2048, 2048]


@pytest.mark.parametrize(
    ("shape", "item", "words"),
    [
        ((8, 4, 4), "prelu: {channels: 3}", "does not match the 8"),
        ((4, 9), "layernorm: {axes: 3}", "more than the 2"),
        ((4, 9), "groupnorm: {groups: 3}", "does not divide 4"),
        ((4,), "lrn: {size: 3}", "reads channels"),
        ((4, 6), "flatten: {start: 1, end: 0}", "lies after"),
        ((12,), "reshape: {shape: [2, 3]}", "do not fill"),
        ((12,), "reshape: {shape: [-1, -1]}", "more than one -1"),
        ((4, 6), "permute: {order: [0, 0]}", "once, not"),
        ((4, 6), "unsqueeze: {axis: 3}", "outside"),
        ((4, 9), "crop: {crop: 5}", "leaves nothing"),
        ((4, 9), "crop: {size: 10}", "larger than"),
        ((4, 9, 9), "crop: {size: 4, crop: [[1, 0], [0, 0]]}", "not both"),
        ((4, 6), "conv: {filters: 2, kernel: 1, pad: [1, 1]}", "with 1 spatial axis"),
    ],
)
def test_what_a_layer_refuses(shape: tuple[int, ...], item: str, words: str) -> None:
    from netcalc.diagnostics import GraphError

    with pytest.raises(GraphError, match=words):
        only_row(shape, item)
