"""Whether a data set can train a network: shapes, labels and numbers, looked at before the first step."""

from math import prod
from typing import Literal

import numpy as np
import numpy.typing as npt

from netcalc.backend.errors import refuse
from netcalc.backend.inputs import token_inputs
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import counted
from netcalc.graph import Graph
from netcalc.tensor import Shape, format_shape
from netcalc.train.class_axis import class_axis
from netcalc.train.data.dataset import ArrayData, DataSet
from netcalc.train.data.tokens import TokenData

_PART_BYTES = 2**24


def require_fit(
    data: DataSet,
    graph: Graph,
    targets: Literal["classes", "numbers"] = "classes",
    ignored: int | None = None,
) -> None:
    """Raise ExecutionError where samples do not fill the inputs, or labels are beyond the first output.

    `targets` says what a loss asks of labels: numbers of classes, one for each place of a sequence or a map,
    or the output's own shape. `ignored` is a label that does not count. A data set with one input fills a
    network's one, whatever their names are.
    """
    require_inputs(data, graph)
    output = graph.outputs[0]
    shape = graph.types[output].shape
    if targets == "numbers":
        _require_numbers(data, output, shape)
    elif isinstance(data, TokenData):
        _require_tokens(data, shape[-1] if shape else 1, f"the output {output} has {format_shape(shape)}")
    else:
        _require_classes(data, output, shape, ignored)


def require_finite(data: DataSet, indices: Array | None = None, dtype: npt.DTypeLike = np.float32) -> None:
    """Raise ExecutionError for the first number that is NaN or infinite in a type, with its sample and place.

    Arrays of floats stream through; bytes and tokens are finite. Pictures are decoded, so that those which
    are cut off are found.
    """
    chosen = np.arange(len(data)) if indices is None else indices
    if isinstance(data, TokenData):
        return
    if isinstance(data, ArrayData) and all(field.dtype.kind != "f" for field in data.fields.values()):
        return
    size = sum(int(np.prod(field.shape)) * field.dtype.itemsize for field in data.fields.values())
    step = max(1, _PART_BYTES // max(1, size))
    for start in range(0, len(chosen), step):
        numbers = chosen[start : start + step]
        for name, x in data.batch(numbers).inputs.items():
            is_finite = np.abs(x) <= np.finfo(dtype).max
            if not is_finite.all():
                sample, *place = map(int, np.argwhere(~is_finite)[0])
                value = x[(sample, *place)]
                where = data.place(int(numbers[sample]))
                fault = (
                    "no number to train on" if not np.isfinite(value) else f"beyond {np.dtype(dtype).name}"
                )
                refuse("E923", f"{where} has {value} in {name}{place or ''}, which is {fault}")


def require_range(data: DataSet, indices: Array, x: Array) -> None:
    """Raise ExecutionError unless samples with these numbers are pictures of numbers from 0 to 1."""
    if x.dtype.kind == "f" and not ((x >= 0) & (x <= 1)).all():
        sample, *place = map(int, np.argwhere(~((x >= 0) & (x <= 1)))[0])
        value = f"{x[(sample, *place)]:g} at {place}"
        refuse(
            "E925",
            f"{data.place(int(indices[sample]))} has {value}; floats are pictures from 0, black, to 1, white",
            help="store pictures as bytes, or divide them by 255",
        )


def require_inputs(data: DataSet, graph: Graph) -> None:
    """Raise ExecutionError where samples do not fill the inputs."""
    names = [input.name for input in graph.inputs]
    own = list(data.fields)
    pairs = (
        dict(zip(own, names, strict=True)) if len(own) == len(names) == 1 else {name: name for name in own}
    )
    if {*pairs.values()} != {*names}:
        refuse(
            "E921",
            f"{data.path} has the inputs {', '.join(own)}, the inputs of {graph.name} are {', '.join(names)}",
        )
    tokens = token_inputs(graph)
    for field_name, input_name in pairs.items():
        wanted, field = graph.types[input_name].shape, data.fields[field_name]
        if field.shape != wanted:
            refuse(
                "E921",
                f"samples of {data.path} are {format_shape(field.shape)}, the input {input_name} of "
                f"{graph.name} is {format_shape(wanted)}",
                help="the channels stand first: x.transpose(0, 3, 1, 2)"
                if field.shape == (*wanted[1:], wanted[0])
                else None,
            )
        if input_name in tokens and isinstance(data, TokenData):
            entries = tokens[input_name]
            _require_tokens(data, entries, f"the embedding of {input_name} has {entries:,} entries")
        elif isinstance(data, TokenData):
            refuse("E921", f"{data.path} holds tokens, and no embedding of {graph.name} reads {input_name}")
        elif input_name in tokens and field.dtype.kind == "f":
            refuse("E921", f"{data.path} holds {field.dtype}, the input {input_name} takes token numbers")


def _require_tokens(data: TokenData, entries: int, what: str) -> None:
    place = data.first_beyond(entries) if (data.vocabulary or 0) > entries else None
    if place is not None:
        refuse("E922", f"token {place:,} of {data.path} is {data.token(place)}: {what}, 0 to {entries - 1:,}")


def _require_classes(data: DataSet, output: str, shape: Shape, ignored: int | None) -> None:
    labels = data.labels()
    axis = class_axis(len(shape) + 1) - 1
    places = shape[:axis] + shape[axis + 1 :]
    if labels is None or not shape or (labels.ndim == 1 and places):
        scores = "not a score for each class"
        refuse("E922", f"the output {output} is {format_shape(shape)}, {scores} of {data.path}")
    if labels.dtype.kind == "f":
        at = int(np.flatnonzero(labels.reshape(len(labels), -1)[:, 0] % 1 != 0)[:1].sum())
        first = labels.reshape(len(labels), -1)[at, 0]
        refuse(
            "E922",
            f"labels of {data.path} are {labels.dtype}, that of sample {at} is {first:g}; classes have whole "
            "numbers",
            help="store them as whole numbers, or train with a loss of numbers, such as mse",
        )
    if labels.shape[1:] != places:
        own = labels.shape[1:]
        wanted = f"a number for each place of {format_shape(places)}" if places else "the number of a class"
        refuse(
            "E922",
            f"a label of {data.path} is an array of {format_shape(own)}, not {wanted}",
            help="store the labels without their last axis, y[:, 0]" if own == (*places, 1) == (1,) else None,
        )
    outputs = shape[axis]
    is_beyond = (labels >= outputs) | (labels < 0)
    if ignored is not None:
        is_beyond &= labels != ignored
    if is_beyond.any():
        at, *place = map(int, np.argwhere(is_beyond)[0])
        many = f", and {data.path} has {len(data.classes):,} classes" if len(data.classes) > outputs else ""
        where = f" at {place}" if place else ""
        refuse(
            "E922",
            f"{data.place(at)} has the label {labels[(at, *place)]}{where}; the output {output} has "
            f"{outputs:,} scores, 0 to {outputs - 1:,}{many}",
            help=f"a loss with ignored={labels[(at, *place)]} leaves such labels out" if place else None,
        )


def _are_classes(labels: Array) -> bool:
    """Whether labels can be numbers of classes, one a sample."""
    return labels.ndim == 1 and labels.dtype.kind in "iu"


def _require_numbers(data: DataSet, output: str, shape: tuple[int, ...]) -> None:
    labels = data.labels()
    if labels is None:
        refuse("E922", f"labels of {data.path} are tokens, not numbers of the shape of {output}")
    own = labels.shape[1:] or (1,)
    if own != (shape or (1,)):
        refuse(
            "E922",
            f"a label of {data.path} has {counted(prod(own), 'number')} ({format_shape(own)}), the output "
            f"{output} has {format_shape(shape)}",
            help="whole numbers are classes; cross_entropy takes them" if _are_classes(labels) else None,
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        at = int(np.argwhere(~np.isfinite(labels))[0][0])
        refuse("E923", f"the label of {data.place(at)} is {labels[at]}")
