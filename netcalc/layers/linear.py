"""The fully connected layer."""

from netcalc.layers.axes import SEQUENCE, Axes
from netcalc.layers.base import Cost, Layer, ParamSpec
from netcalc.layers.errors import LayerError
from netcalc.layers.options import Flag, Integer
from netcalc.layers.saved import INPUT, NOTHING, Saved
from netcalc.tensor import TensorType


class Linear(Layer):
    """Matrix product over the last axis; the axes before it are positions, each computed alike.

    y[..., o] = bias[o] + sum over i of weight[o, i] x[..., i], as PyTorch's Linear.

    Example: `linear: {units: 4096}` on 9216 gives 4096
    """

    kind = "linear"
    transposes = True
    main = "units"
    family = "linear"
    output_axis = 0
    channel_axis = -1
    saves = INPUT
    linear = True
    also = ("Dense", "fc", "fully_connected", "affine", "dense")

    units = Integer(doc="output features", torch="out_features")
    bias = Flag(True, doc="whether a bias is added to each output feature", torch="bias")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if not x.shape:
            raise LayerError("linear reads a tensor with at least one axis, not a scalar")
        return TensorType((*x.shape[:-1], self.units), x.dtype)

    def likely_axes(self, rank: int) -> Axes | None:
        return SEQUENCE if rank == len(SEQUENCE) else None

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        weight = ParamSpec("weight", (self.units, x.shape[-1]), "fan_in_uniform")
        return (weight, ParamSpec("bias", (self.units,), "fan_in_uniform")) if self.bias else (weight,)

    def saved_frozen(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return NOTHING  # the input is read for the weights' gradient alone

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(macs=y.numel * xs[0].shape[-1])

    def gives_view(self, x: TensorType) -> bool:
        return len(x.shape) > 1  # the product is of a matrix, whose rows are all positions of all samples
