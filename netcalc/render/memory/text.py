"""What training and inference need in memory: the timeline, the peak, what each layer keeps."""

from collections.abc import Iterator

from netcalc.analysis.allocations import MemoryEvent
from netcalc.analysis.memory import TrainingMemory
from netcalc.render.layout import PAGE, Segment, hanging, paragraph, title_lines
from netcalc.render.memory.layers import layer_lines
from netcalc.render.memory.result import MemoryResult
from netcalc.render.memory.timeline import peak_lines, timeline_lines
from netcalc.render.memory.words import format_bytes, format_count, told_apart
from netcalc.render.table.words import inputs_in_words


def memory_lines(view: MemoryResult, width: int | None) -> Iterator[list[Segment]]:
    """Training with its timeline and its layers, inference, and how it was counted."""
    facts = f"input {inputs_in_words(view.graph)}", f"batch {view.batch}, {view.dtype}"
    yield from title_lines((view.graph.name, "bold"), facts, width)
    yield []
    if view.training is not None:
        yield from _training(view, view.training, width)
        yield []
    yield from _inference(view, width)
    yield []
    yield from paragraph(conditions_in_words(view), "dim", width)


def peak_in_words(view: MemoryResult) -> Iterator[str]:
    """The peaks of training and inference, and the largest batch that fits."""
    training = view.training
    if training is not None:
        peak = training.peak_event(view.batch)
        words = _peak(training, peak, training.bytes_at(peak, view.batch))
        yield f"training ({_optimiser(view, training)}): {words}"
        if view.limit is not None:
            yield _fit(training, view.limit)
    yield f"inference: {format_bytes(view.inference.peak(view.batch))} at the peak"


def _training(view: MemoryResult, training: TrainingMemory, width: int | None) -> Iterator[list[Segment]]:
    peak = training.peak_event(view.batch)
    yield from hanging([("training  ", "bold")], _optimiser(view, training), "", width)
    yield from paragraph(_loss(training), "", width)
    yield from timeline_lines(view, training, peak, width or PAGE)
    yield []
    total = training.bytes_at(peak, view.batch)
    yield from paragraph(_peak(training, peak, total), "bold", width)
    yield from peak_lines(view, training, peak, total, width)
    yield []
    yield from layer_lines(view, training, width)
    yield []
    yield from _remarks(view, training, width)


def _remarks(view: MemoryResult, training: TrainingMemory, width: int | None) -> Iterator[list[Segment]]:
    """What the backward pass computes, what checkpoints save, and the largest batch that fits."""
    batch = view.batch
    forward, back = training.forward_macs * batch, training.backward_macs * batch
    text = f"{format_count(forward)} multiply-adds forward, {format_count(back)} backward"
    if forward:
        text += (
            f": {1 + back / forward:.2f} times the forward in all, as the network's input needs no gradient"
        )
    yield from paragraph(text, "", width)
    if view.whole is not None:
        yield from paragraph(_saved(view, training, view.whole), "", width)
    if view.limit is not None:
        yield from paragraph(_fit(training, view.limit), "bold", width)


def _saved(view: MemoryResult, training: TrainingMemory, whole: TrainingMemory) -> str:
    """What checkpoints save and what they run again."""
    parts = sum(segment.recomputed for segment in training.segments)
    if not parts:
        return "checkpoints: no block of more than one layer so many names deep, so nothing is forgotten"
    before, now = whole.peak(view.batch), training.peak(view.batch)
    again, step = training.recomputed_macs, training.forward_macs + training.backward_macs
    more = f", {again / step:.0%} more a step" if step else ""
    saved = f"{format_bytes(abs(before - now))} {'less' if now <= before else 'more'}"
    return (
        f"checkpoints: {parts} part{'s' if parts > 1 else ''} forgotten and run again; "
        f"{format_bytes(now)} at the peak instead of {format_bytes(before)}, {saved}, "
        f"for {format_count(again * view.batch)} multiply-adds again{more}"
    )


def _fit(training: TrainingMemory, limit: int) -> str:
    batch = training.largest_batch(limit)
    if batch is None:
        return f"any batch fits {format_bytes(limit)}"
    if batch == 0:
        return f"not even a batch of 1 fits {format_bytes(limit)}: it needs {format_bytes(training.peak(1))}"
    needs, next_one = told_apart(limit, training.peak(batch), training.peak(batch + 1))
    fits = f"the largest batch that fits {format_bytes(limit)} is {batch:,}"
    return f"{fits}: it needs {needs}, one more {next_one}"


def _inference(view: MemoryResult, width: int | None) -> Iterator[list[Segment]]:
    inference, batch = view.inference, view.batch
    yield [("inference", "bold"), (f"  {format_bytes(inference.peak(batch))} at the peak", "bold")]
    outputs, weights = (
        format_bytes(inference.peak(batch) - inference.weights),
        format_bytes(inference.weights),
    )
    layer = inference.peak_layer(batch).full_name
    text = f"{outputs} of outputs and what layers make inside, while {layer} runs; {weights} of weights"
    yield from paragraph(text, "", width)
    yield from paragraph(_order(view), "", width)


def _order(view: MemoryResult) -> str:
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
        f"another order of the layers needs {format_bytes(now)} of outputs, {best}: "
        f"{first} before {view.graph.nodes[moved].full_name}, and so on (--format json lists it)"
    )


def conditions_in_words(view: MemoryResult) -> str:
    """Batch, element type, units, and what is counted."""
    kept = " what is kept is what PyTorch's autograd keeps;" if view.training is not None else ""
    return (
        f"batch {view.batch}, {view.dtype}; KiB = 1024 bytes; each tensor is freed at its last use; views "
        "take nothing; ReLU and others with PyTorch's inplace work in place where nobody else reads;"
        f"{kept} what kernels take for themselves is not counted"
    )


def _optimiser(view: MemoryResult, training: TrainingMemory) -> str:
    mixed = ", float32 copies of the weights and float32 state" if training.precision.mixed else ""
    return f"{view.dtype}, {view.optimiser}{mixed}"


def _loss(training: TrainingMemory) -> str:
    """`loss: cross-entropy on fc8`, and the outputs that have none."""
    words = {"cross_entropy": "cross-entropy", "mse": "mean squared error"}
    with_loss = {loss.output for loss in training.losses}
    losses = [f"{words[loss.name]} on {loss.output}" for loss in training.losses]
    outputs = dict.fromkeys(training.graph.outputs)
    losses += [f"none on {name}" for name in outputs if name not in with_loss]
    hint = "" if len(with_loss) == len(outputs) else " (--loss cross_entropy or mse counts one)"
    return f"loss: {', '.join(losses)}{hint}"


def _peak(training: TrainingMemory, peak: MemoryEvent, total: int) -> str:
    return f"{format_bytes(total)} at the peak, {_where(training, peak)}"


def _where(training: TrainingMemory, step: MemoryEvent) -> str:
    if step.layer is None:
        return "in the loss" if step.phase == "loss" else "when the weights are updated"
    name = training.graph.nodes[step.layer].full_name
    phase = {"forward": "forward", "again": "second forward", "backward": "backward"}[step.phase]
    return f"in the {phase} of {name}"
