"""Fast training: a network and a batch size are lowered to a training step, which runs again and again.

    Graph ──lowering──▶ TrainingOperation, BoundTensor ──▶ ForwardProgram ──▶ BackwardProgram
    TrainingStep ──forward──▶ outputs ──backward──▶ Grads

An operation computes one layer forward and backward on the buffers it is bound to. All workers run all
operations, each on its own samples.
"""

from netcalc.backend.step.training import TrainingStep

__all__ = ["TrainingStep"]
