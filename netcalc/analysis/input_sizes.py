"""The size of an input given without its channels or features, which stay as the spec has them."""

from collections.abc import Mapping, Sequence

from netcalc.analysis.axes import axis_names
from netcalc.diagnostics import NetcalcError
from netcalc.graph import elaborate
from netcalc.graph.header import own_shapes
from netcalc.layers.axes import feature_axis
from netcalc.spec import InputOverride, Setting, Spec
from netcalc.tensor import Shape


def with_channels(
    spec: Spec,
    settings: Sequence[Setting],
    overrides: Sequence[InputOverride],
    kept: Mapping[str, int] | None = None,
) -> list[InputOverride]:
    """Overrides of whole shapes: `224` and `224x224` are 3x224x224 for an image, `224` is 224 for tokens.

    `kept` are the spec's channel axes where they are known already.
    """
    own = own_shapes(spec, settings)
    names = [given.name or (spec.inputs[0].name if len(spec.inputs) == 1 else "") for given in overrides]
    shapes = [own.get(name, ()) for name in names]
    if all(
        len(given.shape) not in (1, len(shape) - 1) for given, shape in zip(overrides, shapes, strict=True)
    ):
        return [*overrides]
    axes = channel_axes(spec, settings) if kept is None else kept
    return [
        given._replace(shape=_with_channel(given.shape, shape, axes.get(name, 0)))
        for given, name, shape in zip(overrides, names, shapes, strict=True)
    ]


def _with_channel(sizes: Shape, shape: Shape, axis: int) -> Shape:
    """Sizes with that of a shape's axis, where they lack one; a single size is that of all other axes."""
    if len(sizes) == 1 < len(shape):
        sizes *= len(shape) - 1
    return (*sizes[:axis], shape[axis], *sizes[axis:]) if len(sizes) == len(shape) - 1 else sizes


def channel_axes(spec: Spec, settings: Sequence[Setting] = ()) -> dict[str, int]:
    """The axis of each input's channels or features; none where the network as written has mistakes."""
    try:
        graph = elaborate(spec, settings)
    except NetcalcError:
        return {}
    names = axis_names(graph)
    return {given.name: feature_axis(names[given.name]) or 0 for given in graph.inputs}
