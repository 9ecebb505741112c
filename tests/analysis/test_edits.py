"""One edit at a random place of a random network: the difference tells that edit and nothing else."""

import random
from copy import deepcopy
from typing import Any, NamedTuple

import pytest

from netcalc.analysis.difference import Difference, difference

from helpers import report_of

KINDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "conv": {"filters": (8,), "kernel": (1, 3, 5), "pad": ("same",), "groups": (1, 2), "bias": ("true", "false")},
    "depthwise_conv": {"kernel": (3, 5), "pad": ("same",)},
    "batchnorm": {"momentum": (0.1, 0.2)},
    "groupnorm": {"groups": (2, 4)},
    "leaky_relu": {"slope": (0.1, 0.2)},
    "relu": {},
    "tanh": {},
    "dropout": {"rate": (0.1, 0.3)},
}  # fmt: skip
"""Layers that keep the shape, so that an edit changes one layer alone."""


class Item(NamedTuple):
    kind: str
    options: dict[str, Any]
    name: str | None = None
    main: tuple["Item", ...] | None = None

    @property
    def text(self) -> str:
        if self.main is not None:
            return f"residual: {{main: [{', '.join(f'{{{item.text}}}' for item in self.main)}]}}"
        named = {"name": self.name} if self.name else {}
        options = ", ".join(f"{key}: {value}" for key, value in {**named, **self.options}.items())
        return f"{self.kind}: {{{options}}}"

    def is_alike(self, other: "Item") -> bool:
        """Whether nothing tells two apart but their place."""
        bare = self.name is None and other.name is None
        return bare and (self.kind, self.options, self.main) == (other.kind, other.options, other.main)


class Writer:
    """Random networks as nested lists of items."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.used = 0

    def layer(self) -> Item:
        kind = self.random.choice([*KINDS])
        options = {name: self.random.choice(choices) for name, choices in KINDS[kind].items()}
        return Item(kind, options, self.name() if self.random.random() < 0.4 else None)

    def name(self) -> str:
        self.used += 1
        return f"{self.random.choice(('stem', 'mix', 'head', 'x'))}_{'abcdefghij'[self.used % 10]}{'z' * (self.used // 10)}"

    def items(self) -> list[Item]:
        found = []
        for _ in range(self.random.randrange(4, 16)):
            main = tuple(self.layer() for _ in range(self.random.randrange(2, 5)))
            found.append(Item("residual", {}, main=main) if self.random.random() < 0.2 else self.layer())
        return found


def compared(before: list[Item], after: list[Item]) -> Difference:
    reports = []
    for items in (before, after):
        lines = "\n".join(f"  - {item.text}" for item in items)
        reports.append(report_of(f"input: [8, 6, 6]\nlayers:\n{lines}\n"))
    return difference(*reports)


def places(items: list[Item]) -> list[tuple[int, int | None]]:
    """Every layer's place: its item, and where it stands in a residual branch."""
    return [
        (at, inner)
        for at, item in enumerate(items)
        for inner in (range(len(item.main)) if item.main is not None else [None])
    ]


def stretch(items: list[Item], place: tuple[int, int | None]) -> tuple[list[Item], int]:
    """The list that a place is in, and the number there."""
    at, inner = place
    main = items[at].main
    return (items, at) if inner is None or main is None else (list(main), inner)


def put(items: list[Item], place: tuple[int, int | None], inside: list[Item]) -> list[Item]:
    """The items with the list of a place replaced."""
    at, inner = place
    if inner is None:
        return inside
    return [*items[:at], items[at]._replace(main=tuple(inside)), *items[at + 1 :]]


def changes(found: Difference) -> list[tuple[str, str]]:
    """The changes: kinds of layers, and which of their properties.

    Without what follows from the edit: an activation that lost its layer no longer works in place.
    """
    return [
        (
            layer.status,
            f"{layer.row.node.layer.kind} {' '.join(detail.what for detail in layer.details)}".strip(),
        )
        for layer in found.layers
        if layer.status != "unchanged" and [detail.what for detail in layer.details] != ["in place"]
    ]


def is_ambiguous(inside: list[Item], number: int) -> bool:
    """Whether a neighbour could as well have come or gone."""
    others = (number - 1, number + 1)
    return any(0 <= other < len(inside) and inside[number].is_alike(inside[other]) for other in others)


@pytest.mark.parametrize("seed", range(120))
def test_a_layer_that_went_or_came_is_the_only_change(seed: int) -> None:
    writer = Writer(seed)
    items = writer.items()
    place = writer.random.choice(places(items))
    inside, number = stretch(items, place)
    if len(inside) == 1 or is_ambiguous(inside, number):
        return
    without = put(items, place, [*inside[:number], *inside[number + 1 :]])
    gone = compared(items, without)
    assert changes(gone) == [("removed", inside[number].kind)]
    came = compared(without, items)
    assert changes(came) == [("added", inside[number].kind)]
    if inside[number].name:
        (layer,) = (layer for layer in gone.layers if layer.status == "removed")
        assert layer.row.node.name == inside[number].name


@pytest.mark.parametrize("seed", range(120))
def test_a_renamed_layer_is_the_only_change(seed: int) -> None:
    writer = Writer(seed)
    items = writer.items()
    place = writer.random.choice(places(items))
    inside, number = stretch(items, place)
    renamed = deepcopy(inside)
    renamed[number] = inside[number]._replace(name="another")
    found = compared(items, put(items, place, renamed))
    assert changes(found) == [("renamed", f"{inside[number].kind} name")]
    (layer,) = (layer for layer in found.layers if layer.status == "renamed")
    assert layer.row.node.name == "another"


@pytest.mark.parametrize("seed", range(120))
def test_an_option_that_changed_is_the_only_change(seed: int) -> None:
    writer = Writer(seed)
    items = writer.items()
    chosen = [place for place in places(items) if (of := stretch(items, place))[0][of[1]].options]
    if not chosen:
        return
    place = writer.random.choice(chosen)
    inside, number = stretch(items, place)
    kind, options = inside[number][:2]
    name = writer.random.choice([option for option, values in KINDS[kind].items() if len(values) > 1])
    value = next(value for value in KINDS[kind][name] if value != options[name])
    changed = [*inside]
    changed[number] = inside[number]._replace(options={**options, name: value})
    found = compared(items, put(items, place, changed))
    found_changes = [(status, words.split()[:2]) for status, words in changes(found)]
    assert found_changes == [("changed", [kind, name])]
