"""Scaled dot-product attention of one worker's heads, on views of its buffers, a few heads at a time.

With the heads of the queries in groups that share a head of keys and values the axes are
N,shared heads,heads of a group,positions,features; keys and values have one head in each group.
"""

from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.operations import Runtime

_BLOCK = 1 << 16
"""Scores that are computed at a time: with their gradients they are half a MiB in float32."""
_SAVED_WIDTHS = 4
"""Up to so many keys for each feature of a head, scores are saved; beyond they are computed again."""


class Heads(NamedTuple):
    """Queries, keys, values and the weighted values; or their gradients."""

    query: Array
    key: Array
    value: Array
    y: Array

    def part(self, samples: slice, shared: slice) -> "Heads":
        return Heads(*(array[samples, shared] for array in self))


class Block(NamedTuple):
    """Some heads of some samples, and where their part of each array is."""

    samples: slice
    shared: slice
    scores: Array
    """Memory for exp(s - max)."""
    dscores: Array


class HeadsAttention:
    """y = e v / sum of e with e = exp(s - max), s = q k^T, the queries scaled before (Vaswani et al. 2017).

    With g = dy / sum of e:  dv = e^T g;  ds = e (g v^T - sum of g y);  dq = ds k;  dk = ds^T q. The maxima
    and sums are saved, e too where there are few keys (Dao et al. 2022).
    """

    def __init__(self, heads: Heads, causal: bool, runtime: Runtime, worker: int) -> None:
        self.heads = heads
        samples, shared, group, positions, width = heads.query.shape
        keys = heads.key.shape[3]
        self.maxima, self.inverses = runtime.zeros((2, samples, shared, group, positions, 1))
        self.ones = np.ones(keys, runtime.dtype)
        self.limits = _limits(positions, keys, runtime.dtype) if causal else None
        each = group * positions * keys
        self.is_saved = keys <= _SAVED_WIDTHS * width
        shape = (samples, shared, group, positions, keys)
        saved = runtime.zeros(shape) if self.is_saved else None
        self.blocks: list[Block] = []
        heads_at_once = max(1, min(shared, _BLOCK // each))
        samples_at_once = max(1, _BLOCK // (each * shared)) if heads_at_once == shared else 1
        for first in range(0, samples, samples_at_once):
            some = slice(first, min(first + samples_at_once, samples))
            for first_shared in range(0, shared, heads_at_once):
                own = slice(first_shared, min(first_shared + heads_at_once, shared))
                part = (some.stop - some.start, own.stop - own.start, *shape[2:])
                scores = runtime.scratch("scores", worker, *part) if saved is None else saved[some, own]
                self.blocks.append(
                    Block(some, own, scores, runtime.scratch("gradients of scores", worker, *part))
                )

    def forward(self) -> None:
        for block in self.blocks:
            query, key, value, y = self.heads.part(block.samples, block.shared)
            maxima, inverses = (each[block.samples, block.shared] for each in (self.maxima, self.inverses))
            scores = self._scores(block, query, key)
            np.max(scores, axis=-1, keepdims=True, out=maxima)
            scores -= maxima
            np.exp(scores, out=scores)
            np.matmul(scores, self.ones, out=inverses[..., 0])
            np.reciprocal(inverses, out=inverses)
            np.matmul(scores, value, out=y)
            y *= inverses

    def backward(self, dy: Array, gradients: Heads, scratch: Array) -> None:
        """Write the gradients of queries, keys and values; `scratch` is as large as y."""
        for block in self.blocks:
            query, key, value, y = self.heads.part(block.samples, block.shared)
            dquery, dkey, dvalue, _ = gradients.part(block.samples, block.shared)
            scores, dscores = block.scores, block.dscores
            if not self.is_saved:
                self._scores(block, query, key)
                scores -= self.maxima[block.samples, block.shared]
                np.exp(scores, out=scores)
            upstream = scratch[: y.size].reshape(y.shape)
            np.multiply(
                dy[block.samples, block.shared], self.inverses[block.samples, block.shared], out=upstream
            )
            _product_over_group(scores, upstream, dvalue)
            np.matmul(upstream, value.swapaxes(-1, -2), out=dscores)
            dscores -= np.vecdot(upstream, y)[..., np.newaxis]
            dscores *= scores
            np.matmul(dscores, key, out=dquery)
            _product_over_group(dscores, query, dkey)

    def _scores(self, block: Block, query: Array, key: Array) -> Array:
        scores = np.matmul(query, key.swapaxes(-1, -2), out=block.scores)
        if self.limits is not None:
            np.minimum(scores, self.limits, out=scores)
        return scores


def _limits(positions: int, keys: int, dtype: np.dtype[np.floating]) -> Array:
    """The largest score of each query and key: infinity, and below 0 for the keys of later positions."""
    later = np.triu(np.ones((positions, keys), bool), 1)
    return np.where(later, -np.inf, np.inf).astype(dtype)


def _product_over_group(scores: Array, rows: Array, out: Array) -> None:
    """Scores^T rows, summed over the heads of a group."""
    if scores.shape[2] == 1:
        np.matmul(scores.swapaxes(-1, -2), rows, out=out)
    else:
        np.sum(scores.swapaxes(-1, -2) @ rows, axis=2, keepdims=True, out=out)


def split(array: Array, shared: int, group: int = 1) -> Array:
    """A view of N,T,D as N,shared,group,T,d."""
    samples, positions, _ = array.shape
    return array.reshape(samples, positions, shared, group, -1, copy=False).transpose(0, 2, 3, 1, 4)
