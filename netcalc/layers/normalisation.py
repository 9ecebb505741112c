"""Normalisation: y = scale (x - mean) / sqrt(variance + eps) + shift, over differing axes.

Operations are counted for inference. A layer that computes its own statistics takes 5 an element:
one addition for the mean, a subtraction, a square and an addition for the variance, one product;
scale and shift are one more each. With running statistics it is one scale and one shift in all, the
mean's included. `affine` gives each channel a learned scale and shift, `bias: false` takes the shift away.

Statistics over positions make an output depend on the whole input, so such a layer has no window.
"""

from math import prod
from typing import ClassVar

from netcalc.layers import geometry
from netcalc.layers.axes import SEQUENCE, Axes, channels_last
from netcalc.layers.base import Cost, Layer, ParamSpec, pointwise
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import Window
from netcalc.layers.operators import Operators
from netcalc.layers.options import Flag, Integer, Maybe, Number
from netcalc.layers.saved import INPUT, Extra, Saved
from netcalc.tensor import Shape, TensorType

EPS = 1e-5


class Normalisation(Layer):
    """A layer that normalises the scale of its input; the shape stays."""

    family = "normalisation"
    fusible = True
    keeps_layout = True

    def normalised_together(self, x: TensorType) -> int:
        """How many values of a sample share their statistics; 0 where it takes none."""
        return 0


class _Norm(Normalisation):
    """The shape stays; `affine` adds a learned scale (`weight`) and shift (`bias`)."""

    least_axes = 1

    eps = Number(EPS, above=0, doc="added to the variance", torch="eps")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if len(x.shape) < self.least_axes:
            what = "a scalar" if not x.shape else f"a vector of {x}"
            raise LayerError(f"{self.kind} reads channels and spatial axes, not {what}")
        return x

    def normalised_together(self, x: TensorType) -> int:
        return prod(x.shape[1:])

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        learned = sum(not param.buffer for param in self.params(xs))
        return Cost(other_ops=y.numel * (5 + learned))


def _scale_and_shift(shape: Shape, bias: bool = True) -> tuple[ParamSpec, ...]:
    scale = ParamSpec("weight", shape, "ones", decays=False)
    return (scale, ParamSpec("bias", shape, "zeros", decays=False)) if bias else (scale,)


def _with_statistics(y: TensorType, saved: Saved) -> Operators:
    """One operator, which also makes the mean and the deviation."""
    operators = Operators()
    operators.make(y.numel, 0, workspace=saved.each)
    return operators


class BatchNorm(_Norm):
    """Normalises each channel over the batch and the positions (Ioffe and Szegedy 2015).

    In training with the batch's own statistics, which also move the running ones; in inference, and where
    it is frozen, with the running ones, where it is linear and folds into the layer before. As PyTorch's
    BatchNorm1d, 2d and 3d.

    Example: `batchnorm` on 16x32x32 gives 16x32x32
    """

    kind = "batchnorm"
    normalises_channels = True
    linear = True
    also = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "BatchNormalization", "bn")
    instead: ClassVar[dict[str, str]] = {
        "axis": "leave it out: each channel has its statistics",
        "center": "leave it out, or write bias: false where nothing is added",
        "scale": "leave it out, or write affine: false where nothing is learned",
    }

    momentum = Number(0.1, at_least=0, at_most=1, doc="weight of the batch in the running statistics",
                      torch="momentum")  # fmt: skip
    affine = Flag(True, doc="learn a scale and a shift for each channel", torch="affine")
    bias = Flag(True, doc="whether the shift is learned", torch="bias")
    running = Flag(True, doc="keep running statistics for inference", torch="track_running_stats")

    @property
    def moves_statistics(self) -> bool:
        return self.running

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        channels = x.shape[:1]
        learned = _scale_and_shift(channels, self.bias) if self.affine else ()
        mean = ParamSpec("running_mean", channels, "zeros", buffer=True)
        variance = ParamSpec("running_var", channels, "ones", buffer=True)
        return (*learned, mean, variance) if self.running else learned

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * 2) if self.running else super().cost(xs, y)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return Saved((0,), once=Extra(statistics=2 * xs[0].shape[0]))

    def saved_frozen(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """No statistics of the batch, which a frozen one takes only where it has no running ones."""
        return INPUT if self.running else self.saved(xs, y, needs)

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators | None:
        """The batch's mean and deviation, where inference takes them too."""
        if self.running:
            return None
        operators = Operators()
        operators.make(y.numel, 0, once=Extra(statistics=2 * y.shape[0]))
        return operators

    def mixes_samples(self, training: bool) -> bool:
        return training or not self.running

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        (x,) = xs
        return pointwise(x)


class _OverAxes(Normalisation):
    """A norm over the last axes of each sample, or over its channels."""

    instead: ClassVar[dict[str, str]] = dict.fromkeys(
        ("normalized_shape", "axis", "dim", "size", "shape"), "leave it out: the last axis is normalised"
    )
    axes = Integer(1, doc="how many of the last axes are normalised together", torch="normalized_shape")
    channels = Flag(False, doc="normalise over the channels, the first axis, at each position")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        message = f"axes={self.axes} is more than the {len(x.shape)} of an input of {x}"
        geometry.require_at_least(len(x.shape), self.axes, message, "axes")
        return x

    def likely_axes(self, rank: int) -> Axes | None:
        if rank < 2 or self.axes > 1 or self.channels:
            return None
        return SEQUENCE if rank == len(SEQUENCE) else channels_last(rank)

    def normalised_together(self, x: TensorType) -> int:
        return prod(self.together(x))

    def together(self, x: TensorType) -> Shape:
        """The sizes of what is normalised together."""
        return x.shape[:1] if self.channels else x.shape[-self.axes :]

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        (x,) = xs
        return pointwise(x) if self.channels else None


class LayerNorm(_OverAxes):
    """Normalises each sample over its last axes (Ba, Kiros and Hinton 2016), as PyTorch's LayerNorm.

    With `channels` over the channels at each position instead, as in ConvNeXt.

    Example: `layernorm` on 196x768 gives 196x768
    """

    kind = "layernorm"
    also = ("LayerNorm", "LayerNormalization", "ln")

    eps = Number(EPS, above=0, doc="added to the variance", torch="eps")
    affine = Flag(True, doc="learn a scale and a shift", torch="elementwise_affine")
    bias = Flag(True, doc="whether the shift is learned", torch="bias")

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        return _scale_and_shift(self.together(x), self.bias) if self.affine else ()

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * (5 + len(self.params(xs))))

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return Saved((0,), each=Extra(statistics=2 * (y.numel // prod(self.together(xs[0])))))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        return _with_statistics(y, self.saved(xs, y, (True,)))


class InstanceNorm(_Norm):
    """Normalises each channel of each sample over its positions, as PyTorch's InstanceNorm1d, 2d and 3d.

    Example: `instancenorm` on 64x128x128 gives 64x128x128
    """

    kind = "instancenorm"
    normalises_channels = True
    also = ("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")
    least_axes = 2

    affine = Flag(False, doc="learn a scale and a shift for each channel", torch="affine")
    bias = Flag(True, doc="whether the shift is learned", torch="bias")

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        return _scale_and_shift(x.shape[:1], self.bias) if self.affine else ()

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Statistics, and a copy of the scale per sample: PyTorch takes a batch norm over N·C channels."""
        channels = xs[0].shape[0]
        return Saved((0,), each=Extra(values=channels if self.affine else 0, statistics=2 * channels))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        channels, operators = y.shape[0], Operators()
        learned = [operators.make(channels) for _ in self.params(xs)]
        operators.make(y.numel, 0, *learned, workspace=Extra(statistics=2 * channels))
        return operators


class GroupNorm(_Norm):
    """Normalises groups of channels of each sample (Wu and He 2018), as PyTorch's GroupNorm.

    Example: `groupnorm: {groups: 32}` on 256x14x14 gives 256x14x14
    """

    kind = "groupnorm"
    main = "groups"
    also = ("GroupNorm", "GroupNormalization")

    groups = Integer(doc="groups of channels normalised together", torch="num_groups")
    affine = Flag(True, doc="learn a scale and a shift for each channel", torch="affine")
    bias = Flag(True, doc="whether the shift is learned", torch="bias")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        y = super().infer(xs)
        geometry.require_divides(self.groups, x.shape[0], "channels", "groups")
        return y

    def normalised_together(self, x: TensorType) -> int:
        return x.numel // self.groups

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        return _scale_and_shift(x.shape[:1], self.bias) if self.affine else ()

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return Saved((0,), each=Extra(statistics=2 * self.groups))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        return _with_statistics(y, self.saved(xs, y, (True,)))


class RMSNorm(_OverAxes):
    """y = weight x / sqrt(mean of x^2 + eps) over the last axes (Zhang and Sennrich 2019).

    As PyTorch's RMSNorm. No mean is taken off and no shift is learned. With `channels` over the channels
    at each position instead. An element takes a square, an addition and a product, and one more for the
    scale.

    Example: `rmsnorm: {eps: 1.0e-6}` on 16x2048 gives 16x2048
    """

    kind = "rmsnorm"
    also = ("RMSNorm", "RMSNormalization", "SimplifiedLayerNormalization", "rms_norm")

    eps = Maybe(Number(above=0, doc="added to the mean square; the type's machine epsilon unless given",
                       torch="eps"))  # fmt: skip
    affine = Flag(True, doc="learn a scale", torch="elementwise_affine")

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        return _scale_and_shift(self.together(x), bias=False) if self.affine else ()

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * (3 + self.affine))

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """One number for what is normalised together, and before the learned scale the result.

        The result alone is read by the scale's gradient, which is all where the input needs none.
        """
        if not needs[0]:
            return Saved(each=Extra(values=y.numel))
        statistics = y.numel // prod(self.together(xs[0]))
        return Saved((0,), each=Extra(values=y.numel if self.affine else 0, statistics=statistics))

    def saved_frozen(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Without the result, which the scale's gradient alone reads."""
        return self.saved(xs, y, needs)._replace(each=Extra(statistics=y.numel // prod(self.together(xs[0]))))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        """The squares, their mean and its root, the result before the learned scale."""
        operators, statistics = Operators(), Extra(statistics=y.numel // prod(self.together(xs[0])))
        mean = operators.make(0, operators.make(y.numel, 0), each=statistics)
        root = operators.make(0, mean, each=statistics)
        normal = operators.make(y.numel, 0, root)
        if self.affine:
            operators.make(y.numel, normal)
        return operators

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """Five tensors in all: with the saved ones, the gradients of the output and of the input.

        Where the input needs none, the gradient of each element of the scale before its sum.
        """
        if not needs[0]:
            return Extra(values=y.numel)
        statistics = y.numel // prod(self.together(xs[0]))
        return Extra(values=(3 - self.affine) * y.numel, statistics=-statistics)
