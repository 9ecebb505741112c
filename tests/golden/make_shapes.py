"""Record the output shapes of PyTorch layers, the measure of netcalc's shape rules.

Every case is [input shape, options, output shape], the shapes without the batch axis and the
options in netcalc's words, those at their default left out. The output shape is null where
PyTorch refuses the layer, on being built or on being run on zeros. A size or option that is
one number holds for every axis; a list has one entry for each axis.

The cases are seeded samples of full products of option values, so a run with the same PyTorch
writes the same file, shapes.json beside this script:

    pip install torch==2.13.0
    python tests/golden/make_shapes.py
"""

import json
import random
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import nn

Options = dict[str, Any]
Values = dict[str, Sequence[Any]]

MOST_REFUSED = 0.3  # of the cases of one block
LISTED = 0.4  # of the options are given for each axis rather than as one number

LAYERS = {
    "conv": "Conv",
    "conv_transpose": "ConvTranspose",
    "maxpool": "MaxPool",
    "avgpool": "AvgPool",
    "adaptive_avgpool": "AdaptiveAvgPool",
    "adaptive_maxpool": "AdaptiveMaxPool",
}
PADS = {
    "zeros": "ZeroPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}
ARGUMENTS = {
    "filters": "out_channels",
    "kernel": "kernel_size",
    "pad": "padding",
    "output_pad": "output_padding",
    "ceil": "ceil_mode",
    "size": "output_size",
}
CONV_DEFAULTS: Options = {"stride": 1, "pad": 0, "dilation": 1, "groups": 1}
DEFAULTS: dict[str, Options] = {
    "conv": {**CONV_DEFAULTS, "padding_mode": "zeros"},
    "conv_transpose": {**CONV_DEFAULTS, "output_pad": 0},
    "maxpool": {"pad": 0, "dilation": 1, "ceil": False},
    "avgpool": {"pad": 0, "ceil": False, "count_include_pad": True},
    "pad": {"mode": "zeros"},
}

# The reasons to refuse a case that are wanted here: any other is a mistake of this script.
REASONS = re.compile(
    r"must be divisible by groups"
    r"|Kernel size can't be greater than actual input size"
    r"|Output size is too small"
    r"|could not construct a memory descriptor"  # oneDNN's word for an output below zero
    r"|Invalid computed output size"
    r"|smaller than kernel size"
    r"|at most half of|smaller than or equal to half of"
    r"|output padding must be smaller than either stride or dilation"
    r"|Padding size should be less than the corresponding input dimension"
    r"|wrapping around more than once"
    r"|output_size must be greater than or equal to 0|negative dimension"
)


@dataclass
class Block:
    """Cases of one kind: a product of values for every axis, and one for the whole layer."""

    kind: str
    count: int
    axis: Values
    layer: Values = field(default_factory=dict)
    ranks: Sequence[int] = (1, 2, 2, 3)


SIZES: Values = {"in": range(5, 18)}
KERNELS: Values = {"kernel": (1, 2, 3, 4, 5, 7)}
STRIDES: Values = {"stride": range(1, 5)}
PADDINGS: Values = {"pad": range(4)}
DILATIONS: Values = {"dilation": range(1, 4)}
WINDOWS: Values = {**SIZES, **KERNELS, **STRIDES, **PADDINGS}
FEW: Values = {"channels": (1, 2, 3), "filters": (1, 2, 4)}
GROUPS: Values = {
    "channels": (1, 2, 3, 4, 6, 8),
    "filters": (1, 2, 3, 4, 6, 8, 12),
    "groups": (2, 3, 4, 6),
}
CHANNELS: Values = {"channels": (1, 2, 3)}
CEIL: Values = {**CHANNELS, "ceil": (False, True)}
COUNTED: Values = {**CEIL, "count_include_pad": (True, False)}
SMALL: Values = {"in": range(5, 12), "kernel": (1, 3, 4), "stride": (1, 2), "pad": (0, 1)}
TIGHT: Values = {"in": range(1, 8), "kernel": (2, 3, 5, 7), **STRIDES, "pad": (0, 1)}
CROPPED: Values = {"in": range(1, 8), "kernel": (1, 2, 3), "stride": (1, 2), "pad": (1, 2, 3)}
NARROW: Values = {"in": range(1, 10), "pad": range(10)}
SIDES: Values = {"in": range(1, 10), "pad": tuple(product(range(10), repeat=2))}
ADAPTIVE: Values = {**SIZES, "size": (1, 2, 3, 4, 5, 7, 9, 20, -1)}

BLOCKS = (
    Block("conv", 1100, {**WINDOWS, **DILATIONS}, FEW),
    Block("conv", 300, SMALL, GROUPS),
    Block(
        "conv",
        400,
        {**KERNELS, **STRIDES, **DILATIONS, "in": range(2, 10), "pad": range(1, 7)},
        {**FEW, "padding_mode": ("reflect", "replicate", "circular")},
    ),
    Block(
        "conv",
        200,
        {**KERNELS, **DILATIONS, "in": range(3, 18)},
        {**FEW, "pad": ("same",), "padding_mode": tuple(PADS)},
    ),
    Block("conv_transpose", 400, {**WINDOWS, **DILATIONS}, FEW),
    Block("conv_transpose", 200, {**CROPPED, **DILATIONS}, FEW),
    Block("conv_transpose", 650, {**WINDOWS, **DILATIONS, "output_pad": range(4)}, FEW),
    Block("conv_transpose", 250, SMALL, GROUPS),
    Block("maxpool", 700, {**WINDOWS, **DILATIONS}, CEIL),
    Block("maxpool", 250, WINDOWS, CEIL),
    Block("maxpool", 250, {**SIZES, **KERNELS, **PADDINGS}, CEIL),
    Block("maxpool", 300, {**TIGHT, **DILATIONS}, CEIL),
    Block("avgpool", 700, WINDOWS, COUNTED),
    Block("avgpool", 250, {**SIZES, **KERNELS, **PADDINGS}, COUNTED),
    Block("avgpool", 250, TIGHT, COUNTED),
    Block("adaptive_avgpool", 150, ADAPTIVE, CHANNELS),
    Block("adaptive_maxpool", 150, ADAPTIVE, CHANNELS),
    Block("pad", 250, NARROW, {**CHANNELS, "mode": tuple(PADS)}),
    Block("pad", 250, SIDES, {**CHANNELS, "mode": tuple(PADS)}),
)


def sides(pad: Any) -> Any:
    """Give netcalc's padding, first axis first, as PyTorch takes it: last axis first."""
    if isinstance(pad, int):
        return pad
    pairs = [(p, p) if isinstance(p, int) else p for p in pad]
    return tuple(side for pair in reversed(pairs) for side in pair)


def build(kind: str, shape: list[int], options: Options) -> nn.Module:
    """Construct the layer for an input of that shape."""
    rank = len(shape) - 1
    if kind == "pad":
        name = PADS[options.get("mode", "zeros")]
        padding: nn.Module = getattr(nn, f"{name}{rank}d")(sides(options["pad"]))
        return padding
    arguments = {
        ARGUMENTS.get(name, name): tuple(value) if isinstance(value, list) else value
        for name, value in options.items()
    }
    if kind.startswith("conv"):
        arguments["in_channels"] = shape[0]
    layer: nn.Module = getattr(nn, f"{LAYERS[kind]}{rank}d")(**arguments)
    return layer


def output_shape(kind: str, shape: list[int], options: Options) -> list[int] | None:
    """Run the layer on zeros and return the shape that comes out, or None if it is refused."""
    try:
        with torch.no_grad():
            result = build(kind, shape, options)(torch.zeros(1, *shape))
    except (RuntimeError, ValueError) as error:
        if not REASONS.search(str(error)):
            raise
        return None
    return list(result.shape[1:])


def points(rng: random.Random, values: Values) -> Iterator[Options]:
    """Go through the product of the values in random order, again and again."""
    grid = list(product(*values.values()))
    while True:
        for point in rng.sample(grid, len(grid)):
            yield dict(zip(values, point, strict=True))


def settings(rng: random.Random, block: Block) -> Iterator[tuple[list[int], Options]]:
    """Yield input shapes and options of the block without end."""
    axes, layers = points(rng, block.axis), points(rng, block.layer)
    defaults = DEFAULTS.get(block.kind, {})
    while True:
        rank = rng.choice(block.ranks)
        drawn = [next(axes) for _ in range(rank)]
        options = next(layers)
        shape = [options.pop("channels")]
        for name, value in drawn[0].items():
            each = [list(p[name]) if isinstance(p[name], tuple) else p[name] for p in drawn]
            listed = isinstance(value, tuple) or rng.random() < LISTED
            if name == "in":
                shape += each if listed else [value] * rank
            elif not listed:
                options[name] = value
            elif each != [defaults.get(name)] * rank:
                options[name] = each
        yield shape, {k: v for k, v in options.items() if k not in defaults or v != defaults[k]}


def record(block: Block, seed: str) -> list[str]:
    """Return the cases of a block, each as a line of JSON, no case twice."""
    lines: dict[str, bool] = {}
    for shape, options in settings(random.Random(seed), block):
        if len(lines) == block.count:
            return list(lines)
        result = output_shape(block.kind, shape, options)
        if result is not None and 0 in result:
            continue
        if result is None and sum(lines.values()) >= MOST_REFUSED * block.count:
            continue
        line = json.dumps([shape, options, result], separators=(",", ":"))
        lines.setdefault(line, result is None)
    raise AssertionError("settings has no end")


def main() -> None:
    """Record every block and write the file."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")
    cases: dict[str, list[str]] = {}
    for index, block in enumerate(BLOCKS):
        known = cases.setdefault(block.kind, [])
        new = record(block, f"{block.kind} {index}")
        known += [line for line in new if line not in known]
    source = f"PyTorch {torch.__version__.split('+')[0]}, recorded by make_shapes.py"
    kinds = ",\n".join(f'"{kind}":[\n' + ",\n".join(c) + "\n]" for kind, c in cases.items())
    text = f'{{"source":{json.dumps(source)},"cases":{{\n{kinds}\n}}}}\n'
    Path(__file__).with_name("shapes.json").write_text(text, encoding="utf-8")
    for kind, lines in cases.items():
        refused = sum(line.endswith("null]") for line in lines)
        print(f"{kind}: {len(lines)} cases, {refused} refused ({refused / len(lines):.0%})")


if __name__ == "__main__":
    main()
