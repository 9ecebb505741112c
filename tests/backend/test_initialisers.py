"""Initialisations against torch.nn.init, moment by moment, and what each draws of every kind of parameter."""

import json
from dataclasses import replace
from math import prod, sqrt
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from netcalc.backend import Network
from netcalc.backend.fans import gain, gain_after, matrices
from netcalc.backend.initialisers import deviation, orthogonal
from netcalc.backend.lsuv import scale_to_batch
from netcalc.graph import Graph
from netcalc.layers import LAYERS, LayerError
from netcalc.layers.activation import Activation
from netcalc.layers.initialisation import NUMBERED, OTHER_SCHEMES, SCHEMES, Scheme, read_scheme
from netcalc.layers.softmax import Softmax

from helpers import TESTS, graph_of

GOLDEN = json.loads((TESTS / "golden" / "initialisers.json").read_text())
ALL = [f"{name}:0.1" if name in NUMBERED else name for name in SCHEMES]


def network(items: str, init: str, input: str = "[6, 8, 8]", dtype: str = "float64") -> Network:
    lines = "".join(f"  - {item}\n" for item in items.split("; "))
    return Network(graph_of(f"input: {input}\ninit: {init}\nlayers:\n{lines}"), seed=1, dtype=dtype)


def node_gain(graph: Graph) -> float:
    return gain_after(graph, graph.nodes[0])


@pytest.mark.parametrize(("kind", "slope", "expected"), GOLDEN["gains"])
def test_gains_are_pytorch_s(kind: str, slope: float | None, expected: float) -> None:
    options = {} if slope is None else {"slope": slope}
    assert gain(LAYERS[kind](**options)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("case", GOLDEN["deviations"], ids=lambda case: "x".join(map(str, case["shape"])))
def test_deviations_and_bounds_are_pytorch_s(case: dict[str, Any]) -> None:
    out, inputs, *taps = case["shape"]
    fans = inputs * prod(taps), out * prod(taps)

    def std(name: str, gain: float = 1.0) -> float:
        return deviation(Scheme(name), *fans, gain)

    assert sqrt(3) * std("xavier") == pytest.approx(case["xavier"], rel=1e-12)
    assert std("xavier_normal") == pytest.approx(case["xavier_normal"], rel=1e-12)
    for name, gained in (("linear", 1.0), ("relu", sqrt(2)), ("tanh", 5 / 3)):
        assert std("he", gained) == pytest.approx(case["he"][name], rel=1e-12)
        assert sqrt(3) * std("he_uniform", gained) == pytest.approx(case["he_uniform"][name], rel=1e-12)
        assert (
            std("lecun", gained) == std("lecun_uniform", gained) == pytest.approx(fans[0] ** -0.5, rel=1e-12)
        )


@pytest.mark.parametrize("case", GOLDEN["orthogonal"], ids=lambda case: "x".join(map(str, case["shape"])))
def test_orthogonal_matrices_are_pytorch_s(case: dict[str, Any]) -> None:
    drawn = np.array(case["drawn"])
    rng = Mock(
        standard_normal=lambda shape: drawn.reshape(shape) if len(drawn) >= drawn.shape[1] else drawn.T
    )
    made = 1.5 * orthogonal(rng, tuple(case["shape"]), np.dtype(np.float64))
    np.testing.assert_allclose(made, case["made"], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("item", "fans"),
    [
        ("linear: 5", [(5, 8, 5)]),
        ("conv: {filters: 9, kernel: [3, 5]}", [(9, 90, 135)]),
        ("conv: {filters: 9, kernel: 3, groups: 3}", [(9, 18, 27)]),
        ("depthwise_conv: {kernel: 3, multiplier: 2}", [(12, 9, 18)]),
        ("conv_transpose: {filters: 4, kernel: 4, stride: 2}", [(6, 24, 64)]),
        ("conv_transpose: {filters: 4, kernel: 2, groups: 2}", [(6, 12, 8)]),
    ],
)
def test_fans(item: str, fans: list[tuple[float, ...]]) -> None:
    graph = graph_of(f"input: [6, 8, 8]\nlayers:\n  - {item}\n")
    (found,) = matrices(graph, graph.nodes[0]).values()
    assert list(found) == fans


def test_gates_and_projections_are_matrices_of_their_own() -> None:
    graph = graph_of(
        "input: [7, 8]\nlayers:\n  - lstm: {units: 5}\n  - linear: 12\n  - multi_head_attention: {heads: 4, kv_heads: 2}\n"
    )
    lstm, _, attention = (matrices(graph, node) for node in graph.nodes)
    assert lstm["weight_ih_l0"] == ((5, 8, 5),) * 4
    assert lstm["weight_hh_l0"] == ((5, 5, 5),) * 4
    assert attention["in_proj_weight"] == ((12, 12, 12), (6, 12, 6), (6, 12, 6))
    drawn = Network(replace(graph, init="orthogonal"), dtype="float64").parameters()["lstm1.weight_hh_l0"]
    for gate in np.split(drawn, 4):
        np.testing.assert_allclose(gate @ gate.T, np.eye(5), atol=1e-12)


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("relu", sqrt(2)),
        ("tanh", 5 / 3),
        ("leaky_relu: 0.2", sqrt(2 / 1.04)),
        ("prelu: {slope: 0.2}", sqrt(2 / 1.04)),
        ("sigmoid", 1),
        ("softmax", 1),
        ("batchnorm; relu", sqrt(2)),
        ("layernorm; dropout; flatten; tanh", 5 / 3),
        ("maxpool: 2; relu", 1),
        ("residual: {main: [relu]}", 1),
        ("conv: {filters: 2, kernel: 1}; relu", 1),
        ("identity", 1),
    ],
)
def test_the_gain_is_of_the_nonlinearity_that_follows(below: str, expected: float) -> None:
    lines = "".join(f"  - {item}\n" for item in below.split("; "))
    graph = graph_of(f"input: [6, 8, 8]\nlayers:\n  - conv: {{filters: 4, kernel: 3}}\n{lines}")
    assert node_gain(graph) == pytest.approx(expected, rel=1e-12)
    as_output = graph_of(
        f"input: [6, 8, 8]\noutputs: [a, z]\nlayers:\n  - conv: {{name: a, filters: 4, kernel: 3}}\n{lines}  - identity: {{name: z}}\n"
    )
    assert node_gain(as_output) == 1


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_the_gain_of_an_rnn_is_its_own(nonlinearity: str) -> None:
    graph = graph_of(f"input: [7, 8]\nlayers:\n  - rnn: {{units: 5, activation: {nonlinearity}}}\n")
    assert node_gain(graph) == pytest.approx({"tanh": 5 / 3, "relu": sqrt(2)}[nonlinearity])


def activations() -> list[type[Activation]]:
    kinds = (LAYERS[kind] for kind in LAYERS)
    return [kind for kind in kinds if issubclass(kind, Activation) and not issubclass(kind, Softmax)]


@pytest.mark.parametrize("kind", activations(), ids=lambda kind: str(kind.kind))
def test_a_gain_that_pytorch_has_not_keeps_the_mean_square(kind: type[Activation]) -> None:
    layer = kind()
    z = np.random.default_rng(0).standard_normal((2**20, 1))
    graph = graph_of(f"input: [1]\nlayers:\n  - {layer.kind}\n")
    y = Network(graph, dtype="float64").forward(z, gradients=False)
    assert isinstance(y, np.ndarray)
    if layer.gain() is None:
        assert gain(layer) ** 2 * (y**2).mean() == pytest.approx(1, rel=0.01)
    assert gain(layer) > 0


@pytest.mark.parametrize("init", ALL)
def test_each_scheme_draws_what_it_says(init: str) -> None:
    drawn = network("conv: {filters: 64, kernel: 5}; batchnorm; relu; flatten; linear: 100", init)
    weight, bias = (drawn.parameters()[f"linear1.{name}"] for name in ("weight", "bias"))
    fan_in, fan_out = weight.shape[1], 100
    stds = {
        "pytorch": 1 / sqrt(3 * fan_in), "normal": 0.1, "uniform": 0.1 / sqrt(3),
        **dict.fromkeys(("xavier", "xavier_normal"), sqrt(2 / (fan_in + fan_out))),
        **dict.fromkeys(("he", "he_uniform", "lecun", "lecun_uniform", "orthogonal"), 1 / sqrt(fan_in)), "zeros": 0.0,
    }  # fmt: skip
    name = init.partition(":")[0]
    if name in stds:
        assert weight.std() == pytest.approx(stds[name], rel=0.01)
    if name in ("uniform", "xavier", "he_uniform", "lecun_uniform"):
        bound = sqrt(3) * stds[name]
        assert 0.999 * bound < np.abs(weight).max() <= bound
    assert bias.any() == (name == "pytorch")
    assert drawn.parameters()["batchnorm1.weight"].all() == (name != "zeros")
    gained = {"he": sqrt(2), "he_uniform": sqrt(2), "orthogonal": sqrt(2)}.get(name)
    if gained:
        first = drawn.parameters()["conv1.weight"]
        assert first.std() == pytest.approx(gained / sqrt(150), rel=0.02)


def test_what_a_scheme_leaves_alone() -> None:
    items = (
        "embedding: {entries: 50, width: 16}; parameter: {shape: [8, 16]}; layernorm; prelu; lstm: {units: 8}"
    )
    plain = network(items, "pytorch", "[8]").parameters()
    for init in ALL:
        drawn = network(items, init, "[8]").parameters()
        changed = {
            name.partition(".")[0] for name, array in drawn.items() if not np.array_equal(array, plain[name])
        }
        tables = {"embedding1", "parameter1"} if init.partition(":")[0] in NUMBERED else set()
        expected = {"pytorch": set(), "zeros": {name.partition(".")[0] for name in drawn}}
        assert changed == expected.get(init, {"lstm1", *tables}), init


def test_a_scheme_of_numbers_draws_tables_with_its_deviation() -> None:
    drawn = network("embedding: {entries: 500, width: 160}", "normal:0.02", "[8]").parameters()
    assert drawn["embedding1.weight"].std() == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize("init", ALL)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_every_scheme_in_every_element_type(init: str, dtype: str) -> None:
    drawn = network("conv: {filters: 4, kernel: 3}; relu; conv: {filters: 2, kernel: 3}", init, dtype=dtype)
    for array in drawn.parameters().values():
        assert np.isfinite(array).all()
        assert np.array_equal(array, drawn.precision.rounded(array))


def test_a_layer_keeps_its_values_when_another_is_added() -> None:
    one = network("conv: {name: a, filters: 4, kernel: 3}; relu", "he").parameters()
    two = network("conv: {name: a, filters: 4, kernel: 3}; relu; linear: 3", "he").parameters()
    assert np.array_equal(one["a.weight"], two["a.weight"])


def test_lsuv_gives_every_layer_variance_1_on_its_batch() -> None:
    items = "conv: {filters: 9, kernel: 3}; batchnorm; relu; dropout: 0.3; conv_transpose: {filters: 4, kernel: 3}; tanh; flatten; linear: 10"
    drawn = network(items, "lsuv")
    weights = {name: array.copy() for name, array in drawn.parameters().items() if "weight" in name}
    x = 3 * np.random.default_rng(7).standard_normal((12, 6, 8, 8))
    scale_to_batch(drawn, x)
    assert not drawn.parameters()["batchnorm1.running_mean"].any()
    run = drawn.run(x, training=True, capture=["conv1", "conv_transpose1", "linear1"], draw=0)
    for name, y in run.captured.items():
        assert y.std() == pytest.approx(1, rel=1e-9), name
    first, before = drawn.parameters()["conv1.weight"], weights["conv1.weight"]
    np.testing.assert_allclose(first / first.std(), before / before.std(), rtol=1e-9)


def test_a_spec_s_own_lsuv_is_scaled_to_standard_normal_numbers() -> None:
    drawn = network("conv: {filters: 9, kernel: 3}; relu; flatten; linear: {units: 10, init: zeros}", "lsuv")
    y = drawn.run(np.random.default_rng(0).standard_normal((64, 6, 8, 8)), capture=["conv1"], training=True)
    assert y.captured["conv1"].std() == pytest.approx(1, rel=0.1)
    assert not y.outputs["linear1"].any()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("normal", "normal has a standard deviation above 0"),
        ("normal:0", "above 0: normal:0.02, not 'normal:0'"),
        ("uniform:-1", "uniform has a bound above 0"),
        ("normal:nan", "above 0"),
        ("he:2", "he has no number"),
        ("kaiming_normal", "there is no initialisation 'kaiming_normal'"),
        ("", "there is no initialisation ''"),
    ],
)
def test_what_is_no_scheme(text: str, match: str) -> None:
    with pytest.raises(LayerError, match=match):
        read_scheme(text)


@pytest.mark.parametrize("init", [*ALL, "normal:1e-05", "uniform:2"])
def test_a_scheme_is_written_as_it_is_read(init: str) -> None:
    assert str(read_scheme(init)) == init


def test_names_of_other_frameworks_lead_to_a_scheme() -> None:
    for name, scheme in OTHER_SCHEMES.items():
        assert str(read_scheme(scheme)) == scheme
        with pytest.raises(LayerError) as caught:
            read_scheme(name)
        assert caught.value.help == f"did you mean {scheme}?"
