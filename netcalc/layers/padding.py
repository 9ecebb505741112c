"""Padding as a layer of its own."""

from netcalc.layers import geometry
from netcalc.layers.base import SpatialLayer, channels_and_space
from netcalc.layers.geometry import Window
from netcalc.layers.options import Choice, Number
from netcalc.layers.saved import INPUT, NOTHING, Saved
from netcalc.layers.window_options import Padding
from netcalc.tensor import TensorType


class Pad(SpatialLayer):
    """Adds cells around the spatial axes, as PyTorch's ConstantPad, ReflectionPad and their like.

    `pad` lists the axes in order, first the height, then the width; PyTorch's lists them backwards.

    Example: `pad: {pad: [[1, 0], [1, 0]]}` on 64x56x56 gives 64x57x57
    """

    kind = "pad"
    main = "pad"
    family = "shape"
    rearranges = True
    keeps_layout = True
    fusible = True
    linear = True
    also = ("ZeroPad2d", "ZeroPadding2D", "ConstantPad2d", "ReflectionPad2d", "ReplicationPad2d")

    pad = Padding(doc="cells added", same=False)
    mode = Choice("zeros", "reflect", "replicate", "circular", doc="what the cells hold", torch="mode")
    value = Number(0.0, doc="what the cells hold in mode zeros, if not zero", torch="value")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        channels, space = channels_and_space(x)
        geometry.require_padding_fits(self.mode, space, self.pad)
        sizes = (size + (before + after) for size, (before, after) in zip(space, self.pad, strict=True))
        return TensorType((channels, *sizes), x.dtype)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return INPUT if self.mode in geometry.MIRRORING else NOTHING

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        return tuple(geometry.shifted_window(-before) for before, _ in self.pad)
