"""What training and inference need in memory: the timeline, the peak, what each layer keeps."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import NamedTuple

from netcalc.analysis.allocations import Bytes, MemoryEvent
from netcalc.analysis.memory import InferenceMemory, LayerMemory, TrainingMemory
from netcalc.graph import Graph
from netcalc.render import numbers
from netcalc.render.chart import Band, area_lines, axis_lines
from netcalc.render.layout import Heading, Segment, lay_out
from netcalc.render.numbers import BYTE_UNITS
from netcalc.render.table import draw_bar
from netcalc.tensor import format_shape

_WIDTH = 100
_HEIGHT = 12
_MOST_LAYERS = 12
_SIZES = ((1024**5, "PiB"), (1024**4, "TiB"), *BYTE_UNITS)
_THOUSANDS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"), (1, ""))


@dataclass(frozen=True)
class MemoryView:
    """What was worked out, and what was asked for."""

    graph: Graph
    batch: int
    dtype: str
    optimiser: str
    inference: InferenceMemory
    training: TrainingMemory | None = None
    """None for an element type that networks are not trained in."""
    whole: TrainingMemory | None = None
    """The same training with nothing forgotten, where `training` runs parts again."""
    limit: int | None = None
    every_layer: bool = False


class _Column(NamedTuple):
    """A column of the layers' table."""

    heading: str
    style: str
    texts: Sequence[str]
    left: bool = False


def memory_lines(view: MemoryView, width: int | None) -> Iterator[list[Segment]]:
    """Training with its timeline and its layers, inference, and how it was counted."""
    room = width or _WIDTH
    given = ", ".join(f"{each.name} {each.type}" for each in view.graph.inputs)
    given = given if len(view.graph.inputs) > 1 else format_shape(view.graph.inputs[0].type.shape)
    yield [(view.graph.name, "bold"), (f"  ·  input {given}  ·  batch {view.batch}, {view.dtype}", "")]
    yield []
    if view.training is not None:
        yield from _training(view, view.training, room)
        yield []
    yield from _inference(view, room)
    yield []
    yield from _wrapped(_conditions(view), "dim", room)


def _training(view: MemoryView, training: TrainingMemory, room: int) -> Iterator[list[Segment]]:
    peak = training.peak_event(view.batch)
    yield [("training", "bold"), (f"  {_optimiser(view, training)}", "")]
    yield from _wrapped(_loss(training), "", room)
    yield from _timeline(view, training, peak, room)
    yield []
    total = training.bytes_at(peak, view.batch)
    yield [(f"{_bytes(total)} at the peak, {_where(training, peak)}", "bold")]
    yield from _parts(view, training, peak, total)
    yield []
    yield from _layers(view, training, room)
    yield []
    yield from _remarks(view, training, room)


def _timeline(
    view: MemoryView, training: TrainingMemory, peak: MemoryEvent, room: int
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
    labels = [(top, _bytes(top)), (top // 2, _bytes(top // 2))]
    yield from area_lines(bands, labels, room, _HEIGHT)
    turn = next(at for at, step in enumerate(steps) if step.phase != "forward")
    places = [(0, "forward"), (turn, "backward"), (steps.index(peak), "▲ peak")]
    yield from ([(line, "dim")] for line in axis_lines(places, len(steps), labels, room))


def _parts(
    view: MemoryView, training: TrainingMemory, peak: MemoryEvent, total: int
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
    digits = max(len(_bytes(size)) for *_, size in rows)
    for fill, style, name, size in rows:
        text = name.ljust(38 - len(fill)) + _bytes(size).rjust(digits)
        share = f" {numbers.percent(size, total):>4}"
        yield [(fill, style), (text, "" if fill else "dim"), (share if fill else "", "dim")]


def _layers(view: MemoryView, training: TrainingMemory, room: int) -> Iterator[list[Segment]]:
    """The layers that keep most, or all of them, with the multiply-adds of their backward."""
    batch = view.batch
    listed: Sequence[LayerMemory] = training.layers
    if not view.every_layer:
        heavy = sorted(listed, key=lambda layer: -layer.saved.at(batch))[:_MOST_LAYERS]
        listed = [layer for layer in listed if layer in heavy and layer.saved.at(batch)]
    most = max((layer.saved.at(batch) for layer in listed), default=0) or 1
    everything = training.saved.at(batch)
    kept = [layer.saved.at(batch) for layer in listed]
    columns = [
        _Column("layer", "cyan", [layer.node.full_name for layer in listed], left=True),
        _Column("output", "", [format_shape(layer.node.output.shape) for layer in listed], left=True),
        _Column("keeps", "dim", [kept_in_words(training, layer) for layer in listed], left=True),
        _Column("kept", "", [_bytes(size) if size else "" for size in kept]),
        _Column("", "dim", [numbers.percent(size, everything) for size in kept]),
        _Column("", "green", [draw_bar(size, most, 8) for size in kept], left=True),
    ]
    if view.every_layer:
        macs = [layer.backward_macs * batch for layer in listed]
        shown = [numbers.scaled(count, 1_000_000) if count else "" for count in macs]
        columns.append(_Column("backward\nmacs (M)", "", shown))
    some = "" if view.every_layer else f"; the {len(listed)} layers that keep most of {len(training.layers)}"
    forgets = ", were nothing run again" if view.whole is not None else ""
    heading = f"{_bytes(everything)} kept for backward in all{forgets}{some}"
    if training.losses:
        heading += f"; {_bytes(training.loss_saved.at(batch))} of it by the loss"
    yield from _wrapped(heading, "bold", room)
    yield from _column_lines(columns, room)


def _column_lines(columns: Sequence[_Column], room: int) -> Iterator[list[Segment]]:
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


def kept_in_words(training: TrainingMemory, layer: LayerMemory) -> str:
    """`input, indices`: what a layer keeps, whoever else keeps it too."""
    kept = training.saved_tensors[layer.node.full_name]
    words = ["input" if len(layer.node.inputs) == 1 else "inputs"] if kept.inputs else []
    words += ["output"] if kept.output else []
    both = (kept.each, kept.once)
    words += ["values"] if any(extra.values for extra in both) else []
    words += ["statistics"] if any(extra.statistics for extra in both) else []
    words += ["indices"] if any(extra.indices for extra in both) else []
    return ", ".join(words)


def _remarks(view: MemoryView, training: TrainingMemory, room: int) -> Iterator[list[Segment]]:
    """What the backward computes, what forgetting saves, and what fits."""
    batch = view.batch
    forward, back = training.forward_macs * batch, training.backward_macs * batch
    text = f"{_scaled(forward)} multiply-adds forward, {_scaled(back)} backward"
    if forward:
        text += (
            f": {1 + back / forward:.2f} times the forward in all, as the network's input needs no gradient"
        )
    yield from _wrapped(text, "", room)
    if view.whole is not None:
        yield from _wrapped(_saved(view, training, view.whole), "", room)
    if view.limit is not None:
        yield from _wrapped(_fit(training, view.limit), "bold", room)


def _saved(view: MemoryView, training: TrainingMemory, whole: TrainingMemory) -> str:
    """What checkpoints save and what they run again."""
    parts = sum(segment.recomputed for segment in training.segments)
    if not parts:
        return "checkpoints: no block of more than one layer so many names deep, so nothing is forgotten"
    before, now = whole.peak(view.batch), training.peak(view.batch)
    again, step = training.recomputed_macs, training.forward_macs + training.backward_macs
    more = f", {again / step:.0%} more a step" if step else ""
    word = "less" if now <= before else "more"
    return (
        f"checkpoints: {parts} part{'s' if parts > 1 else ''} forgotten and run again; "
        f"{_bytes(now)} at the peak instead of {_bytes(before)}, {_bytes(abs(before - now))} {word}, "
        f"for {_scaled(again * view.batch)} multiply-adds again{more}"
    )


def _fit(training: TrainingMemory, limit: int) -> str:
    batch = training.largest_batch(limit)
    if batch is None:
        return f"any batch fits {_bytes(limit)}"
    if batch == 0:
        return f"not even a batch of 1 fits {_bytes(limit)}: it needs {_bytes(training.peak(1))}"
    needs, next_one = _bytes(training.peak(batch)), _bytes(training.peak(batch + 1))
    return f"the largest batch that fits {_bytes(limit)} is {batch:,}: it needs {needs}, one more {next_one}"


def _inference(view: MemoryView, room: int) -> Iterator[list[Segment]]:
    inference, batch = view.inference, view.batch
    yield [("inference", "bold"), (f"  {_bytes(inference.peak(batch))} at the peak", "bold")]
    outputs, weights = _bytes(inference.peak(batch) - inference.weights), _bytes(inference.weights)
    layer = inference.peak_layer(batch).full_name
    text = f"{outputs} of outputs and what layers make inside, while {layer} runs; {weights} of weights"
    yield from _wrapped(text, "", room)
    yield from _wrapped(_order(view), "", room)


def _order(view: MemoryView) -> str:
    inference, how = view.inference, view.inference.ordering.how
    peaks = inference.peak(view.batch), inference.best_peak(view.batch)
    before, now = (peak - inference.weights for peak in peaks)
    if now == before:
        return {
            "optimal": "no other order of the layers needs less",
            "heuristic": "no order that needs less was found; not every one was looked at",
            "as written": "other orders were not looked at: too many layers stand side by side",
        }[how]
    moved = next(place for place, layer in enumerate(inference.ordering.order) if layer != place)
    first = view.graph.nodes[inference.ordering.order[moved]].full_name
    best = "the least of all" if how == "optimal" else "the least that was found"
    return (
        f"another order of the layers needs {_bytes(now)} of outputs, {best}: "
        f"{first} before {view.graph.nodes[moved].full_name}, and so on (--format json lists it)"
    )


def _conditions(view: MemoryView) -> str:
    kept = " what is kept is what PyTorch's autograd keeps;" if view.training is not None else ""
    return (
        f"batch {view.batch}, {view.dtype}; KiB = 1024 bytes; each tensor is freed at its last use; views "
        "take nothing; ReLU and others with PyTorch's inplace work in place where nobody else reads;"
        f"{kept} what kernels take for themselves is not counted"
    )


def _optimiser(view: MemoryView, training: TrainingMemory) -> str:
    mixed = ", float32 copies of the weights and float32 state" if training.precision.mixed else ""
    return f"{view.dtype}, {view.optimiser}{mixed}"


def _loss(training: TrainingMemory) -> str:
    """`loss: cross-entropy on fc8`; the outputs without one are told."""
    words = {"cross_entropy": "cross-entropy", "mse": "mean squared error"}
    with_loss = {loss.output for loss in training.losses}
    told = [f"{words[loss.name]} on {loss.output}" for loss in training.losses]
    outputs = dict.fromkeys(training.graph.outputs)
    told += [f"none on {name}" for name in outputs if name not in with_loss]
    hint = "" if len(with_loss) == len(outputs) else " (--loss cross_entropy or mse counts one)"
    return f"loss: {', '.join(told)}{hint}"


def _where(training: TrainingMemory, step: MemoryEvent) -> str:
    if step.layer is None:
        return "in the loss" if step.phase == "loss" else "when the weights are updated"
    name = training.graph.nodes[step.layer].full_name
    phase = {"forward": "forward", "again": "second forward", "backward": "backward"}[step.phase]
    return f"in the {phase} of {name}"


def _inside(training: TrainingMemory, step: MemoryEvent) -> str:
    """Whose temporaries live at a step."""
    return "the optimiser" if step.layer is None else training.graph.nodes[step.layer].layer.kind


def _passing(step: MemoryEvent) -> Bytes:
    return step.parts.passing.plus(step.parts.gradients).plus(step.parts.temporary)


def _bytes(value: int) -> str:
    return numbers.with_unit(value, _SIZES)


def _scaled(value: int) -> str:
    return numbers.with_unit(value, _THOUSANDS).strip()


def _wrapped(text: str, style: str, room: int) -> Iterator[list[Segment]]:
    """A text in lines that keep each number and its unit together."""
    tied = re.sub(r"(?<=\d) (?=[A-Za-z])", "\N{NO-BREAK SPACE}", text)
    yield from ([(part.replace("\N{NO-BREAK SPACE}", " "), style)] for part in wrap(tied, room))
