"""Learned tables: rows looked up by a token's number, and tensors joined to the input."""

from typing import ClassVar

from netcalc.layers import geometry
from netcalc.layers.axes import Axes, by_place
from netcalc.layers.base import Cost, Layer, ParamSpec, pointwise
from netcalc.layers.errors import LayerError
from netcalc.layers.geometry import Window
from netcalc.layers.options import Choice, Integer, Integers
from netcalc.layers.saved import INPUT, NOTHING, Extra, Saved
from netcalc.tensor import TensorType, format_shape


class Embedding(Layer):
    """Each token's row of a learned table: T to T x width, as PyTorch's Embedding.

    y[..., d] = weight[x[...], d]. The input holds token numbers, in any shape. A row is looked up,
    not multiplied out, so it counts no operation.

    Example: `embedding: {entries: 50257, width: 768}` on 1024 gives 1024x768
    """

    kind = "embedding"
    family = "embedding"
    saves = INPUT
    reads_tokens = True
    also = ("Embedding", "lookup")
    instead: ClassVar[dict[str, str]] = dict.fromkeys(
        ("padding_idx", "mask_zero", "max_norm", "norm_type", "scale_grad_by_freq", "sparse"),
        "leave it out: no figure depends on it",
    )

    entries = Integer(doc="rows of the table, such as the words of a vocabulary", torch="num_embeddings")
    width = Integer(doc="features of a row", torch="embedding_dim")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        return TensorType((*x.shape, self.width), x.dtype)

    def reads_axes(self, rank: int) -> Axes | None:
        return (*map(by_place, range(rank - 1)), "T") if rank else None

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return (*names[0], "D")

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        return (ParamSpec("weight", (self.entries, self.width), "normal"),)


class Parameter(Layer):
    """A learned tensor joined to the input: a position table, a layer scale, a class token.

    y = x + weight, or x weight, where an axis of size 1 and axes in front that the tensor lacks
    stretch to the input's, one operation an element; or the tensor before the input along an axis,
    which counts none. As PyTorch's nn.Parameter in ViT (Dosovitskiy et al. 2021) and ConvNeXt.

    Example: `parameter: {shape: [1, 768], join: prepend}` on 196x768 gives 197x768
    """

    kind = "parameter"
    transposes = True
    main = "shape"
    family = "embedding"
    fusible = True
    also = ("Parameter", "position_embedding", "class_token", "layer_scale")

    shape = Integers(doc="the learned tensor's sizes, without the batch", torch="size")
    join = Choice("add", "multiply", "prepend", doc="how it meets the input")
    axis = Integer(0, at_least=None, doc="the axis along which prepend joins, without the batch", torch="dim")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if self.join == "prepend":
            return self._prepended(x)
        rank = len(self.shape)
        message = f"a parameter of {format_shape(self.shape)} has more axes than the input of {x}"
        geometry.require_at_least(len(x.shape), rank, message, "shape")
        for own, size in zip(self.shape, x.shape[len(x.shape) - rank :], strict=True):
            message = f"a parameter of {format_shape(self.shape)} does not stretch to the input of {x}"
            geometry.require_stretches(own, size, message, "shape")
        return x

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        initialiser = {"add": "truncated_normal", "multiply": "ones", "prepend": "zeros"}[self.join]
        return (ParamSpec("weight", self.shape, initialiser, decays=False),)

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost() if self.join == "prepend" else Cost(other_ops=y.numel)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return INPUT if self.join == "multiply" else NOTHING

    def saved_frozen(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        return NOTHING  # the product's gradient for the input reads the weight alone

    def backward_workspace(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Extra:
        """Of a product the learned tensor's gradient of each element, before its sum."""
        return Extra(values=y.numel if self.join == "multiply" else 0)

    def passes_gradient(self, x: TensorType, y: TensorType) -> bool:
        return self.join != "multiply"

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        """A table of a row for each position does; one row for all, or a class token, does not."""
        return self.join != "prepend" and sum(size > 1 for size in self.shape) > 1

    def window(self, xs: tuple[TensorType, ...]) -> tuple[Window, ...] | None:
        (x,) = xs
        if self.join == "prepend" and geometry.resolve_axis(self.axis, len(x.shape), "axis") != 0:
            return None
        return pointwise(x)

    def _prepended(self, x: TensorType) -> TensorType:
        if len(self.shape) != len(x.shape):
            message = f"prepend joins tensors of one rank, these have {len(self.shape)} and {len(x.shape)}"
            raise LayerError(message, option="shape")
        axis = geometry.resolve_axis(self.axis, len(x.shape), "axis")
        for other, (own, size) in enumerate(zip(self.shape, x.shape, strict=True)):
            if other != axis:
                message = f"prepend along axis {axis} needs equal sizes on axis {other}, not {own} and {size}"
                geometry.require_equal(own, size, message, "shape")
        return TensorType((*x.shape[:axis], self.shape[axis] + x.shape[axis], *x.shape[axis + 1 :]), x.dtype)
