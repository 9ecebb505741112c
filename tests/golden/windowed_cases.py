"""Convolutions, pools and paddings that PyTorch's results are recorded of.

Most are seeded samples of full products of option values, as in make_shapes.py.
"""

import json
import random
from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple

from make_shapes import (
    ADAPTIVE,
    CEIL,
    CHANNELS,
    COUNTED,
    CROPPED,
    DILATIONS,
    FEW,
    GROUPS,
    KERNELS,
    NARROW,
    PADS,
    SIDES,
    SMALL,
    TIGHT,
    WINDOWS,
    Block,
    Values,
    output_shape,
    settings,
)

Shape = tuple[int, ...]

MOST_NUMBERS = 3000  # in an input of one sample and in an output


class Case(NamedTuple):
    """A layer in netcalc's words, the shapes it reads without the batch, and how it is run.

    `spread` is the standard deviation of the inputs' numbers; `whole` is for whole numbers, where kinks and ties are,
    `positive` for numbers from 1/4 up.
    """

    kind: str
    inputs: tuple[Shape, ...]
    options: dict[str, Any]
    batch: int = 2
    training: bool = False
    whole: bool = False
    spread: float = 1.5
    positive: bool = False

    @property
    def text(self) -> str:
        """What its numbers are drawn by, and how it stands in the recording."""
        usual = self._field_defaults
        fields = {name: value for name, value in self._asdict().items() if value != usual.get(name)}
        return json.dumps(fields, separators=(",", ":"))


BIAS: Values = {"bias": (True, False)}
UNEVEN: Values = {"pad": tuple(product(range(3), repeat=2))}
"""Padding that PyTorch's convolutions do not take themselves."""
MODES: Values = {"padding_mode": tuple(PADS)}
BLOCKS = (
    Block("conv", 120, {**WINDOWS, **DILATIONS}, {**FEW, **BIAS}),
    Block("conv", 40, SMALL, {**GROUPS, **BIAS}),
    Block("conv", 40, {**WINDOWS, **DILATIONS, "in": range(4, 10), "pad": range(1, 4)}, {**FEW, **MODES}),
    Block("conv", 30, {**KERNELS, **DILATIONS, "in": range(5, 18)}, {**FEW, **MODES, "pad": ("same",)}),
    Block("conv", 30, {**SMALL, **UNEVEN}, {**FEW, **MODES}),
    Block("conv_transpose", 40, {**WINDOWS, **DILATIONS}, {**FEW, **BIAS}),
    Block("conv_transpose", 20, {**CROPPED, **DILATIONS}, FEW),
    Block("conv_transpose", 40, {**WINDOWS, **DILATIONS, "output_pad": range(4)}, {**FEW, **BIAS}),
    Block("conv_transpose", 25, SMALL, {**GROUPS, **BIAS}),
    Block("conv_transpose", 10, {**SMALL, **UNEVEN}, FEW),
    Block("maxpool", 40, {**WINDOWS, **DILATIONS}, CEIL),
    Block("maxpool", 20, WINDOWS, CEIL),
    Block("maxpool", 20, {**TIGHT, **DILATIONS}, CEIL),
    Block("avgpool", 50, WINDOWS, COUNTED),
    Block("avgpool", 20, TIGHT, COUNTED),
    Block("adaptive_avgpool", 20, {**ADAPTIVE, "size": (1, 2, 3, 4, 5, 7, 9, 20)}, CHANNELS),
    Block("adaptive_maxpool", 20, {**ADAPTIVE, "size": (1, 2, 3, 4, 5, 7, 9, 20)}, CHANNELS),
    Block("pad", 20, NARROW, {**CHANNELS, "mode": tuple(PADS)}),
    Block("pad", 20, SIDES, {**CHANNELS, "mode": tuple(PADS)}),
)
TIES = (("maxpool", WINDOWS, CEIL), ("adaptive_maxpool", {**ADAPTIVE, "size": (1, 2, 3, 4, 5, 7)}, CHANNELS))


def sampled(block: Block, seed: str, whole: bool = False) -> Iterator[Case]:
    """Cases of a block, each small, each once, and none that PyTorch refuses."""
    found: set[str] = set()
    uneven = block.kind.startswith("conv") and "pad" in block.axis and block.axis["pad"] is UNEVEN["pad"]
    for shape, options in settings(random.Random(seed), block):
        if len(found) == block.count:
            return
        plain = {name: value for name, value in options.items() if name != "pad"} if uneven else options
        y = output_shape(block.kind, shape, plain)
        case = Case(block.kind, (tuple(shape),), options, whole=whole)
        if y is None or 0 in y or max(prod(shape), prod(y)) > MOST_NUMBERS or case.text in found:
            continue
        found.add(case.text)
        yield case


def windowed() -> Iterator[Case]:
    """Convolutions, pools, paddings; pools of whole numbers have ties."""
    for index, block in enumerate(BLOCKS):
        yield from sampled(block, f"{block.kind} {index}")
    for kind, axis, layer in TIES:
        yield from sampled(Block(kind, 8, axis, layer), f"ties of {kind}", whole=True)
    for shape, kernel in (((3, 9), 3), ((3, 9, 8), 4), ((2, 7, 6, 5), [3, 2, 1])):
        yield Case("conv", (shape,), {"filters": 4, "kernel": kernel, "pad": "same", "stride": 2})
    kernels: tuple[Any, ...] = (1, 3, 5, [2, 3])
    for kernel, stride, multiplier in product(kernels, (1, 2), (1, 2)):
        options = {"kernel": kernel, "stride": stride, "multiplier": multiplier, "pad": 1}
        yield Case("depthwise_conv", ((4, 9, 10),), options)
    for shape, options in (
        ((4, 9), {"kernel": 3, "pad": "same", "dilation": 2}),
        ((3, 5, 6, 7), {"kernel": 3, "pad": 1, "bias": False}),
        ((4, 9, 9), {"kernel": 7, "pad": 3}),
        ((1, 9, 9), {"kernel": 3, "multiplier": 3}),
        ((4, 9, 8), {"kernel": 3, "pad": [[0, 1], [2, 0]], "padding_mode": "replicate"}),
        ((4, 9, 8), {"kernel": 3, "pad": 2, "padding_mode": "circular", "multiplier": 2}),
        ((4, 9, 8), {"kernel": 3, "pad": 2, "padding_mode": "reflect", "dilation": [1, 2]}),
    ):
        yield Case("depthwise_conv", (shape,), options)
    for kind in ("global_avgpool", "global_maxpool"):
        for shape, keep in (((3, 5), False), ((3, 5, 4), True), ((3, 5, 4), False), ((2, 3, 4, 5), True)):
            yield Case(kind, (shape,), {"keep": keep})
    yield Case("pad", ((3, 5, 6),), {"pad": [[1, 2], [0, 3]], "value": -1.5})
    yield Case("pad", ((3, 5),), {"pad": 2, "value": 7.0})
