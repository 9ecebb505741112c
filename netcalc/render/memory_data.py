"""The figures of `netcalc memory` for other programs: one JSON document, or CSV with one layer a line."""

import json
from collections.abc import Iterator
from typing import Any

from netcalc.analysis.allocations import MemoryEvent
from netcalc.analysis.memory import LayerMemory, TrainingMemory
from netcalc.render.csv import csv_line
from netcalc.render.memory import MemoryView, kept_in_words
from netcalc.tensor import format_shape


def json_chunks(view: MemoryView, version: str) -> Iterator[str]:
    """The text of the document; every figure in bytes, for the whole batch."""
    head = {
        "netcalc": version,
        "name": view.graph.name,
        "batch": view.batch,
        "dtype": view.dtype,
        "inputs": [{"name": given.name, "shape": given.type.shape} for given in view.graph.inputs],
        "inference": _inference(view),
    }
    yield json.dumps(head)[:-1]
    if view.training is None:
        yield ', "training": null}\n'
        return
    training = view.training
    yield ',\n "training": ' + json.dumps(_training(view, training))[:-1]
    yield ', "timeline": ['
    for number, step in enumerate(training.timeline):
        yield (",\n  " if number else "\n  ") + json.dumps(_step(view, training, step))
    yield '\n ], "layers": ['
    for number, layer in enumerate(training.layers):
        yield (",\n  " if number else "\n  ") + json.dumps(_layer(view, training, layer))
    yield "\n ]}}\n"


def csv_chunks(view: MemoryView) -> Iterator[str]:
    """The lines of the file, the names of the columns first."""
    yield csv_line(["layer", "kind", "output", "keeps", "kept_bytes", "backward_macs"])
    training = view.training
    for layer in training.layers if training else ():
        assert training is not None
        node = layer.node
        yield csv_line([
            node.full_name, node.layer.kind, format_shape(node.output.shape), kept_in_words(training, layer),
            layer.saved.at(view.batch), layer.backward_macs * view.batch,
        ])  # fmt: skip


def _inference(view: MemoryView) -> dict[str, Any]:
    inference = view.inference
    return {
        "peak_bytes": inference.peak(view.batch),
        "weight_bytes": inference.weights,
        "peak_layer": inference.peak_layer(view.batch).full_name,
        "best_peak_bytes": inference.best_peak(view.batch),
        "best_order_is": inference.ordering.how,
        "best_order": [view.graph.nodes[layer].full_name for layer in inference.ordering.order],
    }


def _training(view: MemoryView, training: TrainingMemory) -> dict[str, Any]:
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
    return figures


def _step(view: MemoryView, training: TrainingMemory, step: MemoryEvent) -> dict[str, Any]:
    return {
        "phase": step.phase,
        "layer": None if step.layer is None else view.graph.nodes[step.layer].full_name,
        "total": training.bytes_at(step, view.batch),
        **{name: part.at(view.batch) for name, part in step.parts._asdict().items()},
    }


def _layer(view: MemoryView, training: TrainingMemory, layer: LayerMemory) -> dict[str, Any]:
    kept = training.saved_tensors[layer.node.full_name]
    return {
        "name": layer.node.full_name,
        "kind": layer.node.layer.kind,
        "keeps_inputs": [layer.node.inputs[position] for position in kept.inputs],
        "keeps_output": kept.output,
        "kept_bytes": layer.saved.at(view.batch),
        "backward_macs": layer.backward_macs * view.batch,
    }
