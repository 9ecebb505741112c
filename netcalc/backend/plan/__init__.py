"""Fast inference: a network and a batch size are lowered to a plan, which runs again and again.

    Graph ──fusion──▶ FusedStage ──lowering──▶ InferenceOperation, PlannedTensor ──▶ Program
    Program ──weights──▶ InferencePlan ──Workers──▶ outputs

A fused stage is a layer with the layers that are computed together with it. An operation yields the NumPy
calls of one stage, on the layouts and memory that the program assigns. The workers run lists of calls.
"""

from netcalc.backend.plan.inference import InferencePlan
from netcalc.backend.plan.lowering import lowered

__all__ = ["InferencePlan", "lowered"]
