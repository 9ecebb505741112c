"""Spec to Graph by elaboration: expand, evaluate, bind, wire, infer."""

from netcalc.graph.elaborate import elaborate
from netcalc.graph.flat import flat_names, flat_spec
from netcalc.graph.model import Graph, Input, Node, Preprocess

__all__ = ["Graph", "Input", "Node", "Preprocess", "elaborate", "flat_names", "flat_spec"]
