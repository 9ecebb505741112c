"""Activations: one function of each element.

`ops` is how many operations an element takes: each arithmetic operation, comparison, exponential,
logarithm, error function or hyperbolic tangent in the formula is one.
"""

from math import sqrt
from typing import ClassVar

from netcalc.layers import geometry
from netcalc.layers.base import Cost, Layer, ParamSpec, pointwise
from netcalc.layers.geometry import Window
from netcalc.layers.options import Choice, Integer, Number
from netcalc.layers.saved import INPUT, OUTPUT, Extra
from netcalc.tensor import TensorType


class Unary(Layer):
    """A function of each element on its own; the shape stays."""

    saves = INPUT
    fusible = True
    keeps_layout = True
    ops: ClassVar[int]

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        return x

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * self.ops)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        (x,) = xs
        return pointwise(x)


class Activation(Unary):
    """A nonlinear function, usually after a layer with weights."""

    family = "activation"
    overwrites_input = True

    def gain(self) -> float | None:
        """How much larger weights before it are drawn, where torch.nn.init.calculate_gain says so."""
        return None


class ReLU(Activation):
    """y = max(x, 0).

    Example: `relu` on 64x56x56 gives 64x56x56
    """

    kind = "relu"
    in_place = True
    rectifies = True
    saves = OUTPUT
    also = ("ReLU", "rectifier")
    instead: ClassVar[dict[str, str]] = {
        "max_value": "write - relu6 where it is 6",
        "negative_slope": "write - leaky_relu: {slope: 0.01}",
    }
    ops = 1

    def gain(self) -> float:
        return sqrt(2)


class ReLU6(Activation):
    """y = min(max(x, 0), 6), as MobileNet uses it.

    Example: `relu6` on 32x112x112 gives 32x112x112
    """

    kind = "relu6"
    in_place = True
    bounded = True
    rectifies = True
    also = ("ReLU6",)
    ops = 2


class LeakyReLU(Activation):
    """y = x where x > 0, else slope x.

    Example: `leaky_relu: {slope: 0.2}` on 64x32x32 gives 64x32x32
    """

    kind = "leaky_relu"
    in_place = True
    main = "slope"
    saves = OUTPUT
    also = ("LeakyReLU",)
    ops = 2

    slope = Number(0.01, doc="factor of the negative side", torch="negative_slope")

    def gain(self) -> float:
        return sqrt(2 / (1 + self.slope**2))


class PReLU(Activation):
    """y = x where x > 0, else a x with a learned: one for all channels, or one for each.

    Example: `prelu: {channels: 64}` on 64x32x32 gives 64x32x32
    """

    kind = "prelu"
    transposes = True
    also = ("PReLU",)
    ops = 2

    channels = Integer(1, doc="learned slopes: 1, or as many as channels", torch="num_parameters")
    slope = Number(0.25, doc="the slope to start from", torch="init")

    def gain(self) -> float:
        return sqrt(2 / (1 + self.slope**2))

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if self.channels != 1:
            geometry.require_at_least(len(x.shape), 1, "prelu with a slope a channel reads no scalar")
            message = f"channels={self.channels} does not match the {x.shape[0]} channels of the input"
            geometry.require_equal(self.channels, x.shape[0], message, "channels")
        return x

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        return (ParamSpec("weight", (self.channels,), f"constant:{self.slope}"),)

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """The slopes' gradient of each element."""
        return Extra(values=y.numel)


class ELU(Activation):
    """y = x where x > 0, else alpha (exp(x) - 1) (Clevert et al. 2015).

    Example: `elu` on 64x32x32 gives 64x32x32
    """

    kind = "elu"
    in_place = True
    main = "alpha"
    saves = OUTPUT
    also = ("ELU",)
    ops = 4

    alpha = Number(1.0, doc="height of the negative side", torch="alpha")


class SELU(Activation):
    """y = 1.0507 ELU(x) with alpha 1.6733 (Klambauer et al. 2017).

    Example: `selu` on 256 gives 256
    """

    kind = "selu"
    in_place = True
    saves = OUTPUT
    also = ("SELU",)
    ops = 5

    def gain(self) -> float:
        return 3 / 4


class CELU(Activation):
    """y = max(x, 0) + min(alpha (exp(x / alpha) - 1), 0) (Barron 2017).

    Example: `celu` on 256 gives 256
    """

    kind = "celu"
    in_place = True
    main = "alpha"
    saves = OUTPUT
    also = ("CELU",)
    ops = 7

    alpha = Number(1.0, above=0, doc="scale of the negative side", torch="alpha")


class GELU(Activation):
    """y = x Phi(x) with the normal distribution's Phi, exact by erf or approximated by tanh.

    exact: y = x/2 (1 + erf(x / sqrt 2)); tanh: y = x/2 (1 + tanh(0.79788 (x + 0.044715 x^3))).

    Example: `gelu` on 196x3072 gives 196x3072
    """

    kind = "gelu"
    also = ("GELU",)

    form = Choice("exact", "tanh", doc="by the error function, or approximated", torch="approximate")

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * (5 if self.form == "exact" else 9))


class SiLU(Activation):
    """y = x / (1 + exp(-x)), also called swish.

    Example: `silu` on 32x112x112 gives 32x112x112
    """

    kind = "silu"
    in_place = True
    also = ("SiLU", "swish")
    ops = 4


class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x)).

    Example: `sigmoid` on 10 gives 10
    """

    kind = "sigmoid"
    bounded = True
    gives_probabilities = True
    sigmoidal = True
    saves = OUTPUT
    also = ("Sigmoid", "logistic")
    ops = 4

    def gain(self) -> float:
        return 1.0


class Tanh(Activation):
    """y = tanh(x).

    Example: `tanh` on 6x28x28 gives 6x28x28
    """

    kind = "tanh"
    bounded = True
    sigmoidal = True
    saves = OUTPUT
    also = ("Tanh",)
    ops = 1

    def gain(self) -> float:
        return 5 / 3


class HardSigmoid(Activation):
    """y = min(max(x + 3, 0), 6) / 6.

    Example: `hardsigmoid` on 16 gives 16
    """

    kind = "hardsigmoid"
    gives_probabilities = True
    in_place = True
    bounded = True
    also = ("Hardsigmoid", "hard_sigmoid")
    ops = 4


class HardSwish(Activation):
    """y = x min(max(x + 3, 0), 6) / 6, as MobileNet v3 uses it.

    Example: `hardswish` on 16x112x112 gives 16x112x112
    """

    kind = "hardswish"
    in_place = True
    also = ("Hardswish", "hard_swish")
    ops = 5


class Softplus(Activation):
    """y = log(1 + exp(beta x)) / beta; x itself where beta x > threshold.

    Example: `softplus` on 128 gives 128
    """

    kind = "softplus"
    also = ("Softplus",)
    ops = 6

    beta = Number(1.0, above=0, doc="sharpness", torch="beta")
    threshold = Number(20.0, doc="where it becomes the identity", torch="threshold")


class Mish(Activation):
    """y = x tanh(log(1 + exp(x))) (Misra 2019).

    Example: `mish` on 64x52x52 gives 64x52x52
    """

    kind = "mish"
    in_place = True
    also = ("Mish",)
    ops = 5
