"""The memory of training and inference as one result."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcalc import __version__
from netcalc.analysis.memory import InferenceMemory, TrainingMemory
from netcalc.diagnostics import ArgumentError
from netcalc.graph import Graph
from netcalc.render.result import Lines, Result

if TYPE_CHECKING:
    from netcalc.render.tabular import Table


@dataclass(frozen=True, repr=False)
class MemoryResult(Result):
    """What training and inference need in memory, with what was asked for. Bytes are for the whole batch."""

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
    """The bytes that the largest batch is to fit."""
    every_layer: bool = False
    """Whether all layers are shown, not only those that keep most."""

    @property
    def training_bytes(self) -> int | None:
        """The peak of a training step; None for an element type that networks are not trained in."""
        return None if self.training is None else self.training.peak(self.batch)

    @property
    def inference_bytes(self) -> int:
        """The peak of a forward pass."""
        return self.inference.peak(self.batch)

    @property
    def largest_batch(self) -> int | None:
        """The largest batch whose training fits the limit; 0 where none does, None where any does."""
        if self.training is None or self.limit is None:
            return None
        return self.training.largest_batch(self.limit)

    def lines(self, width: int | None) -> Lines:
        from netcalc.render.memory.text import memory_lines

        return memory_lines(self, width)

    def json_chunks(self) -> Iterable[str]:
        from netcalc.render.memory.json import json_chunks

        return json_chunks(self, __version__)

    def table(self) -> "Table":
        return self._table(self.every_layer)

    def exact_table(self) -> "Table":
        return self._table(True)

    def _repr_html_(self) -> str:
        if self.training is not None:
            return super()._repr_html_()
        from html import escape  # no table: inference keeps nothing

        return f"<pre>{escape(str(self))}</pre>"

    def _table(self, every_layer: bool) -> "Table":
        from netcalc.render.memory.tabular import kept_table

        if self.training is None:
            raise ArgumentError("dtype", f"networks are not trained in {self.dtype}.")
        return kept_table(self, self.training, every_layer)
