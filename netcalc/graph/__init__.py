"""Spec to Graph by elaboration: expand, evaluate, bind, wire, infer."""

from netcalc.graph.elaborate import elaborate
from netcalc.graph.header import MEMORY
from netcalc.graph.model import Graph, Ignored, Input, Limit, Node

__all__ = ["MEMORY", "Graph", "Ignored", "Input", "Limit", "Node", "elaborate"]
