"""The folder of a run: its recipe, its spec, what it measured, its checkpoints, and the trained weights."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Any
from weakref import finalize

from netcalc.backend.errors import refuse
from netcalc.backend.files import written_whole
from netcalc.backend.kernels.base import Array
from netcalc.train.checkpoints import RunIdentity, checkpoints_in, step_of, to_disk, write_checkpoint
from netcalc.train.loop import Training
from netcalc.train.monitoring import Monitor
from netcalc.train.recipe import Recipe
from netcalc.train.records import EpochRecord, Observer, StepRecord, TrainingWarning
from netcalc.train.trained import Trained, write_trained

_FLUSHED_EVERY = 1.0
"""Seconds after which lines of metrics are written, so that others can follow a run."""


class RunFolder:
    """Where a run is kept: recipe.yaml, spec.yaml, metrics.jsonl, checkpoints/, weights.safetensors."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.recipe = self.path / "recipe.yaml"
        self.spec = self.path / "spec.yaml"
        self.metrics = self.path / "metrics.jsonl"
        self.checkpoints = self.path / "checkpoints"
        self.weights = self.path / "weights.safetensors"
        self.own = (self.recipe, self.spec, self.metrics, self.weights)
        self._release: Callable[[], object] | None = None

    def create(self, recipe: Recipe, spec: str) -> None:
        """Make the folder. Raises ExecutionError where something is in it, or it cannot be written."""
        self.require_free()
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            refuse("E910", f"{self.path} cannot be written: {error.strerror or error}")
        self.lock()
        self.write(self.recipe, recipe.text())
        self.write(self.spec, spec)
        self.write(self.metrics, "")

    def lock(self) -> None:
        """Keep other trainings out of the folder, where the system can (not on Windows).

        Until `release`, or as long as this object is there.

        Raises ExecutionError where another one is in it.
        """
        if sys.platform != "win32" and self._release is None:
            try:
                import fcntl
            except ImportError:  # a system without locks
                return
            handle = os.open(self.path, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                refuse("E934", f"another process trains in {self.path}", help="wait until it ends, or end it")
            except OSError:  # a file system without locks
                os.close(handle)
            else:
                self._release = finalize(self, os.close, handle)

    def release(self) -> None:
        """Let other trainings into the folder."""
        if self._release is not None:
            self._release()
            self._release = None

    def files(self) -> list[Path]:
        """What a run cannot go on without, or has for its result."""
        return [*self.own, *checkpoints_in(self.checkpoints)]

    def require_free(self) -> None:
        """Raise ExecutionError where the folder has something in it, or cannot be made."""
        above = next(path for path in (self.path, *self.path.absolute().parents) if path.exists())
        if above != self.path and not (above.is_dir() and os.access(above, os.W_OK)):
            reason = "is read-only" if above.is_dir() else "is no folder"
            refuse("E910", f"{self.path} cannot be written: {above} {reason}")
        if self.path.exists() and (not self.path.is_dir() or not self._is_free()):
            what = "holds files already" if self.path.is_dir() else "is a file"
            help = f"name another folder; netcalc train --resume {self.path} goes on with a run"
            refuse("E934", f"{self.path} {what}", help=help)

    def require(self) -> None:
        """Raise ExecutionError unless it is the folder of a run."""
        missing = [path.name for path in (self.recipe, self.spec) if not path.is_file()]
        if missing:
            refuse("E934", f"{self.path} is not the folder of a run: it has no {missing[0]}")

    def has_only_begun(self) -> bool:
        """Whether its training has ended before a first checkpoint, at the end of the first epoch at most."""
        if checkpoints_in(self.checkpoints):
            return False
        written = self.metrics.read_bytes() if self.metrics.exists() else b""
        return sum(line.startswith(b'{"epoch"') for line in written.splitlines()) <= 1

    def _is_free(self) -> bool:
        """Whether it is empty, but for what a training has left that ended before its spec was written."""
        own = [path for file in (self.recipe, self.spec) for path in self.path.glob(f".{file.name}.*")]
        others = {*self.path.iterdir()} - {self.checkpoints, self.recipe, *own}
        is_begun = self.checkpoints.is_dir() and not any(self.checkpoints.iterdir())
        return not any(self.path.iterdir()) or (is_begun and not others)

    def write(self, path: Path, text: str) -> None:
        """Write a text whole or not at all."""
        with written_whole(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="\n")

    def write_weights(self, training: Training) -> None:
        """Write the trained file: the weights that are evaluated, and what predictions need beside them."""
        with training.averaged():
            weights = training.network.parameters()
            network, data = training.network.graph.name, training.data
            trained = Trained(weights, training.statistics, data.classes, network, training.recipe.resize)
            write_trained(self.weights, trained)

    def cut(self, metrics: int, step: int) -> None:
        """Remove what was written after a checkpoint: lines of metrics, later checkpoints, partial files."""
        self.metrics.touch()
        if self.metrics.stat().st_size < metrics:
            refuse("E934", f"{self.metrics} is shorter than when the checkpoint of step {step:,} was written")
        os.truncate(self.metrics, metrics)
        for path in checkpoints_in(self.checkpoints):
            if step_of(path) > step:
                path.unlink()
        partials = [*self.checkpoints.glob(".step-*"), *self.checkpoints.glob("..step-*")]
        partials += [path for file in self.own for path in self.path.glob(f".{file.name}.*")]
        for path in partials:
            with suppress(OSError):
                path.unlink()


class MetricsFile(Observer):
    """Writes a JSON line for each step, epoch and warning: `{"step": {"step": 1, "loss": 2.3, ...}}`.

    Times are left out, so that equal runs have equal files. A number that is not finite is null.
    """

    def __init__(self, folder: RunFolder) -> None:
        try:
            self._file = folder.metrics.open("ab", buffering=0)
        except OSError as error:
            refuse("E910", f"{folder.metrics} cannot be written: {error.strerror or error}")
        self._path = folder.metrics
        self._lines: list[bytes] = []
        self._flushed = monotonic()

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterable[TrainingWarning]:
        self._add("step", record._asdict())
        if monotonic() - self._flushed > _FLUSHED_EVERY:
            self.flush()
        return ()

    def after_epoch(self, record: EpochRecord) -> Iterable[TrainingWarning]:
        self._add("epoch", record._asdict())
        self.flush()
        return ()

    def warned(self, warning: TrainingWarning) -> None:
        self._add("warning", warning._asdict())

    def flush(self) -> int:
        """Write all lines, and return how long the file is; raises ExecutionError where it cannot be."""
        try:
            left = memoryview(b"".join(self._lines))
            while left:
                left = left[self._file.write(left) :]
            self._lines.clear()
            self._flushed = monotonic()
            return self._file.tell()
        except OSError as error:
            refuse("E910", f"{self._path} cannot be written: {error.strerror or error}")

    def close(self) -> None:
        """Close the file; what is not written is lost."""
        self._file.close()

    def _add(self, kind: str, values: dict[str, Any]) -> None:
        values.pop("seconds", None)
        plain = {name: _plain(value) for name, value in values.items()}
        self._lines.append(json.dumps({kind: plain}).encode() + b"\n")


class Interruption(Observer):
    """Ends a training that is `asked` to, once it is `saved`. It stands last among the observers."""

    def __init__(self) -> None:
        self.asked = self.saved = False

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterable[TrainingWarning]:
        return self._raise()

    def after_epoch(self, record: EpochRecord) -> Iterable[TrainingWarning]:
        return self._raise()

    def _raise(self) -> tuple[()]:
        if self.saved:
            raise KeyboardInterrupt
        return ()


class Saving(Observer):
    """Writes a checkpoint after each epoch and every so many steps or seconds, and the best weights.

    It stands after the observers that write files: these are there before the checkpoint that counts on them.
    An interruption makes it write one at the next step's end.
    """

    def __init__(
        self,
        training: Training,
        folder: RunFolder,
        metrics: MetricsFile,
        interruption: Interruption,
        monitor: Monitor,
        *,
        keep: int = 3,
        steps: int | None = None,
        seconds: float | None = None,
    ) -> None:
        self._training, self._folder, self._metrics = training, folder, metrics
        self._keep, self._steps, self._seconds = keep, steps, seconds
        self._identity = RunIdentity.of(training)
        self._saved = monotonic()
        self._interruption = interruption
        self._monitor = monitor

    def after_step(self, record: StepRecord, gradients: Mapping[str, Array]) -> Iterable[TrainingWarning]:
        is_due = self._steps is not None and record.step % self._steps == 0
        is_late = self._seconds is not None and monotonic() - self._saved >= self._seconds
        if is_due or is_late or self._interruption.asked:
            self.save()
        return ()

    def after_epoch(self, record: EpochRecord) -> Iterable[TrainingWarning]:
        if self._training.improved:
            self._folder.write_weights(self._training)
        self.save()
        return ()

    def save(self) -> None:
        """Write a checkpoint now."""
        is_last = self._interruption.asked
        length = self._metrics.flush()
        to_disk(self._folder.metrics)
        folder, seen = self._folder.checkpoints, self._monitor.state()
        write_checkpoint(folder, self._training, self._identity, length, self._keep, seen)
        self._saved = monotonic()
        self._interruption.saved = is_last


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
