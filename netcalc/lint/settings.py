"""Settings without effect: arguments that no layer depends on."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from netcalc.diagnostics import Diagnostic, NetcalcError
from netcalc.graph import Graph, elaborate
from netcalc.spec import InputOverride, Setting, Spec, YamlScalar, YamlSequence
from netcalc.spec.tree import names_in

if TYPE_CHECKING:
    from netcalc.analysis.sweep_axes import SweepAxis


def idle_settings(
    spec: Spec, settings: Sequence[Setting], overrides: Sequence[InputOverride], graph: Graph
) -> Iterator[Diagnostic]:
    """A warning for each setting that does not change the graph, unless it repeats the default."""
    for setting in _not_defaults(spec, settings):
        others = [other for other in settings if other.name != setting.name]
        if _is_same(graph, spec, others, overrides):
            yield _idle(setting, "no layer depends on it as it is set")._replace(severity="warning")


def unread_settings(spec: Spec, settings: Sequence[Setting]) -> Iterator[Diagnostic]:
    """An error for each setting that no expression of the spec reads, unless it repeats the default."""
    read = _names_read(spec)
    for setting in _not_defaults(spec, settings):
        if setting.name not in read:
            yield _idle(setting, "no layer depends on it")


def unread_axes(spec: Spec, axes: "Sequence[SweepAxis]") -> Iterator[Diagnostic]:
    """An error for each argument that a sweep varies and that no expression of the spec reads."""
    from netcalc.analysis.sweep_axes import setting_of  # only a sweep needs it

    for axis in axes:
        settings = () if axis.is_input else map(setting_of, axis.given)
        yield from islice(unread_settings(spec, [*settings]), 1)


def _idle(setting: Setting, reason: str) -> Diagnostic:
    help = f"use ${setting.name} in the layers, or leave the setting out"
    return Diagnostic("E804", f"{setting.name} changes nothing: {reason}", setting.span, help=help)


def _not_defaults(spec: Spec, settings: Sequence[Setting]) -> list[Setting]:
    """The settings that differ from the arguments that the spec has."""
    defaults = {entry.key: entry.value for entry in spec.args}
    return [each for each in settings if _plain(defaults.get(each.name)) != _plain(each.value)]


def _names_read(spec: Spec) -> frozenset[str]:
    items = [*spec.items, *(item for block in spec.blocks.values() for item in block.items)]
    entries = (*spec.args, *spec.preprocess, *spec.expect, *spec.budget)
    values = [*(entry.value for entry in entries), *(given.shape for given in spec.inputs), *spec.ignore]
    defaults = [each.default for block in spec.blocks.values() for each in block.parameters if each.default]
    return frozenset().union(
        *(item.names for item in items),
        *map(names_in, values),
        *(default.names for default in defaults),
        *(names_in(value) for value in (spec.outputs, spec.init) if value),
    )


def _is_same(
    graph: Graph, spec: Spec, settings: Sequence[Setting], overrides: Sequence[InputOverride]
) -> bool:
    try:
        return elaborate(spec, settings, overrides) == graph
    except NetcalcError:  # it needs the setting that was left out
        return False


def _plain(value: object) -> object:
    """The value of a scalar, or those of a list; anything else unchanged."""
    if isinstance(value, YamlSequence):
        return tuple(map(_plain, value.items))
    return value.value if isinstance(value, YamlScalar) else value
