"""Spec to Graph by elaboration.

    Spec ──▶ elaborate ──▶ Graph ──flat──▶ the YAML of a flat spec

    header       arguments, inputs and expected figures above the layers
    elaborate    walks the items in order; for each of them
      expansion    its instances, by rows (repeat, each) and when
      naming       the name of each instance
      wiring       the tensors that it reads
      binding      its options to a layer, or its arguments to a block
      building     the layer to a node: output type and parameters
      branching    parallel and residual (constructs): branches, and the layer that joins them
      sharing      parameters that several layers use, and which of them are trained
    limits       budget: and ignore:

`evaluation` gives the values of expressions, `scope` what an item sees, `problems` collects mistakes.
"""

from netcalc.graph.elaborate import elaborate
from netcalc.graph.limits import MEMORY
from netcalc.graph.model import Graph, Ignored, Input, Limit, Node, Preprocess

__all__ = [
    "MEMORY",
    "Graph",
    "Ignored",
    "Input",
    "Limit",
    "Node",
    "Preprocess",
    "elaborate",
]
