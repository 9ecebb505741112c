"""The roofline of a network as one result."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from netcalc import __version__
from netcalc.analysis.roofline import Roofline
from netcalc.render.result import Lines, Result
from netcalc.render.roofline.words import TrainingRun

if TYPE_CHECKING:
    from netcalc.render.tabular import Table


@dataclass(frozen=True, repr=False)
class RooflineResult(Result, Roofline):
    """Lower bounds on the times of a network on a device, in seconds, kernel by kernel."""

    training: TrainingRun | None
    """A training, and the memory of its step; None for an element type that networks are not trained in."""

    @classmethod
    def of(cls, found: Roofline, training: TrainingRun | None) -> "RooflineResult":
        """A roofline with what is asked of a training."""
        counted = {field.name: getattr(found, field.name) for field in fields(Roofline)}
        return cls(**counted, training=training)

    def lines(self, width: int | None) -> Lines:
        from netcalc.render.roofline.text import roofline_lines

        return roofline_lines(self, self.training, width)

    def json_chunks(self) -> Iterable[str]:
        from netcalc.render.roofline.json import json_chunks

        return json_chunks(self, self.training, __version__)

    def table(self) -> "Table":
        from netcalc.render.roofline.tabular import kernel_table

        return kernel_table(self, self.training)
