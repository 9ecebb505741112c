"""Layers that enlarge the spatial axes, or bring them to a size."""

from math import prod

from netcalc.layers import geometry
from netcalc.layers.base import Cost, Layer, SpatialLayer, channels_and_space
from netcalc.layers.geometry import Window
from netcalc.layers.kept import NOTHING
from netcalc.layers.options import Choice, Integer, Sizes
from netcalc.tensor import TensorType


class Upsample(SpatialLayer):
    """Enlarges the spatial axes by a whole factor: repeats, or interpolates between half-pixel centres.

    As PyTorch's Upsample with align_corners=False; `bilinear` is linear in 1D and trilinear in 3D.
    Interpolation takes 2^d products and 2^d - 1 additions an output in d dimensions.

    Example: `upsample: {factor: 2}` on 256x13x13 gives 256x26x26
    """

    kind = "upsample"
    family = "resampling"
    linear = True
    keeps = NOTHING
    also = ("Upsample", "UpSampling2D", "UpsamplingNearest2d", "UpsamplingBilinear2d")

    factor = Sizes(doc="how many times larger", torch="scale_factor")
    mode = Choice("nearest", "bilinear", doc="repeat, or interpolate", torch="mode")

    def infer(self, x: TensorType) -> TensorType:
        channels, space = channels_and_space(x)
        sizes = (size * factor for size, factor in zip(space, self.factor, strict=True))
        return TensorType((channels, *sizes), x.dtype)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=_interpolation_ops(y, len(self.factor)) if self.mode == "bilinear" else 0)

    def window(self, x: TensorType) -> tuple[Window, ...]:
        window = geometry.nearest_window if self.mode == "nearest" else geometry.linear_window
        return tuple(map(window, self.factor))


class Interpolate(SpatialLayer):
    """Brings the spatial axes to a size: picks, or interpolates between half-pixel centres.

    As PyTorch's interpolate with align_corners=False and no antialiasing; `bilinear` is linear in 1D and
    trilinear in 3D. It takes 2^d products and 2^d - 1 additions an output in d dimensions.

    Example: `interpolate: {size: 224, mode: bilinear}` on 21x28x28 gives 21x224x224
    """

    kind = "interpolate"
    family = "resampling"
    linear = True
    keeps = NOTHING
    also = ("Resize", "Resizing", "resize")

    size = Sizes(doc="output size of each axis", torch="size")
    mode = Choice("nearest", "bilinear", doc="pick, or interpolate", torch="mode")

    def infer(self, x: TensorType) -> TensorType:
        return TensorType((x.shape[0], *self.size), x.dtype)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=_interpolation_ops(y, len(self.size)) if self.mode == "bilinear" else 0)

    def window(self, x: TensorType) -> tuple[Window, ...] | None:
        factors = [geometry.whole_factor(size, own) for size, own in zip(x.shape[1:], self.size, strict=True)]
        window = geometry.nearest_window if self.mode == "nearest" else geometry.linear_window
        windows = tuple(window(factor) for factor in factors if factor is not None)
        return windows if len(windows) == len(factors) else None


class PixelShuffle(Layer):
    """Spreads channels over a finer grid: C f^2 x H x W to C x H f x W f (Shi et al. 2016).

    Example: `pixel_shuffle: {factor: 2}` on 256x24x24 gives 64x48x48
    """

    kind = "pixel_shuffle"
    family = "resampling"
    linear = True
    keeps = NOTHING
    also = ("PixelShuffle", "depth_to_space")

    factor = Integer(doc="how many times finer", torch="upscale_factor")

    def infer(self, x: TensorType) -> TensorType:
        geometry.require_equal(len(x.shape), 3, f"pixel_shuffle reads C,H,W, not {x}")
        channels, height, width = x.shape
        cells = self.factor * self.factor
        message = f"factor^2 = {cells} does not divide {channels} channels"
        geometry.require_equal(channels % cells, 0, message, "factor")
        return TensorType((channels // cells, height * self.factor, width * self.factor), x.dtype)

    def window(self, x: TensorType) -> tuple[Window, ...]:
        return (geometry.nearest_window(self.factor),) * 2


def _interpolation_ops(y: TensorType, axes: int) -> int:
    """A product for each of an output's 2^d corners, and the additions between them."""
    return y.numel * (2 * prod((2,) * axes) - 1)
