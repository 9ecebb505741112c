"""What is shown of memory."""

from dataclasses import dataclass

from netcalc.analysis.memory import InferenceMemory, TrainingMemory
from netcalc.graph import Graph


@dataclass(frozen=True)
class MemoryView:
    """What was worked out, and what was asked for."""

    graph: Graph
    batch: int
    dtype: str
    optimiser: str
    inference: InferenceMemory
    training: TrainingMemory | None = None
    """None for an element type that networks are not trained in."""
    whole: TrainingMemory | None = None
    """The same training with nothing forgotten, where `training` runs parts again."""
    limit: int | None = None
    every_layer: bool = False
