"""Scaled dot-product attention of one worker's heads, on views of its buffers, a few heads at a time.

With the heads of the queries in groups that share a head of keys and values the axes are
N,shared heads,heads of a group,positions,features; keys and values have one head in each group.
"""

from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.operations import Binding, Runtime

_BLOCK = 1 << 17
"""Scores that are computed at a time: they are half a MiB in float32, and so are their gradients."""
_RANGES, _FEWEST_QUERIES = 8, 64
"""Into how many ranges causal queries are cut at most, and how many a range has at least."""
_SAVED_WIDTHS = 4
"""Up to so many keys for each feature of a head, scores are saved; beyond they are computed again."""


class Heads(NamedTuple):
    """Queries, keys, values and the weighted values; or their gradients."""

    query: Array
    key: Array
    value: Array
    y: Array


class QueryBlock(NamedTuple):
    """Some queries and the keys that they see, of some heads of some samples, and memory for their scores."""

    samples: slice
    shared: slice
    queries: slice
    keys: slice
    scores: Array
    """For exp(s - max), a row for each key: maxima and sums are those of columns, which is faster."""
    dscores: Array
    columns: Array
    """For the queries, then for the gradients of y, one in a column."""
    upstream: Array
    products: Array
    """For gradients of keys and values that are added to those of an earlier block."""

    def part(self, heads: Heads) -> Heads:
        front = self.samples, self.shared, slice(None)
        queries, keys = (*front, self.queries), (*front, self.keys)
        return Heads(heads.query[queries], heads.key[keys], heads.value[keys], heads.y[queries])

    def columns_of(self, statistic: Array) -> Array:
        """The part of a row N,shared,group,1,queries."""
        return statistic[self.samples, self.shared, :, :, self.queries]


class HeadsAttention:
    """y = e v / sum of e with e = exp(s - max), s = a q k^T, a one by the root of a head's width.

    With g = dy / sum of e:  dv = e^T g;  ds = a e (g v^T - sum of g y);  dq = ds k;  dk = ds^T q
    (Vaswani et al. 2017). The maxima and sums are saved, e too where there are few keys (Dao et al. 2022).
    Causal scores are computed a range of queries at a time, without most of those that are hidden.
    """

    def __init__(self, heads: Heads, causal: bool, binding: Binding, worker: int) -> None:
        self.heads = heads
        runtime = binding.runtime
        samples, shared, group, positions, width = heads.query.shape
        keys = heads.key.shape[3]
        self.scale = width**-0.5
        self.maxima, self.inverses = runtime.zeros((2, samples, shared, group, 1, positions))
        self.limits = _limits(positions, keys, runtime.dtype) if causal else None
        self.is_saved = binding.has_backward and keys <= _SAVED_WIDTHS * width
        length = max(_FEWEST_QUERIES, -(-positions // _RANGES)) if causal else positions
        # From the last range, which sees all keys and writes their gradients, to which the others add.
        ranges = [(at, min(at + length, positions)) for at in range(0, positions, length)][::-1]
        self.blocks: list[QueryBlock] = []
        for first, last in ranges:
            seen = keys if last == positions else min(last, keys)
            for some, own in _parts(samples, shared, group * seen * (last - first)):
                part = (some.stop - some.start, own.stop - own.start, group)
                self.blocks.append(
                    self._block(some, own, slice(first, last), slice(0, seen), part, runtime, worker)
                )

    def _block(
        self, samples: slice, shared: slice, queries: slice, keys: slice, part: tuple[int, int, int],
        runtime: Runtime, worker: int,
    ) -> QueryBlock:  # fmt: skip
        count, seen = queries.stop - queries.start, keys.stop
        width, value_width = self.heads.query.shape[4], self.heads.value.shape[4]
        widest = max(width, value_width)
        shape = (*part, seen, count)
        return QueryBlock(
            samples, shared, queries, keys,
            runtime.zeros(shape) if self.is_saved else runtime.scratch("scores", worker, *shape),
            runtime.scratch("gradients of scores", worker, *shape),
            runtime.scratch("columns", worker, *part, widest, count),
            runtime.scratch("upstream of heads", worker, *part, count, value_width),
            runtime.scratch("products of heads", worker, *part, seen, widest),
        )  # fmt: skip

    def forward(self) -> None:
        for block in self.blocks:
            _, _, value, y = block.part(self.heads)
            maxima, inverses = block.columns_of(self.maxima), block.columns_of(self.inverses)
            scores = self._scores(block)
            np.max(scores, axis=-2, keepdims=True, out=maxima)
            scores -= maxima
            np.exp(scores, out=scores)
            ones = np.ones(scores.shape[-2], scores.dtype)
            np.matmul(ones, scores, out=inverses[..., 0, :])
            np.reciprocal(inverses, out=inverses)
            np.matmul(scores.swapaxes(-1, -2), value, out=y)
            y *= inverses.swapaxes(-1, -2)

    def backward(self, dy: Array, gradients: Heads) -> None:
        """Write the gradients of queries, keys and values."""
        for block in self.blocks:
            query, key, value, y = block.part(self.heads)
            dquery, dkey, dvalue, own_dy = block.part(gradients._replace(y=dy))
            is_more = block.queries.stop < dy.shape[3]
            scores, dscores, upstream = block.scores, block.dscores, block.upstream
            if not self.is_saved:
                self._scores(block)
                scores -= block.columns_of(self.maxima)
                np.exp(scores, out=scores)
            np.multiply(own_dy, block.columns_of(self.inverses).swapaxes(-1, -2), out=upstream)
            _sum_of_group(scores, upstream, block.products, dvalue, is_more)
            upstream *= self.scale
            columns = block.columns[..., : value.shape[-1], :]
            np.copyto(columns, upstream.swapaxes(-1, -2))
            np.matmul(value, columns, out=dscores)
            dscores -= np.vecdot(upstream, y)[..., np.newaxis, :]
            dscores *= scores
            np.matmul(dscores.swapaxes(-1, -2), key, out=dquery)
            _sum_of_group(dscores, query, block.products, dkey, is_more)

    def _scores(self, block: QueryBlock) -> Array:
        query, key, _, _ = block.part(self.heads)
        columns = block.columns[..., : query.shape[-1], :]
        np.multiply(query.swapaxes(-1, -2), self.scale, out=columns)
        scores = np.matmul(key, columns, out=block.scores)
        if self.limits is not None:
            np.minimum(scores, self.limits[block.keys, block.queries], out=scores)
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


def _sum_of_group(scores: Array, rows: Array, products: Array, out: Array, is_more: bool) -> None:
    """The product of scores and rows, summed over the heads of a group; added where `is_more` says so."""
    if scores.shape[2] == 1 and not is_more:
        np.matmul(scores, rows, out=out)
        return
    products = np.matmul(scores, rows, out=products[..., : rows.shape[-1]])
    if is_more:
        out += products.sum(axis=2, keepdims=True) if scores.shape[2] > 1 else products
    else:
        np.sum(products, axis=2, keepdims=True, out=out)


def split(array: Array, shared: int, group: int = 1) -> Array:
    """A view of N,T,D as N,shared,group,T,d."""
    samples, positions, _ = array.shape
    return array.reshape(samples, positions, shared, group, -1, copy=False).transpose(0, 2, 3, 1, 4)
