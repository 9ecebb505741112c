"""On random graphs the fast engines give what the plain path gives, and the table says what runs."""

from collections import defaultdict
from functools import cache

import pytest

from netcalc.graph import Graph
from netcalc.layers import LAYERS

from cases import Case
from engines import (
    plan_differences,
    small_limits,
    some_plan_differences,
    some_step_differences,
    step_differences,
    table_differences,
)
from plain_runs import PlainRuns
from random_graphs import layer_graph, random_graph, random_spec, text
from random_layers import small_cases
from test_kernels import SMALL
from test_layers import graph_of_case

SEEDS = range(150)
every_seed = pytest.mark.parametrize("seed", SEEDS)
NEVER_SET: dict[str, str] = {}
"""Options that no random graph sets away from its default, and why."""

ONLY_PLANTED = ("embedding", "pooled_attention")
"""They read words, and as many tokens as a grid of their own has: what is drawn does not fit."""


@cache
def runs_of(seed: int) -> PlainRuns:
    return PlainRuns(random_graph(seed))


@every_seed
def test_a_plan_gives_what_the_plain_path_gives(seed: int) -> None:
    assert not list(some_plan_differences(runs_of(seed), seed)), text(random_spec(seed))


@every_seed
def test_a_training_step_gives_what_the_plain_path_gives(seed: int) -> None:
    assert not list(some_step_differences(runs_of(seed), seed)), text(random_spec(seed))


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_plan_of_one_layer_gives_what_the_plain_path_gives(case: Case) -> None:
    assert not list(plan_differences(PlainRuns(graph_of_case(case)), "float64", batch=3, workers=2))


@pytest.mark.parametrize("kind", [kind for kind in LAYERS if kind not in ONLY_PLANTED])
def test_a_layer_with_any_options_runs_as_on_the_plain_path(kind: str) -> None:
    """A layer alone, in small blocks: convolutions and pools more often, since most depends on their options."""
    windows = LAYERS[kind].family in ("convolution", "pooling")
    for seed in range(20 if windows else 3):
        runs = PlainRuns(layer_graph(seed, kind))
        batch = (1, 3, 2)[seed % 3]
        with small_limits():
            assert not list(plan_differences(runs, "float64", batch, workers=2)), seed
            assert not list(step_differences(runs, "float64", batch, workers=min(batch, 2))), seed


@every_seed
def test_the_table_says_what_runs(seed: int) -> None:
    assert not list(table_differences(runs_of(seed))), text(random_spec(seed))


def every_graph(count: int = len(SEEDS)) -> list[Graph]:
    return [random_graph(seed) for seed in range(count)]


def test_every_kind_occurs() -> None:
    kinds = {node.layer.kind for graph in every_graph() for node in graph.nodes}
    assert kinds == set(LAYERS)
    assert len(small_cases()) > 0.8 * len(LAYERS)


def test_every_option_is_set_away_from_its_default() -> None:
    values: dict[str, set[object]] = defaultdict(set)
    for graph in every_graph(300):
        for node in graph.nodes:
            for name, option in node.layer.options.items():
                value = vars(node.layer)[name]
                if option.required or not option.is_default(value):
                    values[f"{node.layer.kind}.{name}"].add(value)
    every = {f"{kind}.{name}" for kind, layer in LAYERS.items() for name in layer.options}
    assert every - values.keys() == set(NEVER_SET)


def test_graphs_have_what_engines_trip_over() -> None:
    """Each of these stands in several of them: a generator that loses one tests less than it says."""
    found = defaultdict(int)
    for graph in every_graph():
        readers = [name for node in graph.nodes for name in node.inputs]
        found["several inputs"] += len(graph.inputs) > 1
        found["several outputs"] += len(graph.outputs) > 1
        found["an output that is read"] += any(name in readers for name in graph.outputs)
        found["an output that is a view"] += any(
            graph.node(name).layer.kind in ("identity", "dropout", "flatten") for name in graph.outputs
        )
        found["a tensor with several readers"] += len(set(readers)) < len(readers)
        found["an image with several readers"] += any(
            readers.count(given.name) > 1 for given in graph.inputs if len(given.type.shape) == 3
        )
        found["a shared layer"] += any(node.shared for node in graph.nodes)
        found["a shared layer, its owner unused"] += any(
            node.shared in graph.unused and node.full_name not in graph.unused for node in graph.nodes
        )
        found["a shared layer, its sharer unused"] += any(
            node.shared and node.shared not in graph.unused and node.full_name in graph.unused
            for node in graph.nodes
        )
        found["a shared block"] += any(node.shared and node.path for node in graph.nodes)
        found["a frozen layer"] += any(node.is_frozen for node in graph.nodes)
        found["a sum that is broadcast"] += any(
            node.layer.kind == "add" and len(set(graph.input_types(node))) > 1 for node in graph.nodes
        )
        found["images side by side along their height"] += any(
            node.layer.kind == "concat" and len(node.output.shape) == 3 and node.layer.axis in (1, -2)
            for node in graph.nodes
        )
        found["a dead branch"] += bool(graph.unused)
        found["a block in a block"] += any(len(node.path) > 2 for node in graph.nodes)
        for rank in (1, 2, 3, 4):
            found[f"rank {rank}"] += any(len(type.shape) == rank for type in graph.types.values())
        found["batch statistics in inference"] += any(
            node.layer.kind == "batchnorm" and not node.layer.running for node in graph.nodes
        )
    assert {what: count for what, count in found.items() if count < 5} == {}
