"""The inputs of a network: checked against the graph's, or drawn at random."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.backend.memory import require_memory
from netcalc.backend.precision import PRECISIONS, ElementType
from netcalc.graph import Graph
from netcalc.tensor import Shape, format_shape

Given = npt.ArrayLike | Mapping[str, npt.ArrayLike]


def token_inputs(graph: Graph) -> dict[str, int]:
    """The inputs that hold token numbers, each with how many tokens there are.

    They are those that an embedding reads, directly or through layers that only rearrange.
    """
    entries: dict[str, int] = {}
    for node in reversed(graph.nodes):
        if node.layer.reads_tokens:
            limit = node.params[0].shape[0]
        elif node.layer.rearranges and node.full_name in entries:
            limit = entries[node.full_name]
        else:
            continue
        for name in node.inputs:
            entries[name] = min(limit, entries.get(name, limit))
    return {given.name: entries[given.name] for given in graph.inputs if given.name in entries}


def checked_inputs(graph: Graph, given: Given, precision: ElementType) -> dict[str, Array]:
    """The arrays for each input by name, in the network's precision, token numbers as integers.

    Raises ExecutionError for names, ranks, shapes, batches, dtypes and numbers that do not fit.
    """
    names = [input.name for input in graph.inputs]
    if not isinstance(given, Mapping):
        if len(names) != 1:
            refuse("E901", f"{graph.name} has the inputs {', '.join(names)}: give an array for each by name")
        given = {names[0]: given}
    for name in given:
        if name not in names:
            refuse("E901", f"{graph.name} has no input {name!r}; its inputs are {', '.join(names)}")
    tokens = token_inputs(graph)
    arrays = {}
    for input in graph.inputs:
        if input.name not in given:
            refuse("E901", f"nothing is given for the input {input.name}")
        array = np.asarray(given[input.name])
        check_given(input.name, input.type.shape, array.shape, array.dtype)
        if input.name in tokens:
            arrays[input.name] = _as_tokens(input.name, array)
        else:
            arrays[input.name] = precision.taken(array, f"the input {input.name}")
    batches = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(batches.values())) > 1:
        sizes = ", ".join(f"{batch} in {name}" for name, batch in batches.items())
        refuse("E902", f"the inputs have different batches: {sizes}")
    return arrays


def random_inputs(
    graph: Graph, batch: int = 1, seed: int = 0, dtype: npt.DTypeLike = "float32"
) -> dict[str, Array]:
    """Standard normal numbers for each input, and uniform ones where it holds tokens."""
    drawn = sum(input.type.numel for input in graph.inputs) * batch * np.dtype(np.float64).itemsize
    require_memory(drawn, f"random inputs for {graph.name} at batch {batch}")
    precision = PRECISIONS["bfloat16" if dtype == "bfloat16" else np.dtype(dtype).name]
    tokens = token_inputs(graph)
    arrays: dict[str, Array] = {}
    for number, input in enumerate(graph.inputs):
        rng = np.random.default_rng([seed, number])
        shape = (batch, *input.type.shape)
        if input.name in tokens:
            arrays[input.name] = rng.integers(tokens[input.name], size=shape)
        else:
            arrays[input.name] = precision.rounded(rng.standard_normal(shape))
    return arrays


def check_given(name: str, shape: Shape, found: Shape, dtype: npt.DTypeLike) -> None:
    """Raise ExecutionError unless an array of that shape and dtype fits an input."""
    if np.dtype(dtype).kind not in "fiub":
        refuse("E903", f"the input {name} holds {np.dtype(dtype)}, not numbers")
    wanted = f"N x {format_shape(shape)}, the batch in front"
    if found == shape:
        refuse("E902", f"the input {name} is {format_shape(shape)} without a batch; it is {wanted}")
    if found[1:] != shape or not found:
        refuse("E902", f"the input {name} is {wanted}, not {format_shape(found)}")
    if found[0] == 0:
        refuse("E902", f"the input {name} has a batch of 0: there is no sample to run")


def _as_tokens(name: str, array: Array) -> Array:
    with np.errstate(invalid="ignore"):  # of NaN and of what no integer holds
        whole = array.astype(np.int64, copy=False)
    if array.dtype.kind == "f" and not np.array_equal(whole, array):
        refuse("E903", f"the input {name} holds token numbers, which are whole")
    return whole
