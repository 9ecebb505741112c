"""Runs a network once on the engine for its mode: inference or training."""

from collections.abc import Iterable, Mapping

import numpy as np

from netcalc.backend.engine import Engine
from netcalc.backend.kernels.base import Array
from netcalc.backend.network import Network
from netcalc.backend.passes import Pass
from netcalc.backend.plan import InferencePlan
from netcalc.backend.step import TrainingStep
from netcalc.diagnostics import ExecutionError

_LEAST_MACS = 200_000
"""Multiply-adds for each layer, from which on making an engine for a single run pays."""


def run_on_engine(network: Network, x: Mapping[str, Array], training: bool = False) -> Pass | None:
    """A forward run, without a backward, on an inference plan, or with `training` on a training step.

    None where `Network.run` is to run it: the engine refuses the network or the inputs (half precision, too
    little memory, a layer that does not accept its input); to make an engine would take longer than the run;
    or a number is not finite, since a Winograd convolution spreads NaN and infinity over its tiles.
    """
    batch = len(next(iter(x.values())))
    graph = network.graph
    macs = batch * sum(graph.cost(node).macs for node in graph.nodes)
    if macs < _LEAST_MACS * len(graph.nodes):
        return None
    if not _are_finite((*x.values(), *network.parameters().values())):
        return None
    try:
        engine: Engine = TrainingStep(network, batch) if training else InferencePlan(network, batch)
        with engine:
            outputs = engine.run(x)
    except ExecutionError:
        return None
    if not _are_finite(outputs.values()):
        return None
    return Pass(graph, outputs, {}, None, {}, network.precision)


def _are_finite(arrays: Iterable[Array]) -> bool:
    """Whether no number is infinite or NaN; false too where a sum of them overflows."""
    with np.errstate(all="ignore"):
        return all(bool(np.isfinite(array.sum())) for array in arrays)
