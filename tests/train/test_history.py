"""Metrics that are read again."""

import json
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from netcalc.diagnostics import ExecutionError
from netcalc.train.data import ArrayData
from netcalc.train.history import METRICS, history_of, read_history
from netcalc.train.loop import Training
from netcalc.train.recipe import Recipe
from netcalc.train.records import EpochRecord, Observer, StepRecord, TrainingWarning
from netcalc.train.run_folder import MetricsFile, RunFolder

import helpers
from helpers import graph_of
from short_runs import digits


class Recorder(Observer):
    """Keeps the records, and warns once."""

    def __init__(self) -> None:
        self.steps: list[StepRecord] = []
        self.epochs: list[EpochRecord] = []

    def after_step(self, record: StepRecord, gradients: Any) -> list[TrainingWarning]:
        self.steps.append(record)
        return [TrainingWarning(3, "something", "linear1")] if record.step == 3 else []

    def after_epoch(self, record: EpochRecord) -> list[TrainingWarning]:
        self.epochs.append(record)
        return []


def test_what_a_training_writes_is_read(tmp_path: Path) -> None:
    x, y = digits()
    recipe = Recipe(epochs=2, workers=1, validation=0.2, batch=32)
    graph = graph_of("input: [1, 8, 8]\nlayers: [flatten, {linear: 10}]\n")
    training = Training(recipe.network(graph), ArrayData("d", {"input": x[:160]}, y[:160]), recipe)
    folder, recorder = RunFolder(tmp_path / "run"), Recorder()
    folder.create(recipe, "input: [8]\n")
    metrics = MetricsFile(folder)
    training.run([metrics, recorder])
    metrics.close()
    found = read_history(folder.path)
    assert found.name == str(folder.path)
    assert [each._replace(seconds=0) for each in recorder.steps] == [
        each._replace(seconds=0) for each in found.steps
    ]
    assert [each._replace(seconds=0) for each in recorder.epochs] == [
        each._replace(seconds=0) for each in found.epochs
    ]
    assert found.warnings == (TrainingWarning(3, "something", "linear1"),)
    assert found.steps_per_epoch == 4
    assert read_history(folder.metrics)[1:] == read_history(folder.path)[1:]


LINES = helpers.METRICS.splitlines(keepends=True)


def test_the_best_epoch() -> None:
    found = history_of("run", helpers.METRICS, "m")
    assert found.best is found.epochs[1]
    swapped = history_of(
        "run", helpers.METRICS.replace('"validation_accuracy": 0.6', '"validation_accuracy": 0.3'), "m"
    )
    assert swapped.best is swapped.epochs[0]
    by_loss = history_of(
        "run", helpers.METRICS.replace('"validation_accuracy": 0.6', '"validation_accuracy": 0.4'), "m"
    )
    assert by_loss.best is by_loss.epochs[1]
    nothing = helpers.METRICS.replace('"validation_loss": 1.4', '"validation_loss": null').replace(
        '"validation_loss": 1.1', '"validation_loss": null'
    )
    assert history_of("run", nothing, "m").best is None


def test_a_line_that_is_being_written_is_left_out() -> None:
    found = history_of("run", helpers.METRICS[:-3], "m")
    assert (len(found.steps), len(found.epochs)) == (4, 1)


def test_of_two_lines_about_a_step_the_later_counts() -> None:
    again = LINES[1].replace("1.2", "1.1", 1)
    assert [step.loss for step in history_of("run", "".join([*LINES, again]), "m").steps] == [
        2.4,
        1.1,
        0.9,
        0.7,
    ]


def test_null_is_not_finite() -> None:
    step = LINES[0].replace("2.4", "null").replace("1.5", "null")
    (found,) = history_of("run", step, "m").steps
    assert isnan(found.loss)
    assert isnan(found.gradient_norm)


STEP = json.loads(LINES[0])["step"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "it is no JSON"),
        ("[1]", "it is no object with the key step, epoch, warning"),
        ('{"a": 1}', "it is no object with the key"),
        ('{"step": 1}', "step is no object"),
        ('{"step": {"step": 1}}', "step has no epoch"),
        (json.dumps({"step": STEP | {"loss": "2"}}), 'loss of step is "2"'),
        (json.dumps({"step": STEP | {"loss": True}}), "loss of step is true"),
        (json.dumps({"step": STEP | {"loss": 10**400}}), "loss of step is 1000000"),
        (json.dumps({"step": STEP | {"step": 1.5}}), "step of step is 1.5"),
        (json.dumps({"step": STEP | {"step": -1}}), "step of step is -1"),
        (json.dumps({"step": STEP | {"step": None}}), "step of step is null"),
        (json.dumps({"step": STEP | {"epoch": 2**60}}), "epoch of step is 1152921504606846976"),
        ("[" * 100_000, "it is no JSON"),
    ],
)
def test_lines_that_are_no_records(line: str, message: str) -> None:
    with pytest.raises(ExecutionError, match="no line of a training") as refused:
        history_of("run", f"{LINES[0]}\n{line}\n", "runs/a/metrics.jsonl")
    (found,) = refused.value.diagnostics
    assert found.code == "E946"
    assert found.message.startswith("runs/a/metrics.jsonl:3: ")
    assert message in found.message


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").write_text("")
    for name, code, message in (
        ("", "E945", f"has no {METRICS}"),
        ("nothing", "E945", "cannot be read: no such file"),
        ("binary", "E945", "is no text"),
        ("empty", "E946", "has no step and no epoch"),
    ):
        with pytest.raises(ExecutionError, match=message) as refused:
            read_history(tmp_path / name)
        assert refused.value.diagnostics[0].code == code
