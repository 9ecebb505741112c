"""Attention: weighted means over positions, the weights from products of queries and keys.

Heads come before the positions: N,heads,T,d.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients
from netcalc.backend.kernels.parts import affine, summed
from netcalc.layers.attention import ScaledDotProductAttention
from netcalc.layers.multi_head_attention import MultiHeadAttention

AttendBackward = Callable[[Array], tuple[Array, Array, Array, Array]]
Change = Callable[[Array], None]
"""Adds to the scores in place."""


def attend(
    query: Array,
    key: Array,
    value: Array,
    scale: float | Array,
    change: Change | None = None,
    keep: bool = True,
) -> tuple[Array, AttendBackward]:
    """y = p v with p = softmax(s), s = a q k^T and what `change` adds to it (Vaswani et al. 2017).

    dp = dy v^T;  dv = p^T dy;  ds = p (dp - sum of p dp);  dq = a ds k;  dk = a ds^T q. The backward
    gives dq, dk, dv and ds; p is saved for it, or else computed again (Dao et al. 2022).
    """
    weights = _weights(query, key, scale, change)
    saved = weights if keep else None
    *front, heads, positions, _ = query.shape
    # Heads lie side by side in memory, so that merging them copies nothing.
    y = np.empty((*front, positions, heads, value.shape[-1]), query.dtype).swapaxes(-2, -3)
    np.matmul(weights, value, out=y)

    def backward(dy: Array) -> tuple[Array, Array, Array, Array]:
        weights = _weights(query, key, scale, change) if saved is None else saved
        dscores = dy @ value.swapaxes(-1, -2)
        dscores -= np.vecdot(weights, dscores)[..., None]
        dscores *= weights
        dquery, dkey = dscores @ key, dscores.swapaxes(-1, -2) @ (query * scale)
        dquery *= scale
        return dquery, dkey, weights.swapaxes(-1, -2) @ dy, dscores

    return y, backward


def _weights(query: Array, key: Array, scale: float | Array, change: Change | None) -> Array:
    """The softmax of the scores."""
    weights = (query * scale) @ key.swapaxes(-1, -2)
    if change is not None:
        change(weights)
    weights -= weights.max(axis=-1, keepdims=True)
    np.exp(weights, out=weights)
    weights /= summed(weights, -1, keepdims=True)
    return weights


def attend_grouped(
    query: Array, key: Array, value: Array, scale: float, causal: bool
) -> tuple[Array, Callable[[Array], tuple[Array, Array, Array]]]:
    """`attend` where heads of the queries that follow each other share one of the keys and values.

    The gradient of a head of keys is the sum over its query heads: their positions are stacked,
    as if they were one long sequence.
    """
    shared = query.shape[-3] // key.shape[-3]
    change = partial(_hide_later, positions=query.shape[-2]) if causal else None
    y, attend_backward = attend(_stacked(query, shared), key, value, scale, change, keep=False)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        dquery, dkey, dvalue, _ = attend_backward(_stacked(dy, shared))
        return _unstacked(dquery, shared), dkey, dvalue

    return _unstacked(y, shared), backward


def _stacked(x: Array, shared: int) -> Array:
    """...,heads,T,d as ...,heads / shared,shared T,d."""
    if shared == 1:
        return x
    *front, heads, positions, width = x.shape
    return x.reshape(*front, heads // shared, shared * positions, width)


def _unstacked(x: Array, shared: int) -> Array:
    """The inverse of `_stacked`."""
    if shared == 1:
        return x
    *front, heads, positions, width = x.shape
    return x.reshape(*front, heads * shared, positions // shared, width)


def scaled_dot_product_attention(
    layer: ScaledDotProductAttention, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = softmax(q k^T / sqrt(d)) v, each head on its own part of the features. Gradients as `attend`."""
    heads = (layer.heads, layer.kv_heads or layer.heads, layer.kv_heads or layer.heads)
    query, key, value = map(split_heads, xs, heads)
    y, attend_backward = attend_grouped(query, key, value, query.shape[-1] ** -0.5, layer.causal)

    def backward(dy: Array) -> Gradients:
        return tuple(map(merge_heads, attend_backward(split_heads(dy, layer.heads)))), {}

    return merge_heads(y), backward


def multi_head_attention(
    layer: MultiHeadAttention, params: Arrays, xs: tuple[Array, ...], context: Context
) -> tuple[Array, Backward]:
    """y = softmax(q k^T / sqrt(d)) v Wo + bo with q = x Wq + bq, k = m Wk + bk, v = m Wv + bv.

    Gradients as `attend` between projections; an input that is read more than once sums its own.
    """
    read = (0, min(1, len(xs) - 1), len(xs) - 1)
    weights, biases = _in_weights(params, xs[0].shape[-1]), _in_biases(params, xs[0].shape[-1])
    (query, key, value), projected_back = zip(
        *(
            affine(xs[i], weight, *bias, frozen=context.frozen)
            for i, weight, bias in zip(read, weights, biases, strict=True)
        ),
        strict=True,
    )
    scale = (query.shape[-1] // layer.heads) ** -0.5
    heads = (layer.heads, layer.kv_heads or layer.heads, layer.kv_heads or layer.heads)
    query, key, value = map(split_heads, (query, key, value), heads)
    attended, attend_backward = attend_grouped(query, key, value, scale, layer.causal)
    out_names = ("out_proj.weight", "out_proj.bias")[: 1 + layer.bias]
    own = (params[name] for name in out_names)
    y, out_backward = affine(merge_heads(attended), *own, frozen=context.frozen)

    def backward(dy: Array) -> Gradients:
        dattended, dout = out_backward(dy)
        dheads = attend_backward(split_heads(dattended, layer.heads))
        dxs: dict[int, Array] = {}
        gradients = []
        for i, back, dhead in zip(read, projected_back, dheads, strict=True):
            dx, own = back(merge_heads(dhead))
            dxs[i] = dxs[i] + dx if i in dxs else dx
            gradients.append(own)
        learned = {}
        if not context.frozen:
            learned = _in_gradients(params, gradients) | dict(zip(out_names, dout, strict=True))
        return tuple(dxs[i] for i in range(1 + max(read))), learned

    return y, backward


def split_heads(x: Array, heads: int) -> Array:
    """...,T,D as ...,heads,T,d: a view."""
    return x.reshape(*x.shape[:-1], heads, -1).swapaxes(-2, -3)


def merge_heads(x: Array) -> Array:
    """...,heads,T,d as ...,T,D."""
    side_by_side = x.swapaxes(-2, -3)
    return side_by_side.reshape(*side_by_side.shape[:-2], -1)


def _hide_later(scores: Array, positions: int) -> None:
    """Mask the scores of later positions with -inf; the rows are those of one or more heads."""
    later = np.triu(np.ones((positions, scores.shape[-1]), bool), 1)
    np.copyto(scores, -np.inf, where=np.tile(later, (scores.shape[-2] // positions, 1)))


_SEPARATE_WEIGHTS = tuple(f"{name}_proj_weight" for name in "qkv")


def _in_weights(params: Arrays, width: int) -> list[Array]:
    if "in_proj_weight" in params:
        return _three(params["in_proj_weight"], width)
    return [params[name] for name in _SEPARATE_WEIGHTS]


def _in_biases(params: Arrays, width: int) -> list[tuple[Array, ...]]:
    if "in_proj_bias" not in params:
        return [()] * 3
    return [(bias,) for bias in _three(params["in_proj_bias"], width)]


def _three(rows: Array, width: int) -> list[Array]:
    """The rows that project queries, keys and values: the first `width`, and the halves of the rest."""
    return np.split(rows, [width, (width + len(rows)) // 2])


def _in_gradients(params: Arrays, gradients: list[tuple[Array, ...]]) -> dict[str, Array]:
    """The gradients of the three projections, by the names that the parameters have."""
    dweights, *dbiases = zip(*gradients, strict=True)
    if "in_proj_weight" in params:
        named = {"in_proj_weight": np.concatenate(dweights)}
    else:
        named = dict(zip(_SEPARATE_WEIGHTS, dweights, strict=True))
    if dbiases:
        named["in_proj_bias"] = np.concatenate(dbiases[0])
    return named
