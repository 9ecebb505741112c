"""netcalc: what a neural network costs, worked out from YAML without touching an array; and the proof.

    YAML ──spec──▶ Spec ──graph──▶ Graph ──analysis──▶ Report ──render──▶ terminal, JSON, CSV, …
                                     └──backend──▶ Network ──▶ outputs, gradients

    >>> import netcalc
    >>> graph = netcalc.load("alexnet")
    >>> report = netcalc.analyze(graph)
    >>> report.totals.params
    61100840

`load` reads a spec into a Graph, `analyze` counts it into a Report that prints itself, and a Network
runs it forward and backward on NumPy arrays; an InferencePlan and a TrainingStep run it faster, for one
batch size. What the user gave wrong is raised as a NetcalcError, whose `diagnostics` say what and where.
"""

TYPE_CHECKING = False  # not from typing: nothing is imported before Ctrl-C is looked after
if TYPE_CHECKING:
    from netcalc.analysis import Report
    from netcalc.api import analyze, load
    from netcalc.backend import InferencePlan, Network, TrainingStep
    from netcalc.diagnostics import Diagnostic, ExecutionError, GraphError, NetcalcError, SpecError
    from netcalc.graph import Graph, Node

__version__ = "0.1.0"

__all__ = [
    "Diagnostic", "ExecutionError", "Graph", "GraphError", "InferencePlan", "NetcalcError", "Network", "Node",
    "Report", "SpecError", "TrainingStep", "analyze", "load",
]  # fmt: skip

_HOMES = {
    "Diagnostic": "diagnostics", "ExecutionError": "diagnostics", "GraphError": "diagnostics",
    "NetcalcError": "diagnostics", "SpecError": "diagnostics", "Graph": "graph", "Node": "graph",
    "InferencePlan": "backend", "Network": "backend", "TrainingStep": "backend", "Report": "analysis",
    "analyze": "api", "load": "api",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"netcalc.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
