"""Convolutions: plain, depthwise and transposed, in one to three dimensions."""

from math import prod
from typing import ClassVar

from netcalc.layers import geometry
from netcalc.layers.axes import Axes, channels_first
from netcalc.layers.base import Cost, ParamSpec, SpatialLayer, channels_and_space
from netcalc.layers.geometry import SlidingWindow, Window
from netcalc.layers.operators import Operators
from netcalc.layers.options import Choice, Flag, Integer
from netcalc.layers.saved import INPUT, Extra, Saved
from netcalc.layers.window_options import Padding, Sizes
from netcalc.tensor import TensorType


class Convolution(SpatialLayer):
    """What the convolutions share: the options of a window, and groups."""

    family = "convolution"
    output_axis = 0
    saves = INPUT
    linear = True

    kernel = Sizes(doc="size of the window", torch="kernel_size")
    stride = Sizes(1, doc="step of the window", torch="stride")
    dilation = Sizes(1, doc="distance between the window's cells", torch="dilation")
    bias = Flag(True, doc="whether a bias is added to each output channel", torch="bias")

    def in_groups(self, channels: int) -> int:
        """The groups of channels that do not mix."""
        raise NotImplementedError

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        """True for windows that overlap, not for adjacent patches."""
        return any(kernel > stride for kernel, stride in zip(self.kernel, self.stride, strict=True))

    def _parameters(self, weight: tuple[int, ...], filters: int) -> tuple[ParamSpec, ...]:
        weights = ParamSpec("weight", weight, "fan_in_uniform")
        return (weights, ParamSpec("bias", (filters,), "fan_in_uniform")) if self.bias else (weights,)


class Correlation(Convolution):
    """Cross-correlation: a convolution with `out_channels` and `in_groups`."""

    pad = Padding(0, doc="cells added around the input; `same` keeps the size at stride 1, `causal` too "
                  "and reads nothing ahead")  # fmt: skip
    padding_mode = Choice(
        "zeros", "reflect", "replicate", "circular", doc="what the added cells hold", torch="padding_mode"
    )

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return ("C", *names[0][1:]) if names[0][0] == "C" else channels_first(len(y.shape))

    def out_channels(self, channels: int) -> int:
        raise NotImplementedError

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        channels, space = channels_and_space(x)
        groups = self.in_groups(channels)
        geometry.require_divides(groups, channels, "input channels", "groups")
        geometry.require_divides(groups, self.out_channels(channels), "filters", "groups")
        geometry.require_padding_fits(self.padding_mode, space, self.pad)
        sizes = self.sliding_window().output_sizes(space)
        return TensorType((self.out_channels(channels), *sizes), x.dtype)

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        channels = x.shape[0]
        filters = self.out_channels(channels)
        return self._parameters((filters, channels // self.in_groups(channels), *self.kernel), filters)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        channels = xs[0].shape[0]
        return Cost(macs=y.numel * (channels // self.in_groups(channels)) * prod(self.kernel))

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """The input, padded where it is padded beforehand: with a mode, or by what one side has more.

        Also the input itself, where the gradient of the padding reads it.
        """
        padded = self._padded(xs[0])
        if padded == xs[0].numel:
            return INPUT
        reads = needs[0] and self.padding_mode in geometry.MIRRORING
        return Saved((0,) if reads else (), each=Extra(values=padded))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators | None:
        """The padding, where it is a separate operator, then the convolution."""
        padded = self._padded(xs[0])
        if padded == xs[0].numel:
            return None
        operators = Operators()
        operators.make(y.numel, operators.copy(padded, 0))
        return operators

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """The gradient of the padding cells, in addition to that of the input."""
        return Extra(values=self._padded(xs[0]) - xs[0].numel if needs[0] else 0)

    def _padded(self, x: TensorType) -> int:
        """The elements of the input once it is padded beforehand."""
        channels, space = channels_and_space(x)
        added = (
            abs(before - after) if self.padding_mode == "zeros" else before + after
            for before, after in self.pad
        )
        return channels * prod(size + cells for size, cells in zip(space, added, strict=True))

    def sliding_window(self) -> SlidingWindow:
        return SlidingWindow(self.kernel, self.stride, self.pad, self.dilation)

    def elements_read(self, x: TensorType, y: TensorType) -> int:
        return x.shape[0] * self.sliding_window().positions_read(x.shape[1:], y.shape[1:])

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return self.sliding_window().windows()


class Conv(Correlation):
    """Convolution in one to three dimensions, by the input's rank.

    y[o, u] = bias[o] + sum over c, k of weight[o, c, k] x[c, stride u + dilation k - pad], as
    PyTorch's Conv1d, Conv2d and Conv3d. Each of `groups` groups of filters reads its own channels.

    Example: `conv: {filters: 64, kernel: 11, stride: 4, pad: 2}` on 3x227x227 gives 64x56x56
    """

    kind = "conv"
    also = ("Conv1d", "Conv2d", "Conv3d", "convolution", "pointwise_conv")

    filters = Integer(doc="output channels", torch="out_channels")
    groups = Integer(1, doc="groups of channels that do not mix", torch="groups")

    def out_channels(self, channels: int) -> int:
        return self.filters

    def in_groups(self, channels: int) -> int:
        return self.groups


class DepthwiseConv(Correlation):
    """Convolution of each channel on its own: a convolution with as many groups as channels.

    y[c m + j, u] = bias + sum over k of weight[c m + j, k] x[c, stride u + dilation k - pad] for the
    m = `multiplier` filters j of channel c.

    Example: `depthwise_conv: {kernel: 3, pad: 1}` on 32x112x112 gives 32x112x112
    """

    kind = "depthwise_conv"
    main = "kernel"
    also = ("DepthwiseConv2D", "dwconv")
    instead: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("filters", "out_channels"), "leave it out: it has multiplier filters a channel"),
        "groups": "leave it out: each channel is a group",
    }

    multiplier = Integer(1, doc="filters for each input channel")

    def out_channels(self, channels: int) -> int:
        return channels * self.multiplier

    def in_groups(self, channels: int) -> int:
        return channels


class ConvTranspose(Convolution):
    """Transposed convolution: the gradient of a convolution with respect to its input.

    Each input position adds weight[c, o] x[c, u] to the window at stride u - pad; as PyTorch's
    ConvTranspose1d, 2d and 3d. Its multiply-adds follow the input's positions.

    Example: `conv_transpose: {filters: 4, kernel: 4, stride: 2, pad: 1}` on 8x16x16 gives 4x32x32
    """

    kind = "conv_transpose"
    output_axis = 1
    also = ("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "deconv", "upconv")
    instead: ClassVar[dict[str, str]] = {"padding_mode": "leave it out: nothing is added around the input"}

    filters = Integer(doc="output channels", torch="out_channels")
    pad = Padding(0, doc="cells taken off around the output", same=False)
    output_pad = Sizes(0, at_least=0, doc="cells added after the output", torch="output_padding")
    groups = Integer(1, doc="groups of channels that do not mix", torch="groups")

    def in_groups(self, channels: int) -> int:
        return self.groups

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        channels, space = channels_and_space(x)
        geometry.require_divides(self.groups, channels, "input channels", "groups")
        geometry.require_divides(self.groups, self.filters, "filters", "groups")
        geometry.require_output_pad_fits(self.output_pad, self.stride, self.dilation)
        sizes = map(
            geometry.transposed_size,
            space,
            self.kernel,
            self.stride,
            self.pad,
            self.dilation,
            self.output_pad,
        )
        return TensorType((self.filters, *sizes), x.dtype)

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        return self._parameters((x.shape[0], self.filters // self.groups, *self.kernel), self.filters)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(macs=xs[0].numel * (self.filters // self.groups) * prod(self.kernel))

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(map(geometry.transposed_window, self.kernel, self.stride, self.pad, self.dilation))
