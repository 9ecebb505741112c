"""Units that are dead: a ReLU sets them to zero for every sample.

They have no gradient, so nothing brings them back. A few are normal; too high a learning rate can kill 40 %
of a network's units. Units of a fixed batch that are zero in one epoch may still live for other samples,
so half of a layer is where it is told.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import counted
from netcalc.graph import Node
from netcalc.train.monitoring.check import TrainingCheck
from netcalc.train.records import EpochRecord, StepRecord, TrainingWarning
from netcalc.train.statistics import live_units, stages

DEAD = 1 / 2
"""The share of a layer's units that are dead where it is told."""

SAMPLES = 64
"""The most samples that are run."""

_TRAINED = 100
"""Samples that are trained on between two runs for each that is run, so that it takes 1 % of the time."""


class DeadUnits(TrainingCheck):
    """Runs a few samples after the first epoch, and after later ones where enough was trained between."""

    says = ("are dead:",)
    kept = ("_trained",)

    def __init__(self, network: Network, probe: Mapping[str, Array]) -> None:
        self._network = network
        self._probe = {name: x[:SAMPLES].copy() for name, x in probe.items()}
        self._ends = {
            stage.end.full_name: stage for stage in stages(network.graph) if stage.end.layer.rectifies
        }
        self._trained: int | None = None
        """Samples since the last run; None where there was none yet."""

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterable[TrainingWarning]:
        if self._trained is not None:
            self._trained += record.samples
        return ()

    def after_epoch(self, record: EpochRecord) -> Iterator[TrainingWarning]:
        samples = len(next(iter(self._probe.values())))
        if not self._ends or (self._trained is not None and self._trained < _TRAINED * samples):
            return
        self._trained = 0
        shares = self._shares()
        dead = {layer: share for layer, share in shares.items() if share[0] > DEAD * share[1]}
        if not dead:
            return
        layer = max(dead, key=lambda name: dead[name][0] / dead[name][1])
        count, units = dead[layer]
        message = f"units of {layer} are dead: {count:,} of {units:,} give 0 for all of {samples:,} samples"
        others = len(dead) - 1
        if others:
            message += f", and more than half in {counted(others, 'other layer')}"
        help = "lower the learning rate and train anew, or take leaky_relu or gelu in place of relu"
        yield TrainingWarning(record.step, message, layer, help)

    def _shares(self) -> dict[str, tuple[int, int]]:
        """Of each layer that a ReLU follows, its dead units and all of them."""
        found: dict[str, tuple[int, int]] = {}

        def observe(node: Node, _: tuple[Array, ...], y: Array, __: float) -> None:
            stage = self._ends.get(node.full_name)
            if stage is not None:
                lives = live_units(stage, y)
                found[stage.node.full_name] = int(np.count_nonzero(~lives)), lives.size

        self._network.run(self._probe, gradients=False, observe=observe)
        return found
