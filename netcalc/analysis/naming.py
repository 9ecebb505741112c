"""Which names of layers are only counted, as `conv3` is the third convolution of its block."""

import re
from collections.abc import Iterable, Sequence

from netcalc.graph import Node

_COUNTED = re.compile(r"(.*?)(\d+)")


class Names:
    """The names of a network's layers and blocks."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._counted: dict[tuple[str, ...], bool] = {}
        runs: dict[tuple[str, ...], int] = {}
        for node in nodes:
            parts = (*node.path, node.name)
            for length in range(1, len(parts) + 1):
                place = parts[:length]
                if place in self._counted:
                    continue
                stem, number = _split(place[-1])
                run = (*place[:-1], stem)
                following = runs.get(run, 0 if stem else -1) + 1
                self._counted[place] = number == following
                runs[run] = following if number == following else runs.get(run, 0 if stem else -1)

    def is_counted(self, place: Sequence[str]) -> bool:
        """Whether a block or layer carries the number that counting those before it gives."""
        return self._counted[tuple(place)]


def role(node: Node) -> tuple[str, ...]:
    """A layer's full name without what is counted: `stage2.1.main.conv1` is a stage's block's main's conv."""
    return tuple(_split(part)[0] for part in (*node.path, node.name))


def is_renamed(before: Node, names: Names, after: Node, other: Names) -> bool:
    """Whether a layer's name is another one, rather than counted otherwise."""
    old, new = (*before.path, before.name), (*after.path, after.name)
    if len(old) != len(new):
        return True
    for end, (one, two) in enumerate(zip(old, new, strict=True), 1):
        if one == two:
            continue
        if not (names.is_counted(old[:end]) and other.is_counted(new[:end])):
            return True
        stems = _split(one)[0], _split(two)[0]
        by_kind = end == len(old) and stems == (before.layer.kind, after.layer.kind)
        if stems[0] != stems[1] and not by_kind:
            return True
    return False


def _split(name: str) -> tuple[str, int | None]:
    """The letters of a name, and the number behind them."""
    found = _COUNTED.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, None)
