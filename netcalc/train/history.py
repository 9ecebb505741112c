"""What a training has reported, read again from its metrics.

A line of `metrics.jsonl` is an object with one key: `{"step": {...}}`, `{"epoch": {...}}` or
`{"warning": {...}}`, with the fields of `netcalc.train.records`; null is a number that is not finite, or
none. Of two lines about one step the later one counts. How long a step took is not written.
"""

import json
import os
from collections.abc import Mapping
from math import inf, isnan, nan
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, get_args, get_type_hints

from netcalc.backend.errors import refuse
from netcalc.train.records import EpochRecord, StepRecord, TrainingWarning

METRICS = "metrics.jsonl"
"""The file in a run's folder."""

_LARGEST = 2**53

_Record = StepRecord | EpochRecord | TrainingWarning


class RunHistory(NamedTuple):
    """The records of one training, in their order."""

    name: str
    steps: tuple[StepRecord, ...] = ()
    epochs: tuple[EpochRecord, ...] = ()
    warnings: tuple[TrainingWarning, ...] = ()

    @property
    def steps_per_epoch(self) -> float:
        """The updates of an epoch; 0 where no epoch is complete."""
        if not self.epochs:
            return 0
        last = self.epochs[-1]
        return last.step / (last.epoch + 1)

    @property
    def best(self) -> EpochRecord | None:
        """The epoch of the highest validation accuracy, of the lowest validation loss where there is none."""
        held_back = [epoch for epoch in self.epochs if epoch.validation_loss is not None]
        return max(held_back, key=_quality, default=None)


def read_history(path: str | os.PathLike[str]) -> RunHistory:
    """The history in a file of metrics, or in a run's folder.

    A last line that is not ended yet, of a training that still runs, is left out. Raises ExecutionError
    where there is no such file, or a line is no record.
    """
    file = Path(path) / METRICS if os.path.isdir(path) else Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        if isinstance(error, FileNotFoundError) and file != Path(path):
            refuse("E945", f"{path} has no {METRICS}", help="name a folder that `netcalc train` has written")
        refuse("E945", f"{file} cannot be read: {(error.strerror or str(error)).lower()}")
    except UnicodeDecodeError:
        refuse("E945", f"{file} is no text", help=f"name a run's folder or its {METRICS}")
    return history_of(os.fspath(path), text, str(file))


def history_of(name: str, text: str, file: str) -> RunHistory:
    """The history that lines of a file say."""
    steps: dict[int, StepRecord] = {}
    epochs: dict[int, EpochRecord] = {}
    warnings: dict[tuple[int, str], TrainingWarning] = {}
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if not line.strip() or (number == len(lines) and not line.endswith("\n")):
            continue
        record = _record(line, f"{file}:{number}")
        if isinstance(record, StepRecord):
            steps[record.step] = record
        elif isinstance(record, EpochRecord):
            epochs[record.epoch] = record
        else:
            warnings[record.step, record.message] = record
    if not steps and not epochs:
        refuse("E946", f"{file} has no step and no epoch of a training")
    return RunHistory(
        name,
        tuple(steps[step] for step in sorted(steps)),
        tuple(epochs[epoch] for epoch in sorted(epochs)),
        tuple(warnings.values()),
    )


_KINDS: dict[str, type[_Record]] = {"step": StepRecord, "epoch": EpochRecord, "warning": TrainingWarning}


def _record(line: str, place: str) -> _Record:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        _refuse(place, "it is no JSON")
    if not isinstance(document, dict) or len(document) != 1 or next(iter(document)) not in _KINDS:
        _refuse(place, f"it is no object with the key {', '.join(_KINDS)}")
    key, fields = next(iter(document.items()))
    kind = _KINDS[key]
    if not isinstance(fields, dict):
        _refuse(place, f"{key} is no object")
    hints: Mapping[str, Any] = get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, hint in hints.items():
        if name not in fields and name != "seconds":  # which is not written, so that equal runs are equal
            _refuse(place, f"{key} has no {name}")
        value = fields.get(name)
        value = nan if value is None and hint is float else value
        if not _fits(value, hint):
            _refuse(place, f"{name} of {key} is {json.dumps(value)[:40]}")
        values[name] = value
    return kind(**values)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value of JSON is of a field's type; whole numbers are floats too, truth values neither."""
    kinds = get_args(hint) or (hint,)
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -_LARGEST <= value <= _LARGEST if float in kinds else int in kinds and 0 <= value <= _LARGEST
    return isinstance(value, kinds)


def _quality(epoch: EpochRecord) -> tuple[float, float]:
    """Its rank: by accuracy, then by loss; a loss that is no number is the worst."""
    loss = epoch.validation_loss
    if loss is None or isnan(loss):
        return -1.0, -inf
    return epoch.validation_accuracy or 0.0, -loss


def _refuse(place: str, fact: str) -> NoReturn:
    refuse("E946", f"{place}: this is no line of a training's metrics: {fact}")
