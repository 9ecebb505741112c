"""Cells around the spatial axes, and their gradient folded back."""

import numpy as np

from netcalc.backend.kernels.base import Array

_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}

Pads = tuple[tuple[int, int], ...]


def padded(x: Array, pad: Pads, mode: str = "zeros", value: float = 0.0) -> Array:
    """N,C,... with cells before and after each spatial axis, filled as `mode` says."""
    if not any(map(any, pad)):
        return x
    if mode != "zeros":
        return np.pad(x, ((0, 0), (0, 0), *pad), _MODES[mode])  # type: ignore[call-overload, no-any-return]
    sizes = (size + before + after for size, (before, after) in zip(x.shape[2:], pad, strict=True))
    y = np.full((*x.shape[:2], *sizes), value, x.dtype)
    y[inner(pad)] = x
    return y


def unpadded(dy: Array, pad: Pads, mode: str = "zeros") -> Array:
    """The gradient of what was padded: added cells pass theirs to the cell they repeat."""
    if mode == "zeros":
        return dy[inner(pad)]
    for axis, (before, after) in enumerate(pad, start=2):
        size = dy.shape[axis] - before - after
        cells = np.pad(np.arange(size), (before, after), _MODES[mode])  # type: ignore[call-overload]
        moved = np.moveaxis(dy, axis, 0)
        folded = moved[before : before + size].copy()
        added = np.r_[0:before, before + size : before + size + after]
        np.add.at(folded, cells[added], moved[added])
        dy = np.moveaxis(folded, 0, axis)
    return dy


def inner(pad: Pads) -> tuple[slice, ...]:
    """The index of what lies inside the padding."""
    return (slice(None), slice(None), *(slice(before, -after or None) for before, after in pad))
