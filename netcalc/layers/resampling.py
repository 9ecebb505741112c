"""Layers that enlarge the spatial axes, or bring them to a size."""

from math import prod
from typing import ClassVar

from netcalc.layers import geometry
from netcalc.layers.base import Cost, Layer, SpatialLayer
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import Window
from netcalc.layers.options import Choice, Flag, Integer
from netcalc.layers.saved import NOTHING
from netcalc.layers.window_options import Sizes
from netcalc.tensor import TensorType

_TAPS = {"bilinear": 2, "bicubic": 4}
"""How many inputs an output is interpolated from, along each axis."""


class Resampling(Layer):
    """A layer that brings what it reads to a finer or a coarser grid, without weights."""

    family = "resampling"


class _Interpolation(Resampling, SpatialLayer):
    """What the two layers share: how an output is made of the inputs around its place."""

    keeps_layout = True
    linear = True
    saves = NOTHING

    mode = Choice("nearest", "nearest_exact", "bilinear", "bicubic", doc="pick, or interpolate", torch="mode")
    align_corners = Flag(
        False, doc="interpolate between the centres of corner cells, not cells' edges", torch="align_corners"
    )

    def sizes(self, x: TensorType) -> tuple[int, ...]:
        """The spatial sizes of the output."""
        raise NotImplementedError

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if self.align_corners and self.mode not in _TAPS:
            message = f"align_corners says where to interpolate, which {self.mode} does not"
            raise LayerError(message, option="align_corners", help="write mode: bilinear, or leave it out")
        if self.mode == "bicubic" and len(x.shape) != 3:
            raise LayerError(f"bicubic interpolates images, C,H,W, not {x}", option="mode")
        return TensorType((x.shape[0], *self.sizes(x)), x.dtype)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        """A product for each of the inputs around an output, and the additions between them."""
        around = prod((_TAPS.get(self.mode, 0),) * (len(y.shape) - 1))
        return Cost(other_ops=y.numel * (2 * around - 1) if around else 0)

    def elements_read(self, x: TensorType, y: TensorType) -> int:
        """One position an output along an axis, or more: interpolating between cells can fall on one."""
        pairs = zip(x.shape[1:], y.shape[1:], strict=True)
        return x.shape[0] * prod(min(size, outputs) for size, outputs in pairs)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        (x,) = xs
        axes = zip(x.shape[1:], self.sizes(x), strict=True)
        windows = tuple(
            geometry.resampling_window(size, outputs, _TAPS.get(self.mode, 1), self.align_corners)
            for size, outputs in axes
        )
        return tuple(filter(None, windows)) if all(windows) else None


class Upsample(_Interpolation):
    """Enlarges the spatial axes by a whole factor: repeats, or interpolates between half-pixel centres.

    As PyTorch's Upsample. `bilinear` is linear in 1D and trilinear in 3D and takes 2^d products and
    2^d - 1 additions an output in d dimensions; `bicubic` (Keys 1981, a = -0.75) is for images alone and
    takes 16 and 15. With `align_corners` output u lies at u (W - 1) / (S - 1), of W inputs and S outputs.

    Example: `upsample: {factor: 2}` on 256x13x13 gives 256x26x26
    """

    kind = "upsample"
    main = "factor"
    also = ("Upsample", "UpSampling1D", "UpSampling2D", "UpSampling3D", "UpsamplingNearest2d",
            "UpsamplingBilinear2d")  # fmt: skip
    instead: ClassVar[dict[str, str]] = {
        "size": "write factor: 2 for twice the size, or - interpolate: {size: 64} for a size",
        "output_size": "write - interpolate: {size: 64}",
    }

    factor = Sizes(doc="how many times larger", torch="scale_factor")

    def sizes(self, x: TensorType) -> tuple[int, ...]:
        return tuple(size * factor for size, factor in zip(x.shape[1:], self.factor, strict=True))


class Interpolate(_Interpolation):
    """Brings the spatial axes to a size: picks, or interpolates between half-pixel centres.

    As PyTorch's interpolate without antialiasing, its `area` being `adaptive_avgpool`. `nearest` picks
    input floor(u W / S) for output u, of W inputs and S outputs, `nearest_exact` floor((u + 1/2) W / S).
    `bilinear` is linear in 1D and trilinear in 3D and takes 2^d products and 2^d - 1 additions an output
    in d dimensions; `bicubic` (Keys 1981, a = -0.75) is for images alone and takes 16 and 15. With
    `align_corners` output u lies at u (W - 1) / (S - 1).

    Example: `interpolate: {size: 224, mode: bilinear}` on 21x28x28 gives 21x224x224
    """

    kind = "interpolate"
    main = "size"
    also = ("Resize", "Resizing", "resize")
    instead: ClassVar[dict[str, str]] = dict.fromkeys(
        ("scale_factor", "factor", "scale"), "write - upsample: {factor: 2}"
    )

    size = Sizes(doc="output size of each axis", torch="size")

    def sizes(self, x: TensorType) -> tuple[int, ...]:
        return self.size


class PixelShuffle(Resampling):
    """Spreads channels over a finer grid: C f^2 x H x W to C x H f x W f (Shi et al. 2016).

    Example: `pixel_shuffle: {factor: 2}` on 256x24x24 gives 64x48x48
    """

    kind = "pixel_shuffle"
    main = "factor"
    rearranges = True
    keeps_layout = True
    fusible = True
    linear = True
    saves = NOTHING
    also = ("PixelShuffle", "depth_to_space")

    factor = Integer(doc="how many times finer", torch="upscale_factor")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        geometry.require_equal(len(x.shape), 3, f"pixel_shuffle reads C,H,W, not {x}")
        channels, height, width = x.shape
        cells = self.factor * self.factor
        message = f"factor^2 = {cells} does not divide {channels} channels"
        geometry.require_equal(channels % cells, 0, message, "factor")
        return TensorType((channels // cells, height * self.factor, width * self.factor), x.dtype)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return (geometry.nearest_window(self.factor),) * 2


class PixelUnshuffle(Resampling):
    """Folds a grid into channels: C x H f x W f to C f^2 x H x W, the inverse of `pixel_shuffle`.

    y[c f^2 + f i + j, h, w] = x[c, f h + i, f w + j], as PyTorch's PixelUnshuffle.

    Example: `pixel_unshuffle: {factor: 2}` on 3x48x48 gives 12x24x24
    """

    kind = "pixel_unshuffle"
    main = "factor"
    rearranges = True
    keeps_layout = True
    fusible = True
    linear = True
    saves = NOTHING
    also = ("PixelUnshuffle", "space_to_depth", "SpaceToDepth")

    factor = Integer(doc="how many times coarser", torch="downscale_factor")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        geometry.require_equal(len(x.shape), 3, f"pixel_unshuffle reads C,H,W, not {x}")
        channels, height, width = x.shape
        geometry.require_divides(self.factor, height, "rows", "factor")
        geometry.require_divides(self.factor, width, "columns", "factor")
        cells = self.factor * self.factor
        return TensorType((channels * cells, height // self.factor, width // self.factor), x.dtype)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return (geometry.convolution_window(self.factor, self.factor, (0, 0)),) * 2
