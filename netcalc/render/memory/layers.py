"""What each layer saves for backward."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netcalc.analysis.memory import LayerMemory, TrainingMemory
from netcalc.render import numbers
from netcalc.render.bars import draw_bar
from netcalc.render.layout import Heading, Segment, lay_out
from netcalc.render.memory.view import MemoryView
from netcalc.render.memory.words import format_bytes, kept_in_words, wrapped
from netcalc.tensor import format_shape

_MOST_LAYERS = 12


class _LayerColumn(NamedTuple):
    """A column of the layers' table."""

    heading: str
    style: str
    texts: Sequence[str]
    left: bool = False


def heaviest(training: TrainingMemory, batch: int) -> list[LayerMemory]:
    """The layers that keep most, in order."""
    heavy = sorted(training.layers, key=lambda layer: -layer.saved.at(batch))[:_MOST_LAYERS]
    return [layer for layer in training.layers if layer in heavy and layer.saved.at(batch)]


def layer_lines(view: MemoryView, training: TrainingMemory, room: int) -> Iterator[list[Segment]]:
    """The layers that keep most, or all of them, with the multiply-adds of their backward."""
    batch = view.batch
    listed: Sequence[LayerMemory] = training.layers
    if not view.every_layer:
        listed = heaviest(training, batch)
    most = max((layer.saved.at(batch) for layer in listed), default=0) or 1
    everything = training.saved.at(batch)
    kept = [layer.saved.at(batch) for layer in listed]
    columns = [
        _LayerColumn("layer", "cyan", [layer.node.full_name for layer in listed], left=True),
        _LayerColumn("output", "", [format_shape(layer.node.output.shape) for layer in listed], left=True),
        _LayerColumn("keeps", "dim", [kept_in_words(training, layer) for layer in listed], left=True),
        _LayerColumn("kept", "", [format_bytes(size) if size else "" for size in kept]),
        _LayerColumn("", "dim", [numbers.percent(size, everything) for size in kept]),
        _LayerColumn("", "green", [draw_bar(size, most, 8) for size in kept], left=True),
    ]
    if view.every_layer:
        macs = [layer.backward_macs * batch for layer in listed]
        shown = [numbers.scaled(count, 1_000_000) if count else "" for count in macs]
        columns.append(_LayerColumn("backward\nmacs (M)", "", shown))
    some = "" if view.every_layer else f"; the {len(listed)} layers that keep most of {len(training.layers)}"
    forgets = ", were nothing run again" if view.whole is not None else ""
    heading = f"{format_bytes(everything)} kept for backward in all{forgets}{some}"
    if training.losses:
        heading += f"; {format_bytes(training.loss_saved.at(batch))} of it by the loss"
    yield from wrapped(heading, "bold", room)
    yield from _column_lines(columns, room)


def _column_lines(columns: Sequence[_LayerColumn], room: int) -> Iterator[list[Segment]]:
    """Columns side by side, without the outputs' shapes where there is no room for them."""
    headings = [Heading("", column.heading, column.left) for column in columns]
    rows = list(zip(*(column.texts for column in columns), strict=True))
    layout = lay_out(headings, rows, room)
    if layout.width > room and any(column.heading == "output" for column in columns):
        yield from _column_lines([column for column in columns if column.heading != "output"], room)
        return
    yield from layout.heading_lines()
    for row in rows:
        cells = zip(row, columns, strict=True)
        yield layout.line([(text, column.style) for text, column in cells])
