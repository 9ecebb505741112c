"""Numbered names, such as `conv3` for the third convolution of its block."""

import re
from collections.abc import Iterable, Sequence

from netcalc.graph import Node

_NUMBERED = re.compile(r"(.*?)(\d+)")


class Names:
    """The names of a network's layers and blocks."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._numbered: dict[tuple[str, ...], bool] = {}
        runs: dict[tuple[str, ...], int] = {}
        for node in nodes:
            parts = (*node.path, node.name)
            for length in range(1, len(parts) + 1):
                place = parts[:length]
                if place in self._numbered:
                    continue
                stem, number = _split(place[-1])
                run = (*place[:-1], stem)
                following = runs.get(run, 0 if stem else -1) + 1
                self._numbered[place] = number == following
                runs[run] = following if number == following else runs.get(run, 0 if stem else -1)

    def is_numbered(self, place: Sequence[str]) -> bool:
        """Whether the number in a name is that of consecutive numbering."""
        return self._numbered[tuple(place)]


def role(node: Node) -> tuple[str, ...]:
    """A layer's full name without numbers: (stage, '', main, conv) for `stage2.1.main.conv1`."""
    return tuple(_split(part)[0] for part in (*node.path, node.name))


def is_renamed(before: Node, names_before: Names, after: Node, names_after: Names) -> bool:
    """Whether a name differs in more than consecutive numbering."""
    old, new = (*before.path, before.name), (*after.path, after.name)
    if len(old) != len(new):
        return True
    for end, (one, two) in enumerate(zip(old, new, strict=True), 1):
        if one == two:
            continue
        if not (names_before.is_numbered(old[:end]) and names_after.is_numbered(new[:end])):
            return True
        stems = _split(one)[0], _split(two)[0]
        by_kind = end == len(old) and stems == (before.layer.kind, after.layer.kind)
        if stems[0] != stems[1] and not by_kind:
            return True
    return False


def _split(name: str) -> tuple[str, int | None]:
    """A name's stem and the number at its end."""
    found = _NUMBERED.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, None)
