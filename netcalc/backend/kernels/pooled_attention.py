"""Attention whose queries, keys and values are pooled over space and time first.

Heads come before the tokens, N,heads,tokens,d; the class token is the first.
"""

from collections.abc import Callable

import numpy as np

from netcalc.backend.kernels.attention import Change, attend, merge_heads, split_heads
from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients
from netcalc.backend.kernels.convolution import convolution
from netcalc.backend.kernels.mixing import mixed
from netcalc.backend.kernels.normalisation import layernorm
from netcalc.backend.kernels.parts import affine, summed_rows
from netcalc.backend.kernels.resampling import linear
from netcalc.layers.convolution import DepthwiseConv
from netcalc.layers.normalisation import LayerNorm
from netcalc.layers.pooled_attention import Pool, PooledAttention
from netcalc.tensor import Shape, TensorType

_IN = ("qkv.weight", "qkv.bias")
_OUT = ("project.0.weight", "project.0.bias")
_AXES = "thw"
_ADDED = {"none": slice(0), "patches": slice(1, None), "all": slice(None)}
"""The queries that are added to the result, by what `residual` says."""

PartBackward = Callable[[Array], tuple[Array, dict[str, Array]]]


def pooled_attention(
    layer: PooledAttention, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = (softmax(q k^T / sqrt(d) + q . r) v + q) Wo + bo, q, k, v = pool(x W + b) (Fan et al. 2021).

    The terms q . r and + q are there with `positions` and `residual` (Li et al. 2022). Gradients as
    `attend`; q's is the sum over scores, positions and residual.
    """
    (x,) = xs
    qkv, in_backward = affine(x, *(params[name] for name in _IN))
    heads = [split_heads(part, layer.heads) for part in np.split(qkv, 3, axis=-1)]
    pools = (layer.query_pool, layer.key_pool, layer.value_pool)
    pooled = [_pooled(layer, pool, params, head, context) for pool, head in zip(pools, heads, strict=True)]
    (query, key, value), pool_backs = zip(*pooled, strict=True)
    change, positions_backward = _positions(layer, params, query) if layer.positions else (None, None)
    attended, attend_backward = attend(query, key, value, query.shape[-1] ** -0.5, change)
    added = _ADDED[layer.residual]
    joined = attended.copy("K")
    joined[:, :, added] += query[:, :, added]
    y, out_backward = affine(merge_heads(joined), *(params[name] for name in _OUT))

    def backward(dy: Array) -> Gradients:
        djoined, dout = out_backward(dy)
        dattended = split_heads(djoined, layer.heads)
        dquery, dkey, dvalue, dscores = attend_backward(dattended)
        dquery[:, :, added] += dattended[:, :, added]
        gradients = dict(zip(_OUT, dout, strict=True))
        if positions_backward is not None:
            dmore, own = positions_backward(dscores)
            dquery[:, :, 1:] += dmore
            gradients |= own
        dheads = []
        for back, dhead in zip(pool_backs, (dquery, dkey, dvalue), strict=True):
            dpart, own = back(dhead)
            dheads.append(merge_heads(dpart))
            gradients |= own
        dx, din = in_backward(np.concatenate(dheads, axis=-1))
        return (dx,), gradients | dict(zip(_IN, din, strict=True))

    return y, backward


def _pooled(
    layer: PooledAttention, pool: Pool, params: Arrays, x: Array, context: Context
) -> tuple[Array, PartBackward]:
    """A depthwise convolution of the patches of every head, then a layer norm of all tokens."""
    if not pool.is_active:
        # A copy, as is what a pool reads, so that nothing keeps the projection of all three.
        return x.copy(), lambda dx: (dx, {})
    samples, heads, _, width = x.shape
    patches = x[:, :, 1:].swapaxes(2, 3).copy().reshape(samples * heads, width, *layer.size)
    pads = tuple(cells // 2 for cells in pool.kernel)
    x_type = TensorType(patches.shape[1:])
    conv = DepthwiseConv((x_type,), kernel=pool.kernel, stride=pool.stride, pad=pads, bias=False)
    own = {"weight": params[f"{pool.name}.pool.weight"]}
    left, conv_backward = convolution(conv, own, (patches,), context)
    grid = left.shape
    tokens = np.concatenate((x[:, :, :1], left.reshape(samples, heads, width, -1).swapaxes(2, 3)), axis=2)
    norm = {name: params[f"{pool.name}.norm_act.0.{name}"] for name in ("weight", "bias")}
    y, norm_backward = layernorm(LayerNorm(eps=layer.eps), norm, (tokens,), context)

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        (dtokens,), dnorm = norm_backward(dy)
        assert dtokens is not None
        dleft = dtokens[:, :, 1:].swapaxes(2, 3).reshape(grid)
        (dpatches,), dconv = conv_backward(dleft)
        assert dpatches is not None
        dpatches = dpatches.reshape(samples, heads, width, -1).swapaxes(2, 3)
        gradients = {f"{pool.name}.norm_act.0.{name}": gradient for name, gradient in dnorm.items()}
        gradients |= {f"{pool.name}.pool.{name}": gradient for name, gradient in dconv.items()}
        return np.concatenate((dtokens[:, :, :1], dpatches), axis=2), gradients

    return y, backward


def _positions(layer: PooledAttention, params: Arrays, query: Array) -> tuple[Change, PartBackward]:
    """Adds to the score of two patches, for each axis, the query's product with the offset's vector.

    s[q, k] += sum over axes a of q . R_a[q_a, k_a];  dq = sum over axes and k of ds R_a, dR_a = ds^T q.
    """
    queries, keys = (pool.grid(layer.size) for pool in (layer.query_pool, layer.key_pool))
    names = [f"rel_pos_{axis}" for axis in _AXES]
    tables = [_vectors(params[name], *sizes) for name, *sizes in zip(names, queries, keys, strict=True)]
    patches = query[:, :, 1:].reshape(*query.shape[:2], *queries, query.shape[-1])

    def change(scores: Array) -> None:
        pairs = _pairs(scores, queries, keys)
        for axis, (vectors, _) in enumerate(tables):
            products = _each_along(patches, axis) @ vectors.swapaxes(1, 2)
            products = _back_along(products, axis, patches.shape[:-1])
            pairs += np.expand_dims(products, tuple(5 + other for other in range(3) if other != axis))

    def backward(dscores: Array) -> tuple[Array, dict[str, Array]]:
        dpairs = _pairs(dscores, queries, keys)
        dpatches = np.zeros_like(patches)
        gradients = {}
        for axis, (vectors, vectors_backward) in enumerate(tables):
            others = tuple(5 + other for other in range(3) if other != axis)
            dproducts = _each_along(dpairs.sum(axis=others), axis)
            dpatches += _back_along(dproducts @ vectors, axis, patches.shape[:-1])
            dvectors = dproducts.swapaxes(1, 2) @ _each_along(patches, axis)
            gradients[names[axis]] = vectors_backward(dvectors)
        return dpatches.reshape(*patches.shape[:2], -1, patches.shape[-1]), gradients

    return change, backward


def _pairs(scores: Array, queries: Shape, keys: Shape) -> Array:
    """The scores of patches, a view: N,heads, the query's T,H,W, the key's T,H,W."""
    return np.reshape(scores[:, :, 1:, 1:], (*scores.shape[:2], *queries, *keys), copy=False)


def _each_along(x: Array, axis: int) -> Array:
    """N,heads,T,H,W,d as the positions along one of the three, all others, d."""
    moved = np.moveaxis(x, 2 + axis, 0)
    return moved.reshape(moved.shape[0], -1, x.shape[-1])


def _back_along(x: Array, axis: int, shape: Shape) -> Array:
    """The inverse of `_each_along`; the last axis is x's."""
    front = [size for other, size in enumerate(shape) if other != 2 + axis]
    return np.moveaxis(x.reshape(shape[2 + axis], *front, x.shape[-1]), 0, 2 + axis)


def _vectors(table: Array, queries: int, keys: int) -> tuple[Array, Callable[[Array], Array]]:
    """The table's row for each query and key along an axis: queries, keys, d.

    The coarser of the two is laid over the finer, and the table stretched to their offsets.
    """
    # In float32 as torchvision does it, so that values near a whole number are truncated alike.
    query_step, key_step = (np.float32(max(ratio, 1)) for ratio in (keys / queries, queries / keys))
    query_places = np.arange(queries, dtype=np.float32)[:, None] * query_step
    key_places = (np.arange(keys, dtype=np.float32) + np.float32(1 - keys)) * key_step
    index = (query_places - key_places).astype(np.int64)
    offsets = 2 * max(queries, keys) - 1
    rows, rows_backward = mixed(table, linear(table.shape[0], offsets), offsets, axis=0)

    def backward(dvectors: Array) -> Array:
        flat = dvectors.reshape(-1, table.shape[1])
        return rows_backward(summed_rows(flat, index.reshape(-1), offsets))

    return rows[index], backward
