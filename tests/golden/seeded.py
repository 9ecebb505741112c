"""What a recording and its test both make for themselves, so that only results need to be recorded.

Inputs, parameters and upstream gradients are drawn here from a text that says what they are for, and
what comes out is told by a few figures that no wrong array shares. Numbers are uniform and from
PCG64's raw words by exact arithmetic: the same bits with every version of NumPy on every machine, and
float32 exactly, so that a run in float64 reads the very same.
"""

import zlib
from collections.abc import Mapping, Sequence
from math import prod, sqrt
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

PROJECTIONS = 3
DIGITS = 13
NOTHING = 1e-12


def drawn(text: str, shape: Shape, std: float = 1.0, mean: float = 0.0) -> Array:
    """Uniform float32 numbers of that mean and standard deviation, by the text they are for."""
    count = prod(shape)
    words = np.random.PCG64(zlib.crc32(text.encode())).random_raw(-(-count // 2))
    whole = words.astype("<u8", copy=False).view("<i4")[:count].astype(np.float32)
    whole *= np.float32(std * sqrt(3) / 2**31)
    whole += np.float32(mean)
    return whole.reshape(shape)


def drawn_whole(text: str, shape: Shape, least: int, most: int) -> Array:
    """Whole float32 numbers from least to most, all alike in how often they come."""
    halves = np.float32((most - least + 1) / 2)
    unit = drawn(text, shape, std=1 / sqrt(3))  # from -1 to 1
    return np.clip(np.floor((unit + 1) * halves) + least, least, most).astype(np.float32)


def upstream(text: str, shape: Shape) -> Array:
    """The gradient of an output; not around zero, so that its sums are no rest of what cancels out."""
    return drawn(f"{text} upstream", shape, mean=0.5)


def parameter(text: str, name: str, shape: Shape) -> Array:
    """One parameter by its name: sizes that let a deep network neither fade nor explode."""
    role = name.rpartition(".")[2]
    if role == "running_var":
        return drawn(text, shape, std=0.5 / sqrt(3), mean=1)  # from 0.5 to 1.5
    if role in ("running_mean", "bias") or "bias_" in role or role.endswith("_bias"):
        return drawn(text, shape, std=0.2)
    if role == "logit_scale" or len(shape) == 1:  # of a norm, a slope
        return drawn(text, shape, std=0.5 / sqrt(3), mean=1)
    return drawn(text, shape, std=sqrt(2 / prod(shape[1:])))


def figures(array: Array) -> list[float]:
    """An array's norm and its products with directions drawn for its shape."""
    flat = np.asarray(array, np.float64)
    directions = (drawn(f"direction {index}", flat.shape) for index in range(PROJECTIONS))
    found = [sqrt(np.vdot(flat, flat)), *(float(np.vdot(flat, direction)) for direction in directions)]
    return [float(f"{figure:.{DIGITS}g}") for figure in found]


def difference(array: Array, recorded: Sequence[float], largest: float = 0.0) -> float:
    """How far an array is from a recorded one, relative to the recorded norm.

    An error's product with a direction is about as large as the error's norm, so this is the
    size of the error, whichever elements it is in. NaN anywhere gives NaN. A norm that is zero but for
    rounding beside `largest`, that of what it comes from, gives way to it.
    """
    norm = recorded[0] if recorded[0] > NOTHING * largest else largest
    errors = np.abs(np.subtract(figures(array), recorded))
    return float(errors.max() / norm) if norm else float(errors.max())


def case_input(text: str, case: Mapping[str, Any], number: int) -> Array:
    """One input of a single layer's case, the batch in front."""
    shape = (case.get("batch", 2), *case["inputs"][number])
    text = f"{text} x{number}"
    if case["kind"] == "embedding":
        return drawn_whole(text, shape, 0, case["options"]["entries"] - 1)
    if case.get("whole"):
        return drawn_whole(text, shape, -7, 7)
    numbers = drawn(text, shape, case.get("spread", 1.5))
    return np.abs(numbers) + np.float32(0.25) if case.get("positive") else numbers
