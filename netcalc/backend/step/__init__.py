"""A training step made once for a graph and a batch: forward and backward several times faster.

Network ──▶ TrainingStep(network, batch) ──forward──▶ outputs ──backward──▶ Grads
"""

from netcalc.backend.step.training import TrainingStep

__all__ = ["TrainingStep"]
