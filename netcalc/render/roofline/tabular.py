"""The roofline of a network as a table of plain data, a row for each kernel."""

from netcalc.analysis.roofline import LayerWork, Roofline
from netcalc.render.numbers import scaled
from netcalc.render.roofline.text import conditions_in_words, device_in_words, duration, intensity_text
from netcalc.render.roofline.words import TrainingRun, bound_by, label, warning
from netcalc.render.tabular import Table, TableColumn

_COLUMNS = (
    TableColumn("layer", "layer", left=True),
    TableColumn("operations", "operations (M)", lambda count: scaled(count, 1_000_000)),
    TableColumn("bytes", "moved (MiB)", lambda size: scaled(size, 1024**2)),
    TableColumn("intensity", "ops a byte", intensity_text),
    TableColumn("bound_by", "bound by", left=True),
    TableColumn("forward_seconds", "forward", duration),
    TableColumn("backward_seconds", "backward", duration),
)


def kernel_table(found: Roofline, training: TrainingRun | None) -> Table:
    """What bounds each kernel, and its least times in seconds; the times of the update are in the notes."""
    columns = _COLUMNS if training is not None else _COLUMNS[:-1]
    sums = ("total", None, None, None, None, found.forward_seconds, found.backward_seconds)
    report, device = found.report, found.device
    notes = [
        f"{device.name}: {device_in_words(device, found.dtype)}",
        f"batch {report.batch}, {found.dtype}, fusion {found.fusion}",
    ]
    if training is not None:
        update = duration(found.seconds(found.update))
        notes.append(f"a training step takes at least {duration(found.step_seconds)}, its update {update}")
    if training is not None and training.images:
        seconds = found.training_seconds(training.images, training.epochs)
        notes.append(f"the training takes at least {duration(seconds)}")
    return Table(
        columns,
        [_row(found, layer)[: len(columns)] for layer in found.layers],
        sums[: len(columns)],
        report.graph.name,
        notes=[*notes, warning(found), conditions_in_words(training is not None)],
    )


def _row(found: Roofline, layer: LayerWork) -> tuple[object, ...]:
    work = layer.forward
    return (
        label(layer),
        work.operations,
        work.bytes,
        work.intensity,
        bound_by(found, work),
        found.seconds(work),
        found.seconds(layer.backward),
    )
