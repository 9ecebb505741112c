"""The outputs of inner layers for a data set, as a data set: for a linear classifier, or nearest neighbours.

They are written as they are computed, so that they may be larger than memory.
"""

import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

import numpy as np

from netcalc.backend import Network
from netcalc.backend.errors import refuse
from netcalc.backend.files import written_whole
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import nearest
from netcalc.graph import Graph
from netcalc.tensor import Shape
from netcalc.train.applying import Applied, batches_for
from netcalc.train.data.dataset import DataSet
from netcalc.train.data.npz import LABELS
from netcalc.train.forward import Forward

_ONE = "x"
"""The name of the array where there is one layer; several have their layers' names."""


class Stored(NamedTuple):
    """An array that was written."""

    shape: Shape
    dtype: np.dtype[Any]


def write_features(
    use: Applied,
    data: DataSet,
    layers: Sequence[str],
    path: str | os.PathLike[str],
    size: int,
    observe: Callable[[int], object] = lambda done: None,
) -> dict[str, Stored]:
    """Write the layers' outputs in inference mode, and the labels `y`, to an `.npz`: whole or not at all.

    One layer's array is `x`, several have the layers' names. `observe` is called after each batch of `size`
    with its number of samples. Raises ExecutionError for unknown layers, and where nothing can be written.
    """
    network = part_of(use.network, layers)
    names = {layer: _ONE if len(layers) == 1 else layer for layer in layers}
    if LABELS in names.values():
        refuse("E944", f"a layer is called {LABELS!r}, which the labels are; take its features alone")
    with written_whole(path) as partial, ExitStack() as stack:
        folder = os.path.dirname(os.path.realpath(path))
        archive = stack.enter_context(zipfile.ZipFile(partial, "w"))
        first, *others = names.values()
        files: dict[str, IO[bytes]] = {
            name: stack.enter_context(TemporaryFile(dir=folder)) for name in (*others, LABELS)
        }
        files[first] = archive.open(f"{first}.npy", "w", force_zip64=True)
        written: dict[str, Stored] = {}
        with files[first], Forward(network) as forward:
            for batch in batches_for(use, data, size, are_judged=False):
                outputs = forward(batch.inputs)
                for name, array in {
                    **{own: outputs[layer] for layer, own in names.items()},
                    LABELS: batch.labels,
                }.items():
                    if name not in written:
                        written[name] = _begin(files[name], array, len(data))
                    files[name].write(_bytes_of(array, written[name]))
                observe(len(batch.labels))
        for name in (*others, LABELS):
            files[name].seek(0)
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                shutil.copyfileobj(files[name], file, 2**20)
    return written


def part_of(network: Network, layers: Sequence[str]) -> Network:
    """A network of what layers need, which become its outputs, with the same weights.

    Raises ExecutionError for layers that the network does not have.
    """
    graph = network.graph
    for name in layers:
        if name not in graph.types or name in {given.name for given in graph.inputs}:
            known = [node.full_name for node in graph.nodes]
            match = nearest(name, known)
            help = f"did you mean {match}?" if match else None
            refuse("E915", f"{graph.name} has no layer {name!r} to take features of", help=help)
    needed = _needed(graph, layers)
    nodes = tuple(node for node in graph.nodes if node.full_name in needed)
    part = Network(replace(graph, nodes=nodes, outputs=tuple(layers)), network.seed, network.precision.name)
    own = network.parameters()
    part.load({name: own[name] for name in part.parameters()})
    return part


def _needed(graph: Graph, layers: Sequence[str]) -> set[str]:
    """The layers, all that they read, and those whose parameters they share."""
    needed = {*layers}
    for node in reversed(graph.nodes):
        if node.full_name in needed:
            needed.update(node.inputs, [node.shared] if node.shared else ())
    return needed


def _begin(file: IO[bytes], array: Array, count: int) -> Stored:
    """Write the header of an array of `count` samples, of which the first are here."""
    stored = Stored((count, *array.shape[1:]), array.dtype.newbyteorder("<"))
    header = {
        "descr": np.lib.format.dtype_to_descr(stored.dtype),
        "fortran_order": False,
        "shape": stored.shape,
    }
    np.lib.format.write_array_header_1_0(file, header)
    return stored


def _bytes_of(array: Array, stored: Stored) -> bytes:
    return np.ascontiguousarray(array, stored.dtype).tobytes()
