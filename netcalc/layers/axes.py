"""What the axes of a tensor are called.

C are channels; D, H, W space: depth, height, width. A sequence has positions T and features D, whose axis
is called C where it stands before T. An axis that has no such meaning is called by its place.
"""

from netcalc.tensor import Shape

Axes = tuple[str, ...]

SEQUENCE: Axes = ("T", "D")
_CHANNELS_FIRST: dict[int, Axes] = {1: ("C",), 2: ("C", "W"), 3: ("C", "H", "W"), 4: ("C", "D", "H", "W")}
_FEATURES = ("C", "D")
_POSITIONS = ("T", "H", "W")


def channels_first(rank: int) -> Axes:
    """The names of a tensor of channels and space, or of channels alone."""
    return _CHANNELS_FIRST.get(rank, tuple(map(by_place, range(rank))))


def channels_last(rank: int) -> Axes:
    """The same with the channels last."""
    first, *space = channels_first(rank)
    return (*space, first)


def by_place(axis: int) -> str:
    """The name of an axis without a meaning."""
    return f"axis{axis}"


def feature_axis(names: Axes) -> int | None:
    """The axis of the channels or features; None where none is, or several are."""
    found = [axis for axis, name in enumerate(names) if name == "C"]
    if not found:
        found = [axis for axis, name in enumerate(names) if name == "D"]
    return found[0] if len(found) == 1 else None


def arranged(names: Axes) -> Axes:
    """The names of axes in a new order: of positions and features, T, D; C before the positions."""
    if len(names) != len(SEQUENCE):
        return names
    first, last = names
    if first in _FEATURES and last in _POSITIONS:
        return "C", last
    return SEQUENCE if first in _POSITIONS and last in _FEATURES else names


def distinct(names: Axes) -> Axes:
    """The same, a name that comes again called by its place."""
    return tuple(by_place(axis) if name in names[:axis] else name for axis, name in enumerate(names))


def joined(names: Axes, shape: Shape, is_all: bool) -> str:
    """The name of several axes made one: channels where they are among them, otherwise positions."""
    long = [name for name, size in zip(names, shape, strict=True) if size != 1]
    if len(long) == 1:
        return long[0]
    return "C" if is_all or "C" in names else "T"


def reshaped(names: Axes, before: Shape, after: Shape) -> Axes:
    """The names after the same elements took another shape: axes that stay keep theirs.

    Axes are matched in the shortest runs that hold equally many elements. Of one that is split the first
    part keeps the name.
    """
    if len(before) == 1:
        return channels_first(len(after))
    found: list[str] = []
    old = new = 0
    while new < len(after):
        old_end, new_end = _run(before, after, old, new)
        run = names[old:old_end]
        name = joined(run, before[old:old_end], len(after) == 1) if run else by_place(new)
        is_map = name == "T" and found == ["C"] and new_end == len(after) <= max(_CHANNELS_FIRST)
        if is_map and new_end > new + 1:  # positions laid out in space
            found += channels_first(len(after))[1:]
        else:
            found += (name, *map(by_place, range(new + 1, new_end)))
        old, new = old_end, new_end
    return arranged(tuple(found))


def _run(before: Shape, after: Shape, old: int, new: int) -> tuple[int, int]:
    """The ends of the shortest runs from two axes on that hold equally many elements."""
    if old == len(before) or (after[new] == 1 != before[old]):
        return old, new + 1
    left, right = before[old], after[new]
    old_end, new_end = old + 1, new + 1
    while left != right:
        if left < right and old_end < len(before):
            left, old_end = left * before[old_end], old_end + 1
        elif new_end < len(after):
            right, new_end = right * after[new_end], new_end + 1
        else:
            return len(before), len(after)
    if new_end == len(after):
        old_end = len(before)
    return old_end, new_end
