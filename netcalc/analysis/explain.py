"""The formula of each figure of a layer, found by evaluating the layer's rules on symbolic integers."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from netcalc.analysis.receptive_field import AxisField
from netcalc.analysis.report import Report, Row
from netcalc.analysis.symbolic import SymbolicInt, Term, term_of
from netcalc.layers import Cost, Layer, Window
from netcalc.layers.axes import Axes
from netcalc.tensor import Shape, TensorType


class Explanation(NamedTuple):
    """One figure of a layer, with the term it was computed by."""

    figure: str
    value: int
    term: Term
    unit: str = ""
    remark: str = ""


def explain(report: Report, row: Row) -> list[Explanation]:
    """The figures of a row for the report's batch, with their formulas."""
    node = row.node
    several = len(row.input_shapes) > 1
    xs = tuple(
        TensorType(_symbolic_shape(shape, axes, f"in{number}_" if several else ""))
        for number, (shape, axes) in enumerate(zip(row.input_shapes, row.input_axes, strict=True), 1)
    )
    layer = _symbolic_layer(node.layer, row.input_axes)
    y = TensorType(_symbolic_shape(node.output.shape, row.output_axes, "out_"))
    cost = node.layer.cost(row_types(row), node.output)
    return [
        *_output(layer.infer(xs), row.output_axes),
        *_memory(y, report),
        *(_params(layer, xs, node.is_frozen) if node.shared is None else _shared_params(node.shared)),
        *_operations(layer.cost(xs, y), cost, report),
        *_receptive_field(report, row, layer.window(xs)),
    ]


def row_types(row: Row) -> tuple[TensorType, ...]:
    """The types of the inputs of a row's layer."""
    return tuple(map(TensorType, row.input_shapes))


def _symbolic_shape(shape: Shape, axes: Axes, prefix: str) -> Shape:
    return tuple(SymbolicInt.named(prefix + name, size) for name, size in zip(axes, shape, strict=True))


def _symbolic_layer(layer: Layer, axes: tuple[Axes, ...]) -> Layer:
    """The layer with a symbol for each option that differs from its default."""
    values = layer.settings()
    for name in values:
        values[name] = _symbolic_option(name, values[name], _space(axes))
    if isinstance(values.get("pad"), tuple):
        values["pad"] = tuple(map(_symbolic_pad, values["pad"]))
    return layer.with_options(**values)


def _space(axes: tuple[Axes, ...]) -> Axes:
    """The axes of the first input without the channels."""
    return tuple(name for name in axes[0] if name != "C") if axes else ()


def _symbolic_option(name: str, given: Any, space: Axes) -> Any:
    """A symbol for each number: equal numbers of a list share one, others end in their axis or position."""
    if isinstance(given, bool) or not isinstance(given, int | tuple):
        return given
    if isinstance(given, int):
        return SymbolicInt.named(name, given)
    if not all(isinstance(number, int) for number in given):
        return given
    alike = len(set(given)) == 1
    axes = space if len(space) == len(given) else tuple(map(str, range(len(given))))
    return tuple(
        SymbolicInt.named(name if alike else f"{name}_{axis}", number)
        for axis, number in zip(axes, given, strict=True)
    )


def _symbolic_pad(sides: tuple[int, int]) -> tuple[int, int]:
    before, after = sides
    if before == after:
        return (SymbolicInt.named("pad", before), SymbolicInt.named("pad", after)) if before else sides
    return (
        SymbolicInt.named("pad_before", before) if before else 0,
        SymbolicInt.named("pad_after", after) if after else 0,
    )


def _output(y: TensorType, axes: Axes) -> Iterator[Explanation]:
    for axis, size in zip(axes, y.shape, strict=True):
        yield Explanation(f"output {axis}", int(size), term_of(size))


def _memory(y: TensorType, report: Report) -> Iterator[Explanation]:
    nbytes = _batched(y.numel * SymbolicInt.named("itemsize", report.dtype.itemsize), report)
    yield Explanation("memory", int(nbytes), term_of(nbytes), "bytes")


def _params(layer: Layer, xs: tuple[TensorType, ...], is_frozen: bool) -> Iterator[Explanation]:
    params = layer.params(xs)
    learnable = sum(param.numel for param in params if not param.buffer)
    names = ", ".join(param.name for param in params if not param.buffer)
    remark = f"{names}; frozen" if is_frozen and names else names or "nothing is learned"
    yield Explanation("params", int(learnable), term_of(learnable), remark=remark)
    buffers = sum(param.numel for param in params if param.buffer)
    if buffers:
        names = ", ".join(param.name for param in params if param.buffer)
        yield Explanation("buffers", int(buffers), term_of(buffers), remark=names)


def _shared_params(owner: str) -> Iterator[Explanation]:
    """Shared parameters are counted at the layer that owns them."""
    yield Explanation("params", 0, term_of(0), remark=f"shared with {owner}")


def _operations(symbolic: Cost, cost: Cost, report: Report) -> Iterator[Explanation]:
    remark = "" if cost.macs else "no dot product"
    macs, other_ops = (_batched(count, report) for count in (symbolic.macs, symbolic.other_ops))
    yield Explanation("macs", cost.macs * report.batch, term_of(macs), "multiply-adds", remark)
    if cost.other_ops:
        yield Explanation("other ops", cost.other_ops * report.batch, term_of(other_ops), "operations")


def _batched(count: int, report: Report) -> int:
    """A count of one sample for the whole batch; a batch of one is left out of the formula."""
    return count if report.batch == 1 else count * SymbolicInt.named("batch", report.batch)


def _receptive_field(report: Report, row: Row, windows: tuple[Window, ...] | None) -> Iterator[Explanation]:
    """The recurrence r = r_in + (extent of the window - 1) * stride_in, for paths without upsampling."""
    field = row.receptive_field
    if field is None or windows is None:
        return
    before = _incoming_axes(report, row)
    for name, axis, incoming, window in zip(row.output_axes[1:], field.axes, before, windows, strict=True):
        term: Term = axis.size
        if incoming is not None and len(incoming.first) == 1 and window.upsampling == 1:
            size = SymbolicInt.named("in_field", incoming.size)
            stride = SymbolicInt.named("in_stride", incoming.advance)
            term = term_of(size + window.reach * stride)
        remark = f"stride {axis.stride}, padding {axis.padding}"
        yield Explanation(f"field {name}", axis.size, term, "inputs", remark)


def _incoming_axes(report: Report, row: Row) -> tuple[AxisField | None, ...]:
    """The field of a layer's only input along each axis; None where it has several inputs."""
    axes = len(row.output_shape) - 1
    if len(row.node.inputs) != 1:
        return (None,) * axes
    for other in report.rows:
        if other.node.full_name == row.node.inputs[0]:
            return other.receptive_field.axes if other.receptive_field else (None,) * axes
    return (AxisField(1, (0,), (0,)),) * axes
