"""Attention: each position's output is a weighted mean over positions, the weights from dot products.

The dot products of queries and keys, and of weights and values, are in `macs` with the projections.
Each score of a head takes one product for the scaling and softmax's 5 operations (a comparison, a
subtraction, an exponential, an addition, a division).
"""

from netcalc.layers import geometry
from netcalc.layers.axes import SEQUENCE, Axes
from netcalc.layers.base import Cost, Layer
from netcalc.layers.errors import LayerError
from netcalc.layers.operators import Operators
from netcalc.layers.options import Flag, Integer, Maybe
from netcalc.layers.saved import Extra, Saved
from netcalc.layers.softmax import Softmax
from netcalc.tensor import TensorType

KV_HEADS = "heads of the keys and values, fewer than heads and shared; as many unless given"

SCORE_OPS = 1 + Softmax.ops
"""Operations a score takes: the scaling and the softmax."""


class ScaledDotProductAttention(Layer):
    """y = softmax(q k^T / sqrt(width of a head)) v of three inputs, each T x D (Vaswani et al. 2017).

    D is split over the heads. N queries and M keys take N M D multiply-adds for the scores and as
    many for the weighted values; a score takes 6 other operations, scaling and softmax. `causal`
    changes no count: the masked scores are computed too. As PyTorch's scaled_dot_product_attention.

    `kv_heads` is the number of heads of keys and values, each shared by a group of adjacent query heads
    (Ainslie et al. 2023; with 1 Shazeer 2019), as PyTorch's enable_gqa; keys and values are narrower
    accordingly. The number of multiply-adds stays the same.

    Example: `scaled_dot_product_attention: {heads: 4, from: [q, k, v]}` on 16x64, 16x64, 16x64 gives 16x64
    """

    kind = "scaled_dot_product_attention"
    family = "attention"
    mixes_tokens = True
    also = ("dot_product_attention", "sdpa", "Attention")
    arity = (3, 3)

    heads = Integer(1, doc="parts that D is split into, each with scores of its own")
    kv_heads = Maybe(Integer(doc=KV_HEADS, torch="enable_gqa"))
    causal = Flag(False, doc="whether a position sees only those up to itself", torch="is_causal")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        query, key, value = xs
        for x in (query, key, value):
            require_sequence(self.kind, x)
        shared = queries_of_a_key(self.heads, self.kv_heads)
        if self.kv_heads is None:
            message = f"the queries' width {query.shape[1]} is not the keys' {key.shape[1]}"
            geometry.require_equal(query.shape[1], key.shape[1], message)
        require_one_length(key, value)
        geometry.require_divides(self.heads, query.shape[1], "features of the queries", "heads")
        if self.kv_heads is not None:
            wanted = query.shape[1] // self.heads * self.kv_heads
            heads = f"{self.kv_heads} of the queries' heads"
            message = f"the keys' width {key.shape[1]} is not {wanted}, that of {heads}"
            geometry.require_equal(key.shape[1], wanted, message)
        own, option = (self.heads, "heads") if self.kv_heads is None else (self.kv_heads, "kv_heads")
        geometry.require_divides(own, value.shape[1], "features of the values", option)
        return TensorType((query.shape[0], value.shape[1] * shared), query.dtype)

    def reads_axes(self, rank: int) -> Axes | None:
        return SEQUENCE

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return SEQUENCE

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        query, key, _ = xs
        scores = query.shape[0] * key.shape[0]
        return Cost(scores * (query.shape[1] + y.shape[1]), self.heads * scores * SCORE_OPS)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Inputs, output and each query's log-sum: the scores are computed again.

        Where the widths of keys and values differ, the scores' softmax and copies of the inputs instead,
        a key's for each head that reads it, the values themselves where there is one head.
        """
        query, key, value = xs
        if key.shape[1] == value.shape[1]:
            return Saved((0, 1, 2), output=True, each=Extra(statistics=self.heads * query.shape[0]))
        scores = self.heads * query.shape[0] * key.shape[0]
        if self.heads == 1:
            return Saved((2,), each=Extra(values=query.numel + key.numel + scores))
        copies = (key.numel + value.numel) * queries_of_a_key(self.heads, self.kv_heads)
        return Saved(each=Extra(values=query.numel + copies + scores))

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        return self.causal

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        """One fused operator, which also makes the log-sum-exp of each query."""
        (query, key, value), operators = xs, Operators(3)
        if key.shape[1] == value.shape[1]:
            operators.product(y.numel, 0, 1, 2, workspace=Extra(statistics=self.heads * query.shape[0]))
            return operators
        pairs = query.shape[0] * key.shape[0]
        several_heads, times = self.heads > 1, queries_of_a_key(self.heads, self.kv_heads)
        scaled = operators.make(query.numel, 0)
        mask = operators.make(0, once=Extra(values=pairs)) if self.causal else None
        keys = operators.make(key.numel, 1)
        if several_heads:
            scaled, keys = operators.copy(query.numel, scaled), operators.copy(key.numel * times, keys)
        scores = operators.product(self.heads * pairs, scaled, keys)
        if mask is not None:
            scores = operators.make(self.heads * pairs, scores, mask)
        weights = operators.softmax(self.heads * pairs, scores)
        values = operators.copy(value.numel * times, 2) if several_heads else 2
        weighted = operators.product(y.numel, weights, values)
        if several_heads:
            operators.copy(y.numel, weighted)
        return operators

    def backward_macs(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
        return 2 * self.cost(xs, y).macs

    def masked_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        query, key, _ = xs
        return masked_scores(query, key) * (query.shape[1] + y.shape[1]) if self.causal else 0


def masked_scores(query: TensorType, key: TensorType) -> int:
    """The pairs of a query and a key after it, of all N M."""
    queries, keys = query.shape[0], key.shape[0]
    rows = min(queries, keys)  # those that some key is after, or the last of all
    return rows * keys - rows * (rows + 1) // 2


def queries_of_a_key(heads: int, kv_heads: int | None) -> int:
    """How many heads of the queries share one of keys and values; raises LayerError where they do not."""
    if kv_heads is None:
        return 1
    geometry.require_divides(kv_heads, heads, "heads", "kv_heads")
    return heads // kv_heads


def require_sequence(kind: str, x: TensorType) -> None:
    if len(x.shape) != 2:
        image = "flatten: {start: 1}, then permute: {order: [1, 0]} make positions of C,H,W"
        message = f"{kind} reads positions and features, T x D, not {x}"
        raise LayerError(message, help=image if len(x.shape) == 3 else None)


def require_one_length(key: TensorType, value: TensorType) -> None:
    message = f"{key.shape[0]} keys do not match {value.shape[0]} values"
    geometry.require_equal(key.shape[0], value.shape[0], message)
