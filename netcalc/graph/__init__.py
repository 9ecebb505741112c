"""Spec to Graph by elaboration: expand, evaluate, bind, wire, infer."""

from netcalc.graph.elaborate import elaborate
from netcalc.graph.model import Graph, Input, Node, Preprocess

__all__ = ["Graph", "Input", "Node", "Preprocess", "elaborate"]
