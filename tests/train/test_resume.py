"""A training that goes on from any checkpoint is bit for bit the one that was not interrupted."""

from copy import deepcopy
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netcalc.train.data import Reading, open_data
from netcalc.train.estimate import estimated
from netcalc.train.loop import Position, Training

from helpers import graph_of
from small_runs import SEQUENCES, TWO_HEADS, Log, pictures, training_of

OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "two threads": {"workers": 2, "batch": 16},
    "float64": {"dtype": "float64"},
    "sgd": {"optimiser": "sgd:lr=0.1"},
    "momentum, steps": {"optimiser": "momentum:lr=0.02,weight_decay=0.01", "schedule": "step:at=[1],decay=0.3"},
    "rmsprop, one cycle": {"optimiser": "rmsprop:momentum=0.5", "schedule": "one_cycle"},
    "adam, warm-up": {"optimiser": "adam:weight_decay=0.1,decoupled=true", "schedule": "cosine:warmup=1"},
    "lion": {"optimiser": "lion", "clip_value": 0.01},
    "accumulated": {"accumulate": 3, "clip_norm": 0.1},
    "accumulated, last dropped": {"accumulate": 2, "drop_last": True},
    "averaged": {"ema": 0.8},
    "augmented": {"augment": "crop:1,flip"},
    "mixed": {"augment": "crop:1,mixup:0.4", "loss": "cross_entropy:label_smoothing=0.1"},
    "nothing held back": {"validation": 0, "normalise": False},
    "factors": {"factors": {"head": 0.1}},
    "frozen": {"freeze": ["conv1", "batchnorm*"]},
    "all together": {
        "accumulate": 2, "ema": 0.9, "augment": "crop:1,mixup", "clip_norm": 1, "clip_value": 0.1, "dtype": "float64",
        "optimiser": "nesterov:lr=0.1", "schedule": "cosine:warmup=0.5", "seed": 5,
    },
}  # fmt: skip


class States(Log):
    """Keeps the state after every step."""

    def __init__(self, training: Training) -> None:
        super().__init__()
        self._training = training
        self.kept: list[tuple[dict[str, np.ndarray], dict[str, Any]]] = []

    def after_step(self, record: Any, gradients: Any) -> tuple[()]:
        arrays = {name: array.copy() for name, array in self._training.arrays().items()}
        self.kept.append((arrays, deepcopy(self._training.at.plain())))
        return super().after_step(record, gradients)


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    """Whether all arrays have equal bits."""
    return first.keys() == second.keys() and all(
        first[name].tobytes() == second[name].tobytes() for name in first
    )


def require_resumable(make: Any) -> None:
    whole = make()
    states = States(whole)
    whole.run([states])
    final = {name: array.copy() for name, array in whole.arrays().items()}
    assert len(states.steps) == len(states.kept)
    for number in {
        0,
        len(states.kept) // 2 - 1,
        len(states.kept) // 2,
        len(states.kept) - 2,
        len(states.kept) - 1,
    }:
        arrays, position = states.kept[number]
        again, log = make(), Log()
        again.restore(arrays, Position.of(position))
        again.run([log])
        assert log.steps == states.steps[number + 1 :]
        assert log.epochs == states.epochs[-len(log.epochs) :]
        assert same(again.arrays(), final)
        assert again.at.best_epoch == whole.at.best_epoch
        again.close()
    whole.close()


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option(tmp_path: Path, options: dict[str, Any]) -> None:
    data = pictures(tmp_path)
    require_resumable(lambda: training_of(data, **options))


def test_several_outputs(tmp_path: Path) -> None:
    data, graph = pictures(tmp_path), graph_of(TWO_HEADS)
    require_resumable(lambda: training_of(data, graph, heads={"side": 0.3}, augment="mixup"))


def test_sequences(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("to be or not to be, that is the question; " * 5)
    text, graph = open_data(tmp_path / "text.txt", reading=Reading(context=16)), graph_of(SEQUENCES)
    require_resumable(lambda: training_of(text, graph, batch=4, loss="cross_entropy:ignored=32"))


def test_regression(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(30, 4)).astype("f4")
    np.savez(tmp_path / "line.npz", x=x, y=x.sum(1))
    graph = graph_of("input: [4]\nlayers: [{linear: 1}]")
    data = open_data(tmp_path / "line.npz")
    require_resumable(lambda: training_of(data, graph, loss="mse", optimiser="sgd:lr=0.1"))


def test_the_draws_of_dropout_are_part_of_the_state(tmp_path: Path) -> None:
    """Without them a training goes on otherwise, which the tests above would see."""
    data = pictures(tmp_path)
    first, second = training_of(data), training_of(data)
    for training, draws in ((first, 0), (second, 5)):
        training.at.draws = draws
        training.run()
    assert not same(first.arrays(), second.arrays())


def test_what_is_measured_before_the_first_step_is_undone(tmp_path: Path) -> None:
    data = pictures(tmp_path)
    plain, measured = training_of(data, ema=0.9), training_of(data, ema=0.9)
    before = {name: array.copy() for name, array in measured.arrays().items()}
    took = estimated(measured)
    assert took.step_seconds > 0
    assert same(measured.arrays(), before)
    assert measured.at == Position()
    plain.run()
    measured.run()
    assert same(plain.arrays(), measured.arrays())


def test_a_loss_that_is_no_number_is_the_worst() -> None:
    at = Position(best_epoch=0, best_accuracy=0.05, best_loss=2.3)
    assert not at.is_better(0.9, nan)
    assert at.is_better(0.1, 2.4)
    assert Position().is_better(0.1, nan)
    assert Position(best_epoch=0, best_accuracy=0.9, best_loss=nan).is_better(0.1, 2.3)
    assert not Position(best_epoch=0, best_accuracy=0.9, best_loss=nan).is_better(0.9, nan)


def test_the_peak_that_is_measured_has_the_buffers(tmp_path: Path) -> None:
    estimate = estimated(training_of(pictures(tmp_path)))
    assert estimate.memory < estimate.measured_memory < 50 * estimate.memory
