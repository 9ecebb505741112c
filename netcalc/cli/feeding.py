"""What `--input` gives a network to run on: sizes, files, or random numbers."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from netcalc.graph import Graph, Preprocess

if TYPE_CHECKING:
    from netcalc.backend.kernels.base import Array

RANDOM = "random"


class Feeds(NamedTuple):
    """The `--input` options: sizes in place of the spec's, and what fills the inputs."""

    sizes: tuple[str, ...]
    files: tuple[tuple[str | None, str], ...]
    """Names of inputs, where given, and files."""

    @property
    def words(self) -> str:
        """What the network runs on."""
        return ", ".join(os.path.basename(file) for _, file in self.files) or RANDOM


def read_feeds(texts: Sequence[str]) -> Feeds:
    """Sort `--input` options into sizes, such as 3x64x64 or image=3x64x64, and files."""
    sizes, files = [], []
    for text in texts:
        name, _, what = ("", "", text) if os.path.exists(text) else text.rpartition("=")
        if what == RANDOM:
            continue
        if all(size.isascii() and size.isdecimal() for size in what.split("x")):
            sizes.append(text)
        else:
            files.append((name or None, what))
    return Feeds(tuple(sizes), tuple(files))


def preprocessing(graph: Graph, resize: int | None, mean: str, std: str) -> Preprocess:
    """The spec's own, with what the options change."""
    changed: dict[str, Any] = {"resize": resize} if resize is not None else {}
    for name, text in (("mean", mean), ("std", std)):
        if text:
            changed[name] = _numbers(text, name)
    return graph.preprocess._replace(**changed)


def fed(graph: Graph, feeds: Feeds, batch: int, seed: int, dtype: str) -> "dict[str, Array]":
    """An array for each input: from its files, several pictures as one batch, else random."""
    from netcalc.backend import random_inputs
    from netcalc.backend.inputs import checked_inputs

    given: dict[str, Any] = {}
    pictures: dict[str, list[Array]] = {}
    for name, file in feeds.files:
        for input, array, is_picture in _read(graph, name, file):
            if is_picture:
                pictures.setdefault(input, []).append(array)
            else:
                given[input] = array
    if pictures:
        import numpy as np

        given |= {name: np.stack(arrays) for name, arrays in pictures.items()}
    batch = next((len(array) for array in given.values() if array.ndim), batch)
    missing = random_inputs(graph, batch, seed, dtype)
    import numpy as np

    return checked_inputs(graph, missing | given, np.dtype(dtype))


def _read(graph: Graph, name: str | None, file: str) -> "list[tuple[str, Array, bool]]":
    from netcalc.backend.errors import refuse
    from netcalc.backend.files import read_npy, read_npz
    from netcalc.backend.images import ENDINGS, read_image

    ending = os.path.splitext(file)[1].lower()
    shapes = {input.name: input.type.shape for input in graph.inputs}
    if ending == ".npz":
        return [
            (input, _with_batch(array, shapes.get(input)), False) for input, array in read_npz(file).items()
        ]
    if name is None:
        if len(shapes) > 1:
            refuse("E901", f"say which input {file} is for: --input {next(iter(shapes))}={file}")
        (name,) = shapes
    if name not in shapes:
        refuse("E901", f"{graph.name} has no input {name!r}; its inputs are {', '.join(shapes)}")
    if ending == ".npy":
        return [(name, _with_batch(read_npy(file), shapes[name]), False)]
    if ending not in ENDINGS:
        known = ", ".join((".npy", ".npz", *ENDINGS))
        refuse(
            "E906", f"{file} is neither a size such as 3x64x64, nor random, nor a file that ends in {known}"
        )
    return [(name, read_image(file, shapes[name], graph.preprocess), True)]


def _with_batch(array: "Array", shape: tuple[int, ...] | None) -> "Array":
    """The array with a batch of one in front, where it is a single sample."""
    return array[None] if array.shape == shape else array


def _numbers(text: str, name: str) -> tuple[float, ...]:
    try:
        numbers = tuple(map(float, text.split(",")))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no number, nor numbers with commas", param_hint=f"--{name}"
        ) from None
    if name == "std" and min(numbers) <= 0:
        raise typer.BadParameter("a standard deviation is above 0", param_hint="--std")
    return numbers


def with_preprocessing(graph: Graph, preprocess: Preprocess) -> Graph:
    """The graph with another preprocessing."""
    return replace(graph, preprocess=preprocess)
