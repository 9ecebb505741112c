"""Labels of lines that show several layers: `conv1 + relu`."""

from collections.abc import Sequence

from rich.cells import cell_len

from netcalc.render.escaping import visible
from netcalc.render.layout import cut_middle

COUNTED = "+ 1, + 2, ...: so many layers after it, in its line"
"""What a short label means, to be written below a table that has one."""


def whole_label(name: str, kinds: Sequence[str]) -> str:
    """A layer's name with the kinds of the layers after it that share its line."""
    return " + ".join((name, *kinds))


def short_label(name: str, kinds: Sequence[str], room: int) -> str:
    """A label of `room` columns: a shorter name, and the number of the kinds instead of themselves.

    One kind stays where it leaves two thirds of the room for the name.
    """
    label = visible(whole_label(name, kinds))
    if cell_len(label) <= room:
        return label
    shown = visible(name)
    others = f" + {len(kinds)}" if kinds else ""
    if len(kinds) == 1 and room - len(f" + {kinds[0]}") >= min(cell_len(shown), room * 2 // 3):
        others = f" + {kinds[0]}"
    return cut_middle(shown, max(1, room - len(others))) + others


def is_counted(label: str) -> bool:
    """Whether a label has the number of layers instead of their kinds."""
    name, _, last = label.rpartition(" + ")
    return bool(name) and last.isdecimal()
