"""Multi-head attention: projections around scaled dot-product attention."""

from typing import ClassVar, TypeVar

from netcalc.layers import geometry
from netcalc.layers.attention import (
    KV_HEADS,
    SCORE_OPS,
    masked_scores,
    queries_of_a_key,
    require_one_length,
    require_sequence,
)
from netcalc.layers.axes import SEQUENCE, Axes
from netcalc.layers.base import Cost, Layer, ParamSpec
from netcalc.layers.operators import Operators
from netcalc.layers.options import Flag, Integer, Maybe
from netcalc.layers.saved import Extra, Saved
from netcalc.tensor import TensorType

T = TypeVar("T")


class MultiHeadAttention(Layer):
    """Attention between learned projections, heads side by side (Vaswani et al. 2017).

    With q = x Wq, k = m Wk, v = m Wv: y = (softmax(q k^T / sqrt(width of a head)) v a head) Wo.
    One input attends to itself; a second is the memory that keys and values come from; of three the
    second gives the keys and the third the values. T positions of width D take 4 T D^2 multiply-adds
    for the projections and 2 T^2 D for scores and weighted values; a score takes 6 other operations,
    scaling and softmax. `causal` changes no count: the masked scores are computed too.

    `kv_heads` is the number of heads of keys and values, each shared by a group of adjacent query heads
    (Ainslie et al. 2023; with 1 Shazeer 2019).

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
            "cross_attention", "attention", "mha", "gqa")  # fmt: skip
    arity = (1, 3)
    instead: ClassVar[dict[str, str]] = {
        **dict.fromkeys(
            ("kdim", "vdim", "key_dim", "value_dim", "head_dim", "dim", "width", "units", "hidden_size"),
            "leave it out: a head has D / heads of the features of its input, T x D",
        ),
        **dict.fromkeys(
            ("dropout", "attn_dropout", "attention_dropout"),
            "leave it out: the attention weights are not dropped",
        ),
        **dict.fromkeys(("mask", "attn_mask", "attention_mask"), "leave it out, or write causal: true"),
    }

    heads = Integer(doc="parts that D is split into, each with scores of its own", torch="num_heads")
    kv_heads = Maybe(Integer(doc=KV_HEADS))
    bias = Flag(True, doc="whether the projections add a bias", torch="bias")
    causal = Flag(False, doc="whether a position sees only those up to itself", torch="is_causal")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        for x in xs:
            require_sequence(self.kind, x)
        query, key, value = _query_key_value(xs)
        require_one_length(key, value)
        geometry.require_divides(self.heads, query.shape[1], "features", "heads")
        queries_of_a_key(self.heads, self.kv_heads)
        return query

    def reads_axes(self, rank: int) -> Axes | None:
        return SEQUENCE

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return SEQUENCE

    def kv_width(self, width: int) -> int:
        """The width that keys and values are projected to, of queries of a width."""
        return width if self.kv_heads is None else width // self.heads * self.kv_heads

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        width, *others = (x.shape[1] for x in _query_key_value(xs))
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
        query, key, _ = _query_key_value(xs)
        scores = query.shape[0] * key.shape[0]
        products = self.weight_macs(xs, y) + 2 * scores * query.shape[1]
        return Cost(products, self.heads * scores * SCORE_OPS)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Copies of what the projections read, queries, keys, values, weighted values, log-sums.

        One copy serves the keys and values of one tensor, and of one width with the queries. With
        `kv_heads`, which that module lacks, the inputs themselves are kept, without copies.
        """
        query, key, value = _query_key_value(xs)
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
        """Copy, projection and bias of each input; a joint projection is then split into q, k, v."""
        operators = Operators(len(xs))
        numbers, (query, key, value) = _query_key_value(tuple(range(len(xs)))), _query_key_value(xs)
        width = query.shape[1]
        log_sums = Extra(statistics=self.heads * query.shape[0])
        if self.kv_heads is not None:
            projected = query.numel + 2 * key.shape[0] * self.kv_width(width)
            parts = [operators.product(projected, *range(len(xs)), weights=self._projecting(*xs))]
            weighted = operators.attention(query.numel, *parts, workspace=log_sums)
            operators.product(y.numel, weighted, weights=width * (width + self.bias))
            return operators
        if len(xs) == 1:
            groups = [(0, query, 3)]
        elif len(xs) == 2 and key.shape[1] == width:
            groups = [(0, query, 1), (1, key, 2)]
        else:
            groups = [(number, x, 1) for number, x in zip(numbers, (query, key, value), strict=True)]
        parts = [self._project(operators, number, x, width * times, times) for number, x, times in groups]
        weighted = operators.attention(query.numel, *parts, workspace=log_sums)
        operators.product(y.numel, weighted, weights=width * (width + self.bias))
        return operators

    def gives_view(self, x: TensorType) -> bool:
        return True  # of the projections' gradient, positions and samples the other way round

    def _projecting(self, *xs: TensorType) -> int:
        """Elements of the weights that make queries, keys and values."""
        query, key, value = (x.shape[1] for x in _query_key_value(xs))
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
        query, key, _ = _query_key_value(xs)
        projected = query.numel + 2 * key.shape[0] * self.kv_width(query.shape[1])
        return Saved(each=Extra(values=projected + query.numel, statistics=self.heads * query.shape[0]))

    def weight_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        query, key, value = _query_key_value(xs)
        width = query.shape[1]
        return 2 * query.numel * width + (key.numel + value.numel) * self.kv_width(width)

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        return self.causal

    def backward_macs(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
        width = xs[0].shape[1]
        projected = (width, self.kv_width(width), self.kv_width(width))
        parts = zip(_query_key_value(xs), projected, _query_key_value(needs), strict=True)
        return 2 * self.cost(xs, y).macs - sum(x.numel * to for x, to, needed in parts if not needed)

    def masked_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        query, key, _ = _query_key_value(xs)
        return 2 * masked_scores(query, key) * query.shape[1] if self.causal else 0


def _query_key_value(xs: tuple[T, ...]) -> tuple[T, T, T]:
    """What queries, keys and values are made from, by how many inputs are given."""
    return xs[0], xs[min(1, len(xs) - 1)], xs[-1]
