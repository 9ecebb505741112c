"""Spec to Graph by elaboration: expand, evaluate, bind, wire, infer."""

from netcalc.graph.elaborate import elaborate
from netcalc.graph.flat import flat_names, flat_spec
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
    "flat_names",
    "flat_spec",
]
