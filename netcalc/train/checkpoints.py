"""Checkpoints: all that a training needs to go on bit for bit, in files that are whole or not there.

A checkpoint is a weight file with notes: the arrays of weights, optimiser and average, how far the training
has come, what it was started with, and a SHA-256 of all of it. It is written beside its place, brought to
the disk, and then renamed.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.backend.weights import read_notes, read_weights, write_weights
from netcalc.diagnostics import ExecutionError
from netcalc.graph.flat import flat_spec
from netcalc.train.data import DataSet
from netcalc.train.loop import Position, Training

_NAME = "step-{:09d}.safetensors"
_PATTERN = re.compile(r"step-([0-9]{9,18})\.safetensors")
_LOOKED_AT = 64
"""Samples whose numbers are part of a data set's fingerprint."""


class RunIdentity(NamedTuple):
    """What a training was started with: a digest of each."""

    network: str
    data: str
    recipe: str

    @classmethod
    def of(cls, training: Training) -> "RunIdentity":
        """That of a training."""
        network = hashlib.sha256(flat_spec(training.network.graph).encode()).hexdigest()
        return cls(network, data_fingerprint(training.data), training.recipe.fingerprint())


class Checkpoint(NamedTuple):
    """What a checkpoint holds beside its arrays."""

    position: Position
    identity: RunIdentity
    metrics: int
    """The bytes that the file of metrics had."""
    observers: dict[str, Any]
    """What observers have seen: plain values."""


def data_fingerprint(data: DataSet) -> str:
    """A digest of a data set: how many samples of which shape, their labels, and some of the samples."""
    fields = {name: str(field) for name, field in data.fields.items()}
    digest = hashlib.sha256(json.dumps([len(data), fields, data.classes, data.vocabulary]).encode())
    labels = data.labels()
    if labels is not None:
        digest.update(np.ascontiguousarray(labels).tobytes())
    chosen = np.unique(np.linspace(0, len(data) - 1, _LOOKED_AT).astype(np.int64))
    batch = data.batch(chosen)
    for array in (*batch.inputs.values(), batch.labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def checkpoints_in(folder: str | os.PathLike[str]) -> list[Path]:
    """The checkpoints of a folder, the oldest first; copies under other names are none."""
    found = {path: _PATTERN.fullmatch(path.name) for path in Path(folder).glob("step-*.safetensors")}
    return sorted((path for path, match in found.items() if match), key=step_of)


def step_of(path: Path) -> int:
    """The step of a checkpoint by its name."""
    return int(path.stem.partition("-")[2])


def write_checkpoint(
    folder: str | os.PathLike[str],
    training: Training,
    identity: RunIdentity,
    metrics: int = 0,
    keep: int = 3,
    observers: Mapping[str, Any] = MappingProxyType({}),
) -> Path:
    """Write a checkpoint of a training, and remove all but the last `keep` of the folder.

    `metrics` and `observers` are given back by `restore`. Raises ExecutionError where it cannot be written;
    then those before are still there.
    """
    path = Path(folder) / _NAME.format(training.at.step)
    partial = path.with_name(f".{path.name}")
    arrays = training.arrays()
    notes = {
        "position": json.dumps(training.at.plain()),
        "identity": json.dumps(identity._asdict()),
        "metrics": str(metrics),
        "observers": json.dumps(dict(observers)),
    }
    notes["sha256"] = _digest(arrays, notes)
    try:
        try:
            write_weights(partial, arrays, notes=notes)
            to_disk(partial)
            partial.replace(path)
            to_disk(path.parent)
        except OSError as error:
            refuse("E910", f"{path} cannot be written: {error.strerror or error}")
        except ExecutionError as error:
            refuse("E910", error.diagnostics[0].message.replace(partial.name, path.name))
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    for old in checkpoints_in(folder)[:-keep]:
        with suppress(OSError):
            old.unlink()
    return path


def restore(training: Training, path: str | os.PathLike[str]) -> Checkpoint:
    """Bring a training to where a checkpoint has it, and return what else that holds.

    Raises ExecutionError where the checkpoint is damaged or of another network, data set or recipe.
    """
    shapes = {name: array.shape for name, array in training.arrays().items()}
    found = read_checkpoint(path)
    identity = RunIdentity.of(training)
    for what, own, other in zip(RunIdentity._fields, identity, found.identity, strict=True):
        if own != other:
            name = {"network": training.network.graph.name, "data": training.data.path}.get(what, "this one")
            refuse("E932", f"{path} is of another {what} than {name}", help=_HELPS[what])
    try:
        arrays = read_weights(path, shapes)
        if _digest(arrays, read_notes(path)) != read_notes(path)["sha256"]:
            raise ValueError("its numbers are not those that were written")
        training.restore(arrays, found.position)
    except (ExecutionError, ValueError) as error:
        _refuse_damaged(path, error)
    return found


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """What a checkpoint holds beside its arrays; raises ExecutionError where it is damaged."""
    try:
        notes = read_notes(path)
        position = Position.of(json.loads(notes["position"]))
        identity = RunIdentity(**json.loads(notes["identity"]))
        return Checkpoint(position, identity, int(notes["metrics"]), json.loads(notes["observers"]))
    except (ExecutionError, ValueError, KeyError, TypeError, AttributeError) as error:
        _refuse_damaged(path, error)


def to_disk(path: str | os.PathLike[str]) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    if os.path.isdir(path) and os.name == "nt":  # which has no handles of folders
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_HELPS = {
    "network": "the network that a run began with is its spec.yaml",
    "data": "give the data set that the run began with, or begin a new run",
    "recipe": "the recipe that a run began with is its recipe.yaml",
}


def _step_in(path: str | os.PathLike[str]) -> int:
    """The step of a file that may be a copy of a checkpoint under another name: then none is before it."""
    name = Path(path).name
    return step_of(Path(name)) if _PATTERN.fullmatch(name) else 0


def _refuse_damaged(path: str | os.PathLike[str], error: Exception) -> NoReturn:
    reason = error.diagnostics[0].message if isinstance(error, ExecutionError) else str(error)
    reason = reason.removeprefix(f"{path} is not a sound weight file: ")
    before = [each for each in checkpoints_in(Path(path).parent) if step_of(each) < _step_in(path)]
    help = f"the one before: netcalc train --resume {before[-1]}" if before else "there is none before it"
    refuse("E933", f"{path} is damaged: {reason}", help=help)


def _digest(arrays: Mapping[str, Array], notes: Mapping[str, str]) -> str:
    """A digest of arrays and of all notes but the digest itself."""
    digest = hashlib.sha256()
    for name in sorted(notes.keys() - {"sha256"}):
        digest.update(f"{name}\0{notes[name]}\0".encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
