"""Attention inside windows or across grids, with the channels last.

The input is split into blocks of positions that see each other, N,blocks,n,C, and attention runs in
each. Dealing and joining are each other's adjoint, so one's backward is the other.
"""

from collections.abc import Callable
from math import log, prod
from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels.attention import Change, attend, merge_heads, split_heads
from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients
from netcalc.backend.kernels.parts import affine, summed, summed_rows
from netcalc.backend.kernels.special import logistic
from netcalc.layers import geometry
from netcalc.layers.window_attention import WindowAttention
from netcalc.tensor import Shape

_MASKED = -100.0
"""Added to the score of two positions that are neighbours only after the shift."""
_MOST_SCALE = log(100)
"""Where the logarithm of the cosines' factor stops growing."""
_LARGEST_COORDINATE = 8
_LARGEST_BIAS = 16

TableBackward = Callable[[Array], dict[str, Array]]


def window_attention(
    layer: WindowAttention, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = softmax(q k^T / sqrt(d) + bias) v Wo + bo in each window, q, k, v = x W + b (Liu et al. 2021).

    bias[h, i, j] = table[offset of i and j, h], so the table's gradient sums that of all scores with
    one offset. With `cosine` the scores are e^s times the cosines of q and k, s learned for each head
    and at most log 100, and keys have no bias (Liu et al. 2022). Gradients as `attend` in between.
    """
    (x,) = xs
    blocks = _blocks_of(layer, x.shape[1:-1])
    index = _offset_index(layer.size)[: blocks.cells, : blocks.cells]
    table, table_backward = _cosine_table(layer, params) if layer.cosine else _learned_table(params)
    in_names = ("qkv.weight", "qkv.bias")[: 1 + layer.bias]
    weight, *in_bias = (params[name] for name in in_names)
    if layer.cosine:
        in_bias = [_without_keys(bias) for bias in in_bias]
    qkv, in_backward = affine(blocks.partition(x), weight, *in_bias)
    query, key, value = (split_heads(part, layer.heads) for part in np.split(qkv, 3, axis=-1))
    scale: float | Array = _scale(layer, query.shape[-1])
    scores_backward: ScoresBackward = _passed
    if layer.cosine:
        query, key, scale, scores_backward = _cosines(query, key, params["logit_scale"])
    attended, attend_backward = attend(query, key, value, scale, _biased(table, index, blocks))
    out, out_backward = affine(merge_heads(attended), params["proj.weight"], params["proj.bias"])

    def backward(dy: Array) -> Gradients:
        dattended, dout = out_backward(blocks.partition(dy))
        dquery, dkey, dvalue, dscores = attend_backward(split_heads(dattended, layer.heads))
        dquery, dkey, gradients = scores_backward(dquery, dkey)
        dqkv = np.concatenate([merge_heads(part) for part in (dquery, dkey, dvalue)], axis=-1)
        dx, (dweight, *dbias) = in_backward(dqkv)
        if layer.cosine:
            dbias = [_without_keys(bias) for bias in dbias]
        dpairs = summed(dscores, (0, 1)).reshape(layer.heads, -1).T
        gradients |= table_backward(summed_rows(dpairs, index.reshape(-1), layer.offsets()))
        gradients |= dict(zip(in_names, (dweight, *dbias), strict=True))
        gradients |= dict(zip(("proj.weight", "proj.bias"), dout, strict=True))
        return (blocks.join(dx),), gradients

    return blocks.join(out), backward


class _Blocks(NamedTuple):
    """How an input is split into blocks of positions: `whole` is its size padded to whole windows."""

    space: Shape
    windows: Shape
    shifts: Shape
    grid: bool

    @property
    def cells(self) -> int:
        return prod(self.windows)

    @property
    def whole(self) -> Shape:
        pairs = zip(self.space, self.windows, strict=True)
        return tuple(geometry.whole_windows(size, window) * window for size, window in pairs)

    def partition(self, x: Array) -> Array:
        """N,*space,C as N,blocks,n,C: padded with zeros at the end, and shifted."""
        if self.whole != self.space:
            wide = np.zeros_like(x, shape=(x.shape[0], *self.whole, x.shape[-1]))
            wide[self._inner] = x
            x = wide
        if any(self.shifts):
            x = np.roll(x, [-shift for shift in self.shifts], self._axes)
        return self.parted(x)

    def join(self, y: Array) -> Array:
        """N,blocks,n,C as N,*space,C: shifted back, without the padding."""
        split = [self._split[axis] for axis in self._order]
        x = y.reshape(y.shape[0], *split, y.shape[-1])
        x = x.transpose(0, *(1 + np.argsort(self._order)), x.ndim - 1)
        x = x.reshape(y.shape[0], *self.whole, y.shape[-1])
        if any(self.shifts):
            x = np.roll(x, self.shifts, self._axes)
        return x[self._inner]

    def parted(self, x: Array) -> Array:
        """N,*whole,C as N,blocks,n,C."""
        x = x.reshape(x.shape[0], *self._split, x.shape[-1])
        x = x.transpose(0, *(1 + axis for axis in self._order), x.ndim - 1)
        return x.reshape(x.shape[0], -1, self.cells, x.shape[-1])

    @property
    def _split(self) -> Shape:
        """Each axis in two: blocks and the cells of each, for a grid cells and the blocks between."""
        pairs = zip(self.whole, self.windows, strict=True)
        split = (
            (window, size // window) if self.grid else (size // window, window) for size, window in pairs
        )
        return tuple(part for pair in split for part in pair)

    @property
    def _order(self) -> Shape:
        """Those axes with the blocks before the cells."""
        axes = 2 * len(self.space)
        return (*range(self.grid, axes, 2), *range(1 - self.grid, axes, 2))

    @property
    def _axes(self) -> Shape:
        return tuple(range(1, 1 + len(self.space)))

    @property
    def _inner(self) -> tuple[slice, ...]:
        return (slice(None), *map(slice, self.space))


def _blocks_of(layer: WindowAttention, space: Shape) -> _Blocks:
    return _Blocks(space, layer.windows(space), layer.shifts(space), layer.grid)


def _biased(table: Array, index: Array, blocks: _Blocks) -> Change:
    """Adds the bias of each pair of positions and, where shifted, masks pairs from opposite sides."""

    def change(scores: Array) -> None:
        scores += np.take(table.T, index, axis=1)
        if any(blocks.shifts):
            sides = np.zeros((1, *blocks.whole, 1), int)
            for axis, shift in enumerate(blocks.shifts):
                after = np.moveaxis(sides, axis + 1, 0)[blocks.whole[axis] - shift :]
                after += 2**axis
            (side,) = blocks.parted(sides)[..., 0]
            masked = side[:, :, None] != side[:, None, :]
            scores += (masked * _MASKED).astype(scores.dtype)[:, None]

    return change


def _offset_index(size: Shape) -> Array:
    """The table's row for each two positions of a window: their offset along each axis, row-major.

    A window that shrinks to its input reads the first rows and columns, as torchvision's do.
    """
    places = np.indices(size).reshape(len(size), -1)
    offsets = places[:, :, None] - places[:, None, :]
    rows = [offset + window - 1 for offset, window in zip(offsets, size, strict=True)]
    index: Array = np.ravel_multi_index(rows, [2 * window - 1 for window in size])
    return index


def _learned_table(params: Arrays) -> tuple[Array, TableBackward]:
    name = "relative_position_bias_table"
    return params[name], lambda dtable: {name: dtable}


def _cosine_table(layer: WindowAttention, params: Arrays) -> tuple[Array, TableBackward]:
    """16 sigmoid(W2 relu(W1 c + b)) of each offset's coordinates c (Liu et al. 2022)."""
    coordinates = _coordinates(layer.size).astype(params["cpb_mlp.0.weight"].dtype)
    hidden, _ = affine(coordinates, params["cpb_mlp.0.weight"], params["cpb_mlp.0.bias"])
    hidden = np.maximum(hidden, 0)
    logits, logits_backward = affine(hidden, params["cpb_mlp.2.weight"])
    shares = logistic(logits)

    def backward(dtable: Array) -> dict[str, Array]:
        dhidden, (dsecond,) = logits_backward(dtable * _LARGEST_BIAS * shares * (1 - shares))
        dhidden *= hidden > 0
        dfirst, dbias = dhidden.T @ coordinates, summed(dhidden, 0)  # the coordinates need no gradient
        return {"cpb_mlp.0.weight": dfirst, "cpb_mlp.0.bias": dbias, "cpb_mlp.2.weight": dsecond}

    return shares * _LARGEST_BIAS, backward


def _coordinates(size: Shape) -> Array:
    """sign(o) log2(1 + |o|) / 3 of each offset, stretched to 8 at the window's end: offsets, axes."""
    # In float32, as torchvision keeps them, whatever type they are used in.
    axes = [np.arange(1 - window, window, dtype=np.float32) / max(window - 1, 1) for window in size]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(size))
    offsets *= _LARGEST_COORDINATE
    coordinates: Array = np.sign(offsets) * np.log2(np.abs(offsets) + 1) / 3
    return coordinates


ScoresBackward = Callable[[Array, Array], tuple[Array, Array, dict[str, Array]]]
"""From the gradients of what is multiplied to those of queries and keys, and of parameters."""


def _scale(layer: WindowAttention, width: int) -> float:
    return float((width * layer.heads if layer.scale == "input" else width) ** -0.5)


def _passed(dquery: Array, dkey: Array) -> tuple[Array, Array, dict[str, Array]]:
    return dquery, dkey, {}


def _cosines(query: Array, key: Array, logit_scale: Array) -> tuple[Array, Array, Array, ScoresBackward]:
    """Queries and keys of length 1, and their products' factor e^min(s, log 100): ds = sum of dq q."""
    query, query_backward = _unit(query)
    key, key_backward = _unit(key)

    def backward(dquery: Array, dkey: Array) -> tuple[Array, Array, dict[str, Array]]:
        dlog = summed(dquery * query, (0, 1, 3, 4)).reshape(logit_scale.shape)
        dlog *= logit_scale <= _MOST_SCALE
        return query_backward(dquery), key_backward(dkey), {"logit_scale": dlog}

    return query, key, np.exp(np.minimum(logit_scale, _MOST_SCALE)), backward


def _unit(x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """z = x / |x|, dx = (dz - z (z . dz)) / |x|. A vector of zeros, as in padding, stays and passes none."""
    wide = x.astype(np.result_type(x, np.float32), copy=False)
    length = np.sqrt(np.vecdot(wide, wide))[..., None]
    inverse = np.where(length > 0, 1 / np.where(length > 0, length, 1), 0).astype(x.dtype)
    z: Array = x * inverse

    def backward(dz: Array) -> Array:
        dx: Array = dz - z * np.vecdot(z, dz)[..., None]
        dx *= inverse
        return dx

    return z, backward


def _without_keys(bias: Array) -> Array:
    """The bias of queries and values: that of the keys is held at zero."""
    query, key, value = np.split(bias, 3)
    return np.concatenate((query, np.zeros_like(key), value))
