"""The columns of the table: each one's heading, value and format."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from netcalc.analysis import AxisField, Convention, Figures, Report
from netcalc.layers.axes import Axes, feature_axis
from netcalc.layers.convolution import Convolution
from netcalc.render import numbers
from netcalc.render.table.lines import TableLine, TableView, contents
from netcalc.tensor import Shape, format_shape

Value = None | int | float | str | Shape


class Column(NamedTuple):
    """`value` gives what a CSV file holds, `show` what a table prints; None is an empty cell."""

    name: str
    group: str
    heading: str
    doc: str
    value: Callable[[TableLine], Value]
    show: Callable[[Any], str] = str
    left: bool = False
    of_figures: Callable[[Figures], int] | None = None
    """For a column that adds up."""


def _option(name: str) -> Callable[[TableLine], Value]:
    def value(line: TableLine) -> Value:
        given = None if line.inside else getattr(line.row.node.layer, name, None)
        return given if isinstance(given, int | tuple) and not isinstance(given, bool) else None

    return value


def _kind(line: TableLine) -> Value:
    return "block" if line.inside else line.row.node.layer.kind


def _filters(line: TableLine) -> Value:
    layer = line.row.node.layer
    if line.inside:
        return None
    return line.output_shape[layer.channel_axis] if layer.weighted else None


def channels_of(shape: Shape, axes: Axes) -> int | None:
    """The channels or features; None where no axis has that name."""
    axis = feature_axis(axes)
    return None if axis is None else shape[axis]


def sizes_of(shape: Shape, axes: Axes) -> Shape | None:
    """The sizes of the other axes."""
    axis = feature_axis(axes)
    return tuple(size for place, size in enumerate(shape) if place != axis) or None


def _in_channels(line: TableLine) -> Value:
    pairs = zip(line.row.input_shapes, line.row.input_axes, strict=True)
    channels = [count for shape, axes in pairs if (count := channels_of(shape, axes)) is not None]
    if len(set(channels)) <= 1:
        return channels[0] if channels else None
    return "+".join(map(str, channels)) if len(channels) <= 3 else f"{len(channels)} inputs"


def _in_size(line: TableLine) -> Value:
    return sizes_of(line.row.input_shapes[0], line.row.input_axes[0])


def _out_channels(line: TableLine) -> Value:
    return channels_of(line.output_shape, line.output_axes)


def _out_size(line: TableLine) -> Value:
    return sizes_of(line.output_shape, line.output_axes)


def _inputs(line: TableLine) -> Value:
    distinct = dict.fromkeys(map(format_shape, line.row.input_shapes))
    return ", ".join(distinct)


def _groups(line: TableLine) -> Value:
    layer = line.row.node.layer
    if isinstance(layer, Convolution) and not line.inside:
        return layer.in_groups(line.row.input_shapes[0][0])
    return _option("groups")(line)


def owner_of(line: TableLine) -> str | None:
    """The layer whose parameters a layer uses, or the block whose layers' a block's layers use."""
    if not line.inside:
        return line.row.node.shared
    nodes = [row.node for row in line.rows if row.node.params]
    owners = {
        node.shared and node.shared.removesuffix(node.full_name.removeprefix(line.name)) for node in nodes
    }
    return owners.pop() if len(owners) == 1 else None


def _weights(line: TableLine) -> Value:
    params = () if line.inside else line.row.node.params
    shapes = [param.shape for param in params if param.name == "weight"]
    return shapes[0] if shapes else None


def _show_pad(pad: Shape | tuple[tuple[int, int], ...]) -> str:
    sides = [
        f"{side[0]}+{side[1]}" if side[0] != side[1] else str(side[0])
        for side in pad
        if isinstance(side, tuple)
    ]
    return sides[0] if len(set(sides)) == 1 else "x".join(sides)


def _field(name: str, heading: str, doc: str, read: Callable[[AxisField], Any]) -> Column:
    """A column of the receptive field, with a value for each axis."""

    def value(line: TableLine) -> Value:
        field = (line.inside[-1] if line.inside else line).row.receptive_field
        return tuple(map(read, field.axes)) if field is not None else None

    return Column(name, "receptive field", heading, doc, value, numbers.sizes)


def _figure(name: str, heading: str, doc: str, read: Callable[[Figures], int], unit: int = 1) -> Column:
    """A column of a figure, in units of `unit`; every digit of it where that is 1."""

    def show(value: int) -> str:
        return numbers.exact(value) if unit == 1 else numbers.scaled(value, unit)

    return Column(name, "", heading, doc, lambda line: read(line.figures), show, of_figures=read)


_LAYER_COLUMNS = (
    Column("layer", "", "layer", "name, with what follows in place", lambda line: line.label, left=True),
    Column("kind", "", "kind", "kind of layer", _kind, left=True),
    Column("contents", "", "contents", "the weighted layers of a block", contents, left=True),
    Column("shares", "", "params of", "whose parameters it uses", owner_of, left=True),
    Column("from", "", "reads", "what it reads", lambda line: ", ".join(line.row.node.inputs), left=True),
    Column("input", "", "input", "input shapes", _inputs, left=True),
    Column("in_channels", "input size", "C", "input channels or features", _in_channels),
    Column("in_size", "input size", "H/W", "the other axes' sizes", _in_size, numbers.sizes),
    Column("filters", "layer", "filters", "filters or units", _filters),
    Column("kernel", "layer", "kernel", "size of the window", _option("kernel"), numbers.sizes),
    Column("stride", "layer", "stride", "step of the window", _option("stride"), numbers.sizes),
    Column("pad", "layer", "pad", "padding, before+after where they differ", _option("pad"), _show_pad),
    Column("dilation", "layer", "dilation", "distance between cells", _option("dilation"), numbers.sizes),
    Column("groups", "layer", "groups", "groups of channels", _groups),
    Column("weights", "layer", "weights", "shape of the weights", _weights, format_shape),
    Column("out_channels", "output size", "C", "output channels or features", _out_channels),
    Column("out_size", "output size", "H/W", "the other axes' sizes", _out_size, numbers.sizes),
    Column("output", "", "output", "output shape", lambda line: line.output_shape, format_shape, left=True),
    Column("axes", "", "axes", "the output's axes", lambda line: ",".join(line.output_axes), left=True),
)

_EXACT_COLUMNS = (
    _figure("macs", "macs", "multiply-adds, exactly", lambda f: f.macs),
    _figure("other_ops", "other ops", "other operations, exactly", lambda f: f.other_ops),
    _figure("exact_params", "params", "learnable parameters, exactly", lambda f: f.params),
    _figure("trainable_params", "trainable", "parameters not frozen", lambda f: f.trainable_params),
    _figure("buffers", "buffers", "running statistics and the like", lambda f: f.buffers),
    _figure("output_bytes", "output\nbytes", "bytes of the output", lambda f: f.output_bytes),
    _figure("param_bytes", "param\nbytes", "bytes of the parameters", lambda f: f.param_bytes),
)

_FIELD_COLUMNS = (
    _field("rf", "size", "receptive field", lambda axis: axis.size),
    _field("rf_stride", "stride", "inputs from one output to the next", lambda axis: axis.stride),
    _field(
        "rf_padding", "pad", "how far the first output reaches beyond the input", lambda axis: axis.padding
    ),
)


def _scaled_columns(convention: Convention) -> tuple[Column, ...]:
    """The figures in the units that the convention prints."""
    kilobyte = f"({numbers.byte_units(convention.name)[2][1]})"
    return (
        _figure("memory", f"memory\n{kilobyte}", "memory of the output", lambda f: f.output_bytes, 1024),
        _figure("params", "params\n(k)", "learnable parameters", lambda f: f.params, 1000),
        _figure("mult_adds", "mult-adds\n(M)", "multiply-adds", lambda f: f.macs, 1_000_000),
        _figure("flops", f"{convention.unit}\n(M)", "FLOPs by the convention", lambda f: f.flops, 1_000_000),
    )


def columns(convention: Convention) -> dict[str, Column]:
    """Every column by its name, headed for a convention."""
    listed = (*_LAYER_COLUMNS, *_scaled_columns(convention), *_EXACT_COLUMNS, *_FIELD_COLUMNS)
    return {column.name: column for column in listed}


_WINDOW = ("filters", "kernel", "stride", "pad")
_COSTS = ("memory", "params", "flops")
_TREE_COSTS = ("params", "mult_adds")


def default_columns(report: Report, view: TableView) -> tuple[str, ...]:
    """The lecture's columns for networks of one layout and vectors; shapes for those of several.

    Folded to a depth, what the blocks hold stands in place of a layer's options.
    """
    if view.tree:
        costs = ("params", "mult_adds", "flops") if report.convention.name == "flops" else _TREE_COSTS
        return ("layer", "kind", "shares", "output", *costs)
    is_uniform = _layout(report) is not None
    given = ("in_channels", "in_size") if is_uniform else ("input",)
    taken = ("out_channels", "out_size") if is_uniform else ("output", "axes")
    if view.depth is not None:
        return ("layer", "contents", *taken, *_COSTS)
    reads = () if _is_chain(report) else ("from",)
    return ("layer", *reads, *given, *_WINDOW, *_rare_columns(report), *taken, *_COSTS)


def _rare_columns(report: Report) -> Iterator[str]:
    """Dilation and groups, each where a layer has one that is not 1."""
    for name, value in (("dilation", _option("dilation")), ("groups", _groups)):
        found = {value(TableLine(row)) for row in report.rows}
        if any({*given} != {1} if isinstance(given, tuple) else given not in (None, 1) for given in found):
            yield name


def _layout(report: Report) -> tuple[str, str] | None:
    """What the axes are called, features and others, where all tensors of several axes have the same ones."""
    named = {axes for row in report.rows for axes in (*row.input_axes, row.output_axes)}
    features = {axes[axis] for axes in named if (axis := feature_axis(axes)) is not None}
    several = [axes for axes in named if len(axes) > 1]
    others = {tuple(name for axis, name in enumerate(axes) if axis != feature_axis(axes)) for axes in several}
    if any(feature_axis(axes) is None for axes in several) or len(others) > 1:
        return None
    return "/".join(sorted(features)) or "C", "/".join(next(iter(others), ("H", "W")))


def chosen_columns(report: Report, view: TableView) -> list[Column]:
    """The columns to show: those wanted; `+name` adds to the default.

    Raises KeyError with a name that is no column's.
    """
    known = columns(report.convention)
    added = [name.removeprefix("+") for name in view.wanted if name.startswith("+")]
    plain = [name for name in view.wanted if not name.startswith("+")]
    names = {*(plain or default_columns(report, view)), *added}
    ordered = plain if plain and not added else [name for name in known if name in names]
    features, others = _layout(report) or ("C/D", "others")
    headings = {"in_channels": features, "out_channels": features, "in_size": others, "out_size": others}
    chosen = (known[name] for name in dict.fromkeys(ordered))
    return [column._replace(heading=headings.get(column.name, column.heading)) for column in chosen]


def _is_chain(report: Report) -> bool:
    """Whether each layer reads just the one above it."""
    above: tuple[str, ...] = tuple(given.name for given in report.graph.inputs)
    for node in report.graph.nodes:
        if node.inputs != above:
            return False
        above = (node.full_name,)
    return True
