"""The size of an input given as one number: the channels or features stay as the spec has them."""

from collections.abc import Mapping, Sequence

from netcalc.analysis.axes import axis_names
from netcalc.diagnostics import NetcalcError
from netcalc.graph import elaborate
from netcalc.graph.header import arguments, inputs
from netcalc.graph.problems import ElaborationProblems
from netcalc.layers.axes import feature_axis
from netcalc.spec import InputOverride, Setting, Spec


def with_channels(
    spec: Spec,
    settings: Sequence[Setting],
    overrides: Sequence[InputOverride],
    kept: Mapping[str, int] | None = None,
) -> list[InputOverride]:
    """Overrides of whole shapes: `224` is 3x224x224 for an image, 224 for tokens.

    `kept` are the spec's channel axes where they are known already.
    """
    if all(len(override.shape) > 1 for override in overrides):
        return [*overrides]
    axes = channel_axes(spec, settings) if kept is None else kept
    problems = ElaborationProblems()  # elaboration finds them again
    declared = inputs(spec, (), arguments(spec, settings, problems), problems)
    own = {given.name: given.type.shape for given in declared if given.type is not None}
    whole = []
    for override in overrides:
        name = override.name or (spec.inputs[0].name if len(spec.inputs) == 1 else "")
        shape, axis = own.get(name, ()), axes.get(name, 0)
        if len(override.shape) == 1 and len(shape) > 1:
            sizes = (size if at == axis else override.shape[0] for at, size in enumerate(shape))
            override = override._replace(shape=tuple(sizes))
        whole.append(override)
    return whole


def channel_axes(spec: Spec, settings: Sequence[Setting] = ()) -> dict[str, int]:
    """The axis of each input's channels or features; none where the network as written has mistakes."""
    try:
        graph = elaborate(spec, settings)
    except NetcalcError:
        return {}
    names = axis_names(graph)
    return {given.name: feature_axis(names[given.name]) or 0 for given in graph.inputs}
