"""Attention: each position's output is a weighted mean over positions, the weights from dot products.

The dot products of queries and keys, and of weights and values, are in `macs` with the projections.
Each score of a head takes one product for the scaling and softmax's 5 operations (a comparison, a
subtraction, an exponential, an addition, a division).
"""

from typing import TypeVar

from netcalc.layers import geometry
from netcalc.layers.activation import Softmax
from netcalc.layers.axes import SEQUENCE, Axes
from netcalc.layers.base import Cost, Layer, ParamSpec
from netcalc.layers.errors import LayerError
from netcalc.layers.operators import Operators
from netcalc.layers.options import Flag, Integer, Maybe
from netcalc.layers.saved import Extra, Saved
from netcalc.tensor import TensorType

T = TypeVar("T")

_KV_HEADS = "heads of the keys and values, fewer than heads and shared; as many unless given"

SCORE_OPS = 1 + Softmax.ops
"""Operations a score takes: the scaling and the softmax."""


class ScaledDotProductAttention(Layer):
    """y = softmax(q k^T / sqrt(width of a head)) v of three inputs, each T x D (Vaswani et al. 2017).

    D is split over the heads. N queries and M keys take N M D multiply-adds for the scores and as
    many for the weighted values; a score takes 6 other operations, scaling and softmax. `causal`
    changes no count: the masked scores are computed too. As PyTorch's scaled_dot_product_attention.

    With `kv_heads` keys and values have so many heads, each for as many heads of the queries that
    follow each other (Ainslie et al. 2023; with 1 Shazeer 2019), as PyTorch's enable_gqa; their widths
    are those of as many heads. The products stay as many.

    Example: `scaled_dot_product_attention: {heads: 4, from: [q, k, v]}` on 16x64, 16x64, 16x64 gives 16x64
    """

    kind = "scaled_dot_product_attention"
    family = "attention"
    mixes_tokens = True
    also = ("dot_product_attention", "sdpa", "Attention")
    arity = (3, 3)

    heads = Integer(1, doc="parts that D is split into, each with scores of its own")
    kv_heads = Maybe(Integer(doc=_KV_HEADS, torch="enable_gqa"))
    causal = Flag(False, doc="whether a position sees only those up to itself", torch="is_causal")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        query, key, value = xs
        for x in (query, key, value):
            _require_sequence(self.kind, x)
        shared = _queries_of_a_key(self.heads, self.kv_heads)
        if self.kv_heads is None:
            message = f"the queries' width {query.shape[1]} is not the keys' {key.shape[1]}"
            geometry.require_equal(query.shape[1], key.shape[1], message)
        _require_one_length(key, value)
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
        copies = (key.numel + value.numel) * _queries_of_a_key(self.heads, self.kv_heads)
        return Saved(each=Extra(values=query.numel + copies + scores))

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        return self.causal

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        """One operator with the log-sums beside; where keys and values differ in width the scores too."""
        (query, key, value), operators = xs, Operators(3)
        if key.shape[1] == value.shape[1]:
            operators.product(y.numel, 0, 1, 2, workspace=Extra(statistics=self.heads * query.shape[0]))
            return operators
        pairs = query.shape[0] * key.shape[0]
        apart, times = self.heads > 1, _queries_of_a_key(self.heads, self.kv_heads)
        scaled = operators.make(query.numel, 0)
        mask = operators.make(0, once=Extra(values=pairs)) if self.causal else None
        keys = operators.make(key.numel, 1)
        if apart:
            scaled, keys = operators.copy(query.numel, scaled), operators.copy(key.numel * times, keys)
        scores = operators.product(self.heads * pairs, scaled, keys)
        if mask is not None:
            scores = operators.make(self.heads * pairs, scores, mask)
        weights = operators.softmax(self.heads * pairs, scores)
        weighted = operators.product(y.numel, weights, operators.copy(value.numel * times, 2) if apart else 2)
        if apart:
            operators.copy(y.numel, weighted)
        return operators

    def backward_macs(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
        return 2 * self.cost(xs, y).macs

    def masked_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        query, key, _ = xs
        return _masked(query, key) * (query.shape[1] + y.shape[1]) if self.causal else 0


class MultiHeadAttention(Layer):
    """Attention between learned projections, heads side by side (Vaswani et al. 2017).

    With q = x Wq, k = m Wk, v = m Wv: y = (softmax(q k^T / sqrt(width of a head)) v a head) Wo.
    One input attends to itself; a second is the memory that keys and values come from; of three the
    second gives the keys and the third the values. T positions of width D take 4 T D^2 multiply-adds
    for the projections and 2 T^2 D for scores and weighted values; a score takes 6 other operations,
    scaling and softmax. `causal` changes no count: the masked scores are computed too.

    With `kv_heads` keys and values are projected to so many heads alone, and each serves as many heads
    of the queries that follow each other (Ainslie et al. 2023; with 1 Shazeer 2019).

    Names and layouts are those of PyTorch's MultiheadAttention: one in_proj_weight where all
    inputs have one width, otherwise q_proj_weight, k_proj_weight and v_proj_weight.

    Example: `multi_head_attention: {heads: 12}` on 197x768 gives 197x768
    """

    kind = "multi_head_attention"
    transposes = True
    main = "heads"
    family = "attention"
    mixes_tokens = True
    also = ("MultiheadAttention", "MultiHeadAttention", "GroupQueryAttention", "self_attention",
            "cross_attention", "mha", "gqa")  # fmt: skip
    arity = (1, 3)

    heads = Integer(doc="parts that D is split into, each with scores of its own", torch="num_heads")
    kv_heads = Maybe(Integer(doc=_KV_HEADS))
    bias = Flag(True, doc="whether the projections add a bias", torch="bias")
    causal = Flag(False, doc="whether a position sees only those up to itself", torch="is_causal")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        for x in xs:
            _require_sequence(self.kind, x)
        query, key, value = _three(xs)
        _require_one_length(key, value)
        geometry.require_divides(self.heads, query.shape[1], "features", "heads")
        _queries_of_a_key(self.heads, self.kv_heads)
        return query

    def reads_axes(self, rank: int) -> Axes | None:
        return SEQUENCE

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return SEQUENCE

    def kv_width(self, width: int) -> int:
        """The width that keys and values are projected to, of queries of a width."""
        return width if self.kv_heads is None else width // self.heads * self.kv_heads

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        width, *others = (x.shape[1] for x in _three(xs))
        kv_width = self.kv_width(width)
        if all(width == other for other in others):
            weights: tuple[ParamSpec, ...] = (
                ParamSpec("in_proj_weight", (width + 2 * kv_width, width), "xavier_uniform"),
            )
        else:
            weights = tuple(
                ParamSpec(f"{name}_proj_weight", (rows, size), "xavier_uniform")
                for name, rows, size in zip("qkv", (width, kv_width, kv_width), (width, *others), strict=True)
            )
        output = ParamSpec("out_proj.weight", (width, width), "fan_in_uniform")
        if not self.bias:
            return (*weights, output)
        in_bias = ParamSpec("in_proj_bias", (width + 2 * kv_width,), "zeros")
        return (*weights, in_bias, output, ParamSpec("out_proj.bias", (width,), "zeros"))

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        query, key, _ = _three(xs)
        scores = query.shape[0] * key.shape[0]
        products = self.weight_macs(xs, y) + 2 * scores * query.shape[1]
        return Cost(products, self.heads * scores * SCORE_OPS)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Copies of what the projections read, queries, keys, values, weighted values, log-sums.

        One copy serves the keys and values of one tensor, and of one width with the queries. With
        `kv_heads`, which that module lacks, the inputs themselves are kept, without copies.
        """
        query, key, value = _three(xs)
        width, length = query.shape[1], query.shape[0]
        projected = length * width + 2 * key.shape[0] * self.kv_width(width)
        if self.kv_heads is not None:
            extra = Extra(values=projected + query.numel, statistics=self.heads * length)
            return Saved(tuple(range(len(xs))), each=extra)
        read = query.numel
        if len(xs) > 1:
            one = len(xs) == 2 and width == key.shape[1]
            read = read + (key.numel if one else key.numel + value.numel)
        return Saved(each=Extra(values=read + projected + query.numel, statistics=self.heads * length))

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        """What is read is copied, projected, given its bias; projections made together are then dealt out."""
        operators = Operators(len(xs))
        numbers, (query, key, value) = _three(tuple(range(len(xs)))), _three(xs)
        width = query.shape[1]
        beside = Extra(statistics=self.heads * query.shape[0])
        if self.kv_heads is not None:
            projected = query.numel + 2 * key.shape[0] * self.kv_width(width)
            parts = [operators.product(projected, *range(len(xs)), weights=self._projecting(*xs))]
            weighted = operators.attention(query.numel, *parts, workspace=beside)
            operators.product(y.numel, weighted, weights=width * (width + self.bias))
            return operators
        if len(xs) == 1:
            groups = [(0, query, 3)]
        elif len(xs) == 2 and key.shape[1] == width:
            groups = [(0, query, 1), (1, key, 2)]
        else:
            groups = [(number, x, 1) for number, x in zip(numbers, (query, key, value), strict=True)]
        parts = [self._project(operators, number, x, width * times, times) for number, x, times in groups]
        weighted = operators.attention(query.numel, *parts, workspace=beside)
        operators.product(y.numel, weighted, weights=width * (width + self.bias))
        return operators

    def gives_view(self, x: TensorType) -> bool:
        return True  # of the projections' gradient, positions and samples the other way round

    def _projecting(self, *xs: TensorType) -> int:
        """Elements of the weights that make queries, keys and values."""
        query, key, value = (x.shape[1] for x in _three(xs))
        return query * query + (key + value) * self.kv_width(query)

    def _project(self, operators: Operators, number: int, x: TensorType, features: int, times: int) -> int:
        """The projections of one input, `times` of them side by side."""
        size = x.shape[0] * features
        read = operators.copy(x.numel, number)
        projected = operators.product(size, read, weights=x.shape[1] * features)
        if self.bias:
            projected = operators.make(size, projected, weights=features, copies=True)
        return projected if times == 1 else operators.make(size, projected)

    def saved_frozen(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """As much without what the projections read."""
        query, key, _ = _three(xs)
        projected = query.numel + 2 * key.shape[0] * self.kv_width(query.shape[1])
        return Saved(each=Extra(values=projected + query.numel, statistics=self.heads * query.shape[0]))

    def weight_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        query, key, value = _three(xs)
        width = query.shape[1]
        return 2 * query.numel * width + (key.numel + value.numel) * self.kv_width(width)

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        return self.causal

    def backward_macs(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
        width = xs[0].shape[1]
        projected = (width, self.kv_width(width), self.kv_width(width))
        parts = zip(_three(xs), projected, _three(needs), strict=True)
        return 2 * self.cost(xs, y).macs - sum(x.numel * to for x, to, needed in parts if not needed)

    def masked_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        query, key, _ = _three(xs)
        return 2 * _masked(query, key) * query.shape[1] if self.causal else 0


def _three(xs: tuple[T, ...]) -> tuple[T, T, T]:
    """What queries, keys and values are made from, by how many inputs are given."""
    return xs[0], xs[min(1, len(xs) - 1)], xs[-1]


def _masked(query: TensorType, key: TensorType) -> int:
    """The pairs of a query and a key behind it, of all N M."""
    queries, keys = query.shape[0], key.shape[0]
    rows = min(queries, keys)  # those that some key is behind, or the last of all
    return rows * keys - rows * (rows + 1) // 2


def _queries_of_a_key(heads: int, kv_heads: int | None) -> int:
    """How many heads of the queries share one of keys and values; raises LayerError where they do not."""
    if kv_heads is None:
        return 1
    geometry.require_divides(kv_heads, heads, "heads", "kv_heads")
    return heads // kv_heads


def _require_sequence(kind: str, x: TensorType) -> None:
    if len(x.shape) != 2:
        image = "flatten: {start: 1}, then permute: {order: [1, 0]} make positions of C,H,W"
        message = f"{kind} reads positions and features, T x D, not {x}"
        raise LayerError(message, help=image if len(x.shape) == 3 else None)


def _require_one_length(key: TensorType, value: TensorType) -> None:
    message = f"{key.shape[0]} keys do not match {value.shape[0]} values"
    geometry.require_equal(key.shape[0], value.shape[0], message)
