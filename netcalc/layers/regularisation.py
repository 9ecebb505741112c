"""Layers that act only in training and are the identity in inference."""

from typing import ClassVar

from netcalc.layers.base import Layer, pointwise
from netcalc.layers.geometry import Window
from netcalc.layers.options import Flag, Number
from netcalc.layers.saved import NOTHING, Extra, Saved, View
from netcalc.tensor import TensorType


class Regularisation(Layer):
    """Drops a share of its input at random in training, and passes it on in inference."""

    family = "regularisation"
    fusible = True
    linear = True
    overwrites_input = True

    rate = Number(at_least=0, at_most=1, doc="share that is dropped", torch="p")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        return x

    def is_identity(self, x: TensorType, y: TensorType) -> bool:
        return True

    def view_in(self, training: bool) -> View | None:
        return None if training and self.rate else View.ANY

    def mixes_samples(self, training: bool) -> bool:
        return training

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        (x,) = xs
        return pointwise(x)


class Dropout(Regularisation):
    """Zeroes elements at random in training, with `channels` whole channels; nothing in inference.

    Kept elements are scaled by 1 / (1 - rate) (Srivastava et al. 2014), as PyTorch's Dropout and
    Dropout2d. It counts no operation, since inference has none.

    Example: `dropout: {rate: 0.5}` on 4096 gives 4096
    """

    kind = "dropout"
    main = "rate"
    also = ("Dropout", "Dropout2d", "SpatialDropout2D", "AlphaDropout")
    instead: ClassVar[dict[str, str]] = {"keep_prob": "write rate: with 1 - keep_prob"}

    rate = Number(0.5, at_least=0, at_most=1, doc="share of elements that are zeroed", torch="p")
    channels = Flag(False, doc="zero whole channels")

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        if self.rate == 0:
            return NOTHING
        if self.rate == 1:
            return Saved(once=Extra(values=1))
        return Saved(each=Extra(values=y.shape[0] if self.channels else y.numel))


class StochasticDepth(Regularisation):
    """Drops a branch at random in training, a sample's as a whole (Huang et al. 2016).

    A kept branch is scaled by 1 / (1 - rate), as torchvision's StochasticDepth in its mode `row`. It
    ends a residual branch, and counts no operation, since inference drops nothing.

    Example: `stochastic_depth: {rate: 0.2}` on 96x56x56 gives 96x56x56
    """

    kind = "stochastic_depth"
    main = "rate"
    also = ("StochasticDepth", "DropPath", "drop_path")

    rate = Number(at_least=0, at_most=1, doc="share of samples whose branch is dropped", torch="p")

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return Saved(each=Extra(values=1)) if self.rate else NOTHING
