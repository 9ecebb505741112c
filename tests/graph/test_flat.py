"""Every bundled network written back as a flat spec is the same network."""

import pytest

import netcalc
from netcalc.diagnostics import Source
from netcalc.graph import elaborate
from netcalc.graph.flat import flat_names, flat_spec
from netcalc.spec import bundled_names, read_spec


@pytest.mark.parametrize("name", bundled_names())
def test_a_flat_spec_reads_back_to_the_same_layers(name: str) -> None:
    graph = netcalc.load(name)
    again = elaborate(read_spec(Source(name, flat_spec(graph))))
    names = flat_names(graph) | {given.name: given.name for given in graph.inputs}
    assert [node.layer for node in again.nodes] == [node.layer for node in graph.nodes]
    assert [node.full_name for node in again.nodes] == [names[node.full_name] for node in graph.nodes]
    assert [node.inputs for node in again.nodes] == [
        tuple(map(names.get, node.inputs)) for node in graph.nodes
    ]
    assert again.outputs == tuple(map(names.get, graph.outputs))
    assert [node.shared and names[node.shared] for node in graph.nodes] == [
        node.shared for node in again.nodes
    ]
    assert again.preprocess == graph.preprocess


def test_one_number_where_all_axes_are_alike() -> None:
    lines = flat_spec(netcalc.load("alexnet")).splitlines()
    assert "  - conv: {name: conv1, filters: 64, kernel: 11, stride: 4, pad: 2}" in lines
    assert "  - maxpool: {name: pool1, kernel: 3, stride: 2}" in lines


def test_names_that_fall_together_stay_apart(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "net.yaml"
    path.write_text(
        "input: [4]\nblocks:\n  b(): [{relu: {name: c}}]\nlayers:\n  - b: {name: a}\n  - tanh: {name: a_c}\n"
    )
    assert flat_names(netcalc.load(path)) == {"a.c": "a_c", "a_c": "a_c_2"}
