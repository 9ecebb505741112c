"""netcalc.memory: what training and inference need, at their highest and over time."""

import re
from collections.abc import Mapping

from netcalc.analysis.losses import LOSSES, LossName
from netcalc.analysis.memory import (
    MOST_DEPTH,
    Checkpoint,
    TrainingMemory,
    inference,
    require_checkpoint,
    training,
)
from netcalc.analysis.precision import OPTIMISERS, TRAINABLE, OptimiserName
from netcalc.analysis.report import require_batch, require_dtype
from netcalc.api.load import Argument, Inputs, Model, graph_of
from netcalc.diagnostics import ArgumentError, flag, require_choice, whole_number
from netcalc.render.memory.result import MemoryResult
from netcalc.tensor import DTYPES, DTypeName

_UNITS: dict[str, int] = {"": 1, "b": 1} | {
    (prefix + unit).lower(): int(base**power)
    for power, prefix in enumerate("KMGT", 1)
    for unit, base in (("iB", 1024), ("B", 1000))
}

_MOST_BYTES = 10**31


def memory(
    model: Model,
    /,
    batch: int = 1,
    dtype: DTypeName = "float32",
    optimiser: OptimiserName = "sgd",
    *,
    mixed: bool = True,
    loss: LossName = "auto",
    checkpoint: Checkpoint = "none",
    fit: str | int | None = None,
    every_layer: bool = False,
    input: Inputs | None = None,
    variant: str | None = None,
    args: Mapping[str, Argument] | None = None,
) -> MemoryResult:
    """Memory of training and inference: the peak, the layer it is at, what is kept for backward.

    `mixed` keeps float32 copies of 16-bit weights. `checkpoint` runs parts again instead of keeping them:
    "sqrt", "block", or blocks so many names deep. `fit` asks for the largest batch whose training takes
    no more than a size, as "24GiB" or in bytes. `every_layer` shows all layers, not only those that keep
    most. `input`, `variant` and `args` are those of `load`.

        >>> found = netcalc.memory("resnet50", batch=32, optimiser="adam", fit="24GiB")
        >>> found.training_bytes, found.inference_bytes, found.largest_batch
        (3089838340, 410721952, 293)

    Raises ValueError for an argument out of range, and what `load` raises.
    """
    batch = require_batch(batch)
    require_dtype(dtype)
    require_choice("optimiser", optimiser, OPTIMISERS)
    require_choice("loss", loss, LOSSES)
    mixed, every_layer = flag("mixed", mixed), flag("every_layer", every_layer)
    if not isinstance(checkpoint, str):
        checkpoint = whole_number("checkpoint", checkpoint, 1, MOST_DEPTH)
    require_checkpoint(checkpoint)
    limit = _limit(fit)
    graph = graph_of(model, input, variant, args)
    trained: TrainingMemory | None = None
    whole: TrainingMemory | None = None
    if dtype in TRAINABLE:
        trained = training(graph, dtype, optimiser, mixed=mixed, checkpoint=checkpoint, loss=loss)
        whole = training(graph, dtype, optimiser, mixed=mixed, loss=loss) if checkpoint != "none" else None
    elif every_layer or (optimiser, mixed, loss, checkpoint, limit) != ("sgd", True, "auto", "none", None):
        raise ArgumentError("dtype", f"networks are not trained in {dtype}.")
    if not mixed and DTYPES[dtype].itemsize != 2:
        raise ArgumentError("mixed", f"weights in {dtype} have no float32 copies to leave out.")
    return MemoryResult(
        graph, batch, dtype, optimiser, inference(graph, dtype), trained, whole, limit, every_layer
    )


def _limit(fit: object) -> int | None:
    """The bytes that are to suffice; None where nothing is asked."""
    if fit is None:
        return None
    if isinstance(fit, str):
        return _bytes(fit)
    if isinstance(fit, bool) or not hasattr(fit, "__index__"):
        raise TypeError(f"fit is a size as 24GiB, or a whole number of bytes, not {fit!r}")
    number = whole_number("fit", fit)
    if not 0 <= number <= _MOST_BYTES:
        shown = number if number < 0 else "a larger one"
        raise ArgumentError("fit", f"fit is a size from 0 up to 10^31 bytes, not {shown}")
    return number


def _bytes(text: str) -> int | None:
    """A size as people write it: `24GiB`, `512 MB`, or plain bytes."""
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,18})(?:\.(\d{1,9}))?\s*([A-Za-z]*)", text.strip(), re.ASCII)
    if match is None or match[3].lower() not in _UNITS:
        message = f"fit {text!r} is no size; write it as 24GiB, 512MiB or 80GB (1 GiB = 1024^3 bytes)."
        raise ArgumentError("fit", message)
    digits = match[2] or ""
    return int(match[1] + digits) * _UNITS[match[3].lower()] // int("1" + "0" * len(digits))
