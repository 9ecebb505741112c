"""Runs a network once on the engine for its mode: inference or training."""

from collections.abc import Mapping

from netcalc.backend.engine import Engine
from netcalc.backend.kernels.base import Array
from netcalc.backend.network import Network
from netcalc.backend.passes import Pass
from netcalc.backend.plan import InferencePlan
from netcalc.backend.step import TrainingStep
from netcalc.diagnostics import ExecutionError


def run_on_engine(network: Network, x: Mapping[str, Array], training: bool = False) -> Pass | None:
    """A forward run, without a backward, on an inference plan, or with `training` on a training step.

    None where the engine refuses the network or the inputs: half precision, too little memory, a layer that
    does not accept its input. `Network.run` then runs it, or says why it cannot be run.
    """
    batch = len(next(iter(x.values())))
    try:
        engine: Engine = TrainingStep(network, batch) if training else InferencePlan(network, batch)
        with engine:
            outputs = engine.run(x)
    except ExecutionError:
        return None
    return Pass(network.graph, outputs, {}, (), {}, network.precision)
