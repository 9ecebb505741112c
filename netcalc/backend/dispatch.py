"""Chooses the engine of one forward run."""

from collections.abc import Mapping

from netcalc.backend.engine import Engine
from netcalc.backend.kernels.base import Array
from netcalc.backend.network import Network
from netcalc.backend.plan import InferencePlan
from netcalc.backend.step import TrainingStep
from netcalc.diagnostics import ExecutionError


def engine_outputs(
    network: Network, x: Mapping[str, Array], training: bool = False
) -> dict[str, Array] | None:
    """The outputs by name of an inference plan, or with `training` of a training step.

    None where the engine refuses the network or the inputs: half precision, too much memory, a layer that
    does not accept its input. `Network.run` then runs it, or says why it cannot be run.
    """
    batch = len(next(iter(x.values())))
    try:
        engine: Engine = TrainingStep(network, batch) if training else InferencePlan(network, batch)
        with engine:
            return engine.run(x)
    except ExecutionError:
        return None
