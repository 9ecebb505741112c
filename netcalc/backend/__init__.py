"""Graph to Network: the same layers, run forward and backward on NumPy arrays.

    Graph ──▶ Network ──forward──▶ Pass ──backward──▶ Grads
                 ├──▶ InferencePlan ──forward──▶ outputs, fast
                 └──▶ TrainingStep ──forward, backward──▶ Grads, fast

`kernels/` holds what each layer computes, one file a family named as in `layers/`. Two engines compute the
same faster for one batch size: `plan/` for inference, `step/` for training. Both have the same files:

| file | what it holds |
|---|---|
| `lowering.py` | a graph to a program: which operation runs which layer, on which buffers |
| `operations.py` | the base class of operations, and what they are bound to |
| `buffers.py` | how tensors are stored, and which memory they take by lifetime |
| `convolution/`, `linear.py`, `pooling.py`, `shape.py`, … | the operations |
| `fallback.py` | layers without an operation of their own, run by their kernels |
| `inference.py`, `training.py` | the engine itself |

`engine.py` is their base class, `workers.py` their threads. Neither imports the other.
"""

from netcalc.backend.inputs import random_inputs
from netcalc.backend.network import Network
from netcalc.backend.passes import Grads, LayerBackward, Pass
from netcalc.backend.plan import InferencePlan
from netcalc.backend.step import TrainingStep
from netcalc.backend.weights import read_weights, write_weights

__all__ = [
    "Grads", "InferencePlan", "LayerBackward", "Network", "Pass", "TrainingStep", "random_inputs",
    "read_weights", "write_weights",
]  # fmt: skip
