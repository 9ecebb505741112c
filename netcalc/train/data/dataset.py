"""What a data set is: numbered samples with labels, given in batches."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape, format_shape

MAX_CLASSES = 2**20
"""Labels are below it: names of a billion classes would fill the memory."""


class InputField(NamedTuple):
    """The shape of one sample, without the batch, and the type of its numbers."""

    shape: Shape
    dtype: np.dtype[np.generic]

    def __str__(self) -> str:
        return f"{format_shape(self.shape)} {self.dtype.name}"


class Batch(NamedTuple):
    """Some samples: an array (N, ...) for each input, and their labels."""

    inputs: dict[str, Array]
    labels: Array
    """Numbers of classes (N,), of tokens (N, T), or what a regression is to give (N, ...)."""
    others: Array | None = None
    """Where samples are mixtures, the labels of what each is mixed with."""
    weights: Array | None = None
    """Where samples are mixtures, the share of `labels`; the rest is that of `others`."""


@dataclass(frozen=True)
class Reading:
    """What a data set's files leave open."""

    part: Literal["train", "test"] | None = None
    """Which part of files that hold both; the first unless given."""
    shape: Shape | None = None
    """The shape of a sample: pictures are brought to it, numbers in a row are laid out in it."""
    resize: int | None = None
    """Pixels that a picture's shorter side is brought to before its middle is cut out."""
    context: int | None = None
    """Tokens that a sample has."""
    label: str | None = None
    """The column of a CSV with the labels, by its name or its number from 1."""
    workers: int = 0
    """Threads that decode pictures; unless given as many as cores, and one for small pictures."""


class DataSet(ABC):
    """Samples by their numbers from 0.

    `path` is where they come from, `fields` has the shape and type of each input, `classes` the names of
    the classes; it is empty where labels are no classes.
    """

    path: str
    fields: dict[str, InputField]
    classes: tuple[str, ...] = ()
    vocabulary: int | None = None
    """How many tokens there are, where samples are made of tokens."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of samples."""

    @abstractmethod
    def batch(self, indices: Array) -> Batch:
        """The samples of these numbers, in their order, as they are stored."""

    @abstractmethod
    def labels(self) -> Array | None:
        """The labels of all samples without the samples, or None where they are too many to hold."""

    def place(self, index: int) -> str:
        """Where a sample comes from, for messages."""
        return f"sample {index} of {self.path}"


class ArrayData(DataSet):
    """Samples that are rows of arrays, in memory or mapped from a file.

    Raises ExecutionError where arrays have different lengths or none, and for labels that are neither
    numbers nor one a sample.
    """

    def __init__(
        self, path: str, arrays: dict[str, Array], labels: Array, classes: tuple[str, ...] = ()
    ) -> None:
        self.path = path
        for name, array in arrays.items():
            if not array.ndim or len(array) != len(labels):
                there = f"{len(array):,}" if array.ndim else "no"
                refuse("E921", f"{path} has {there} samples in {name} and {len(labels):,} labels")
            if array.dtype.kind not in "fiub":
                refuse("E921", f"{path} holds {array.dtype} in {name}, not numbers")
        if not len(labels):
            refuse("E920", f"{path} has no samples")
        self._arrays = arrays
        self._labels = native(labels.view(np.uint8) if labels.dtype == np.bool_ else labels)
        self.classes = classes or numbered_classes(self._labels, path)
        self.fields = {name: InputField(array.shape[1:], array.dtype) for name, array in arrays.items()}

    def __len__(self) -> int:
        return len(self._labels)

    def batch(self, indices: Array) -> Batch:
        # not array.take, which first copies the whole of an array that is not contiguous and aligned
        inputs = {name: native(array[indices]) for name, array in self._arrays.items()}
        return Batch(inputs, self._labels[indices])

    def labels(self) -> Array:
        return self._labels


def native(array: Array) -> Array:
    """Numbers in this machine's byte order, of whatever order they are stored in."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def numbered_classes(labels: Array, path: str) -> tuple[str, ...]:
    """The classes' numbers as names; none where labels are fractions or several a sample."""
    if labels.dtype.kind not in "fiub":
        refuse("E922", f"the labels of {path} are {labels.dtype}, not numbers")
    if labels.ndim != 1 or labels.dtype.kind == "f":
        return ()
    first, last = int(labels.min()), int(labels.max())
    if first < 0 or last >= MAX_CLASSES:
        at = int(np.flatnonzero((labels < 0) | (labels >= MAX_CLASSES))[0])
        refuse(
            "E922",
            f"sample {at} of {path} has the label {labels[at]}; classes are numbered from 0"
            + (f" to {MAX_CLASSES - 1:,}" if labels[at] > 0 else ""),
        )
    return tuple(map(str, range(last + 1)))


def laid_out(array: Array, shape: Shape | None, path: str) -> Array:
    """Samples in another shape of as many numbers; as they are without one."""
    if shape is None or array.shape[1:] == shape:
        return array
    stored = array.shape[1:]
    if stored != shape[1:] or shape[0] != 1:  # anything but grey pictures without their channel
        is_row = len(stored) == 1 and stored[0] == int(np.prod(shape, dtype=object))
        if not is_row:
            refuse(
                "E921", f"samples of {path} are {format_shape(stored)}, {format_shape(shape)} are asked for"
            )
    return array.reshape(len(array), *shape)


Reader = Callable[[str, Array, Reading], DataSet]
"""Reads a data set from a path and the bytes of its file."""
