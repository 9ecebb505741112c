"""The roofline of a network as JSON."""

from collections.abc import Iterator
from typing import Any

from netcalc.analysis.roofline import LayerWork, Roofline
from netcalc.render.json import JsonRows, json_document
from netcalc.render.roofline.words import TrainingRun, bound_by, label, warning


def json_chunks(found: Roofline, training: TrainingRun | None, version: str) -> Iterator[str]:
    """What was assumed, a layer a line, and the times in seconds."""
    device = found.device
    return json_document({
        "netcalc": version,
        "name": found.report.graph.name,
        "batch": found.report.batch,
        "dtype": found.dtype,
        "fusion": found.fusion,
        "assumes": warning(found),
        "device": {
            "key": device.key, "name": device.name, "memory_bytes": device.memory_bytes,
            "bytes_per_second": device.bytes_per_second,
            "operations_per_second": device.operations_per_second[found.dtype], "source": device.source,
        },
        "layers": JsonRows(_layer_dict(found, layer, training is not None) for layer in found.layers),
        "lower_bounds": _bounds_dict(found, training),
    })  # fmt: skip


def _layer_dict(found: Roofline, layer: LayerWork, trains: bool) -> dict[str, Any]:
    names = [row.node.full_name for row in layer.rows]
    return {"name": label(layer), "layers": names, **_work_dict(found, layer, trains)}


def _work_dict(found: Roofline, layer: LayerWork, trains: bool) -> dict[str, Any]:
    both = (("forward", layer.forward), ("backward", layer.backward))
    described: dict[str, Any] = {}
    for name, work in both if trains else both[:1]:
        described[name] = {
            "operations": work.operations, "bytes": work.bytes, "intensity": work.intensity,
            "bound_by": bound_by(found, work) or None, "seconds": found.seconds(work),
        }  # fmt: skip
    return described


def _bounds_dict(found: Roofline, training: TrainingRun | None) -> dict[str, Any]:
    bounds: dict[str, Any] = {
        "forward_seconds": found.forward_seconds,
        "one_kernel_seconds": found.seconds(found.whole),
    }
    if training is None:
        return bounds
    bounds |= {
        "backward_seconds": found.backward_seconds,
        "update_seconds": found.seconds(found.update),
        "step_seconds": found.step_seconds,
        "training_memory_bytes": training.memory_bytes,
        "device_memory_bytes": found.device.memory_bytes,
    }
    if training.images:
        bounds |= {
            "images": training.images,
            "epochs": training.epochs,
            "steps": found.steps(training.images, training.epochs),
            "training_seconds": found.training_seconds(training.images, training.epochs),
        }
    return bounds
