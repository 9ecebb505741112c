"""Labels of lines that show several layers: `conv1 + relu`."""

from collections.abc import Sequence

from rich.cells import cell_len

from netcalc.render.escaping import visible
from netcalc.render.layout import cut_middle

COUNTED = "+ 2, + 3, ...: so many layers after it, in its line"
"""What a short label means, to be written below a table that has one."""


def whole_label(name: str, kinds: Sequence[str]) -> str:
    """A layer's name with the kinds of the layers after it that share its line."""
    return " + ".join((name, *kinds))


def short_label(name: str, kinds: Sequence[str], room: int) -> str:
    """A label of `room` columns: the number of several kinds instead of their names, then a shorter name."""
    label = visible(whole_label(name, kinds))
    if cell_len(label) <= room:
        return label
    others = f" + {len(kinds)}" if len(kinds) > 1 else "".join(f" + {kind}" for kind in kinds)
    return cut_middle(visible(name), max(1, room - len(others))) + others
