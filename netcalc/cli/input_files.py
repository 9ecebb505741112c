"""The files that `netcalc run` reads: inputs, as sizes, files or random numbers, and names of classes."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from netcalc.graph import Graph, Preprocess

if TYPE_CHECKING:
    from netcalc.backend.kernels.base import Array

RANDOM = "random"


class InputOptions(NamedTuple):
    """The `--input` options: sizes that replace the spec's, and what fills the inputs."""

    sizes: tuple[str, ...]
    files: tuple[tuple[str | None, str], ...]
    """Names of inputs, where given, and files."""
    random: tuple[str, ...] = ()
    """The names of inputs that are random."""

    @property
    def pictures(self) -> list[str]:
        """The files that are not arrays."""
        return [file for _, file in self.files if not file.endswith((".npy", ".npz"))]


class LoadedInputs(NamedTuple):
    """An array for each input, and a description of where they come from."""

    arrays: "dict[str, Array]"
    description: str

    @property
    def batch(self) -> int:
        """The number of samples."""
        return len(next(iter(self.arrays.values())))


def read_input_options(texts: Sequence[str]) -> InputOptions:
    """Sort `--input` options into sizes, such as 3x64x64 or image=3x64x64, and files."""
    sizes, files, random = [], [], []
    for text in texts:
        name, _, what = ("", "", text) if os.path.exists(text) else text.rpartition("=")
        if what == RANDOM:
            random += [name] if name else []
        elif all(size.isascii() and size.isdecimal() for size in what.split("x")):
            sizes.append(text)
        else:
            files.append((name or None, what))
    return InputOptions(tuple(sizes), tuple(files), tuple(random))


def preprocessing(own: Preprocess, resize: int | None, mean: str, std: str) -> Preprocess:
    """The spec's or a trained file's preprocessing, with what the options change."""
    changed: dict[str, Any] = {"resize": resize} if resize is not None else {}
    for name, text in (("mean", mean), ("std", std)):
        if text:
            changed[name] = _numbers(text, name)
    return own._replace(**changed)


def load_inputs(graph: Graph, options: InputOptions, batch: int, seed: int, dtype: str) -> LoadedInputs:
    """An array for each input: from its files, several pictures as one batch, else random."""
    import numpy as np

    from netcalc.backend import random_inputs
    from netcalc.backend.errors import refuse
    from netcalc.backend.inputs import checked_inputs
    from netcalc.backend.precision import PRECISIONS

    given: dict[str, Array] = {}
    pictures: dict[str, list[Array]] = {}
    for name, file in options.files:
        for input, array, is_picture in _read(graph, name, file):
            if input in given or (input in pictures and not is_picture):
                refuse("E901", f"the input {input} is given twice, the second time by {file}")
            if is_picture:
                pictures.setdefault(input, []).append(array)
            else:
                given[input] = array
    for name in options.random:
        _require_known(graph, name)
        if name in given or name in pictures:
            refuse("E901", f"the input {name} is given twice, by a file and as {RANDOM}")
    given |= {name: np.stack(arrays) for name, arrays in pictures.items()}
    batch = next((len(array) for array in given.values() if array.ndim), batch)
    missing = [input.name for input in graph.inputs if input.name not in given]
    drawn = random_inputs(graph, batch, seed, dtype) if missing else {}
    words = [os.path.basename(file) for _, file in options.files]
    if given and missing:
        words += [f"{RANDOM} {name}" for name in missing]
    return LoadedInputs(checked_inputs(graph, drawn | given, PRECISIONS[dtype]), ", ".join(words) or RANDOM)


def _read(graph: Graph, name: str | None, file: str) -> "list[tuple[str, Array, bool]]":
    """The arrays of a file, each with its input and whether it is a picture."""
    from netcalc.backend.errors import refuse
    from netcalc.backend.files import read_npy
    from netcalc.backend.images import ENDINGS, read_image

    ending = os.path.splitext(file)[1].lower()
    shapes = {input.name: input.type.shape for input in graph.inputs}
    if name is not None:
        _require_known(graph, name)
    if ending == ".npz":
        arrays = _arrays_of_npz(graph, name, file)
        return [(input, _with_batch(array, shapes[input]), False) for input, array in arrays.items()]
    if name is None:
        if len(shapes) > 1:
            refuse("E901", f"say which input {file} is for: --input {next(iter(shapes))}={file}")
        (name,) = shapes
    if ending == ".npy":
        return [(name, _with_batch(read_npy(file), shapes[name]), False)]
    if ending not in ENDINGS:
        known = ", ".join((".npy", ".npz", *ENDINGS))
        refuse(
            "E906", f"{file} is neither a size such as 3x64x64, nor random, nor a file that ends in {known}"
        )
    return [(name, read_image(file, shapes[name], graph.preprocess), True)]


def _arrays_of_npz(graph: Graph, name: str | None, file: str) -> "dict[str, Array]":
    """The arrays of an `.npz` by the inputs that they fill; for a named input there may be no other."""
    from netcalc.backend.errors import refuse
    from netcalc.backend.files import Header, read_npz
    from netcalc.backend.inputs import check_given

    shapes = {input.name: input.type.shape for input in graph.inputs}

    def check(headers: dict[str, Header]) -> None:
        if not headers:
            refuse("E901", f"{file} holds no arrays")
        for own, header in headers.items():
            if own not in shapes:
                refuse("E901", f"{file} holds {own!r}, the inputs of {graph.name} are {', '.join(shapes)}")
            if name not in (None, own):
                refuse("E901", f"{file} holds {own!r}, which is not the input {name}")
            if header.shape != shapes[own]:  # a sample without its batch
                check_given(own, shapes[own], header.shape, header.dtype)

    return read_npz(file, shapes, check, "array file")


def _require_known(graph: Graph, name: str) -> None:
    from netcalc.backend.errors import refuse

    names = [input.name for input in graph.inputs]
    if name not in names:
        refuse("E901", f"{graph.name} has no input {name!r}; its inputs are {', '.join(names)}")


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


def read_labels(path: str | None) -> list[str]:
    """The names of the classes, one a line; none without a file."""
    if path is None:
        return []
    try:
        with open(path, encoding="utf-8-sig") as file:
            names = [line.strip() for line in file.read(2**24).splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise typer.BadParameter(f"{path} cannot be read: {reason}", param_hint="--labels") from None
    if not names:
        raise typer.BadParameter(f"{path} holds no names", param_hint="--labels")
    return names
