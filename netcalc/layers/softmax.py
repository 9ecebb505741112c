"""The softmax family: functions of all elements along an axis."""

from netcalc.layers import geometry
from netcalc.layers.activation import Activation
from netcalc.layers.base import pointwise
from netcalc.layers.geometry import Window
from netcalc.layers.options import Integer
from netcalc.layers.saved import OUTPUT
from netcalc.tensor import TensorType


class Softmax(Activation):
    """y = exp(x - max) / sum of exp(x - max) along an axis; the batch axis does not count.

    PyTorch's `dim` counts the batch axis, `axis` does not: over the channels it is 0, the default
    the last. An element takes a comparison, a subtraction, an exponential, an addition, a division.

    Example: `softmax` on 1000 gives 1000
    """

    kind = "softmax"
    main = "axis"
    bounded = True
    gives_probabilities = True
    saves = OUTPUT
    also = ("Softmax", "Softmax2d")
    ops = 5

    axis = Integer(-1, at_least=None, doc="the axis that sums to 1, without the batch", torch="dim")

    def gain(self) -> float:
        return 1.0

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        geometry.resolve_axis(self.axis, len(x.shape), "axis")
        return x

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        (x,) = xs
        over_channels = geometry.resolve_axis(self.axis, len(x.shape), "axis") == 0
        return pointwise(x) if over_channels else None


class LogSoftmax(Softmax):
    """y = x - max - log of sum of exp(x - max) along an axis; the batch axis does not count.

    An element takes a comparison, two subtractions, an exponential and an addition.

    Example: `log_softmax` on 10 gives 10
    """

    kind = "log_softmax"
    main = "axis"
    bounded = gives_probabilities = False
    also = ("LogSoftmax", "logsoftmax")
