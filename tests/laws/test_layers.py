"""What holds of every layer, on every case: a new layer is tested by being listed."""

from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

import netcalc.layers
from netcalc.analysis import analyze
from netcalc.analysis.explain import explain
from netcalc.analysis.symbolic import SymbolicInt, formula, numbers, value
from netcalc.diagnostics import Source, Span
from netcalc.graph import Graph, Input, Node
from netcalc.layers import LAYERS, Cost, Layer, LayerError
from netcalc.layers.axes import channels_first, channels_last
from netcalc.tensor import Shape, TensorType

from cases import CASES, Case
from helpers import TESTS

KINDS = tuple(LAYERS.values())
every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_layer = pytest.mark.parametrize("layer", KINDS, ids=list(LAYERS))


def test_families_stand_together() -> None:
    families = [family for family, _ in groupby(LAYERS.values(), key=lambda layer: layer.family)]
    assert sorted(set(families)) == sorted(families)


def test_every_class_with_a_kind_is_listed_under_it() -> None:
    assert all(layer.kind == kind for kind, layer in LAYERS.items())
    for file in Path(netcalc.layers.__path__[0]).glob("*.py"):
        for thing in vars(import_module(f"netcalc.layers.{file.stem}")).values():
            if isinstance(thing, type) and issubclass(thing, Layer) and "kind" in vars(thing):
                assert LAYERS[thing.kind] is thing


def graph_of_case(case: Case) -> Graph:
    """A graph of one node, without a text behind it."""
    layer, types = case.layer, case.types
    names = tuple(f"x{number}" for number in range(len(types)))
    span = Span(Source("case", ""), 0, 0)
    node = Node("y", (), layer, names, layer.infer(types), layer.params(types), span)
    return Graph("case", tuple(map(Input, names, types)), (node,), ("y",))


@every_case
def test_output_shape(case: Case) -> None:
    assert case.layer.infer(case.types).shape == case.output


@every_case
def test_figures_are_plain_integers(case: Case) -> None:
    layer, types = case.layer, case.types
    y = layer.infer(types)
    sizes = [
        *y.shape,
        *layer.cost(types, y),
        *(size for param in layer.params(types) for size in param.shape),
    ]
    assert all(type(size) is int and size >= 0 for size in sizes)
    assert min(y.shape) >= 1


@every_case
def test_symbolic_rules_give_the_same_figures_and_formulas_that_hold(case: Case) -> None:
    report = analyze(graph_of_case(case))
    row = report.rows[0]
    explained = explain(report, row)
    outputs = [e.value for e in explained if e.figure.startswith("output ")]
    assert tuple(outputs) == row.output_shape
    by_figure = {e.figure: e.value for e in explained}
    assert by_figure["memory"] == row.figures.output_bytes
    assert by_figure["params"] == row.figures.params
    assert by_figure.get("buffers", 0) == row.figures.buffers
    assert by_figure["macs"] == row.figures.macs
    assert by_figure.get("other ops", 0) == row.figures.other_ops
    for explanation in explained:
        assert value(explanation.term) == explanation.value
        python = (
            numbers(explanation.term).replace("floor(", "int(").replace("ceil(", "__import__('math').ceil(")
        )
        assert eval(python) == explanation.value  # our own text, from our own integers
        assert formula(explanation.term)


@every_case
def test_every_axis_of_an_output_has_a_name(case: Case) -> None:
    """Whatever the inputs' axes are called; names follow an axis that is moved."""
    layer, types = case.layer, case.types
    y = layer.infer(types)
    for given in (channels_first, channels_last):
        names = layer.output_axes(tuple(given(len(type.shape)) for type in types), types, y)
        assert len(names) == len(y.shape)
        assert all(names)
    read = layer.reads_axes(len(types[0].shape))
    if read is not None:
        assert len(read) == len(types[0].shape)
        assert len(set(read)) == len(read)
    if len(y.shape) == len(types[0].shape) and case.kind not in ("permute", "reshape", "matmul"):
        own = read or channels_first(len(y.shape))
        others = tuple(channels_first(len(type.shape)) for type in types[1:])
        assert layer.output_axes((own, *others), types, y) == own


@every_case
def test_windows_cover_the_spatial_axes(case: Case) -> None:
    layer, types = case.layer, case.types
    windows = layer.window(types)
    if windows is not None:
        assert len(windows) == len(types[0].shape) - 1
        assert all(window.stride >= 1 and window.reach >= 0 and window.upsampling >= 1 for window in windows)


@every_case
def test_settings_make_the_same_layer(case: Case) -> None:
    layer = case.layer
    again = type(layer)(case.types, **layer.settings())
    assert again == layer
    assert hash(again) == hash(layer)
    assert again.infer(case.types) == layer.infer(case.types)


@every_case
def test_options_as_a_layer_holds_them_make_the_same_layer(case: Case) -> None:
    layer = case.layer
    values = {name: getattr(layer, name) for name in layer.options}
    assert type(layer)(case.types, **values) == layer.with_options(**values) == layer


@every_layer
def test_a_layer_is_frozen(layer: type[Layer]) -> None:
    made = next(case for case in CASES if case.kind == layer.kind).layer
    with pytest.raises(AttributeError, match="immutable"):
        made.anything = 3  # type: ignore[attr-defined]


@every_layer
def test_a_scalar_is_refused_or_understood(layer: type[Layer]) -> None:
    """No rule trips over a tensor without axes."""
    options = next(case for case in CASES if case.kind == layer.kind).options
    scalars = (TensorType(()),) * layer.arity[0]
    try:
        made = layer(scalars, **options)
        made.cost(scalars, made.infer(scalars))
        made.params(scalars)
        made.window(scalars)
    except LayerError as error:
        assert error.message


RANKS: tuple[Shape, ...] = ((5,), (4, 5), (4, 5, 6), (4, 5, 6, 7), (4, 5, 6, 7, 8))


@every_layer
@pytest.mark.parametrize("shape", RANKS, ids=["1", "2", "3", "4", "5"])
def test_any_rank_is_refused_or_understood(layer: type[Layer], shape: Shape) -> None:
    for case in (case for case in CASES if case.kind == layer.kind):
        types = (TensorType(shape),) * len(case.inputs)
        try:
            made = layer(types, **case.options)
            y = made.infer(types)
        except LayerError as error:
            assert error.message
            continue
        assert isinstance(made.cost(types, y), Cost)
        made.params(types)
        made.window(types)


WRONG: tuple[Any, ...] = (
    None,
    "word",
    -7,
    0,
    2.5,
    True,
    (),
    (1, "a"),
    ((1, 2, 3),),
    10**12,
    ("same",),
    float("1e300"),
)


@every_layer
def test_a_wrong_option_is_a_layer_error(layer: type[Layer]) -> None:
    case = next(case for case in CASES if case.kind == layer.kind)
    for name in layer.options:
        for wrong in WRONG:
            try:
                made = layer(case.types, **{**case.options, name: wrong})
                made.infer(case.types)
            except LayerError as error:
                assert name in error.message or error.option


@every_layer
def test_unknown_and_missing_options_are_layer_errors(layer: type[Layer]) -> None:
    with pytest.raises(LayerError, match="has no option 'wrong'"):
        layer((), wrong=1)
    if any(option.required for option in layer.options.values()):
        with pytest.raises(LayerError, match="needs"):
            layer(())


@every_layer
def test_every_option_is_documented(layer: type[Layer]) -> None:
    for name, option in layer.options.items():
        assert option.name == name
        assert len(option.doc) > 5, name
        assert option.words, name


@every_layer
def test_the_docstring_has_a_summary(layer: type[Layer]) -> None:
    assert layer.__doc__
    assert layer.__doc__.split("\n")[0].endswith((".", ":"))


def test_names_of_other_frameworks_mean_one_layer() -> None:
    meanings: dict[str, str] = {}
    for layer in KINDS:
        for name in {layer.kind, *layer.also}:
            assert meanings.setdefault(name, layer.kind) == layer.kind


def test_the_reference_page_is_current() -> None:
    from netcalc.render.reference.layers import markdown_chunks

    page = TESTS.parent / "docs" / "layers.md"
    assert page.read_text() == "".join(markdown_chunks()), (
        "run netcalc layers --format markdown > docs/layers.md"
    )


def test_symbolic_integers_keep_their_value() -> None:
    a, b = SymbolicInt.named("a", 7), SymbolicInt.named("b", 2)
    for number in (a + b, a - b, a * b, a // b, -(-a // b), 3 + a, 20 - a, 3 * a, 20 // a, -a):
        assert value(number.term) == number
    assert formula((-(-a // b)).term) == "ceil(a / b)"
    assert formula(((a - b) // b + 1).term) == "floor((a - b) / b) + 1"
    assert numbers(((a + 1) // b).term) == "(7 + 1) / 2"


@every_layer
def test_what_acts_on_each_element_can_be_fused(layer: type[Layer]) -> None:
    """So that no bound of a time counts bytes for it; and no product can."""
    made = next(case for case in CASES if case.kind == layer.kind)
    macs = made.layer.cost(made.types, made.layer.infer(made.types)).macs
    if layer.fusible:
        assert macs == 0
    if layer.family in ("activation", "normalisation", "regularisation"):
        assert layer.fusible
