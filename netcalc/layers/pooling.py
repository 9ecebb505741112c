"""Pooling: maxima and averages over windows, to a fixed size, or over all positions."""

from math import prod
from typing import ClassVar

from netcalc.layers import geometry
from netcalc.layers.axes import Axes
from netcalc.layers.base import Cost, SpatialLayer, channels_and_space, spatial_axes
from netcalc.layers.geometry import SlidingWindow, Window
from netcalc.layers.operators import Operators
from netcalc.layers.options import Flag, Maybe
from netcalc.layers.saved import INPUT, NOTHING, Extra, Saved
from netcalc.layers.window_options import Padding, Sizes
from netcalc.tensor import TensorType


def _with_indices(y: TensorType) -> Operators:
    """A maximum and the index of each, which PyTorch also makes where no backward will read them."""
    operators = Operators()
    operators.make(y.numel, 0, workspace=Extra(indices=y.numel))
    return operators


class Pooling(SpatialLayer):
    """One value of each channel for each of its windows."""

    family = "pooling"
    pools = True
    keeps_layout = True


class WindowPool(Pooling):
    """What the pools with a window share: one operation for each cell of each window."""

    kernel = Sizes(doc="size of the window", torch="kernel_size")
    stride = Sizes(like="kernel", doc="step of the window; the kernel's size unless given", torch="stride")
    pad = Padding(0, doc="cells added around the input, at most half the kernel", same=False)
    ceil = Flag(False, doc="round the output size up rather than down", torch="ceil_mode")

    def sliding_window(self) -> SlidingWindow:
        return SlidingWindow(self.kernel, self.stride, self.pad, (1,) * len(self.kernel))

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        channels, space = channels_and_space(x)
        geometry.require_pool_padding_fits(self.kernel, self.pad)
        sizes = self.sliding_window().output_sizes(space, self.ceil)
        return TensorType((channels, *sizes), x.dtype)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * prod(self.kernel))

    def elements_read(self, x: TensorType, y: TensorType) -> int:
        return x.shape[0] * self.sliding_window().positions_read(x.shape[1:], y.shape[1:])

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return self.sliding_window().windows()


class MaxPool(WindowPool):
    """The largest value in each window; padding never wins.

    y[c, u] = max over k of x[c, stride u + dilation k - pad], as PyTorch's MaxPool1d, 2d and 3d.

    Example: `maxpool: {kernel: 3, stride: 2}` on 64x56x56 gives 64x27x27
    """

    kind = "maxpool"
    main = "kernel"
    also = ("MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxPooling2D")

    dilation = Sizes(1, doc="distance between the window's cells", torch="dilation")

    def sliding_window(self) -> SlidingWindow:
        return SlidingWindow(self.kernel, self.stride, self.pad, self.dilation)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return Saved((0,), each=Extra(indices=y.numel))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        return _with_indices(y)


class AvgPool(WindowPool):
    """The mean of each window.

    y[c, u] = mean over k of x[c, stride u + k - pad], as PyTorch's AvgPool1d, 2d and 3d; in 3D no
    kernel larger than the unpadded input, as there.

    Example: `avgpool: {kernel: 2}` on 6x28x28 gives 6x14x14
    """

    kind = "avgpool"
    main = "kernel"
    linear = True
    saves = INPUT
    also = ("AvgPool1d", "AvgPool2d", "AvgPool3d", "AveragePooling2D")

    count_include_pad = Flag(
        True, doc="whether padding counts in the mean's divisor", torch="count_include_pad"
    )

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        _, space = channels_and_space(x)
        if len(space) == 3:
            for size, kernel in zip(space, self.kernel, strict=True):
                message = f"a 3D average pool of {kernel} needs an input of {kernel}, not {size}"
                geometry.require_at_least(size, kernel, message, "kernel")
        return super().infer(xs)


class AdaptivePool(Pooling):
    """Windows that share the input out evenly: output u covers floor(u W / S) to ceil((u + 1) W / S)."""

    size = Maybe(Sizes(doc="output size of each axis; 1 unless given", torch="output_size"))

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        channels, space = channels_and_space(x)
        return TensorType((channels, *(self.size or (1,) * len(space))), x.dtype)

    def is_identity(self, x: TensorType, y: TensorType) -> bool:
        return x == y

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        _, space = channels_and_space(xs[0])
        channels, sizes = channels_and_space(y)
        return Cost(other_ops=channels * prod(map(geometry.adaptive_cells, space, sizes)))

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        (x,) = xs
        sizes = self.infer((x,)).shape[1:]
        windows = tuple(map(geometry.adaptive_window, x.shape[1:], sizes))
        return tuple(filter(None, windows)) if all(windows) else None


class AdaptiveAvgPool(AdaptivePool):
    """The mean over windows that give a fixed output size, as PyTorch's AdaptiveAvgPool1d, 2d, 3d.

    Example: `adaptive_avgpool: {size: 7}` on 512x10x9 gives 512x7x7
    """

    kind = "adaptive_avgpool"
    main = "size"
    linear = True
    also = ("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d")

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Nothing where it is the mean over all positions."""
        return NOTHING if prod(y.shape[1:]) == 1 else INPUT


class AdaptiveMaxPool(AdaptivePool):
    """The largest value in windows that give a fixed output size, as PyTorch's AdaptiveMaxPool1d, 2d, 3d.

    Example: `adaptive_maxpool: {size: [4, 2]}` on 16x8x6 gives 16x4x2
    """

    kind = "adaptive_maxpool"
    main = "size"
    also = ("AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d")

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return Saved((0,), each=Extra(indices=y.numel))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        return _with_indices(y)


class GlobalPool(Pooling):
    """One value a channel, over all positions."""

    instead: ClassVar[dict[str, str]] = dict.fromkeys(
        ("kernel", "kernel_size", "pool_size", "output_size", "size"), "leave it out: it takes the whole map"
    )

    keep = Flag(False, doc="keep the spatial axes, each of size 1")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        axes = spatial_axes(self.kind, x)
        return TensorType((x.shape[0], *(1,) * axes) if self.keep else x.shape[:1], x.dtype)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return names[0][: len(y.shape)]

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=xs[0].numel)

    def source_axes(self, x: TensorType) -> tuple[frozenset[int], ...]:
        return tuple(frozenset((axis,)) for axis in range(len(self.infer((x,)).shape)))


class GlobalAvgPool(GlobalPool):
    """The mean of each channel over all positions; the spatial axes go unless `keep`.

    Example: `global_avgpool` on 512x7x7 gives 512
    """

    kind = "global_avgpool"
    linear = True
    saves = NOTHING
    also = ("GlobalAveragePooling2D", "GlobalAvgPool2d")


class GlobalMaxPool(GlobalPool):
    """The largest value of each channel over all positions; the spatial axes go unless `keep`.

    Example: `global_maxpool: {keep: true}` on 512x7x7 gives 512x1x1
    """

    kind = "global_maxpool"
    also = ("GlobalMaxPooling2D", "GlobalMaxPool2d")

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return Saved((0,), each=Extra(indices=y.numel))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        return _with_indices(y)
