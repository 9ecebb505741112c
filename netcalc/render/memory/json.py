"""The figures of `netcalc memory` as one JSON document."""

from collections.abc import Iterator
from typing import Any

from netcalc.analysis.allocations import MemoryEvent
from netcalc.analysis.memory import LayerMemory, TrainingMemory
from netcalc.render.json import JsonRows, JsonSection, json_document
from netcalc.render.memory.result import MemoryResult
from netcalc.render.table.json import inputs_list


def json_chunks(view: MemoryResult, version: str) -> Iterator[str]:
    """The text of the document; every figure in bytes, for the whole batch."""
    training = view.training
    return json_document(
        {
            "netcalc": version,
            "name": view.graph.name,
            "batch": view.batch,
            "dtype": view.dtype,
            "inputs": inputs_list(view.graph),
            "inference": _inference(view),
            "training": None if training is None else _training(view, training),
        }
    )


def _inference(view: MemoryResult) -> dict[str, Any]:
    inference = view.inference
    return {
        "peak_bytes": inference.peak(view.batch),
        "weight_bytes": inference.weights,
        "peak_layer": inference.peak_layer(view.batch).full_name,
        "best_peak_bytes": inference.best_peak(view.batch),
        "best_order_is": inference.ordering.how,
        "best_order": [view.graph.nodes[layer].full_name for layer in inference.ordering.order],
    }


def _training(view: MemoryResult, training: TrainingMemory) -> JsonSection:
    peak = training.peak_event(view.batch)
    figures: dict[str, Any] = {
        "optimiser": view.optimiser,
        "mixed": training.precision.mixed,
        "peak_bytes": training.peak(view.batch),
        "peak": _step(view, training, peak),
        "loss": [
            {"output": loss.output, "name": loss.name, "kept_bytes": loss.saved.at(view.batch)}
            for loss in training.losses
        ],
        "weights": training.weights._asdict(),
        "kept_bytes": training.saved.at(view.batch),
        "forward_macs": training.forward_macs * view.batch,
        "backward_macs": training.backward_macs * view.batch,
        "again_macs": training.recomputed_macs * view.batch,
        "parts_run_again": sum(segment.recomputed for segment in training.segments),
    }
    if view.limit is not None:
        figures |= {"limit_bytes": view.limit, "largest_batch": training.largest_batch(view.limit)}
    return JsonSection(
        {
            **figures,
            "timeline": JsonRows(_step(view, training, step) for step in training.timeline),
            "layers": JsonRows(_layer(view, training, layer) for layer in training.layers),
        }
    )


def _step(view: MemoryResult, training: TrainingMemory, step: MemoryEvent) -> dict[str, Any]:
    return {
        "phase": step.phase,
        "layer": None if step.layer is None else view.graph.nodes[step.layer].full_name,
        "total": training.bytes_at(step, view.batch),
        **{name: part.at(view.batch) for name, part in step.parts._asdict().items()},
    }


def _layer(view: MemoryResult, training: TrainingMemory, layer: LayerMemory) -> dict[str, Any]:
    kept = training.saved_tensors[layer.node.full_name]
    return {
        "name": layer.node.full_name,
        "kind": layer.node.layer.kind,
        "keeps_inputs": [layer.node.inputs[position] for position in kept.inputs],
        "keeps_output": kept.output,
        "kept_bytes": layer.saved.at(view.batch),
        "backward_macs": layer.backward_macs * view.batch,
    }
