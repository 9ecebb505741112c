"""netcalc.roofline: how long a network takes on a device at least."""

from collections.abc import Mapping
from typing import get_args

from netcalc.analysis.devices import Device, DeviceName, PeakName, read_devices, require_device
from netcalc.analysis.fusion import Fusion
from netcalc.analysis.memory import training_peak
from netcalc.analysis.report import require_batch
from netcalc.analysis.roofline import roofline as roofline_of
from netcalc.api.load import Argument, Inputs, Model, graph_of
from netcalc.diagnostics import ArgumentError, require_choice, suggestion, whole_number
from netcalc.graph import Graph
from netcalc.render.roofline.result import RooflineResult
from netcalc.render.roofline.words import TrainingRun


def roofline(
    model: Model,
    /,
    device: DeviceName | Device,
    batch: int = 1,
    dtype: PeakName | None = None,
    *,
    fusion: Fusion = "elementwise",
    images: int = 0,
    epochs: int = 1,
    input: Inputs | None = None,
    variant: str | None = None,
    args: Mapping[str, Argument] | None = None,
) -> RooflineResult:
    """A lower bound of the time on a device, kernel by kernel: bound by compute or by memory.

    `device` is one that `netcalc devices` lists, or a Device; `read_devices` reads a table of your own.
    `dtype` is what is computed in: float32 unless the device has no peak for it. `images` and `epochs`
    ask for the time of a training. `input`, `variant` and `args` are those of `load`.

        >>> found = netcalc.roofline("resnet50", "a100", batch=64, dtype="float16")
        >>> f"{1000 * found.step_seconds:.1f} ms a step"
        '6.3 ms a step'

    Raises ValueError for an argument out of range, and what `load` raises.
    """
    batch = require_batch(batch)
    require_choice("fusion", fusion, get_args(Fusion))
    images = whole_number("images", images, 0, 10**15)
    epochs = whole_number("epochs", epochs, 1, 10**9)
    if epochs != 1 and not images:
        raise ArgumentError("epochs", "epochs says how often images are seen; give images too.")
    chosen = device if isinstance(device, Device) else named_device(device, read_devices())
    require_device(chosen)
    computed = _dtype(chosen, dtype)
    graph = graph_of(model, input, variant, args)
    training = None if computed == "int8" else _training(graph, chosen, batch, computed, images, epochs)
    if training is None and images:
        raise ArgumentError("images", "no training is counted in int8.")
    return RooflineResult.of(roofline_of(graph, chosen, batch, computed, fusion), training)


def named_device(name: str, known: Mapping[str, Device]) -> Device:
    """The device of a name; raises ArgumentError where there is none."""
    if not isinstance(name, str) or name not in known:
        hint = suggestion(str(name), known, f"there are {', '.join(known)}.")
        raise ArgumentError("device", f"there is no device {name!r}; {hint}")
    return known[name]


def _dtype(device: Device, wanted: str | None) -> str:
    peaks = device.operations_per_second
    if wanted is None:
        return "float32" if "float32" in peaks else next(iter(peaks))
    if not isinstance(wanted, str) or wanted not in peaks:
        message = f"no peak is known of {device.name} in {wanted}; there are {', '.join(peaks)}."
        raise ArgumentError("dtype", message)
    return wanted


def _training(graph: Graph, device: Device, batch: int, dtype: str, images: int, epochs: int) -> TrainingRun:
    return TrainingRun(images, epochs, training_peak(graph, batch, device.stored_as(dtype).name))
