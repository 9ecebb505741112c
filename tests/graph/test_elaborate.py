"""Names, wiring and expansion."""

import gc

import pytest

from netcalc.diagnostics import GraphError
from netcalc.graph import Graph

from helpers import graph_of


def names(graph: Graph) -> list[str]:
    return [node.full_name for node in graph.nodes]


def test_automatic_names_count_by_kind_and_never_take_a_given_name() -> None:
    graph = graph_of(
        "input: [3, 8, 8]\nlayers:\n  - relu\n  - conv: {filters: 2, kernel: 1}\n  - relu: {name: relu2}\n"
        "  - relu\n  - conv: {name: conv1, filters: 2, kernel: 1}\n"
    )
    assert names(graph) == ["relu1", "conv2", "relu2", "relu3", "conv1"]


def test_an_automatic_name_never_takes_an_inputs_name() -> None:
    graph = graph_of("inputs: {relu1: [3]}\nlayers:\n  - relu\n")
    assert names(graph) == ["relu2"]


def test_several_inputs_and_outputs() -> None:
    graph = graph_of(
        "inputs: {image: [3, 8, 8], mask: [1, 8, 8]}\noutputs: [sum, image2]\nlayers:\n"
        "  - conv: {name: image2, from: image, filters: 4, kernel: 1}\n"
        "  - multiply: {name: sum, from: [image2, mask]}\n"
    )
    assert graph.outputs == ("sum", "image2")
    assert graph.nodes[1].inputs == ("image2", "mask")
    assert graph.unused == frozenset()


def test_what_no_output_needs_is_marked() -> None:
    graph = graph_of("input: [3]\noutputs: a\nlayers:\n  - relu: {name: a}\n  - tanh: {name: b}\n  - tanh\n")
    assert graph.unused == {"b", "tanh1"}


def test_repeat_each_and_when() -> None:
    graph = graph_of(
        "input: [3, 8, 8]\nargs: {depth: 2, last: false}\nlayers:\n"
        "  - conv: {name: stack, filters: $(in_channels * 2), kernel: 1, repeat: $depth}\n"
        "  - conv: {each: {f: [5, 7], k: [1, 3]}, filters: $(f + index), kernel: $k}\n"
        "  - relu: {when: $last}\n"
        "  - tanh: {from: stack, when: $(in_channels == 12)}\n"
    )
    assert [(node.full_name, node.output.shape) for node in graph.nodes] == [
        ("stack.0", (6, 8, 8)),
        ("stack.1", (12, 8, 8)),
        ("conv1", (5, 8, 8)),
        ("conv2", (8, 6, 6)),
        ("tanh1", (12, 8, 8)),
    ]
    assert graph.nodes[0].path == ("stack",)
    assert graph.nodes[-1].inputs == ("stack.1",)


def test_an_argument_may_use_the_ones_before_it() -> None:
    text = "input: [$n]\nargs: {n: 2, m: $(n * 3)}\nlayers:\n  - linear: {units: $m}\n"
    assert graph_of(text).nodes[0].output.shape == (6,)
    assert graph_of(text, n=5).nodes[0].output.shape == (15,)
    assert graph_of(text, m=1).nodes[0].output.shape == (1,)


def test_a_scalar_input_is_a_vector() -> None:
    assert graph_of("input: 3072\nlayers:\n  - linear: {units: 10}\n").inputs[0].type.shape == (3072,)


def test_a_deep_chain_meets_no_recursion_limit() -> None:
    graph = graph_of("input: [3]\nlayers:\n" + "  - relu\n" * 5000)
    assert names(graph)[-1] == "relu5000"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("conv: {name: $missing, filters: 2, kernel: 1}", "E302"),
        ("conv: {filters: 2, kernel: 1, repeat: $missing}", "E302"),
        ("conv: {filters: 2, kernel: 1, when: $missing}", "E302"),
        ("conv: {filters: 2, kernel: 1, each: {f: $missing}}", "E302"),
        ("conv: {filters: 2, kernel: 1, from: $missing}", "E302"),
        ("conv: {filters: 2, kernel: 1, from: [{a: 1}]}", "E404"),
        ("conv: {filters: 2, kernel: 1, each: {f: 3}}", "E404"),
        ("conv: {filters: 2, kernel: 1, name: ''}", "E504"),
    ],
)
def test_nothing_unknown_is_lost_without_a_word(item: str, code: str) -> None:
    with pytest.raises(GraphError, match=code) as caught:
        graph_of(f"input: [3, 8, 8]\nlayers:\n  - {item}\n  - flatten\n  - linear: {{units: $in_channels}}\n")
    assert [problem.code for problem in caught.value.diagnostics] == [code]


def test_equal_mistakes_of_a_repeated_item_are_told_once() -> None:
    with pytest.raises(GraphError, match="groups") as caught:
        graph_of("input: [3, 8, 8]\nlayers:\n  - conv: {filters: 4, kernel: 1, groups: 2, repeat: 5}\n")
    assert len(caught.value.diagnostics) == 1


def test_a_graph_leaves_no_garbage() -> None:
    """No cycle of references keeps the spec alive: the command line runs without a garbage collector."""
    gc.collect()
    gc.disable()
    try:
        graph_of(
            "input: [3]\nblocks:\n  b(): [relu]\nlayers:\n  - residual: {main: [relu, b]}\n  - linear: 2\n"
        )
        assert gc.collect() == 0
    finally:
        gc.enable()
