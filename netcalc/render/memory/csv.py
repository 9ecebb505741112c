"""The memory of each layer as CSV, one layer a line."""

from collections.abc import Iterator

from netcalc.analysis.memory import LayerMemory, TrainingMemory
from netcalc.render.csv import csv_document
from netcalc.render.memory.view import MemoryView
from netcalc.render.memory.words import kept_in_words
from netcalc.tensor import format_shape

_NAMES = ("layer", "kind", "output", "keeps", "kept_bytes", "backward_macs")


def csv_chunks(view: MemoryView) -> Iterator[str]:
    """The lines of the file, the names of the columns first."""
    training = view.training
    rows = [_row(view, training, layer) for layer in training.layers] if training is not None else []
    return csv_document(_NAMES, rows)


def _row(view: MemoryView, training: TrainingMemory, layer: LayerMemory) -> tuple[object, ...]:
    node = layer.node
    return (
        node.full_name,
        node.layer.kind,
        format_shape(node.output.shape),
        kept_in_words(training, layer),
        layer.saved.at(view.batch),
        layer.backward_macs * view.batch,
    )
