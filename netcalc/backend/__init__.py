"""Graph to Network: the same layers, run forward and backward on NumPy arrays.

    Graph ──▶ Network ──forward──▶ Pass ──backward──▶ Grads
                 ├──compile──▶ Plan ──forward──▶ outputs, fast
                 └──▶ TrainingStep ──forward, backward──▶ Grads

`kernels/` holds what each layer computes, one file a family named as in `layers/`; `convolution/` and
`plan/` do the same fast for inference, `step/` trains a batch fast.
"""

from netcalc.backend.inputs import random_inputs
from netcalc.backend.network import Network
from netcalc.backend.passes import Grads, Pass, WayBack
from netcalc.backend.plan import Plan
from netcalc.backend.step import TrainingStep
from netcalc.backend.weights import read_weights, write_weights

__all__ = [
    "Grads", "Network", "Pass", "Plan", "TrainingStep", "WayBack", "random_inputs", "read_weights",
    "write_weights",
]  # fmt: skip
