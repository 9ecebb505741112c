"""Gates: one half of the features lets the other through."""

from netcalc.layers import geometry
from netcalc.layers.activation import GELU, ReLU, Sigmoid, SiLU, Tanh
from netcalc.layers.base import Cost, Layer, pointwise
from netcalc.layers.geometry import Window
from netcalc.layers.operators import Operators
from netcalc.layers.options import Choice, Integer
from netcalc.layers.saved import INPUT, Extra, Saved
from netcalc.tensor import TensorType

GATES: dict[str, type[Layer]] = {
    "sigmoid": Sigmoid, "silu": SiLU, "gelu": GELU, "relu": ReLU, "tanh": Tanh,
}  # fmt: skip
"""The functions of a gate, which are activations themselves."""


class GLU(Layer):
    """Gated linear unit: y = a f(b) with a and b the halves of x along an axis (Dauphin et al. 2016).

    With f the sigmoid as PyTorch's GLU; `silu` is SwiGLU, `gelu` GEGLU, `relu` ReGLU, `identity` the
    bilinear one (Shazeer 2020). The second half is the gate. An output takes f's operations and a
    product.

    Where a and b come from linear layers of their own, as in Llama, write `silu` and `multiply`.

    Example: `glu: {gate: silu}` on 16x128 gives 16x64
    """

    kind = "glu"
    main = "gate"
    family = "gating"
    fusible = True
    also = ("GLU", "swiglu", "SwiGLU", "geglu", "GEGLU", "reglu", "ReGLU")

    gate = Choice(*GATES, "identity", doc="the function of the second half")
    axis = Integer(-1, at_least=None, doc="the axis that is halved, without the batch", torch="dim")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        axis = geometry.resolve_axis(self.axis, len(x.shape), "axis")
        size = x.shape[axis]
        geometry.require_equal(size % 2, 0, f"glu halves axis {axis}, whose size {size} is odd", "axis")
        return TensorType((*x.shape[:axis], size // 2, *x.shape[axis + 1 :]), x.dtype)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        gate = GATES[self.gate]().cost((y,), y).other_ops if self.gate in GATES else 0
        return Cost(other_ops=gate + y.numel)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """The input, and the gate's values too where PyTorch has no fused function."""
        return INPUT if self.gate in ("sigmoid", "identity") else Saved((0,), each=Extra(values=y.numel))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators | None:
        """The gate's values, then the product, where PyTorch has no fused function."""
        if self.gate in ("sigmoid", "identity"):
            return None
        operators = Operators()
        operators.make(y.numel, 0, operators.make(y.numel, 0))
        return operators

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """Without a function of the gate the gradients of both halves at once, before they are joined."""
        return Extra(values=y.numel if self.gate == "identity" else 0)

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        (x,) = xs
        over_channels = geometry.resolve_axis(self.axis, len(x.shape), "axis") == 0
        return pointwise(x) if over_channels else None
