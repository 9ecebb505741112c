"""netcalc: what a neural network costs, worked out from YAML without touching an array; and the proof.

    YAML ──spec──▶ Spec ──graph──▶ Graph ──analysis──▶ Report ──render──▶ terminal, JSON, CSV, …
                                     └──backend──▶ Network ──▶ outputs, gradients

    >>> import netcalc
    >>> netcalc.analyze("alexnet").totals.params
    61100840

`load` reads a spec into a Graph. `analyze`, `check`, `memory`, `roofline`, `compare`, `sweep` and `explain`
take a graph or what `load` takes, and return a Result: what the command of that name shows. A Network runs
a graph forward and backward on NumPy arrays; an InferencePlan and a TrainingStep run it faster, for one batch
size. What the user gave wrong is raised as a NetcalcError, whose `diagnostics` say what and where.
"""

TYPE_CHECKING = False  # not from typing: nothing is imported before Ctrl-C is looked after
if TYPE_CHECKING:
    from netcalc.analysis import Report
    from netcalc.analysis.conventions import ConventionName
    from netcalc.analysis.devices import Device, DeviceName, PeakName, read_devices
    from netcalc.analysis.fusion import Fusion
    from netcalc.analysis.losses import LossName
    from netcalc.analysis.memory import Checkpoint
    from netcalc.analysis.precision import OptimiserName
    from netcalc.api.analyze import analyze
    from netcalc.api.check import check
    from netcalc.api.compare import compare
    from netcalc.api.explain import explain
    from netcalc.api.load import Model, load
    from netcalc.api.memory import memory
    from netcalc.api.roofline import roofline
    from netcalc.api.sweep import sweep
    from netcalc.backend import InferencePlan, Network, TrainingStep
    from netcalc.diagnostics import Diagnostic, ExecutionError, GraphError, NetcalcError, SpecError
    from netcalc.graph import Graph, Node
    from netcalc.render.check.result import CheckResult
    from netcalc.render.comparison.result import ComparisonResult
    from netcalc.render.memory.result import MemoryResult
    from netcalc.render.result import Result
    from netcalc.render.roofline.result import RooflineResult
    from netcalc.render.sweep.result import SweepResult
    from netcalc.render.table.display import PrintedReport
    from netcalc.render.table.explained import ExplanationResult
    from netcalc.tensor import DTypeName

__version__ = "0.1.0"

__all__ = [
    "CheckResult", "Checkpoint", "ComparisonResult", "ConventionName", "DTypeName", "Device", "DeviceName",
    "Diagnostic", "ExecutionError", "ExplanationResult", "Fusion", "Graph", "GraphError", "InferencePlan",
    "LossName", "MemoryResult", "Model", "NetcalcError", "Network", "Node", "OptimiserName", "PeakName",
    "PrintedReport", "Report", "Result", "RooflineResult", "SpecError", "SweepResult", "TrainingStep",
    "analyze", "check", "compare", "explain", "load", "memory", "read_devices", "roofline", "sweep",
]  # fmt: skip

_HOMES = {
    "analysis": ("Report",),
    "analysis.conventions": ("ConventionName",),
    "analysis.devices": ("Device", "DeviceName", "PeakName", "read_devices"),
    "analysis.fusion": ("Fusion",),
    "analysis.losses": ("LossName",),
    "analysis.memory": ("Checkpoint",),
    "analysis.precision": ("OptimiserName",),
    "api.analyze": ("analyze",),
    "api.check": ("check",),
    "api.compare": ("compare",),
    "api.explain": ("explain",),
    "api.memory": ("memory",),
    "api.roofline": ("roofline",),
    "api.sweep": ("sweep",),
    "api.load": ("Model", "load"),
    "backend": ("InferencePlan", "Network", "TrainingStep"),
    "diagnostics": ("Diagnostic", "ExecutionError", "GraphError", "NetcalcError", "SpecError"),
    "graph": ("Graph", "Node"),
    "render.check.result": ("CheckResult",),
    "render.comparison.result": ("ComparisonResult",),
    "render.memory.result": ("MemoryResult",),
    "render.result": ("Result",),
    "render.roofline.result": ("RooflineResult",),
    "render.sweep.result": ("SweepResult",),
    "render.table.display": ("PrintedReport",),
    "render.table.explained": ("ExplanationResult",),
    "tensor": ("DTypeName",),
}


if not TYPE_CHECKING:  # a type checker would take every name for one that is there

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for (PEP 562)."""
        from importlib import import_module

        for home, names in _HOMES.items():
            if name in names:
                value = getattr(import_module(f"netcalc.{home}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
