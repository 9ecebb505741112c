"""What each layer keeps for backward, as a table of plain data."""

from netcalc.analysis.memory import LayerMemory, TrainingMemory
from netcalc.render import numbers
from netcalc.render.memory.layers import heaviest
from netcalc.render.memory.result import MemoryResult
from netcalc.render.memory.text import conditions_in_words, peak_in_words
from netcalc.render.memory.words import format_bytes, kept_in_words
from netcalc.render.tabular import Table, TableColumn
from netcalc.tensor import format_shape

_COLUMNS = (
    TableColumn("layer", "layer", left=True),
    TableColumn("kind", "kind", left=True),
    TableColumn("output", "output", left=True),
    TableColumn("keeps", "keeps", left=True),
    TableColumn("kept_bytes", "kept", format_bytes),
    TableColumn("backward_macs", "backward macs (M)", lambda macs: numbers.scaled(macs, 1_000_000)),
)


def kept_table(view: MemoryResult, training: TrainingMemory, every_layer: bool) -> Table:
    """Every layer, or those that keep most; the sum is that of all layers."""
    layers = training.layers if every_layer else heaviest(training, view.batch)
    return Table(
        _COLUMNS,
        [_row(view, training, layer) for layer in layers],
        _sums(view, training),
        view.graph.name,
        notes=[*peak_in_words(view), conditions_in_words(view)],
    )


def _row(view: MemoryResult, training: TrainingMemory, layer: LayerMemory) -> tuple[object, ...]:
    node = layer.node
    return (
        node.full_name,
        node.layer.kind,
        format_shape(node.output.shape),
        kept_in_words(training, layer),
        layer.saved.at(view.batch),
        layer.backward_macs * view.batch,
    )


def _sums(view: MemoryResult, training: TrainingMemory) -> tuple[object, ...]:
    kept = sum(layer.saved.at(view.batch) for layer in training.layers)
    return ("all layers", None, None, None, kept, training.backward_macs * view.batch)
