"""Random networks from a seed: branches, joins, convolutions of all sorts, pools, norms and activations."""

from typing import Any

import numpy as np

from netcalc.diagnostics import NetcalcError
from netcalc.graph import Graph

from helpers import graph_of

_ACTIVATIONS = (
    "relu", "relu6", "leaky_relu", "silu", "hardswish", "hardsigmoid", "sigmoid", "tanh", "gelu", "elu",
)  # fmt: skip
_NORMS = ("batchnorm", "batchnorm: {affine: false}", "lrn: {size: 3}", "layernorm: {channels: true}")
_OTHERS = ("dropout", "identity", "channel_shuffle: {groups: 2}", "upsample: {factor: 2}", "pad: {pad: 1}")


class _Writer:
    """Writes items as flow YAML, each on a line."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def pick(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def convolution(self, filters: int | None = None) -> str:
        kernel, dilation = self.pick(1, 1, 3, 3, 3, 5, 7), self.pick(1, 1, 1, 2)
        stride = self.pick(1, 1, 2, 3) if filters is None else 1
        pad = "same" if filters is not None or (stride == 1 and self.chance(0.5)) else self.pick(0, 1, 2)
        mode = self.pick("zeros", "zeros", "zeros", "reflect") if pad != "same" else "zeros"
        bias = str(self.chance(0.5)).lower()
        options = f"kernel: {kernel}, stride: {stride}, pad: {pad}, dilation: {dilation}, bias: {bias}"
        if filters is None and self.chance(0.2):
            return f"depthwise_conv: {{{options}}}"
        many = filters or self.pick(4, 8, 8, 12, 16, 24)
        return (
            f"conv: {{filters: {many}, groups: {self.pick(1, 1, 1, 2, 4)}, {options}, padding_mode: {mode}}}"
        )

    def pool(self) -> str:
        kind, kernel = self.pick("maxpool", "avgpool"), self.pick(2, 3)
        ceil = str(self.chance(0.3)).lower()
        counted = f", count_include_pad: {str(self.chance(0.5)).lower()}" if kind == "avgpool" else ""
        options = (
            f"kernel: {kernel}, stride: {self.pick(1, 2)}, pad: {self.pick(0, 1)}, ceil: {ceil}{counted}"
        )
        return f"{kind}: {{{options}}}"

    def simple(self) -> list[str]:
        """A convolution with what often follows it, or a layer of another kind."""
        if self.chance(0.6):
            return [self.convolution(), *self.following()]
        return [self.pick(self.pool(), self.pick(*_NORMS), self.pick(*_ACTIVATIONS), self.pick(*_OTHERS))]

    def following(self) -> list[str]:
        norm = ["batchnorm"] if self.chance(0.6) else []
        return norm + ([self.pick(*_ACTIVATIONS)] if self.chance(0.7) else [])

    def branches(self) -> list[str]:
        """Branches that keep the spatial size, and join."""
        filters = self.pick(4, 8, 16)
        join = self.pick("add", "concat", "multiply")
        both = [[self.convolution(filters), *self.following()] for _ in range(self.pick(2, 2, 3))]
        if join == "add" and self.chance(0.5):
            both = [[*both[0], self.convolution(filters)], both[1]]
        if self.chance(0.3):
            gate = ["adaptive_avgpool: {size: 1}", f"conv: {{filters: {filters}, kernel: 1}}", "sigmoid"]
            both, join = [both[0], [both[0][0], *gate]], "multiply"
        listed = ", ".join(f"b{number}: [{_flow(items)}]" for number, items in enumerate(both))
        return [f"parallel: {{join: {join}, branches: {{{listed}}}}}", *self.following()[-1:]]

    def text(self) -> str:
        channels, height, width = self.pick(1, 3, 4, 8, 12), self.pick(9, 12, 17), self.pick(8, 14, 19)
        items: list[str] = []
        for _ in range(self.pick(2, 3, 4, 5)):
            items += self.branches() if self.chance(0.35) else self.simple()
        tail = self.pick([], ["global_avgpool"], ["flatten"], ["global_avgpool", "linear: {units: 10}"])
        if tail == ["flatten"]:
            tail = ["flatten", "linear: {units: 12}", self.pick("batchnorm", "relu"), "linear: {units: 5}"]
        lines = "\n".join(f"  - {{{item}}}" if ":" in item else f"  - {item}" for item in items + tail)
        return f"input: [{channels}, {height}, {width}]\nlayers:\n{lines}\n"


def _flow(items: list[str]) -> str:
    return ", ".join(f"{{{item}}}" if ":" in item else item for item in items)


def random_graph(seed: int) -> Graph:
    """The network of a seed: the first that is valid of those that it leads to."""
    for attempt in range(1000):
        text = _Writer(seed * 1000 + attempt).text()
        try:
            return graph_of(text)
        except NetcalcError:
            continue
    raise AssertionError(f"no valid network from seed {seed}")
