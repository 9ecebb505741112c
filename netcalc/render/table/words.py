"""A report's totals, conditions and units in words."""

from collections.abc import Sequence

from netcalc.analysis import Report
from netcalc.graph import Graph
from netcalc.layers.convolution import Convolution
from netcalc.render import numbers
from netcalc.render.table.lines import TableLine, TableView, lines, totals
from netcalc.tensor import format_shape


def footer_in_words(report: Report, view: TableView) -> list[str]:
    """What stands below a table: totals, sizes, conditions, and what its marks mean."""
    listed = lines(report, view._replace(depth=None))
    sizes = "" if report.only else sizes_in_words(report, listed)
    words = totals_in_words(report, listed), sizes, conditions_in_words(report, view), marks_in_words(report)
    return [text for text in words if text]


def totals_in_words(report: Report, listed: Sequence[TableLine]) -> str:
    """The exact totals: `61,100,840 params, 716,767,232 multiply-adds, 2.28 MB of outputs`."""
    figures = totals(listed)
    units = numbers.byte_units(report.convention.name)
    memory = numbers.with_unit(figures.output_bytes, units)
    buffers = f" + {figures.buffers:,} buffers" if figures.buffers else ""
    frozen = figures.params - figures.trainable_params
    split = f" ({figures.trainable_params:,} trainable, {frozen:,} frozen)" if frozen else ""
    parts = [f"{figures.params:,} params{split}{buffers}", f"{figures.macs:,} multiply-adds"]
    if report.convention.name != "macs":
        parts.append(f"{figures.flops:,} {report.convention.unit}")
    weighted = _weighted_bytes(report)
    of_these = f" ({numbers.with_unit(weighted, units)} of conv and linear)" if weighted else ""
    return ", ".join([*parts, f"{memory} of outputs{of_these}"])


def sizes_in_words(report: Report, listed: Sequence[TableLine]) -> str:
    """What input, outputs and parameters take, and their sum, in MiB; the lecture calls it MB."""
    figures, given = totals(listed), sum(given.type.numel for given in report.graph.inputs)
    sizes = {
        "input": given * report.dtype.itemsize * report.batch,
        "outputs": figures.output_bytes,
        "params": figures.param_bytes,
    }
    unit = next(name for size, name in numbers.byte_units(report.convention.name) if size == 1024**2)
    sizes["together"] = sum(sizes.values())
    return f"{unit}: {', '.join(f'{name} {numbers.mebibytes(size)}' for name, size in sizes.items())}"


def marks_in_words(report: Report) -> str:
    """What parentheses and `shared` in the column of parameters mean, where there are some."""
    nodes = [row.node for row in report.rows]
    frozen = (
        "params in parentheses are frozen"
        if any(p.frozen and not p.buffer for node in nodes for p in node.params)
        else ""
    )
    shared = "shared params are counted once" if any(node.shared is not None for node in nodes) else ""
    return "; ".join(filter(None, (frozen, shared)))


def warnings_in_words(report: Report) -> list[str]:
    """Layers that nothing needs, and joins of paths with differently centred receptive fields."""
    texts = []
    unused = sorted(report.graph.unused)
    if unused:
        texts.append(
            f"no output depends on {', '.join(unused[:8])}{' and others' if len(unused) > 8 else ''}"
        )
    misaligned = [
        row.node.full_name for row in report.rows if row.receptive_field and not row.receptive_field.aligned
    ]
    if misaligned:
        texts.append(f"paths with differently centred receptive fields join in {', '.join(misaligned[:8])}")
    return texts


def conditions_in_words(report: Report, view: TableView) -> str:
    """Convention, batch, element type and units."""
    kilobyte = numbers.byte_units(report.convention.name)[2][1]
    in_place = "" if view.every_layer else "; activations work in place, in their layer's line"
    shares = "; % of the whole network" if view.percent or view.tree else ""
    only = f"; only {', '.join(report.only)}" if report.only else ""
    return (
        f"{report.convention.name} convention: {report.convention.words}; "
        f"batch {report.batch}, {report.dtype.name}; {kilobyte} = 1024 bytes{in_place}{shares}{only}"
    )


def inputs_in_words(graph: Graph) -> str:
    """The shape of the input, or the name and type of each of several."""
    if len(graph.inputs) == 1:
        return format_shape(graph.inputs[0].type.shape)
    return ", ".join(f"{given.name} {given.type}" for given in graph.inputs)


def input_shapes(graph: Graph) -> str:
    """The shapes of all inputs."""
    return ", ".join(format_shape(given.type.shape) for given in graph.inputs)


def _weighted_bytes(report: Report) -> int:
    """The lecture compares networks by the outputs of convolution and linear layers alone."""
    if not any(isinstance(row.node.layer, Convolution) for row in report.rows):
        return 0
    return sum(row.figures.output_bytes for row in report.rows if row.node.layer.weighted)
