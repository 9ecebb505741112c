"""What PyTorch's training is recorded of: losses, schedules, updates of a small network, curves of whole ones.

Both sides draw the same parameters, inputs and targets from these cases, by `seeded.py`.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import netcalc
from netcalc.diagnostics import Source
from netcalc.graph import Graph, elaborate
from netcalc.spec import read_spec

from seeded import Array, Shape, drawn, drawn_whole, parameter

Options = dict[str, Any]


class LossCase(NamedTuple):
    """A loss by its name in netcalc, its options, and the shape of the outputs."""

    loss: str
    shape: Shape
    options: Options = {}  # noqa: RUF012
    """Of netcalc; `ignored` marks every third label."""

    @property
    def text(self) -> str:
        return f"{self.loss} {self.shape} {self.options}"

    @property
    def outputs(self) -> Array:
        return drawn(self.text, self.shape, std=2.0).astype(np.float64)

    @property
    def targets(self) -> Array:
        if self.loss == "bce":
            return drawn_whole(f"{self.text} targets", self.shape, 0, 4).astype(np.float64) / 4
        if self.loss not in ("cross_entropy", "hinge"):
            return drawn(f"{self.text} targets", self.shape, std=2.0).astype(np.float64)
        axis = len(self.shape) - 1 if len(self.shape) <= 3 else 1
        shape = self.shape[:axis] + self.shape[axis + 1 :]
        labels = drawn_whole(f"{self.text} labels", shape, 0, self.shape[axis] - 1).astype(np.int64)
        if "ignored" in self.options:
            labels.reshape(-1)[::3] = self.options["ignored"]
        return labels


WEIGHTS = [0.5, 2.0, 1.0, 0.25, 3.0]
LOSS_CASES = (
    LossCase("cross_entropy", (6, 5)),
    LossCase("cross_entropy", (6, 5), {"label_smoothing": 0.1}),
    LossCase("cross_entropy", (6, 5), {"weights": WEIGHTS}),
    LossCase("cross_entropy", (9, 5), {"ignored": -100}),
    LossCase("cross_entropy", (9, 5), {"ignored": 2, "weights": WEIGHTS}),
    LossCase("cross_entropy", (9, 5), {"ignored": 2, "weights": WEIGHTS, "label_smoothing": 0.3}),
    LossCase("cross_entropy", (4, 3, 5), {"ignored": 1, "label_smoothing": 0.2, "weights": WEIGHTS}),
    LossCase("cross_entropy", (2, 5, 4, 3), {"ignored": 255, "label_smoothing": 0.2, "weights": WEIGHTS}),
    LossCase("cross_entropy", (2, 5, 2, 3, 2), {"label_smoothing": 1.0}),
    LossCase("mse", (4, 3, 2)),
    LossCase("l1", (4, 3, 2)),
    LossCase("huber", (4, 3, 2)),
    LossCase("huber", (4, 7), {"delta": 2.5}),
    LossCase("hinge", (6, 5)),
    LossCase("hinge", (6, 5), {"margin": 0.3, "squared": True}),
    LossCase("bce", (6, 5)),
    LossCase("bce", (2, 1, 4, 3), {"positive_weight": 3.0}),
)  # fmt: skip


class ScheduleCase(NamedTuple):
    """A schedule by its name in netcalc, for some epochs of some steps."""

    schedule: str
    options: Options = {}  # noqa: RUF012
    epochs: float = 40
    steps_per_epoch: int = 1

    @property
    def steps(self) -> int:
        return round(self.epochs * self.steps_per_epoch)


SCHEDULE_CASES = (
    ScheduleCase("constant"),
    ScheduleCase("constant", {"warmup": 7, "warmup_start": 0.25}),
    ScheduleCase("step", {"every": 9}),
    ScheduleCase("step", {"every": 2, "decay": 0.5, "warmup": 1}, 10, 4),
    ScheduleCase("step", {"at": [20, 30], "decay": 0.3}),
    ScheduleCase("step", {"at": [5, 10, 12], "warmup": 3}),
    ScheduleCase("cosine"),
    ScheduleCase("cosine", {"final": 0.05, "warmup": 8}),
    ScheduleCase("cosine", {"final": 0.2, "warmup": 0.5, "warmup_start": 0.5}, 5, 8),
    ScheduleCase("one_cycle"),
    ScheduleCase("one_cycle", {"rise": 0.45, "start": 0.1, "final": 0.001}, 37),
    ScheduleCase("one_cycle", {"shape": "linear", "rise": 0.2}),
)

SMALL = """input: [6]
layers:
  - linear: {units: 8, name: first}
  - layernorm: {name: norm}
  - tanh
  - linear: {units: 5, name: last}
"""
RESIDUAL = """input: [3, 12, 12]
layers:
  - conv: {filters: 8, kernel: 3, pad: 1, bias: false, name: stem}
  - batchnorm: {name: stem_norm}
  - relu
  - residual:
      main:
        - conv: {filters: 16, kernel: 3, stride: 2, pad: 1, bias: false, name: conv1}
        - batchnorm: {name: norm1}
        - relu
        - conv: {filters: 16, kernel: 3, pad: 1, bias: false, name: conv2}
        - batchnorm: {name: norm2}
      shortcut:
        - conv: {filters: 16, kernel: 1, stride: 2, bias: false, name: project}
        - batchnorm: {name: project_norm}
  - relu
  - global_avgpool
  - linear: {units: 10, name: classifier}
"""

BLOCK = """  - residual:
      main:
        - layernorm
        - multi_head_attention: {heads: 2, causal: true}
  - residual:
      main:
        - layernorm
        - linear: {units: 32}
        - gelu
        - linear: {units: 16}
"""
GPT = f"""input: [16]
layers:
  - embedding: {{name: words, entries: 256, width: 16}}
  - parameter: {{name: positions, shape: [16, 16]}}
{2 * BLOCK}  - layernorm: {{name: norm}}
  - linear: {{name: head, units: 256, bias: false, share: words}}
"""
"""Two layers; the head has the embedding's table. The tokens are the bytes of a text."""
TEXT = (Path(__file__).parents[2] / "LICENSE").read_bytes().partition(b"developers")[2].replace(b"\r", b"")
"""A text of the repository that stays as it is, without the line of its year."""


class TrainingCase(NamedTuple):
    """A training: network, optimiser, schedule over all its steps, clipping, accumulation."""

    optimiser: str
    options: Options
    network: str = "small"
    schedule: str = "constant"
    schedule_options: Options = {}  # noqa: RUF012
    clip_norm: float | None = None
    clip_value: float | None = None
    accumulate: int = 1
    factors: dict[str, float] = {}  # noqa: RUF012
    average: float | None = None
    """The decay of an average of the weights."""
    batches: int | None = None
    """How many different ones there are; all are different unless given."""
    steps: int = 100

    @property
    def text(self) -> str:
        changed = (f"{name}={value}" for name, value in self._asdict().items() if value and name != "options")
        return f"{self.options} {' '.join(changed)}"

    @property
    def graph(self) -> Graph:
        return _graph(self.network)

    @property
    def sizes(self) -> tuple[int, int]:
        """Of a batch, and how many classes there are."""
        return {"small": (8, 5), "residual": (8, 10), "lenet5": (8, 10), "gpt": (4, 256)}[self.network]

    @property
    def recorded_steps(self) -> list[int]:
        """After how many steps the parameters are compared."""
        return [1, self.steps // 10, self.steps // 2, self.steps]

    def parameter(self, name: str, shape: Shape) -> Array:
        return parameter(f"{self.network} {name}", name, shape)

    def batch(self, number: int) -> tuple[Array, Array]:
        """The inputs of a batch, float32, and its labels: one a sample, or one a token."""
        number = number % self.batches if self.batches else number
        return _batch(self.network, self.graph.inputs[0].type.shape, *self.sizes, number)


@cache
def _graph(network: str) -> Graph:
    texts = {"small": SMALL, "residual": RESIDUAL, "gpt": GPT}
    if network in texts:
        return elaborate(read_spec(Source(network, texts[network])))
    return netcalc.load(network)


@cache
def _batch(network: str, shape: Shape, batch: int, classes: int, number: int) -> tuple[Array, Array]:
    text = f"{network} batch {number}"
    if network == "gpt":
        characters = np.frombuffer(TEXT, np.uint8)
        starts = drawn_whole(text, (batch, 1), 0, len(characters) - shape[0] - 1).astype(np.int64)
        tokens = characters[starts + np.arange(shape[0] + 1)]
        return tokens[:, :-1].astype(np.float32), tokens[:, 1:].astype(np.int64)
    labels = drawn_whole(f"{text} labels", (batch,), 0, classes - 1).astype(np.int64)
    return drawn(text, (batch, *shape)), labels


DECAY = 0.05
COSINE: Options = {"schedule": "cosine", "schedule_options": {"warmup": 10, "final": 0.01}}
WITH_ALL: Options = {**COSINE, "clip_norm": 0.5, "accumulate": 2}
TRAJECTORIES = (
    TrainingCase("sgd", {"lr": 0.1}),
    TrainingCase("sgd", {"lr": 0.1, "weight_decay": DECAY}, **WITH_ALL),
    TrainingCase("sgd", {"lr": 0.1, "weight_decay": DECAY}, clip_value=0.02),
    TrainingCase("momentum", {"lr": 0.03}),
    TrainingCase("momentum", {"lr": 0.03, "momentum": 0.8, "weight_decay": DECAY}, clip_norm=0.5, accumulate=3,
                 schedule="step", schedule_options={"every": 30, "warmup": 5}),
    TrainingCase("nesterov", {"lr": 0.03}),
    TrainingCase("nesterov", {"lr": 0.05, "weight_decay": DECAY}, clip_norm=0.5, accumulate=2, schedule="one_cycle"),
    TrainingCase("adagrad", {"lr": 0.05}),
    TrainingCase("adagrad", {"lr": 0.05, "eps": 1e-3, "weight_decay": DECAY}, **WITH_ALL),
    TrainingCase("rmsprop", {"lr": 0.01}),
    TrainingCase("rmsprop", {"lr": 0.005, "alpha": 0.9, "momentum": 0.7, "eps": 1e-4, "weight_decay": DECAY}, **WITH_ALL),
    TrainingCase("adam", {"lr": 0.01}),
    TrainingCase("adam", {"lr": 0.01, "beta1": 0.8, "beta2": 0.95, "eps": 1e-4, "weight_decay": DECAY}, **WITH_ALL),
    TrainingCase("adam", {"lr": 0.01, "weight_decay": 1.0, "decoupled": True}, **WITH_ALL),
    TrainingCase("adam", {"lr": 0.01, "weight_decay": DECAY, "decay_all": True}),
    TrainingCase("adamw", {"lr": 0.01}),
    TrainingCase("adamw", {"lr": 0.02, "weight_decay": 1.0}, **WITH_ALL, factors={"first": 0.1, "*.bias": 2.0}, average=0.9),
)  # fmt: skip
CURVES = (
    TrainingCase("momentum", {"lr": 0.01, "weight_decay": 1e-3}, "lenet5", batches=4, steps=50, **COSINE),
    TrainingCase("adamw", {"lr": 0.002}, "residual", batches=4, steps=50, clip_norm=5.0, **COSINE),
    TrainingCase("adamw", {"lr": 0.02, "weight_decay": 0.1}, "gpt", steps=50, clip_norm=1.0, **COSINE),
)
