"""Networks as wholes: fan-outs, shared parameters, several inputs and outputs, capture, seeds, memory."""

import numpy as np
import pytest

import netcalc
from netcalc.backend import Network, memory, random_inputs
from netcalc.backend.inputs import token_inputs
from netcalc.diagnostics import ExecutionError

from helpers import graph_of

FAN_OUT = """
name: fan
inputs: {a: [6], b: [4]}
layers:
  - linear: {name: one, units: 5, from: a}
  - linear: {name: left, units: 5, from: one}
  - linear: {name: right, units: 5, from: one}
  - linear: {name: two, units: 5, from: b}
  - linear: {name: again, units: 5, from: right, share: left}
  - add: {name: sum, from: [left, two, one]}
outputs: [sum, again]
"""


def network(text: str = FAN_OUT, **options: object) -> Network:
    return Network(graph_of(text), dtype="float64", **options)  # type: ignore[arg-type]


def test_fan_outs_and_shared_parameters_sum_their_gradients() -> None:
    """Against finite differences through the whole network."""
    made = network()
    x = random_inputs(made.graph, 3, dtype="float64")
    rng = np.random.default_rng(1)
    y = made.forward(x)
    assert isinstance(y, dict)
    upstream = {name: rng.standard_normal(array.shape) for name, array in y.items()}
    grads = made.backward(upstream)

    def loss() -> float:
        outputs = made.run(x).outputs
        return sum(float((outputs[name] * upstream[name]).sum()) for name in outputs)

    arrays = {**x, **made.parameters()}
    assert {*grads.inputs, *grads.params} == {*arrays}
    for name, gradient in {**grads.inputs, **grads.params}.items():
        assert gradient is not None
        direction = rng.standard_normal(gradient.shape)
        values = []
        for step in (1e-4, -1e-4):
            arrays[name] += step * direction
            values.append(loss())
            arrays[name] -= step * direction
        assert (values[0] - values[1]) / 2e-4 == pytest.approx(float((gradient * direction).sum()), rel=1e-7)
    assert "again.weight" not in made.parameters()


def test_upstream_gradients_of_one_output_alone() -> None:
    made = network()
    made.forward(random_inputs(made.graph, 2, dtype="float64"))
    grads = made.backward({"again": np.ones((2, 5))})
    assert not grads.params["two.weight"].any()
    assert grads.params["left.weight"].any()
    assert grads.inputs["b"] is None


def test_capture_gives_what_lies_between() -> None:
    made = network()
    x = random_inputs(made.graph, 2, dtype="float64")
    y = made.forward(x, capture=["one", "a"], gradients=False)
    assert isinstance(y, dict)
    assert list(y) == ["sum", "again", "one", "a"]
    weight, bias = made.parameters()["one.weight"], made.parameters()["one.bias"]
    np.testing.assert_allclose(y["one"], x["a"] @ weight.T + bias)
    with pytest.raises(ExecutionError, match=r"E915.*fan has no layer 'wun' to capture"):
        made.forward(x, capture=["wun"])


def test_a_layer_keeps_its_values_when_another_is_added() -> None:
    alone = Network(graph_of("input: [6]\nlayers: [{linear: {name: fc, units: 5}}]\n"), seed=4)
    both = Network(
        graph_of("input: [6]\nlayers: [{linear: {units: 6}}, {linear: {name: fc, units: 5}}]\n"), seed=4
    )
    assert alone.parameters()["fc.weight"].tobytes() == both.parameters()["fc.weight"].tobytes()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((1, 6)), "fan has the inputs a, b: give an array for each by name"),
        ({"a": np.zeros((1, 6))}, "nothing is given for the input b"),
        ({"a": np.zeros((1, 6)), "b": np.zeros((2, 4))}, "the inputs have different batches: 1 in a, 2 in b"),
        ({"a": np.zeros((1, 6)), "c": np.zeros((2, 4))}, "fan has no input 'c'; its inputs are a, b"),
        ({"a": np.zeros(6), "b": np.zeros((2, 4))}, "the input a is 6 without a batch"),
    ],
)
def test_inputs_that_do_not_fit(x: object, message: str) -> None:
    with pytest.raises(ExecutionError, match=message):
        network().forward(x)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("upstream", "message"),
    [
        (np.zeros((1, 5)), "name each upstream gradient: the outputs are sum, again"),
        ({"one": np.zeros((1, 5))}, "there is no output 'one'; the outputs are sum, again"),
        ({"sum": np.zeros((1, 6))}, "the upstream gradient of sum is 1x5, not 1x6"),
        ({"sum": np.zeros((1, 5), complex)}, "the upstream gradient of sum holds complex128, not numbers"),
    ],
)
def test_upstream_gradients_that_do_not_fit(upstream: object, message: str) -> None:
    made = network()
    made.forward(random_inputs(made.graph))
    with pytest.raises(ExecutionError, match=message):
        made.backward(upstream)  # type: ignore[arg-type]


def test_no_backward_without_a_forward() -> None:
    made = network()
    with pytest.raises(ExecutionError, match="E909"):
        made.backward()
    made.forward(random_inputs(made.graph), gradients=False)
    with pytest.raises(ExecutionError, match="E909"):
        made.backward()


def test_more_memory_than_there_is_is_refused_with_a_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Network(netcalc.load("lenet5"))
    x = random_inputs(made.graph, 1000)
    monkeypatch.setattr(memory, "machine_bytes", lambda: 2**26)
    needed = memory.forward_bytes(made.graph, 1000, 4, saving=made.graph.types)
    message = rf"E904.*the tensors of LeNet-5 at batch 1000 need at least {needed / 2**30:.1f} GiB, this machine has 0\.1"
    with pytest.raises(ExecutionError, match=message):
        made.forward(x)
    monkeypatch.setattr(memory, "machine_bytes", lambda: None)
    made.forward(x)


@pytest.mark.parametrize("gradients", [False, True])
def test_predicted_memory_covers_what_lives_together(gradients: bool) -> None:
    graph = graph_of(FAN_OUT)
    living = {"a": 6, "b": 4, "one": 5, "left": 5, "right": 5, "two": 5, "again": 5, "sum": 5}
    # at `again`: a and b are read; one, left and two wait for the sum, right is read, again is written
    expected = sum(living.values()) if gradients else 5 * 5
    assert memory.forward_bytes(graph, 2, 4, graph.types if gradients else ()) == 8 * expected


def test_token_inputs_are_found_through_what_only_rearranges() -> None:
    graph = graph_of(
        "inputs: {words: [8], x: [3]}\nlayers:\n  - reshape: {shape: [2, 4], from: words}\n"
        "  - embedding: {entries: 11, width: 5}\n  - linear: {units: 2, from: x}\n"
    )
    assert token_inputs(graph) == {"words": 11}
    assert random_inputs(graph, 50)["words"].max() == 10


def test_the_docstring_example() -> None:
    made = netcalc.Network(netcalc.load("lenet5"), seed=0)
    y = made.forward(np.zeros((1, 1, 28, 28)))
    assert isinstance(y, np.ndarray)
    grads = made.backward(np.ones_like(y))
    assert set(grads.params) == set(made.parameters())
