"""Which initialisation keeps the scale: each candidate tried on the same batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf, log
from typing import NamedTuple

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.backend.lsuv import scale_to_batch
from netcalc.graph import Graph
from netcalc.train.statistics import Signals, statistics

CANDIDATES = ("pytorch", "he", "xavier", "lecun", "orthogonal", "lsuv")
"""What is tried: nothing to change first, what needs a batch last, after the matrices that it scales."""

NEAR = 2.0
"""The first candidate whose ratio is within this factor of 1 is proposed."""


class Candidate(NamedTuple):
    """An initialisation of all layers that state none themselves, and what it does."""

    init: str
    signals: Signals


def tried(
    graph: Graph,
    x: Mapping[str, Array],
    seed: int,
    dtype: str,
    done: Callable[[str], None] = lambda init: None,
) -> list[Candidate]:
    """Every candidate's statistics, forward alone; `done` is called after each."""
    found = []
    network: Network | None = None
    for init in CANDIDATES:
        begins = replace(graph, init=init)
        if init == "lsuv" and network is not None:  # the matrices of `orthogonal` before, which take long
            network.graph = begins
            scale_to_batch(network, x)
        else:
            network = begun(begins, x, seed, dtype)
        found.append(Candidate(init, statistics(network, x, backward=False)))
        done(init)
    return found


def begun(graph: Graph, x: Mapping[str, Array], seed: int, dtype: str) -> Network:
    """A network as its initialisation leaves it, scaled to the batch where that is lsuv."""
    network = Network(graph, seed, dtype)
    scale_to_batch(network, x)
    return network


def proposed(candidates: Sequence[Candidate]) -> Candidate | None:
    """The first candidate that keeps the scale within a factor of 2, else the one that does so best.

    None where all collapse, saturate or explode.
    """
    keeping = [one for one in candidates if one.signals.verdict == "keeps"]
    near = [one for one in keeping if _distance(one) <= log(NEAR)]
    return near[0] if near else min(keeping, key=_distance, default=None)


def _distance(candidate: Candidate) -> float:
    """How far the ratio of deviations is from 1, by its logarithm."""
    ratio = candidate.signals.ratio
    return abs(log(ratio)) if 0 < ratio < inf else inf
