"""Specs of random small nets: what images go through on their way to a vector."""

import random

_ACTIVATIONS = ("relu", "relu", "relu", "tanh", "leaky_relu", "sigmoid", "hardswish", "gelu")


def random_spec(seed: int) -> str:
    """A net of some ten layers, with branches; every choice is the seed's."""
    rng = random.Random(seed)
    size, channels = rng.randint(5, 14), rng.randint(1, 5)
    lines = [f"input: [{channels}, {size}, {size + rng.randint(0, 3)}]", "layers:"]
    for _ in range(rng.randint(2, 5)):
        lines += rng.choice([_convolution, _pool, _residual, _branches, _pointwise, _moved])(rng)
    lines += rng.choice([_flat, _pooled])(rng)
    return "\n".join(lines) + "\n"


def _convolution(rng: random.Random) -> list[str]:
    kernel = rng.choice(["1", "3", "2", "5", "[3, 1]", "[1, 4]"])
    options = f"filters: {2 * rng.randint(1, 20)}, kernel: {kernel}, pad: {rng.choice(['2', '2', '[2, 3]', '[[2, 3], [4, 1]]'])}"
    options += rng.choice(
        ["", "", f", stride: {rng.randint(2, 3)}", ", dilation: [1, 2]", ", dilation: 2", ", stride: [1, 2]"]
    )
    options += rng.choice(["", ", bias: false"])
    kind = rng.choice(["conv"] * 6 + ["depthwise_conv"])
    if kind == "depthwise_conv":
        options = options.partition(", ")[2]
    return [f"  - {kind}: {{{options}}}", *rng.choice([[], ["  - batchnorm"]]), *_pointwise(rng)]


def _pool(rng: random.Random) -> list[str]:
    kind = rng.choice(["maxpool", "avgpool"])
    kernel = rng.choice(
        [
            "2, stride: 1",
            "3, pad: 1",
            "3, stride: 2, pad: 1",
            "[1, 2], pad: 0, stride: 1",
            "2, pad: 1, ceil: true",
        ]
    )
    return [f"  - {kind}: {{kernel: {kernel}}}"]


def _residual(rng: random.Random) -> list[str]:
    filters = rng.randint(3, 9)
    main = [f"conv: {{filters: {filters}, kernel: 3, pad: 1, bias: false}}", "batchnorm", "relu"]
    main = (
        main[: rng.randint(1, 3)]
        + [f"conv: {{filters: {filters}, kernel: 1}}"]
        + ["batchnorm"] * rng.randint(0, 1)
    )
    shortcut = f"        shortcut: [conv: {{filters: {filters}, kernel: 1}}]"
    return [
        "  - residual:",
        "        main:",
        *(f"          - {item}" for item in main),
        shortcut,
        *_pointwise(rng),
    ]


def _branches(rng: random.Random) -> list[str]:
    join = rng.choice(["concat", "concat", "multiply", "add"])
    item = "conv: {filters: 4, kernel: 3, pad: 1}"
    names = "abc"[: rng.randint(2, 3)]
    branches = [
        f"        {name}: [{item}, {rng.choice(['relu', 'batchnorm', 'identity'])}]" for name in names
    ]
    return ["  - parallel:", f"      join: {join}", "      branches:", *branches]


def _pointwise(rng: random.Random) -> list[str]:
    return rng.choice(
        [
            [f"  - {rng.choice(_ACTIVATIONS)}"],
            [f"  - {rng.choice(_ACTIVATIONS)}"],
            [],
            ["  - dropout: {rate: 0.3}"],
            ["  - lrn: {size: 3}"],
        ]
    )


def _moved(rng: random.Random) -> list[str]:
    item = rng.choice([
        "pad: {pad: [[1, 0], [2, 1]]}", "pad: {pad: 1, value: 0.5}", "pad: {pad: 1, mode: reflect}", "slice: {axis: 1, step: 2}",
        "slice: {axis: 2, start: 1}", "permute: {order: [0, 2, 1]}", "permute: {order: [2, 0, 1]}", "channel_shuffle: {groups: 1}",
    ])  # fmt: skip
    return [f"  - {item}"]


def _flat(rng: random.Random) -> list[str]:
    hidden = [
        "  - linear: {units: 9}",
        *rng.choice([["  - batchnorm"], []]),
        *rng.choice([["  - relu"], ["  - dropout"]]),
    ]
    return ["  - adaptive_avgpool: {size: 2}"] * rng.randint(0, 1) + [
        "  - flatten",
        *hidden,
        "  - linear: {units: 5}",
    ]


def _pooled(rng: random.Random) -> list[str]:
    keep = rng.choice(
        [
            ["  - global_avgpool"],
            ["  - global_avgpool: {keep: true}", "  - squeeze: {axes: [1, 2]}"],
            ["  - global_maxpool"],
        ]
    )
    return [
        *keep,
        f"  - linear: {{units: 5, bias: {rng.choice(['true', 'false'])}}}",
        *rng.choice([["  - softmax"], []]),
    ]
