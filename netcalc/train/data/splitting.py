"""A data set in two parts, for training and for validation, with the same share of each class."""

from math import isnan

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.train.data.dataset import DataSet
from netcalc.train.draws import SPLIT, Draws


def split(
    data: DataSet, fraction: float = 0.1, seed: int = 0, stratified: bool = True
) -> tuple[Array, Array]:
    """The numbers of the samples for training, and of `fraction` of them for validation, both sorted.

    Which they are depends on `seed` alone. With `stratified` each class gives its share, rounded so that the
    shares add up: those that lose most by rounding down give one sample more. Labels that are no classes are
    split as one class.

    Raises ExecutionError where a part, or a class in training, would have no sample.
    """
    count = len(data)
    if isnan(fraction):
        raise ValueError("fraction is a number, not nan")
    wanted = round(fraction * count)
    if not 0 < wanted < count:
        refuse("E926", f"{fraction:g} of the {count:,} samples of {data.path} leave one part empty")
    labels = data.labels() if stratified and data.classes else None
    groups = np.zeros(count, np.int64) if labels is None else labels
    sizes = np.bincount(groups)
    shares = _shares(sizes, wanted)
    if shares.sum() < wanted:
        refuse(
            "E926",
            f"{fraction:g} of {data.path} would leave a class without a sample for training: its "
            f"{np.count_nonzero(sizes):,} classes have from {sizes[sizes > 0].min():,} samples",
        )
    words = Draws(seed, 0, np.arange(count), SPLIT).words()[0]
    order = np.lexsort((words, groups))  # the classes one after another, each in a random order
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(count) - starts[groups[order]]
    chosen = rank < shares[groups[order]]
    return np.sort(order[~chosen]), np.sort(order[chosen])


def _shares(sizes: Array, wanted: int) -> Array:
    """How many of each class are taken: in proportion to its size, with the largest remainders, but not all.

    What a class cannot give, others do; they are less than `wanted` only where every class is down to one.
    """
    exact = sizes * (wanted / sizes.sum())
    shares: Array = np.minimum(np.floor(exact).astype(np.int64), np.maximum(sizes - 1, 0))
    while missing := wanted - int(shares.sum()):
        order = np.argsort(shares - exact, kind="stable")
        spare = order[shares[order] + 1 < sizes[order]]
        if not len(spare):
            break
        shares[spare[:missing]] += 1
    return shares
