"""Rotary positions: features are rotated by the token's position, so that attention sees distances."""

from netcalc.layers import geometry
from netcalc.layers.axes import SEQUENCE, Axes
from netcalc.layers.base import Cost, Layer
from netcalc.layers.errors import LayerError
from netcalc.layers.options import Choice, Integer, Maybe, Number
from netcalc.layers.saved import Extra, Saved
from netcalc.tensor import TensorType


class Rotary(Layer):
    """Turns pairs of features by angles that grow with the position (Su et al. 2021); for queries and keys.

    The features of T x D are split over the heads, d each. Of the first `width` of each, w in all, pair i
    turns by a = t base^(-2i / w) at position t, from 0 on: (p, q) becomes (p cos a - q sin a,
    q cos a + p sin a). `halves` pairs feature i with i + w / 2, as Llama in Hugging Face's form and
    GPT-NeoX; `neighbours` pairs 2i with 2i + 1, as the paper and Meta's Llama. A turned feature takes two
    products and an addition; the angles' sines and cosines are constants.

    Example: `rotary: {heads: 8}` on 16x512 gives 16x512
    """

    kind = "rotary"
    main = "heads"
    family = "embedding"
    fusible = True
    also = ("RotaryEmbedding", "RotaryPositionalEmbeddings", "rope", "RoPE", "rotary_embedding")

    heads = Integer(1, doc="parts that D is split into, turned alike")
    base = Number(10000.0, above=0, doc="the longest wavelength is near 2 pi times this")
    pairs = Choice("halves", "neighbours", doc="which features make a pair")
    width = Maybe(Integer(doc="features of a head that are turned, the first ones; all unless given"))

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if len(x.shape) != 2:
            raise LayerError(f"rotary reads positions and features, T x D, not {x}")
        geometry.require_divides(self.heads, x.shape[1], "features", "heads")
        own, width = x.shape[1] // self.heads, self.turned(x)
        message = f"width={width} is more than the {own} features of a head"
        geometry.require_at_least(own, width, message, "width")
        message = f"rotary turns pairs of features, and {width} of a head is odd"
        geometry.require_equal(width % 2, 0, message, "heads" if self.width is None else "width")
        return x

    def reads_axes(self, rank: int) -> Axes | None:
        return SEQUENCE

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        return True

    def turned(self, x: TensorType) -> int:
        """The features of a head that are turned."""
        return x.shape[1] // self.heads if self.width is None else self.width

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        return Cost(other_ops=3 * y.shape[0] * self.heads * self.turned(xs[0]))

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """A sine and a cosine for each turned feature of a head, the same for all heads and samples."""
        return Saved(once=Extra(values=2 * y.shape[0] * self.turned(xs[0])))
