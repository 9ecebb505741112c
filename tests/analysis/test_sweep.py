"""Sweeps: which variants there are, what a row holds, and which rows are chosen."""

import random
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest

import netcalc
from netcalc.analysis import analyze
from netcalc.analysis.selection import (
    numeric_columns,
    pareto_front,
    read_condition,
    read_objectives,
)
from netcalc.analysis.sweep import (
    FIGURES,
    MAX_VARIANTS,
    Sweep,
    VariantRow,
    chosen_variants,
    count_variants,
    plan,
    sweep_rows,
)
from netcalc.diagnostics import Source, SpecError
from netcalc.spec import find_spec, read_spec, split_setting

from helpers import graph_of

SPEC = """
input: [3, 16, 16]
args: {width: 4, sizes: [3, 1], layers: 1, act: relu}
layers:
  - conv: {filters: $width, kernel: '$(sizes[0])', repeat: $layers}
  - $act
  - global_avgpool
  - linear: {units: 2}
"""


def sweep_of(*varied: str, text: str = SPEC, **options: Any) -> Sweep:
    return plan(read_spec(Source("net.yaml", text)), varied, **options)


def all_rows(sweep: Sweep) -> list[VariantRow]:
    return count_variants(sweep, chosen_variants(sweep))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a=1,2", ["a=1", "a=2"]),
        ("a=1", ["a=1"]),
        (" a = [1, 2], [3] ", ["a=[1, 2]", "a=[3]"]),
        ("a=$(min(1, 2)),'x,y',\"]\",3", ["a=$(min(1, 2))", "a='x,y'", 'a="]"', "a=3"]),
        ("a=", ["a="]),
        ("a=1,", ["a=1", "a="]),
        ("a", ["a"]),
    ],
)
def test_values_are_split_at_the_commas_outside_brackets(text: str, parts: list[str]) -> None:
    assert split_setting(text) == parts


def test_the_grid_is_the_product_and_the_last_axis_varies_fastest() -> None:
    sweep = sweep_of("width=2,4", "input=8,16,3x8x16", "sizes=[3, 3],[1, 1]")
    expected = list(product((2, 4), (8, 16, "3x8x16"), ((3, 3), (1, 1))))
    assert sweep.size == 12
    assert [tuple(sweep.settings(index).values()) for index in range(12)] == expected
    assert [tuple(row.values())[:3] for row in all_rows(sweep)] == expected


def test_a_row_is_what_the_variant_counts_alone() -> None:
    sweep = sweep_of("width=2,4", "input=8,3x12x16", batch=3, dtype="float16", convention="flops")
    for row in all_rows(sweep):
        shape = (3, 8, 8) if row["input"] == 8 else (3, 12, 16)
        totals = analyze(graph_of(SPEC, shape, width=row["width"]), 3, "float16", "flops").totals
        assert row["error"] is None
        assert (row["params"], row["macs"], row["flops"]) == (totals.params, totals.macs, totals.flops)
        assert (row["output_bytes"], row["param_bytes"]) == (totals.output_bytes, totals.param_bytes)


def test_rows_of_a_bundled_variant() -> None:
    source, variant = find_spec("resnet18")
    (row,) = all_rows(plan(read_spec(source, variant), ["classes=1000"]))
    assert row["params"] == netcalc.analyze(netcalc.load("resnet18")).totals.params


def test_a_variant_that_fails_is_a_row_with_its_error() -> None:
    rows = all_rows(sweep_of("width=4,-1,wide", "input=2,8"))
    assert [row["error"] is None for row in rows] == [False, True, False, False, False, False]
    assert rows[0]["error"] == "E601: net.yaml:5:37: a kernel of 3 does not fit an input of 2"
    assert str(rows[2]["error"]).startswith("E404: net.yaml:5:21: filters is a whole number from 1 up")
    for row in rows:
        figures = [row[name] for name in FIGURES]
        assert all(isinstance(figure, int) for figure in figures) is (row["error"] is None)


@pytest.mark.parametrize(
    ("declared", "text", "shape"),
    [
        ("input: [3, 16, 16]", "input=8", (3, 8, 8)),
        ("input: [3, 4, 16, 16]", "input=8", (3, 8, 8, 8)),
        ("input: [16]", "input=8", (8,)),
        ("input: [3, 16]", "input=5x8", (5, 8)),
        ("inputs: {image: [1, 2, 2]}", "image=8", (1, 8, 8)),
        ("inputs: {image: [1, 2, 2]}", "input=8", (1, 8, 8)),
        ("args: {size: 4}\ninput: [3, $size, 2]", "input=6", (3, 6, 6)),
    ],
)
def test_a_bare_number_keeps_the_channels(declared: str, text: str, shape: tuple[int, ...]) -> None:
    numel = 1
    for size in shape:
        numel *= size
    (row,) = all_rows(sweep_of(text, text=f"{declared}\nlayers:\n  - relu\n"))
    assert row["output_bytes"] == 4 * numel


def test_one_of_several_inputs_varies() -> None:
    spec = "inputs: {a: [3, 4, 4], b: [3, 4, 4]}\nlayers:\n  - add: {from: [a, b]}\n"
    rows = all_rows(sweep_of("a=8,4", text=spec))
    assert [row["error"] is None for row in rows] == [False, True]
    assert all(row["error"] is None for row in all_rows(sweep_of("a=8", inputs=["b=3x8x8"], text=spec)))


def test_an_argument_with_the_name_of_a_figure_has_a_column_of_its_own() -> None:
    rows = all_rows(sweep_of("layers=1,2"))
    assert [(row["arg_layers"], row["layers"]) for row in rows] == [(1, 4), (2, 5)]


def test_an_expression_is_evaluated_in_the_spec() -> None:
    (row,) = all_rows(sweep_of("layers=$(width - 2)"))
    assert (row["arg_layers"], row["layers"]) == ("$(width - 2)", 5)


@pytest.mark.parametrize(
    ("varied", "words"),
    [
        (["widht=1"], "no argument 'widht'.*"),
        (["width=1,2,1"], "width has the value 1 twice"),
        (["width=1", "width=2"], "width is set twice"),
        (["width"], "a setting is name=value"),
        (["width=1,,2"], "has no value"),
        (["input=a"], "an input is its sizes"),
        (["input=0,4"], "from 1 up"),
        (["width={a: 1}"], "a setting is a number"),
    ],
)
def test_what_cannot_vary_is_refused_before_anything_is_counted(varied: list[str], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        sweep_of(*varied)


@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        (SPEC, "picture=3x8x8", "no input 'picture'"),
        (
            "inputs: {a: [3], b: [3]}\nargs: {width: 1}\nlayers:\n  - add: {from: [a, b]}\n",
            "3",
            "several inputs",
        ),
    ],
)
def test_the_size_of_an_input_that_is_not_there_is_refused(text: str, given: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        sweep_of("width=1", text=text, inputs=[given])


def test_an_input_does_not_vary_and_stay() -> None:
    with pytest.raises(SpecError, match="input is set twice"):
        sweep_of("input=8,16", inputs=["3x8x8"])
    named = "inputs: {image: [1, 2, 2]}\nlayers:\n  - relu\n"
    for varied, inputs in ((["input=8", "image=9"], []), (["input=8"], ["image=1x4x4"])):
        with pytest.raises(SpecError, match="image is set twice"):
            sweep_of(*varied, text=named, inputs=inputs)


def test_a_spec_that_cannot_be_read_is_no_row() -> None:
    with pytest.raises(SpecError, match="unknown key 'layer'"):
        sweep_of("width=1", text=SPEC.replace("layers:\n", "layer:\n"))


def test_a_sample_is_seeded_and_rises_and_is_part_of_the_grid() -> None:
    sweep = sweep_of(
        "width=" + ",".join(map(str, range(1, 101))), "input=" + ",".join(map(str, range(3, 103)))
    )
    first, again, other = (chosen_variants(sweep, 50, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert list(first) == sorted(set(first))
    assert len(first) == 50
    assert set(first) <= set(range(sweep.size))
    assert list(chosen_variants(sweep, 10**9)) == list(range(sweep.size))


def test_a_grid_beyond_the_limit_is_refused_but_can_be_sampled() -> None:
    hundred = ",".join(map(str, range(1, 101)))
    sweep = sweep_of(*(f"{name}={hundred}" for name in ("width", "sizes", "layers", "act")))
    assert sweep.size > MAX_VARIANTS
    with pytest.raises(ValueError, match="100,000,000 variants of 100,000,000 are too many"):
        chosen_variants(sweep)
    assert len(chosen_variants(sweep, 10)) == 10


class _Reluctant(Executor):
    """Finishes what it is given only when its result is asked for, and notes how much was waiting."""

    def __init__(self) -> None:
        self.waiting = self.most = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        future: Future[Any] = Future()

        def result() -> Any:
            self.waiting -= 1
            return fn(*args, **kwargs)

        future.result = result  # type: ignore[method-assign]
        return future


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
@pytest.mark.parametrize("in_flight", [1, 2, 8])
def test_rows_come_in_order_whatever_the_executor_and_few_are_under_way(chunk: int, in_flight: int) -> None:
    sweep = sweep_of("width=1,2,3,4,5", "input=2,4,6,8")
    expected = all_rows(sweep)
    with ThreadPoolExecutor(3) as threads:
        assert list(sweep_rows(sweep, range(20), threads, chunk, in_flight)) == expected
    reluctant = _Reluctant()
    assert list(sweep_rows(sweep, range(20), reluctant, chunk, in_flight)) == expected
    assert reluctant.most <= in_flight


def test_the_digest_tells_what_rows_depend_on() -> None:
    base = sweep_of("width=1,2")
    assert base.digest == sweep_of("width=3", "input=8").digest
    others = [
        sweep_of("width=1", text=SPEC + "# another\n"),
        sweep_of("width=1", batch=2),
        sweep_of("width=1", dtype="int8"),
        sweep_of("width=1", convention="macs"),
        sweep_of("width=1", inputs=["3x8x8"]),
        sweep_of("width=1", version="2"),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 7


def test_the_digest_tells_variants_apart() -> None:
    digests = {
        plan(read_spec(source, variant), ["classes=2"]).digest
        for source, variant in map(find_spec, ("resnet18", "resnet34", "resnet50"))
    }
    assert len(digests) == 3


def test_a_condition() -> None:
    sweep = sweep_of("width=2,4,-1", "sizes=[1, 1],[3, 3]")
    rows = all_rows(sweep)
    condition = read_condition("params > 30 and sizes[0] == 3", sweep.columns)
    assert [(row["width"], row["sizes"]) for row in rows if condition.meets(row)] == [
        (2, (3, 3)),
        (4, (3, 3)),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prams < 5", "E302.*there is no column 'prams'"),
        ("params <", "E303.*not an expression"),
        ("params.real", "E303.*an attribute is not part"),
        ("", "it is empty"),
        ("open('x')", "E302.*there is no function 'open'"),
    ],
)
def test_a_condition_that_cannot_be_read(text: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        read_condition(text, ("params",))


@pytest.mark.parametrize("text", ["params", "params < 'a'", "params / (width - 2) > 1", "not params"])
def test_a_condition_that_cannot_be_evaluated(text: str) -> None:
    sweep = sweep_of("width=2")
    condition = read_condition(text, sweep.columns)
    with pytest.raises(SpecError, match="E303"):
        condition.meets(all_rows(sweep)[0])


def test_objectives() -> None:
    columns = ("macs", "width")
    objectives = [
        (each.column, each.maximise) for each in read_objectives("macs, -width,width:max,width:min", columns)
    ]
    assert objectives == [("macs", False), ("width", True), ("width", True), ("width", False)]
    for text, words in (
        ("mac", "did you mean macs"),
        ("macs:most", "is no objective"),
        ("-macs:max", "is no objective"),
        ("macs,", "no column of numbers ''"),
    ):
        with pytest.raises(ValueError, match=words):
            read_objectives(text, columns)


def test_columns_of_words_lists_and_truths_are_not_numeric() -> None:
    sweep = sweep_of("width=1,2.5", "sizes=[1, 1]", "act=relu,gelu", "layers=true,2")
    assert numeric_columns(sweep) == ["width", *FIGURES]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_pareto_front_is_what_nothing_beats(count: int) -> None:
    generator = random.Random(count)
    columns = [("a", False), ("b", True), ("c", False)][:count]
    objectives = read_objectives(
        ",".join(f"{name}:{'max' if most else 'min'}" for name, most in columns), "abc"
    )
    for _ in range(30):
        rows = [
            {
                **{name: generator.randrange(6) for name in "abc"},
                "error": generator.choice([None] * 9 + ["E"]),
            }
            for _ in range(25)
        ]
        good = [row for row in rows if row["error"] is None]

        def beats(one: VariantRow, other: VariantRow) -> bool:
            pairs = [(one[name], other[name]) if most else (other[name], one[name]) for name, most in columns]
            return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)  # type: ignore[operator]

        expected = [row for row in good if not any(beats(other, row) for other in good)]
        front = pareto_front(rows, objectives)
        assert sorted(map(id, front)) == sorted(map(id, expected))
        assert front == sorted(front, key=lambda row: row["a"])
