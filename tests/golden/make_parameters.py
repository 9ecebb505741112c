"""Record the parameters and multiply-adds of PyTorch's and torchvision's modules, the measure of netcalc's.

Every case is [kind, options, input shapes, output shape, macs, parameters, buffers]: kind and
options in netcalc's words, shapes without the batch axis, parameters and buffers by PyTorch's
names. macs are half of what torch.utils.flop_counter counts: matrix products and convolutions.

The index and coordinate tables of window attention are left out, they hold no state; and what
MaxViT calls to_qkv and merge is written qkv and proj, as Swin does. A run with the same
versions writes the same file, parameters.json beside this script:

    pip install torch==2.13.0 torchvision==0.28.0
    python tests/golden/make_parameters.py
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.maxvit import RelativePositionalMultiHeadAttention
from torchvision.models.swin_transformer import ShiftedWindowAttention, ShiftedWindowAttentionV2
from torchvision.models.video.mvit import MultiscaleAttention
from torchvision.models.video.swin_transformer import ShiftedWindowAttention3d

Shape = tuple[int, ...]

TABLES = ("relative_position_index", "relative_coords_table", "num_batches_tracked")


class Case(NamedTuple):
    """A layer of netcalc, the inputs, and the module that it is measured by."""

    kind: str
    options: dict[str, Any]
    inputs: tuple[Shape, ...]
    module: nn.Module


class Partitioned(nn.Module):
    """MaxViT's attention among as many positions as a block has, on N,H,W,C.

    Which positions share a block, a window's or a grid's, changes no count.
    """

    def __init__(self, channels: int, heads: int, size: int) -> None:
        super().__init__()
        self.attention = RelativePositionalMultiHeadAttention(channels, channels // heads, size**2)
        self.cells = size**2

    def forward(self, x: Tensor) -> Tensor:
        """Attend within each run of as many positions as a block has."""
        blocks = x.reshape(x.shape[0], -1, self.cells, x.shape[-1])
        y: Tensor = self.attention(blocks).reshape(x.shape)
        return y


class OnGrid(nn.Module):
    """MViT's attention on tokens of a known grid."""

    def __init__(self, attention: nn.Module, grid: list[int]) -> None:
        super().__init__()
        self.attention, self.grid = attention, grid

    def forward(self, x: Tensor) -> Tensor:
        """Attend; the grid that is left is dropped."""
        y: Tensor = self.attention(x, tuple(self.grid))[0]
        return y


class Grouped(nn.Module):
    """Attention whose keys and values have fewer heads, its parameters named as nn.MultiheadAttention's."""

    def __init__(self, widths: Shape, heads: int, kv_heads: int, bias: bool, causal: bool = False) -> None:
        super().__init__()
        width = widths[0]
        self.parts = width, width // heads * kv_heads, width // heads * kv_heads
        self.heads, self.causal = (heads, kv_heads, kv_heads), causal
        if len(set(widths)) == 1:
            self.in_proj_weight = nn.Parameter(torch.empty(sum(self.parts), width))
        else:
            for name, rows, columns in zip("qkv", self.parts, widths, strict=True):
                setattr(self, f"{name}_proj_weight", nn.Parameter(torch.empty(rows, columns)))
        self.in_proj_bias = nn.Parameter(torch.empty(sum(self.parts))) if bias else None
        self.out_proj = nn.Linear(width, width, bias)

    def forward(self, *xs: Tensor) -> Tensor:
        """Project, attend, project."""
        if hasattr(self, "in_proj_weight"):
            weights = self.in_proj_weight.split(self.parts)
        else:
            weights = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        biases = [None] * 3 if self.in_proj_bias is None else self.in_proj_bias.split(self.parts)
        read = xs[0], xs[min(1, len(xs) - 1)], xs[-1]
        q, k, v = (
            functional.linear(x, weight, bias).unflatten(-1, (heads, -1)).transpose(1, 2)
            for x, weight, bias, heads in zip(read, weights, biases, self.heads, strict=True)
        )
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal, enable_gqa=True)
        joined: Tensor = self.out_proj(y.transpose(1, 2).flatten(2))
        return joined


def convolutions() -> Iterator[Case]:
    """Convolutions in one to three dimensions, plain and transposed."""
    yield Case("conv", {"filters": 6, "kernel": 3}, ((4, 9),), nn.Conv1d(4, 6, 3))
    yield Case("conv", {"filters": 6, "kernel": 4, "stride": 3, "pad": 2, "bias": False}, ((4, 20),),
               nn.Conv1d(4, 6, 4, 3, 2, bias=False))  # fmt: skip
    yield Case("conv", {"filters": 6, "kernel": [3, 5]}, ((4, 9, 8),), nn.Conv2d(4, 6, (3, 5)))
    yield Case("conv", {"filters": 16, "kernel": 3, "pad": 1, "groups": 4}, ((16, 8, 8),),
               nn.Conv2d(16, 16, 3, padding=1, groups=4))  # fmt: skip
    yield Case("conv", {"filters": 8, "kernel": 3, "pad": 2, "dilation": 2, "bias": False}, ((8, 9, 7),),
               nn.Conv2d(8, 8, 3, padding=2, dilation=2, bias=False))  # fmt: skip
    yield Case("conv", {"filters": 6, "kernel": [1, 3, 2], "stride": [1, 2, 1]}, ((4, 5, 8, 7),),
               nn.Conv3d(4, 6, (1, 3, 2), (1, 2, 1)))  # fmt: skip
    yield Case("conv", {"filters": 6, "kernel": 2, "groups": 2, "bias": False}, ((4, 5, 6, 7),),
               nn.Conv3d(4, 6, 2, groups=2, bias=False))  # fmt: skip
    yield Case(
        "depthwise_conv", {"kernel": 3, "pad": 1}, ((8, 9, 9),), nn.Conv2d(8, 8, 3, padding=1, groups=8)
    )
    yield Case("depthwise_conv", {"kernel": 7, "multiplier": 2, "bias": False}, ((4, 9),),
               nn.Conv1d(4, 8, 7, groups=4, bias=False))  # fmt: skip
    yield Case("conv_transpose", {"filters": 6, "kernel": 4, "stride": 2}, ((4, 9),),
               nn.ConvTranspose1d(4, 6, 4, 2))  # fmt: skip
    yield Case("conv_transpose", {"filters": 4, "kernel": 4, "stride": 2, "pad": 1}, ((8, 6, 5),),
               nn.ConvTranspose2d(8, 4, 4, 2, 1))  # fmt: skip
    yield Case("conv_transpose", {"filters": 8, "kernel": [2, 3], "groups": 4, "bias": False}, ((8, 6, 5),),
               nn.ConvTranspose2d(8, 8, (2, 3), groups=4, bias=False))  # fmt: skip
    yield Case("conv_transpose", {"filters": 2, "kernel": 3, "stride": 2, "output_pad": 1}, ((4, 3, 4, 5),),
               nn.ConvTranspose3d(4, 2, 3, 2, output_padding=1))  # fmt: skip


def single() -> Iterator[Case]:
    """Linear layers, embeddings, activations with parameters."""
    for bias in (True, False):
        yield Case("linear", {"units": 5, "bias": bias}, ((7,),), nn.Linear(7, 5, bias))
        yield Case("linear", {"units": 5, "bias": bias}, ((3, 7),), nn.Linear(7, 5, bias))
        yield Case("linear", {"units": 5, "bias": bias}, ((3, 4, 7),), nn.Linear(7, 5, bias))
    yield Case("embedding", {"entries": 100, "width": 16}, ((10,),), nn.Embedding(100, 16))
    yield Case("embedding", {"entries": 20, "width": 3}, ((4, 5),), nn.Embedding(20, 3))
    yield Case("prelu", {}, ((4, 5, 6),), nn.PReLU())
    yield Case("prelu", {"channels": 4}, ((4, 5, 6),), nn.PReLU(4))


def norms() -> Iterator[Case]:
    """Normalisations with and without parameters and running statistics."""
    yield Case("batchnorm", {}, ((6,),), nn.BatchNorm1d(6))
    yield Case("batchnorm", {}, ((6, 4, 5),), nn.BatchNorm2d(6))
    yield Case("batchnorm", {"affine": False}, ((6, 4, 5),), nn.BatchNorm2d(6, affine=False))
    yield Case("batchnorm", {"running": False}, ((6, 3, 4, 5),), nn.BatchNorm3d(6, track_running_stats=False))
    yield Case("layernorm", {}, ((4, 6),), nn.LayerNorm(6))
    yield Case("layernorm", {"axes": 2}, ((4, 6),), nn.LayerNorm([4, 6]))
    yield Case("layernorm", {"bias": False}, ((4, 6),), nn.LayerNorm(6, bias=False))
    yield Case("layernorm", {"affine": False}, ((4, 6),), nn.LayerNorm(6, elementwise_affine=False))
    yield Case("instancenorm", {}, ((6, 4, 5),), nn.InstanceNorm2d(6))
    yield Case("instancenorm", {"affine": True}, ((6, 4),), nn.InstanceNorm1d(6, affine=True))
    yield Case("groupnorm", {"groups": 3}, ((6, 4, 5),), nn.GroupNorm(3, 6))
    yield Case("groupnorm", {"groups": 2, "affine": False}, ((6, 4),), nn.GroupNorm(2, 6, affine=False))


def attentions() -> Iterator[Case]:
    """Multi-head attention: to itself, to a memory, to keys and values of other widths."""
    yield Case("multi_head_attention", {"heads": 4}, ((16, 64),), nn.MultiheadAttention(64, 4))
    yield Case("multi_head_attention", {"heads": 1, "bias": False}, ((5, 8),),
               nn.MultiheadAttention(8, 1, bias=False))  # fmt: skip
    yield Case("multi_head_attention", {"heads": 2}, ((5, 8), (7, 8)), nn.MultiheadAttention(8, 2))
    yield Case("multi_head_attention", {"heads": 2}, ((5, 8), (7, 6)),
               nn.MultiheadAttention(8, 2, kdim=6, vdim=6))  # fmt: skip
    yield Case("multi_head_attention", {"heads": 2, "bias": False}, ((5, 8), (7, 6), (7, 4)),
               nn.MultiheadAttention(8, 2, bias=False, kdim=6, vdim=4))  # fmt: skip
    yield Case("multi_head_attention", {"heads": 2}, ((5, 8), (7, 8), (7, 4)),
               nn.MultiheadAttention(8, 2, vdim=4))  # fmt: skip


def windows() -> Iterator[Case]:
    """Window attention: sizes that fill windows, that need padding, that are smaller than one."""

    def case(space: Shape, channels: int, **options: Any) -> Case:
        module: nn.Module
        if "grid" in options:
            module = Partitioned(channels, options["heads"], options["size"])
        else:
            attention = ShiftedWindowAttentionV2 if options.get("cosine") else ShiftedWindowAttention
            attention = ShiftedWindowAttention3d if len(space) == 3 else attention
            size = options["size"] if isinstance(options["size"], list) else [options["size"]] * len(space)
            shift = options.get("shift", [0] * len(space))
            module = attention(channels, size, shift, options["heads"], qkv_bias=options.get("bias", True))
        return Case("window_attention", options, ((*space, channels),), module)

    yield case((14, 14), 12, size=7, heads=3)
    yield case((14, 14), 12, size=7, heads=3, shift=[3, 3])
    yield case((9, 10), 8, size=[4, 3], heads=2, bias=False)
    yield case((3, 9), 8, size=4, heads=2, shift=[2, 2])
    yield case((16, 16), 8, size=8, heads=2, cosine=True)
    yield case((9, 5), 8, size=[4, 8], heads=1, shift=[2, 4], cosine=True, bias=False)
    yield case((4, 14, 14), 8, size=[2, 7, 7], heads=2, shift=[1, 3, 3])
    yield case((4, 5, 9), 8, size=[8, 7, 7], heads=2, shift=[4, 3, 3])
    yield case((14, 21), 8, size=7, heads=2, grid=False)
    yield case((14, 21), 8, size=7, heads=2, grid=True)


def pooled() -> Iterator[Case]:
    """MViT's attention: pooled or not, with relative positions or without."""
    grid = [2, 6, 5]

    def case(heads: int, channels: int, width: int, residual: str = "none", **options: Any) -> Case:
        sizes = [options.get(name, [1, 1, 1]) for name in ("kernel_q", "kernel_kv", "stride_q", "stride_kv")]
        module = MultiscaleAttention(
            grid, channels, width, heads, *sizes, residual_pool=residual != "none",
            residual_with_cls_embed=residual == "all", rel_pos_embed=options.get("positions", False),
        )  # fmt: skip
        options |= {"heads": heads, "size": grid, "width": width, "residual": residual}
        return Case("pooled_attention", options, ((61, channels),), OnGrid(module, grid))

    yield case(2, 8, 8)
    yield case(1, 8, 4, kernel_kv=[3, 3, 3], stride_kv=[1, 2, 2], residual="all")
    yield case(2, 8, 16, kernel_q=[3, 3, 3], stride_q=[1, 2, 2], kernel_kv=[3, 3, 3])
    yield case(2, 8, 8, kernel_q=[3, 3, 3], stride_kv=[1, 4, 4], positions=True, residual="patches")
    yield case(4, 8, 8, kernel_q=[1, 3, 3], stride_q=[1, 2, 2], positions=True)
    yield case(
        1,
        8,
        8,
        kernel_q=[3, 3, 3],
        stride_q=[1, 2, 2],
        kernel_kv=[3, 3, 3],
        stride_kv=[1, 4, 4],
        positions=True,
    )


def recurrents() -> Iterator[Case]:
    """Recurrent layers: several layers, both directions, without biases."""
    for kind, module in (("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)):
        yield Case(kind, {"units": 64}, ((10, 32),), module(32, 64))
        yield Case(kind, {"units": 6, "bias": False}, ((3, 4),), module(4, 6, bias=False))
        yield Case(kind, {"units": 6, "layers": 3}, ((3, 4),), module(4, 6, 3))
        yield Case(kind, {"units": 6, "layers": 2, "bidirectional": True}, ((3, 4),),
                   module(4, 6, 2, bidirectional=True))  # fmt: skip
    yield Case("rnn", {"units": 6, "activation": "relu"}, ((3, 4),), nn.RNN(4, 6, nonlinearity="relu"))


def later() -> Iterator[Case]:
    """Norms without a shift, RMS norms, keys and values with fewer heads."""
    yield Case("batchnorm", {"bias": False}, ((6, 4, 5),), nn.BatchNorm2d(6, bias=False))
    yield Case("groupnorm", {"groups": 2, "bias": False}, ((6, 4),), nn.GroupNorm(2, 6, bias=False))
    yield Case("instancenorm", {"affine": True, "bias": False}, ((6, 4, 5),),
               nn.InstanceNorm2d(6, affine=True, bias=False))  # fmt: skip
    yield Case("rmsnorm", {}, ((4, 6),), nn.RMSNorm(6))
    yield Case("rmsnorm", {"axes": 2}, ((3, 4, 6),), nn.RMSNorm([4, 6]))
    yield Case("rmsnorm", {"affine": False}, ((4, 6),), nn.RMSNorm(6, elementwise_affine=False))
    for options, inputs in (
        ({"heads": 4, "kv_heads": 2}, ((5, 8),)),
        ({"heads": 4, "kv_heads": 1, "bias": False}, ((5, 8),)),
        ({"heads": 4, "kv_heads": 2}, ((5, 8), (7, 8))),
        ({"heads": 4, "kv_heads": 2, "bias": False}, ((5, 8), (7, 6), (7, 4))),
    ):
        widths = inputs[0][1], inputs[min(1, len(inputs) - 1)][1], inputs[-1][1]
        module = Grouped(widths, options["heads"], options["kv_heads"], options.get("bias", True))
        yield Case("multi_head_attention", options, inputs, module)


def attended(case: Case, xs: list[Tensor]) -> list[Tensor]:
    """Queries, keys and values where a module takes three."""
    three = isinstance(case.module, nn.MultiheadAttention)
    return [xs[0], xs[min(1, len(xs) - 1)], xs[-1]] if three else xs


def record(case: Case) -> list[Any]:
    """Run the module on one sample of zeros, and write down what it owns, gives and counts."""
    dtype = torch.long if case.kind == "embedding" else torch.float32
    batch_axis = 1 if isinstance(case.module, nn.RNNBase | nn.MultiheadAttention) else 0
    count = 2 if case.kind in ("batchnorm", "instancenorm") else 1  # statistics need more than one value
    xs = [torch.zeros(shape, dtype=dtype).unsqueeze(batch_axis) for shape in case.inputs]
    xs = [x.repeat_interleave(count, batch_axis) for x in xs]
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:  # fused ones hide products
        result = case.module(*attended(case, xs))
    output = (result[0] if isinstance(result, tuple) else result).select(batch_axis, 0).shape
    flops = counter.get_total_flops()
    assert flops % (2 * count) == 0
    return [
        case.kind, case.options, case.inputs, list(output), flops // (2 * count),
        arrays(case.module.named_parameters()), arrays(case.module.named_buffers()),
    ]  # fmt: skip


def arrays(named: Iterator[tuple[str, Tensor]]) -> dict[str, list[int]]:
    """The shapes by name, as netcalc names them."""
    shapes = {}
    for name, array in named:
        name = name.removeprefix("attention.").replace("to_qkv.", "qkv.").replace("merge.", "proj.")
        if name not in TABLES:
            shapes[name] = list(array.shape)
    return shapes


def main() -> None:
    """Record every case and write the file."""
    torch.set_num_threads(1)
    torch.backends.mkldnn.enabled = False  # its fused LSTM hides its products from the counter
    families = (convolutions, single, norms, attentions, windows, pooled, recurrents, later)
    lines = [json.dumps(record(case), separators=(",", ":")) for family in families for case in family()]
    versions = [module.__version__.split("+")[0] for module in (torch, torchvision)]
    source = "PyTorch {}, torchvision {}, recorded by make_parameters.py".format(*versions)
    text = f'{{"source":{json.dumps(source)},"cases":[\n' + ",\n".join(lines) + "\n]}\n"
    Path(__file__).with_name("parameters.json").write_text(text, encoding="utf-8")
    print(f"{len(lines)} cases")


if __name__ == "__main__":
    main()
