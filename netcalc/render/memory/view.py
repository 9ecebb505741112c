"""What is shown of memory."""

from dataclasses import dataclass

from netcalc.analysis.memory import Inference, Training
from netcalc.graph import Graph


@dataclass(frozen=True)
class MemoryView:
    """What was worked out, and what was asked for."""

    graph: Graph
    batch: int
    dtype: str
    optimiser: str
    inference: Inference
    training: Training | None = None
    """None for an element type that networks are not trained in."""
    whole: Training | None = None
    """The same training with nothing forgotten, where `training` runs parts again."""
    limit: int | None = None
    every_layer: bool = False
