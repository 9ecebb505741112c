"""The trained file: a network's weights, and beside them what its predictions need.

Any weight file is one; a trained one holds notes as well, so that `Network.load` and `netcalc run` take it.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from netcalc.backend import Network
from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.weights import read_notes, read_weights, write_weights
from netcalc.diagnostics import counted
from netcalc.graph import Graph
from netcalc.tensor import format_shape
from netcalc.train.class_axis import class_count
from netcalc.train.data.dataset import MAX_CLASSES
from netcalc.train.data.statistics import ChannelStatistics

_MOST_SIDE = 2**16
_LEAST, _MOST = map(float, (np.finfo(np.float32).tiny, np.finfo(np.float32).max))
"""The numbers by which samples of any precision can be normalised."""


class Trained(NamedTuple):
    """What a trained file holds."""

    weights: Arrays
    """By the parameters' full names."""
    statistics: ChannelStatistics | None = None
    """What the samples were normalised by."""
    classes: tuple[str, ...] = ()
    """The names of the classes, by their numbers."""
    network: str = ""
    """The name of the network."""
    resize: int | None = None
    """What a picture's shorter side was brought to before its middle was cut out."""


def write_trained(path: str | os.PathLike[str], trained: Trained, bfloat16: bool = False) -> None:
    """Write a trained file, `.safetensors` or `.npz`, whole or not at all.

    Raises ExecutionError where it cannot be written.
    """
    notes: dict[str, Any] = {
        "network": trained.network,
        "resize": trained.resize,
        "classes": trained.classes,
    }
    if trained.statistics is not None:
        notes |= {"mean": trained.statistics.mean, "std": trained.statistics.std}
    texts = {name: json.dumps(value) for name, value in notes.items() if value}
    arrays = {name: np.asarray(array) for name, array in trained.weights.items()}
    write_weights(path, arrays, arrays if bfloat16 else (), texts)


def read_trained(path: str | os.PathLike[str], network: Network) -> Trained:
    """The weights of a file for a network, which keeps its own, and the notes that it has.

    Raises ExecutionError where the file cannot be read, and where it or its notes do not fit the network.
    """
    notes = read_notes(path)
    arrays: dict[str, Array] = read_weights(path, {name: a.shape for name, a in network.parameters().items()})
    values = {name: _value(path, name, text) for name, text in notes.items() if name in _CHECKS}
    statistics = None
    if "mean" in values or "std" in values:
        statistics = _statistics(path, values)
    classes = _own_classes(tuple(values.get("classes", ())), network.graph)
    trained = Trained(arrays, statistics, classes, values.get("network", ""), values.get("resize"))
    _require_fit(path, trained, network.graph)
    return trained


def _own_classes(names: tuple[str, ...], graph: Graph) -> tuple[str, ...]:
    """The names without numbers beyond the scores: whole numbers of a regression, or labels left out."""
    are_numbers = names == tuple(map(str, range(len(names))))
    return names[: class_count(graph.types[graph.outputs[0]].shape)] if are_numbers else names


def _value(path: str | os.PathLike[str], name: str, text: str) -> Any:
    """The value of a note."""
    meaning, fits = _CHECKS[name]
    try:
        value = json.loads(text)
        if not fits(value):
            raise ValueError
    except (ValueError, OverflowError, RecursionError):
        refuse("E940", f"the note {name!r} of {path} is not {meaning}")
    return value


def _statistics(path: str | os.PathLike[str], values: Mapping[str, Any]) -> ChannelStatistics:
    mean, std = values.get("mean"), values.get("std")
    if mean is None or std is None or len(mean) != len(std):
        counts = f"{len(mean or ())} and {len(std or ())}"
        refuse("E940", f"the notes 'mean' and 'std' of {path} have {counts} values, not one each a channel")
    if min(std) < _LEAST:
        refuse("E940", f"the note 'std' of {path} holds {min(std):g}; a deviation is above 0")
    return ChannelStatistics(tuple(map(float, mean)), tuple(map(float, std)))


def _require_fit(path: str | os.PathLike[str], trained: Trained, graph: Graph) -> None:
    """Raise ExecutionError where notes are of another network."""
    shapes = [given.type.shape for given in graph.inputs]
    if trained.statistics is not None:
        count = len(trained.statistics.mean)
        if len(shapes) > 1 or not shapes[0] or shapes[0][0] != count:
            found = ", ".join(map(format_shape, shapes))
            refuse(
                "E941", f"{path} normalises {counted(count, 'channel')}, the input of {graph.name} is {found}"
            )
    scores = class_count(graph.types[graph.outputs[0]].shape)
    if len(trained.classes) > scores:
        refuse(
            "E941",
            f"{path} names {len(trained.classes):,} classes, the output {graph.outputs[0]} of "
            f"{graph.name} has {scores:,} scores",
        )


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST


def _are_names(value: Any) -> bool:
    is_list = isinstance(value, list) and 0 < len(value) <= MAX_CLASSES
    return is_list and all(isinstance(name, str) for name in value)


def _is_side(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_SIDE


_CHECKS = {
    "mean": ("a list of numbers", _are_numbers),
    "std": ("a list of numbers", _are_numbers),
    "classes": ("a list of names", _are_names),
    "network": ("a text", lambda value: isinstance(value, str)),
    "resize": (f"a number of pixels from 1 to {_MOST_SIDE:,}", _is_side),
}
"""What each note is, and whether a value is that."""
