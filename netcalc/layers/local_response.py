"""Local response normalisation, over neighbouring channels."""

from math import prod

from netcalc.layers import geometry
from netcalc.layers.base import Cost, pointwise
from netcalc.layers.geometry import Window
from netcalc.layers.normalisation import Normalisation
from netcalc.layers.operators import Operators
from netcalc.layers.options import Integer, Number
from netcalc.layers.saved import Extra, Saved
from netcalc.tensor import TensorType


class LRN(Normalisation):
    """Local response normalisation across channels (Krizhevsky et al. 2012), as PyTorch's.

    y[c] = x[c] / (k + alpha / size sum over the `size` channels around c of x^2)^beta. An element
    takes one square, `size` additions, one product, one addition, one power and one division.

    Example: `lrn: {size: 5, k: 2}` on 96x55x55 gives 96x55x55
    """

    kind = "lrn"
    main = "size"
    also = ("LocalResponseNorm", "local_response_norm")

    size = Integer(doc="channels that are summed", torch="size")
    alpha = Number(1e-4, doc="factor of the sum", torch="alpha")
    beta = Number(0.75, doc="power of the denominator", torch="beta")
    k = Number(1.0, doc="added to the sum", torch="k")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        geometry.require_at_least(len(x.shape), 2, f"lrn reads channels and spatial axes, not {x}")
        return x

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * (self.size + 5))

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """The squares padded along the channels, the sum before its power and after."""
        channels, positions = y.shape[0], prod(y.shape[1:])
        padded = (channels + self.size - 1) * positions
        return Saved((0,), each=Extra(values=padded + 2 * y.numel))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        operators = Operators()
        square = operators.make(y.numel, 0)
        padded = operators.make((y.shape[0] + self.size - 1) * prod(y.shape[1:]), square)
        total = operators.make(y.numel, padded)
        for _ in ("alpha", "k", "beta"):
            total = operators.make(y.numel, total)
        operators.make(y.numel, 0, total)
        return operators

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...]:
        (x,) = xs
        return pointwise(x)
