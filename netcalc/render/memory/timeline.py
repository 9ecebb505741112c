"""The memory of a training step over time, and what lives at its peak."""

from collections.abc import Iterator

from netcalc.analysis.allocations import Bytes, MemoryEvent
from netcalc.analysis.memory import TrainingMemory
from netcalc.render import numbers
from netcalc.render.layout import Segment, cut_end
from netcalc.render.memory.chart import Band, area_lines, axis_lines
from netcalc.render.memory.result import MemoryResult
from netcalc.render.memory.words import format_bytes

_HEIGHT = 12


def timeline_lines(
    view: MemoryResult, training: TrainingMemory, peak: MemoryEvent, room: int
) -> Iterator[list[Segment]]:
    steps, batch = training.timeline, view.batch
    weights = training.weights.total
    bands = [
        Band("█", "blue", [weights] * len(steps)),
        Band("▓", "magenta", [step.parts.weight_gradients.at(batch) for step in steps]),
        Band("▒", "green", [step.parts.kept.at(batch) for step in steps]),
        Band("░", "yellow", [_passing(step).at(batch) for step in steps]),
    ]
    top = training.bytes_at(peak, batch)
    labels = [(top, format_bytes(top)), (top // 2, format_bytes(top // 2))]
    yield from area_lines(bands, labels, room, _HEIGHT)
    turn = next(at for at, step in enumerate(steps) if step.phase != "forward")
    places = [(0, "forward"), (turn, "backward"), (steps.index(peak), "▲ peak")]
    yield from ([(line, "dim")] for line in axis_lines(places, len(steps), labels, room))


def peak_lines(
    view: MemoryResult, training: TrainingMemory, peak: MemoryEvent, total: int, width: int | None
) -> Iterator[list[Segment]]:
    """What lives at the peak, with the chart's fills."""
    batch, weights = view.batch, training.weights
    inside = [("parameters", weights.parameters), ("running statistics", weights.buffers)]
    inside += [("float32 copies", weights.master), (f"{view.optimiser} state", weights.state)]
    inside = [(name, size) for name, size in inside if size]
    rows = [
        ("  █ ", "blue", "weights", weights.total),
        *(("", "", f"      {name}", size) for name, size in inside if len(inside) > 1),
        ("  ▓ ", "magenta", "gradients of weights", peak.parts.weight_gradients.at(batch)),
        ("  ▒ ", "green", "kept for backward", peak.parts.kept.at(batch)),
        ("  ░ ", "yellow", "outputs and gradients in passing", _passing(peak).at(batch)),
    ]
    if temporary := peak.parts.temporary.at(batch):
        rows.append(("", "", f"      of them inside {_inside(training, peak)}", temporary))
    digits = max(len(format_bytes(size)) for *_, size in rows)
    longest = max(38, *(len(fill) + len(name) + 2 for fill, _, name, _ in rows))
    if width is not None:
        longest = min(longest, width - digits - 5)
    for fill, style, name, size in rows:
        shown = name if width is None else cut_end(name, width - len(fill) - digits - 7)
        text = shown.ljust(longest - len(fill)) + format_bytes(size).rjust(digits)
        share = f" {numbers.percent(size, total):>4}"
        yield [(fill, style), (text, "" if fill else "dim"), (share if fill else "", "dim")]


def _inside(training: TrainingMemory, step: MemoryEvent) -> str:
    """Whose temporaries live at a step."""
    return "the optimiser" if step.layer is None else training.graph.nodes[step.layer].layer.kind


def _passing(step: MemoryEvent) -> Bytes:
    return step.parts.passing.plus(step.parts.gradients).plus(step.parts.temporary)
