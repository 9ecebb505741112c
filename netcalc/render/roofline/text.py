"""The roofline of a network: what bounds each kernel, and the least time of a step."""

from collections.abc import Iterator

from netcalc.analysis.devices import Device
from netcalc.analysis.roofline import LayerWork, Roofline
from netcalc.render.bars import draw_bar
from netcalc.render.labels import short_label
from netcalc.render.layout import Heading, Segment, hanging, lay_out, paragraph, title_lines
from netcalc.render.numbers import byte_size, scaled
from netcalc.render.roofline.words import TrainingRun, bound_by, label, label_parts, warning
from netcalc.render.text_table import TextColumn, text_table

_LARGEST_BAR, _LEAST_BAR = 30, 6
_LEAST_LABEL, _LEAST_REMARK = 20, 20
"""Labels are cut to this before figures are dropped."""
_DROPS = {"ops a\nbyte": 1, "moved\n(MiB)": 2, "operations\n(M)": 3}
_BOUND = 4
"""The column of what bounds a kernel."""
_COLOURS = {"compute": "green", "memory": "blue"}
_TIMES = ((86_400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def roofline_lines(
    found: Roofline, training: TrainingRun | None, width: int | None
) -> Iterator[list[Segment]]:
    """The device, a line a kernel, the times, and what the bounds assume."""
    report, device = found.report, found.device
    title = f"{report.graph.name} on {device.name}", "bold"
    yield from title_lines(title, [f"batch {report.batch}, {found.dtype}"], width)
    yield [(f"fusion {found.fusion}: {_count(found)}", "")]
    yield from paragraph(device_in_words(device, found.dtype), "dim", width)
    yield []
    yield from _table(found, training is not None, width)
    yield []
    yield from _times(found, training, width)
    yield []
    yield from paragraph(warning(found), "yellow", width)
    yield from paragraph(conditions_in_words(training is not None), "dim", width)


def duration(seconds: float) -> str:
    """A time in the largest unit that it reaches: `5.21 ms`, `3.42 days`."""
    for size, unit in _TIMES:
        if seconds >= size:
            return (
                f"{seconds / size:.3g} {unit}" if seconds / size < 1000 else f"{seconds / size:,.0f} {unit}"
            )
    return f"{seconds * 1e9:.3g} ns" if seconds else "0"


def intensity_text(intensity: float) -> str:
    """Operations a byte: two digits below 100, whole numbers above."""
    return f"{intensity:,.0f}" if intensity >= 100 else f"{intensity:.2g}"


def conditions_in_words(trains: bool) -> str:
    """What is counted, and the units."""
    words = (
        "operations: 2 a multiply-add of products, others beside them; moved: operands, weights and what "
        "others read, once each; a kernel takes the longer of both; one kernel: inputs, weights and "
        "outputs of the network alone are moved; MiB = 1024^2 bytes"
    )
    return f"{words}; update: plain SGD" if trains else words


def _count(found: Roofline) -> str:
    """`53 kernels for 122 layers`."""
    kernels = sum(1 for layer in found.layers if layer.forward.operations or layer.forward.bytes)
    return f"{kernels:,} kernels for {len(found.report.rows):,} layers"


def device_in_words(device: Device, dtype: str) -> str:
    """The peak figures of a device."""
    peak, bandwidth = device.operations_per_second[dtype], device.bytes_per_second
    return (
        f"{peak / 1e12:,.4g} x 10^12 operations a second in {dtype}, {bandwidth / 1e9:,.4g} x 10^9 bytes a "
        f"second, {byte_size(device.memory_bytes)}; memory is the limit below {device.balance(dtype):,.3g} "
        "operations a byte"
    )


def _table(found: Roofline, trains: bool, width: int | None) -> Iterator[list[Segment]]:
    headings = [
        Heading("", "layer", left=True), Heading("", "operations\n(M)"), Heading("", "moved\n(MiB)"),
        Heading("", "ops a\nbyte"), Heading("", "bound by", left=True), Heading("", "forward"),
        *([Heading("", "backward")] if trains else []),
    ]  # fmt: skip
    rows = [_cells(found, layer, trains) for layer in found.layers]
    bounds = [_COLOURS.get(row[_BOUND], "") for row in rows]

    def labels(room: int) -> list[str]:
        return [short_label(*label_parts(layer), room) for layer in found.layers]

    columns = [TextColumn(headings[0], [row[0] for row in rows], "cyan", shortened=labels)]
    for at, heading in enumerate(headings[1:], 1):
        texts, style = [row[at] for row in rows], bounds if at == _BOUND else ""
        columns.append(TextColumn(heading, texts, style, drop=_DROPS.get(heading.text, 0)))
    bar = _LARGEST_BAR
    if width is not None:
        bar = min(bar, width - lay_out(headings, rows, None).width - 2)
    if bar >= _LEAST_BAR:
        times = [round(_seconds(found, layer, trains) * 1e12) for layer in found.layers]
        drawn = [draw_bar(time, max(1, *times), bar) for time in times]
        columns.append(TextColumn(Heading("", "", left=True), drawn, bounds))
    yield from text_table(columns, width, _LEAST_LABEL, ruled=True)


def _cells(found: Roofline, layer: LayerWork, trains: bool) -> list[str]:
    work = layer.forward
    intensity = work.intensity
    return [
        label(layer),
        scaled(work.operations, 1_000_000),
        scaled(work.bytes, 1024**2),
        "" if intensity is None else intensity_text(intensity),
        bound_by(found, work),
        duration(found.seconds(work)),
        *([duration(found.seconds(layer.backward))] if trains else []),
    ]


def _seconds(found: Roofline, layer: LayerWork, trains: bool) -> float:
    return found.seconds(layer.forward) + (found.seconds(layer.backward) if trains else 0.0)


def _times(found: Roofline, training: TrainingRun | None, width: int | None) -> Iterator[list[Segment]]:
    compute = sum(
        found.seconds(layer.forward) for layer in found.layers if bound_by(found, layer.forward) == "compute"
    )
    share = 100 * compute / found.forward_seconds if found.forward_seconds else 0
    report, batch = found.report, found.report.batch
    yield from _time("forward", found.forward_seconds, f"{share:.0f}% of it bound by compute", width)
    if found.fusion != "none":
        yield from _time("one kernel", found.seconds(found.whole), "the forward, were all of it fused", width)
    if training is None:
        return
    yield from _time("backward", found.backward_seconds, "", width)
    updated = f"{report.totals.trainable_params:,} parameters"
    yield from _time("update", found.seconds(found.update), updated, width)
    step = found.step_seconds
    yield from _time("step", step, f"at most {batch / step:,.0f} samples a second" if step else "", width)
    if training.images:
        steps = found.steps(training.images, training.epochs)
        remark = f"{training.images:,} samples {training.epochs:,} times: {steps:,} steps"
        yield from _time("training", found.training_seconds(training.images, training.epochs), remark, width)
    if training.memory_bytes is not None:
        yield from _memory(found.device, training.memory_bytes, width)


def _time(what: str, seconds: float, remark: str, width: int | None) -> Iterator[list[Segment]]:
    head = [(f"{what:<10}", "bold"), (f" at least {duration(seconds):>9}", "")]
    indent = 11 if width is not None and len(head[1][0]) + 14 > width - _LEAST_REMARK else None
    yield from hanging([*head, ("   ", "")], remark, "dim", width, indent) if remark else [head]


def _memory(device: Device, needed: int, width: int | None) -> Iterator[list[Segment]]:
    share = 100 * needed / device.memory_bytes
    sizes = f" {byte_size(needed)} of {byte_size(device.memory_bytes)}, {share:.0f}%: "
    verdict = ("it fits", "green") if needed <= device.memory_bytes else ("it does not fit", "red")
    line = [(f"{'memory':<10}", "bold"), (sizes, "")]
    if width is not None and sum(len(text) for text, _ in [*line, verdict]) > width:
        yield line
        line = [(" " * 11, "")]
    yield [*line, verdict]
