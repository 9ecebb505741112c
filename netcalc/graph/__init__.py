"""Spec to Graph by elaboration: expand, evaluate, bind, wire, infer."""

from netcalc.graph.elaborate import elaborate
from netcalc.graph.model import Graph, Input, Node

__all__ = ["Graph", "Input", "Node", "elaborate"]
