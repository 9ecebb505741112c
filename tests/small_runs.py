"""Small trainings for the tests of the loop, of checkpoints and of runs."""

from pathlib import Path
from typing import Any

import numpy as np

from netcalc.graph import Graph
from netcalc.train.data import DataSet, open_data
from netcalc.train.loop import Training
from netcalc.train.recipe import Recipe
from netcalc.train.records import EpochRecord, Observer, StepRecord

from helpers import graph_of

NETWORK = """name: Tiny
input: [1, 6, 6]
layers:
  - conv: {filters: 4, kernel: 3, pad: 1, bias: false}
  - batchnorm
  - relu
  - flatten
  - dropout: 0.2
  - linear: {units: 3, name: head}
"""
TWO_HEADS = """name: Two heads
input: [1, 6, 6]
layers:
  - conv: {filters: 4, kernel: 3, pad: 1}
  - relu
  - flatten: {name: features}
  - linear: {units: 3, name: head}
  - linear: {units: 3, name: side, from: features}
outputs: [head, side]
"""
SEQUENCES = """name: Words
input: [16]
layers:
  - embedding: {entries: 256, width: 8}
  - layernorm
  - linear: 256
"""


def pictures(folder: Path, samples: int = 45) -> DataSet:
    """Grey pictures 1 x 6 x 6 of three classes, which differ in their brightness."""
    draw = np.random.default_rng(7)
    y = np.arange(samples) % 3
    x = draw.integers(0, 80, (samples, 1, 6, 6)) + 60 * y[:, None, None, None]
    np.savez(folder / "pictures.npz", x=x.astype(np.uint8), y=y)
    return open_data(folder / "pictures.npz")


class Log(Observer):
    """Keeps the records, without their times."""

    def __init__(self) -> None:
        self.steps: list[StepRecord] = []
        self.epochs: list[EpochRecord] = []

    def after_step(self, record: StepRecord, gradients: Any) -> tuple[()]:
        self.steps.append(record._replace(seconds=0))
        return ()

    def after_epoch(self, record: EpochRecord) -> tuple[()]:
        self.epochs.append(record._replace(seconds=0))
        return ()


def small_recipe(**options: Any) -> Recipe:
    """A recipe for a moment: two epochs of batches of 8, on one thread."""
    return Recipe(**{"epochs": 2, "batch": 8, "workers": 1, "validation": 0.2, **options})


def training_of(data: DataSet, graph: Graph | None = None, **options: Any) -> Training:
    """A training of the small network."""
    recipe = small_recipe(**options)
    return Training(recipe.network(graph or graph_of(NETWORK)), data, recipe)
