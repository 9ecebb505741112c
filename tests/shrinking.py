"""Smaller specs that still fail: what a random graph's failure comes down to."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from netcalc.diagnostics import NetcalcError
from netcalc.graph import Graph

from helpers import graph_of
from random_graphs import Spec, text

Fails = Callable[[Graph], bool]


def shrunk(spec: Spec, fails: Fails) -> Spec:
    """A spec that fails and from which no item, input, output or option can be taken without its passing."""
    while (
        smaller := next((less for less in _smaller(spec) if _is_valid_and(fails, less)), None)
    ) is not None:
        spec = smaller
    return spec


def _is_valid_and(fails: Fails, spec: Spec) -> bool:
    try:
        graph = graph_of(text(spec))
    except NetcalcError:
        return False
    return fails(graph)


def _smaller(spec: Spec) -> Iterator[Spec]:
    """Each spec with one thing less: the largest first."""
    for number, item in reversed([*enumerate(spec["layers"])]):
        ((_, body),) = item.items()
        sources = body["from"] if isinstance(body["from"], list) else [body["from"]]
        for source in dict.fromkeys(sources):
            yield _without(spec, number, body["name"], source)
    if len(spec["outputs"]) > 1:
        for name in spec["outputs"]:
            yield {**spec, "outputs": [other for other in spec["outputs"] if other != name]}
    for name in spec["inputs"] if len(spec["inputs"]) > 1 else ():
        yield {**spec, "inputs": {other: shape for other, shape in spec["inputs"].items() if other != name}}
    for name in spec["blocks"]:
        yield {**spec, "blocks": {other: items for other, items in spec["blocks"].items() if other != name}}
    for path in _paths(spec["layers"]):
        yield {**spec, "layers": _cut(spec["layers"], path)}
    for path in _paths(spec["blocks"]):
        yield {**spec, "blocks": _cut(spec["blocks"], path)}


def _without(spec: Spec, number: int, name: str, source: str) -> Spec:
    """The spec without an item, whose readers read a source of it instead."""
    layers = [copy.deepcopy(item) for at, item in enumerate(spec["layers"]) if at != number]
    for item in layers:
        ((_, body),) = item.items()
        if body.get("share") == name:
            del body["share"]
        reads = body["from"]
        body["from"] = (
            [source if read == name else read for read in reads] if isinstance(reads, list) else reads
        )
        body["from"] = source if reads == name else body["from"]
    outputs = [source if output == name else output for output in spec["outputs"]]
    made = {next(iter(item.values()))["name"] for item in layers}
    kept = [output for output in dict.fromkeys(outputs) if output in made]
    return {**spec, "layers": layers, "outputs": kept or [*made][-1:]}


def _paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where options and nested items stand that may be left out."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        if len(path) > 1 and key not in ("name", "from"):
            yield (*path, key)
        if key not in ("name", "from"):
            yield from _paths(value, (*path, key))


def _cut(tree: Any, path: tuple[Any, ...]) -> Any:
    """The tree without what stands at a path."""
    tree = copy.deepcopy(tree)
    *way, last = path
    place = tree
    for key in way:
        place = place[key]
    del place[last]
    return tree
