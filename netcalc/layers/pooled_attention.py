"""Attention whose queries, keys and values are pooled over space and time first."""

from math import prod
from typing import NamedTuple

from netcalc.layers import geometry
from netcalc.layers.attention import SCORE_OPS
from netcalc.layers.axes import SEQUENCE, Axes
from netcalc.layers.base import Cost, Layer, ParamSpec
from netcalc.layers.normalisation import EPS
from netcalc.layers.operators import Operators
from netcalc.layers.options import Choice, Flag, Integer, Integers, Maybe, Number
from netcalc.layers.saved import Extra, Saved
from netcalc.tensor import Shape, TensorType

_ONES = (1, 1, 1)
_NORM_OPS = 7
"""Operations an element takes in the layer norm after each pool, scale and shift learned."""
_STRETCH_OPS = 3
"""Operations an element takes in linear interpolation along one axis."""


class Pool(NamedTuple):
    """A pool of the layer: its name, and the sizes of its depthwise convolution."""

    name: str
    kernel: Shape
    stride: Shape

    @property
    def is_active(self) -> bool:
        """Whether there is anything to pool."""
        return (self.kernel, self.stride) != (_ONES, _ONES)

    def grid(self, size: Shape) -> Shape:
        """The positions along T, H, W that are left."""
        if not self.is_active:
            return size
        pads = [(cells // 2, cells // 2) for cells in self.kernel]
        return tuple(map(geometry.output_size, size, self.kernel, self.stride, pads))


class PooledAttention(Layer):
    """Multiscale attention with a class token, as in MViT (Fan et al. 2021) and MViTv2 (Li et al. 2022).

    Reads 1 + T H W tokens x D: a class token and a grid of `size`. q, k, v = x W; each head of q, and of
    k and v, goes through a depthwise convolution over the grid, padded by half its kernel, and a layer
    norm, unless its kernel and stride are 1; y = (softmax(q k^T / sqrt(width of a head)) v) Wo, one output
    for each query that is left. `positions` adds learned vectors for the offset along each axis to the
    keys of the scores; `residual` adds q to the result, MViTv2 to the patches alone.

    Projections, convolutions, scores, weighted values and the queries' products with positions are in
    macs. A score takes 6 other operations and with positions 3 more, a pooled element 7 for the norm,
    an element of a position table stretched to another size 3. Names are torchvision's.

    Example: `pooled_attention: {heads: 4, size: [4, 14, 14], stride_kv: [1, 2, 2]}` on 785x384 gives 785x384
    """

    kind = "pooled_attention"
    transposes = True
    family = "attention"
    mixes_tokens = True
    also = ("MultiscaleAttention", "multiscale_attention")

    heads = Integer(doc="parts that the width is split into, each with scores of its own", torch="num_heads")
    size = Integers(doc="the grid of the tokens after the class token: T, H, W", torch="input_size")
    width = Maybe(Integer(doc="output features; the input's unless given", torch="output_dim"))
    kernel_q = Integers(_ONES, doc="kernel that pools the queries: T, H, W", torch="kernel_q")
    stride_q = Integers(_ONES, doc="its stride", torch="stride_q")
    kernel_kv = Integers(_ONES, doc="kernel that pools keys and values: T, H, W", torch="kernel_kv")
    stride_kv = Integers(_ONES, doc="its stride", torch="stride_kv")
    positions = Flag(False, doc="learn relative positions along each axis", torch="rel_pos_embed")
    residual = Choice("none", "patches", "all", doc="which pooled queries are added", torch="residual_pool")
    eps = Number(EPS, above=0, doc="added to the variance in the layer norms")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        geometry.require_equal(len(x.shape), 2, f"pooled_attention reads tokens x features, not {x}")
        for name in ("size", "kernel_q", "stride_q", "kernel_kv", "stride_kv"):
            given = len(getattr(self, name))
            geometry.require_equal(given, 3, f"{name} lists T, H and W, not {given} sizes", name)
        tokens = 1 + prod(self.size)
        message = f"size={list(self.size)} and a class token are {tokens} tokens, not {x.shape[0]}"
        geometry.require_equal(x.shape[0], tokens, message, "size")
        width = self._width(x)
        geometry.require_divides(self.heads, width, "features", "heads")
        return TensorType((1 + prod(self.query_pool.grid(self.size)), width), x.dtype)

    def reads_axes(self, rank: int) -> Axes | None:
        return SEQUENCE

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return SEQUENCE

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        width = self._width(x)
        head = width // self.heads
        specs = [
            ParamSpec("qkv.weight", (3 * width, x.shape[1]), "fan_in_uniform"),
            ParamSpec("qkv.bias", (3 * width,), "fan_in_uniform"),
            ParamSpec("project.0.weight", (width, width), "fan_in_uniform"),
            ParamSpec("project.0.bias", (width,), "fan_in_uniform"),
        ]
        for pool in self._pools:
            specs += [
                ParamSpec(f"{pool.name}.pool.weight", (head, 1, *pool.kernel), "fan_in_uniform"),
                ParamSpec(f"{pool.name}.norm_act.0.weight", (head,), "ones"),
                ParamSpec(f"{pool.name}.norm_act.0.bias", (head,), "zeros"),
            ]
        if self.positions:
            rows = zip("thw", self._table_rows(), strict=True)
            tables = [(f"rel_pos_{axis}", (row, head)) for axis, row in rows]
            specs += [ParamSpec(*table, "truncated_normal", decays=False) for table in tables]
        return tuple(specs)

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        return self.positions

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        (tokens, features), width = xs[0].shape, self._width(xs[0])
        queries, keys = self.query_pool.grid(self.size), self.key_pool.grid(self.size)
        pooled = [(prod(pool.grid(self.size)), prod(pool.kernel)) for pool in self._pools]
        scores = (1 + prod(queries)) * (1 + prod(keys))
        macs = 3 * tokens * features * width + y.numel * width + 2 * scores * width
        macs = macs + sum(left * cells * width for left, cells in pooled)
        other_ops = self.heads * scores * SCORE_OPS
        other_ops = other_ops + sum((1 + left) * width * _NORM_OPS for left, _ in pooled)
        if self.positions:
            macs = macs + prod(queries) * sum(keys) * width
            other_ops = other_ops + self.heads * prod(queries) * prod(keys) * 3
            other_ops = other_ops + self._stretched(queries, keys) * (width // self.heads) * _STRETCH_OPS
        added = {"none": 0, "patches": prod(queries), "all": 1 + prod(queries)}[self.residual]
        return Cost(macs, other_ops + added * width)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """The scores' softmax, what it weighs, queries, keys and values; of a pool what its parts read.

        With one head keys and values that are not pooled stay in the projection's memory. `positions`
        reads the patches' queries along each axis, and picks a vector for each two positions of an axis.
        """
        tokens, width = xs[0].shape[0], self._width(xs[0])
        queries, keys = self.query_pool.grid(self.size), self.key_pool.grid(self.size)
        left, right = 1 + prod(queries), 1 + prod(keys)
        whole = self.heads == 1 and not self.key_pool.is_active
        values = 2 * left * width + (3 * tokens if whole else 2 * right) * width + self.heads * left * right
        statistics, once = 0, Extra()
        for pool in self._pools:
            pooled = 1 + prod(pool.grid(self.size))
            values = values + (prod(self.size) + pooled) * width
            statistics = statistics + 2 * self.heads * pooled
        if self.positions:
            values = values + 3 * prod(queries) * width
            pairs = sum(q * k for q, k in zip(queries, keys, strict=True))
            once = Extra(values=pairs * (width // self.heads), indices=pairs)
        return Saved((0,), each=Extra(values, statistics), once=once)

    def weight_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        queries, keys = self.query_pool.grid(self.size), self.key_pool.grid(self.size)
        scores = (1 + prod(queries)) * (1 + prod(keys))
        return self.cost(xs, y).macs - 2 * scores * self._width(xs[0])

    def backward_macs(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
        reading = 3 * xs[0].numel * self._width(xs[0])
        return 2 * self.cost(xs, y).macs - (0 if any(needs) else reading)

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        """Projection, pools of keys, values and queries, scores, their softmax, what they weigh."""
        (tokens, features), width, operators = xs[0].shape, self._width(xs[0]), Operators()
        queries, keys = self.query_pool.grid(self.size), self.key_pool.grid(self.size)
        left, right = 1 + prod(queries), 1 + prod(keys)
        qkv = operators.product(3 * tokens * width, 0, weights=3 * width * features)
        key, value, query = (
            self._pool(operators, qkv, pool, width)
            for pool in (self.key_pool, self.value_pool, self.query_pool)
        )
        several_heads = self.heads > 1
        scaled = operators.make(left * width, query)
        if several_heads and not self.query_pool.is_active:
            scaled = operators.copy(left * width, scaled)
        if several_heads and not self.key_pool.is_active:
            key = operators.copy(right * width, key)
        scores = self.heads * left * right
        score = operators.product(scores, scaled, key)
        if self.positions:
            operators.make(0, score, self._make_offsets(operators, query, width))  # added in place
        weights = operators.softmax(scores, score)
        if several_heads and not self.value_pool.is_active:
            value = operators.copy(right * width, value)
        weighted = operators.product(left * width, weights, value)
        if self.residual != "none":
            operators.make(0, weighted, query)  # added in place
        if several_heads:
            weighted = operators.copy(left * width, weighted)
        operators.product(y.numel, weighted, weights=width * width)
        return operators

    def _pool(self, operators: Operators, qkv: int, pool: Pool, width: int) -> int:
        """Queries, keys or values, pooled where there is a pool; the class token is not pooled."""
        if not pool.is_active:
            return qkv
        grid = prod(pool.grid(self.size))
        patches = operators.copy(prod(self.size) * width, qkv)
        pooled = operators.product(grid * width, patches, weights=prod(pool.kernel) * width // self.heads)
        whole = operators.copy((1 + grid) * width, qkv, pooled)
        return operators.product(
            (1 + grid) * width, whole, workspace=Extra(statistics=2 * self.heads * (1 + grid))
        )

    def _make_offsets(self, operators: Operators, query: int, width: int) -> int:
        """The products of queries and learned positions along each axis, summed over the axes."""
        queries, keys = self.query_pool.grid(self.size), self.key_pool.grid(self.size)
        frames, *space = (
            operators.make(0, once=Extra(values=q * k * (width // self.heads)))
            for q, k in zip(queries, keys, strict=True)
        )
        count, products = self.heads * prod(queries), []
        for table, positions in (*zip(space, keys[1:], strict=True), (frames, keys[0])):
            patches = operators.copy(prod(queries) * width, query)
            products.append(operators.product(count * positions, patches, table))
        height, breadth, time = products
        plane = operators.make(count * keys[1] * keys[2], height, breadth)
        total = operators.make(count * prod(keys), plane, time)
        return operators.copy(count * prod(keys), total)

    def _width(self, x: TensorType) -> int:
        return x.shape[1] if self.width is None else self.width

    @property
    def query_pool(self) -> Pool:
        return Pool("pool_q", self.kernel_q, self.stride_q)

    @property
    def key_pool(self) -> Pool:
        return Pool("pool_k", self.kernel_kv, self.stride_kv)

    @property
    def value_pool(self) -> Pool:
        return self.key_pool._replace(name="pool_v")

    @property
    def _pools(self) -> list[Pool]:
        """Those that pool anything; keys and values have one each."""
        pools = (self.query_pool, self.key_pool, self.value_pool)
        return [pool for pool in pools if pool.is_active]

    def _table_rows(self) -> Shape:
        """Offsets that the learned positions hold along T, H, W: torchvision's sizes, one for H and W."""
        frames, height, width = self.size
        longest = max(width, height)
        space = max(longest // self.stride_kv[1], longest // self.stride_q[1])
        return 2 * frames - 1, 2 * space - 1, 2 * space - 1

    def _stretched(self, queries: Shape, keys: Shape) -> int:
        """Rows of the position tables that are interpolated, where there are more or fewer offsets."""
        offsets = [2 * max(k, q) - 1 for q, k in zip(queries, keys, strict=True)]
        tables = zip(offsets, self._table_rows(), strict=True)
        return sum(needed for needed, rows in tables if needed != rows)
