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
    """Some heads of some samples, and memory for what is computed of them."""

    samples: slice
    shared: slice
    scores: Array
    """For exp(s - max), a row for each key: maxima and sums are those of columns, which is faster."""
    dscores: Array
    columns: Array
    """For the queries, then for the gradients of y, one in a column."""
    upstream: Array


class HeadsAttention:
    """y = e v / sum of e with e = exp(s - max), s = a q k^T, a one by the root of a head's width.

    With g = dy / sum of e:  dv = e^T g;  ds = a e (g v^T - sum of g y);  dq = ds k;  dk = ds^T q
    (Vaswani et al. 2017). The maxima and sums are saved, e too where there are few keys (Dao et al. 2022).
    """

    def __init__(self, heads: Heads, causal: bool, runtime: Runtime, worker: int) -> None:
        self.heads = heads
        samples, shared, group, positions, width = heads.query.shape
        keys, value_width = heads.value.shape[3:]
        self.scale = width**-0.5
        self.maxima, self.inverses = runtime.zeros((2, samples, shared, group, 1, positions))
        self.ones = np.ones(keys, runtime.dtype)
        self.limits = _limits(positions, keys, runtime.dtype) if causal else None
        self.is_saved = keys <= _SAVED_WIDTHS * width
        saved = runtime.zeros((samples, shared, group, keys, positions)) if self.is_saved else None
        self.blocks: list[Block] = []
        for some, own in _parts(samples, shared, group * keys * positions):
            part = (some.stop - some.start, own.stop - own.start, group)
            shape = (*part, keys, positions)
            scores = runtime.scratch("scores", worker, *shape) if saved is None else saved[some, own]
            dscores = runtime.scratch("gradients of scores", worker, *shape)
            columns = runtime.scratch("columns", worker, *part, max(width, value_width), positions)
            upstream = runtime.scratch("upstream of heads", worker, *part, positions, value_width)
            self.blocks.append(Block(some, own, scores, dscores, columns, upstream))

    def forward(self) -> None:
        for block in self.blocks:
            _, _, value, y = self.heads.part(block.samples, block.shared)
            maxima, inverses = (each[block.samples, block.shared] for each in (self.maxima, self.inverses))
            scores = self._scores(block)
            np.max(scores, axis=-2, keepdims=True, out=maxima)
            scores -= maxima
            np.exp(scores, out=scores)
            np.matmul(self.ones, scores, out=inverses[..., 0, :])
            np.reciprocal(inverses, out=inverses)
            np.matmul(scores.swapaxes(-1, -2), value, out=y)
            y *= inverses.swapaxes(-1, -2)

    def backward(self, dy: Array, gradients: Heads) -> None:
        """Write the gradients of queries, keys and values."""
        for block in self.blocks:
            query, key, value, y = self.heads.part(block.samples, block.shared)
            dquery, dkey, dvalue, _ = gradients.part(block.samples, block.shared)
            own_dy, inverses = dy[block.samples, block.shared], self.inverses[block.samples, block.shared]
            scores, dscores, upstream = block.scores, block.dscores, block.upstream
            if not self.is_saved:
                self._scores(block)
                scores -= self.maxima[block.samples, block.shared]
                np.exp(scores, out=scores)
            np.multiply(own_dy, inverses.swapaxes(-1, -2), out=upstream)
            _sum_of_group(scores, upstream, dvalue)
            upstream *= self.scale
            columns = block.columns[..., : value.shape[-1], :]
            np.copyto(columns, upstream.swapaxes(-1, -2))
            np.matmul(value, columns, out=dscores)
            dscores -= np.vecdot(upstream, y)[..., np.newaxis, :]
            dscores *= scores
            np.matmul(dscores.swapaxes(-1, -2), key, out=dquery)
            _sum_of_group(dscores, query, dkey)

    def _scores(self, block: Block) -> Array:
        query, key, _, _ = self.heads.part(block.samples, block.shared)
        columns = block.columns[..., : query.shape[-1], :]
        np.multiply(query.swapaxes(-1, -2), self.scale, out=columns)
        scores = np.matmul(key, columns, out=block.scores)
        if self.limits is not None:
            np.minimum(scores, self.limits, out=scores)
        return scores


def _parts(samples: int, shared: int, scores: int) -> list[tuple[slice, slice]]:
    """The heads of some samples, or some heads of one sample, with so many scores each, at a time."""
    heads = max(1, _BLOCK // scores)
    many = max(1, heads // shared)
    return [
        (slice(first, min(first + many, samples)), slice(own, min(own + heads, shared)))
        for first in range(0, samples, many)
        for own in range(0, shared, heads)
    ]


def _limits(positions: int, keys: int, dtype: np.dtype[np.floating]) -> Array:
    """The largest score of each key and query: infinity, and below 0 for the keys of later positions."""
    later = np.tril(np.ones((keys, positions), bool), -1)
    return np.where(later, -np.inf, np.inf).astype(dtype)


def _sum_of_group(scores: Array, rows: Array, out: Array) -> None:
    """The product of scores and rows, summed over the heads of a group."""
    if scores.shape[2] == 1:
        np.matmul(scores, rows, out=out)
    else:
        np.sum(scores @ rows, axis=2, keepdims=True, out=out)


def split(array: Array, shared: int, group: int = 1) -> Array:
    """A view of N,T,D as N,shared,group,T,d."""
    samples, positions, _ = array.shape
    return array.reshape(samples, positions, shared, group, -1, copy=False).transpose(0, 2, 3, 1, 4)
