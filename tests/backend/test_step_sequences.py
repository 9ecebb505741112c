"""Training steps of sequence layers: random networks of them against the plain path, and that none falls back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.backend.step.fallback import SampleFallback
from netcalc.backend.step.lowering import _operation

from engines import small_limits, step_differences
from helpers import graph_of
from plain_runs import PlainRuns

POSITIONS, WIDTH, ENTRIES = 5, 12, 7
Options = dict[str, Any]
Growing = Callable[[np.random.Generator], Options]


def one_of(rng: np.random.Generator, *values: Any) -> Any:
    return values[rng.integers(len(values))]


def heads(rng: np.random.Generator) -> Options:
    kv_heads = one_of(rng, {}, {"kv_heads": 1}, {"kv_heads": 2})
    return {"heads": 4, "causal": one_of(rng, True, False), **kv_heads}


LAYERS_OF_ONE: dict[str, Growing] = {
    "linear": lambda rng: {"units": WIDTH, "bias": one_of(rng, True, False)},
    "layernorm": lambda rng: {
        "axes": one_of(rng, 1, 2),
        **one_of(rng, {}, {"bias": False}, {"affine": False}),
    },
    "rmsnorm": lambda rng: {"axes": one_of(rng, 1, 2), "affine": one_of(rng, True, False)},
    "multi_head_attention": lambda rng: {**heads(rng), "bias": one_of(rng, True, False)},
    "gelu": lambda rng: {"form": one_of(rng, "exact", "tanh")},
    "silu": lambda rng: {},
    "sigmoid": lambda rng: {},
    "tanh": lambda rng: {},
    "relu": lambda rng: {},
    "softmax": lambda rng: {"axis": one_of(rng, 0, 1)},
    "log_softmax": lambda rng: {"axis": one_of(rng, 0, 1)},
    "dropout": lambda rng: {"rate": one_of(rng, 0.0, 0.4, 1.0), "channels": one_of(rng, True, False)},
    "stochastic_depth": lambda rng: {"rate": one_of(rng, 0.0, 0.4)},
    "rotary": lambda rng: {"heads": one_of(rng, 1, 3), "pairs": one_of(rng, "halves", "neighbours")},
    "parameter": lambda rng: {
        "shape": one_of(rng, [POSITIONS, WIDTH], [1, WIDTH], [WIDTH]),
        "join": one_of(rng, "add", "multiply"),
    },
}


def random_sequence_network(seed: int) -> str:
    """Layers on T x D, each reading one of the last tensors or several; some are shared, frozen, or outputs."""
    rng = np.random.default_rng(seed)
    lines = [
        f"  - embedding: {{name: words, from: tokens, entries: {ENTRIES}, width: {WIDTH}, trainable: {bool(seed % 3)}}}"
    ]
    tensors, owners = ["words", "x"], []
    for number in range(rng.integers(3, 9)):
        name, read = f"l{number}", [str(name) for name in rng.choice(tensors[-3:], 3)]
        drawn = rng.integers(10)
        if drawn == 0:
            lines.append(
                f"  - {one_of(rng, 'add', 'multiply')}: {{name: {name}, from: [{read[0]}, {read[1]}]}}"
            )
        elif drawn == 1:
            count = rng.integers(1, 4)
            listed = ", ".join(read[:count])
            lines.append(f"  - multi_head_attention: {{name: {name}, heads: 3, from: [{listed}]}}")
        elif drawn == 2:
            lines += [f"  - linear: {{name: {name}w, from: {read[0]}, units: {2 * WIDTH}}}"]
            lines += [
                f"  - glu: {{name: {name}, gate: {one_of(rng, 'silu', 'gelu', 'sigmoid', 'relu', 'identity')}}}"
            ]
        elif drawn == 3:
            lines.append(
                f"  - scaled_dot_product_attention: {{name: {name}, heads: {one_of(rng, 1, 3)}, "
                f"causal: {one_of(rng, 'true', 'false')}, from: [{', '.join(read)}]}}"
            )
        elif drawn == 4 and owners:
            lines.append(
                f"  - linear: {{name: {name}, from: {read[0]}, units: {WIDTH}, share: {one_of(rng, *owners)}}}"
            )
        else:
            kind = str(rng.choice(list(LAYERS_OF_ONE)))
            options = LAYERS_OF_ONE[kind](rng)
            if kind == "linear" and options["bias"]:
                owners.append(name)
            elif kind in ("linear", "layernorm", "multi_head_attention") and rng.integers(3) == 0:
                options |= {"trainable": False} if options.get("affine", True) else {}
            given = "".join(
                f", {key}: {str(value).lower() if isinstance(value, bool) else value}"
                for key, value in options.items()
            )
            lines.append(f"  - {kind}: {{name: {name}, from: {read[0]}{given}}}")
        tensors.append(name)
    lines += [
        f"  - parameter: {{name: prepended, shape: [1, {WIDTH}], join: prepend}}",
        "  - linear: {name: head, units: 3}",
    ]
    outputs = sorted({"head", str(rng.choice(tensors[2:]))})
    head = f"inputs: {{tokens: [{POSITIONS}], x: [{POSITIONS}, {WIDTH}]}}\noutputs: [{', '.join(outputs)}]\nlayers:\n"
    return head + "\n".join(lines).replace("True", "true").replace("False", "false") + "\n"


@pytest.mark.parametrize("seed", range(60))
def test_a_random_network_on_sequences_trains_as_on_the_plain_path(seed: int) -> None:
    text = random_sequence_network(seed)
    runs = PlainRuns(graph_of(text))
    batch, workers = [(1, 1), (3, 2), (2, 2), (5, 2), (4, 1)][seed % 5]
    with small_limits(seed % 2 == 1):
        assert not list(step_differences(runs, "float64", batch, workers, seed % 3 > 0)), text
        if seed % 4 == 0:
            assert not list(step_differences(runs, "float32", batch, workers)), text


@pytest.mark.parametrize("name", ["gpt2", "bert", "vit_b_16", "transformer"])
def test_no_layer_of_many_positions_falls_back(name: str) -> None:
    """But for one at the front or the end that only moves elements."""
    graph = netcalc.load(name)
    fallen = {
        node.layer.kind
        for node in graph.nodes
        if issubclass(_operation(node, [graph.types[read].shape for read in node.inputs]), SampleFallback)
    }
    assert fallen <= {"flatten"}
