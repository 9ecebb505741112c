"""What each layer saves for backward."""

from collections.abc import Iterator, Sequence

from netcalc.analysis.memory import LayerMemory, TrainingMemory
from netcalc.render import numbers
from netcalc.render.bars import draw_bar
from netcalc.render.layout import Heading, Segment, paragraph
from netcalc.render.memory.result import MemoryResult
from netcalc.render.memory.words import format_bytes, kept_in_words
from netcalc.render.text_table import TextColumn, text_table
from netcalc.tensor import format_shape

_MOST_LAYERS = 12


def heaviest(training: TrainingMemory, batch: int) -> list[LayerMemory]:
    """The layers that keep most, in order."""
    heavy = sorted(training.layers, key=lambda layer: -layer.saved.at(batch))[:_MOST_LAYERS]
    return [layer for layer in training.layers if layer in heavy and layer.saved.at(batch)]


def layer_lines(view: MemoryResult, training: TrainingMemory, width: int | None) -> Iterator[list[Segment]]:
    """The layers that keep most, or all of them, with the multiply-adds of their backward."""
    batch = view.batch
    listed: Sequence[LayerMemory] = training.layers
    if not view.every_layer:
        listed = heaviest(training, batch)
    most = max((layer.saved.at(batch) for layer in listed), default=0) or 1
    everything = training.saved.at(batch)
    kept = [layer.saved.at(batch) for layer in listed]
    shapes = [format_shape(layer.node.output.shape) for layer in listed]
    words = [kept_in_words(training, layer) for layer in listed]
    columns = [
        TextColumn(Heading("", "layer", left=True), [layer.node.full_name for layer in listed], "cyan"),
        TextColumn(Heading("", "output", left=True), shapes, drop=1),
        TextColumn(Heading("", "keeps", left=True), words, "dim", drop=3),
        TextColumn(Heading("", "kept"), [format_bytes(size) if size else "" for size in kept]),
        TextColumn(Heading("", ""), [numbers.percent(size, everything) for size in kept], "dim", drop=4),
        TextColumn(Heading("", "", left=True), [draw_bar(size, most, 8) for size in kept], "green", drop=2),
    ]
    if view.every_layer:
        macs = [layer.backward_macs * batch for layer in listed]
        shown = [numbers.scaled(count, 1_000_000) if count else "" for count in macs]
        columns.append(TextColumn(Heading("", "backward\nmacs (M)"), shown))
    some = "" if view.every_layer else f"; the {len(listed)} layers that keep most of {len(training.layers)}"
    forgets = ", were nothing run again" if view.whole is not None else ""
    heading = f"{format_bytes(everything)} kept for backward in all{forgets}{some}"
    if training.losses:
        heading += f"; {format_bytes(training.loss_saved.at(batch))} of it by the loss"
    yield from paragraph(heading, "bold", width)
    yield from text_table(columns, width)
