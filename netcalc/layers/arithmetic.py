"""Arithmetic: plain functions of each element.

They cost what activations do: each arithmetic operation, root, exponential or logarithm in the formula is
one operation. PyTorch's functions make a new tensor, so that none works in place.
"""

from netcalc.layers.activation import Unary
from netcalc.layers.base import Cost
from netcalc.layers.options import Number
from netcalc.layers.saved import NOTHING, OUTPUT, Extra
from netcalc.tensor import TensorType


class Arithmetic(Unary):
    """An elementwise function that is no activation."""

    family = "arithmetic"


class Scale(Arithmetic):
    """y = factor x + shift with two constants, as Keras's Rescaling.

    A factor of 1 and a shift of 0 take no operation. A learned factor is `parameter` with `join: multiply`.

    Example: `scale: {factor: 0.125}` on 16x64 gives 16x64
    """

    kind = "scale"
    main = "factor"
    linear = True
    saves = NOTHING
    also = ("Rescaling", "rescale")

    factor = Number(1.0, doc="what each element is multiplied by")
    shift = Number(0.0, doc="what is added then")

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=y.numel * ((self.factor != 1) + (self.shift != 0)))

    def passes_gradient(self, x: TensorType, y: TensorType) -> bool:
        return self.factor == 1


class Power(Arithmetic):
    """y = x^exponent with a constant exponent, as PyTorch's pow.

    Of a negative number it is NaN unless the exponent is whole.

    Example: `power: {exponent: 2}` on 64x28x28 gives 64x28x28
    """

    kind = "power"
    main = "exponent"
    also = ("pow", "Pow", "square")
    ops = 1

    exponent = Number(doc="power that each element is raised to", torch="exponent")

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """The power of one less, and its product with the exponent."""
        return Extra(values=2 * y.numel if self.exponent else 0)


class Sqrt(Arithmetic):
    """y = sqrt(x), the root; NaN below 0, and at 0 its slope is infinite, as PyTorch's.

    Example: `sqrt` on 64 gives 64
    """

    kind = "sqrt"
    saves = OUTPUT
    also = ("Sqrt", "root")
    ops = 1

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """Twice the root."""
        return Extra(values=y.numel)


class Exp(Arithmetic):
    """y = exp(x).

    Example: `exp` on 4x14x14 gives 4x14x14
    """

    kind = "exp"
    saves = OUTPUT
    also = ("Exp", "exponential")
    ops = 1


class Log(Arithmetic):
    """y = log(x), the natural logarithm; -infinity at 0 and NaN below.

    Example: `log` on 80x100 gives 80x100
    """

    kind = "log"
    also = ("Log",)
    ops = 1


class Absolute(Arithmetic):
    """y = |x|; its slope at 0 is 0, as PyTorch's.

    Example: `absolute` on 64x28x28 gives 64x28x28
    """

    kind = "absolute"
    also = ("abs", "Abs")
    ops = 1

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """The signs."""
        return Extra(values=y.numel)
