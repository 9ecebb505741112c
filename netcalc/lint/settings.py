"""Settings without effect: arguments that no layer depends on."""

from collections.abc import Iterator, Sequence

from netcalc.diagnostics import Diagnostic, NetcalcError
from netcalc.graph import Graph, elaborate
from netcalc.spec import InputOverride, Setting, Spec, YamlScalar, YamlSequence
from netcalc.spec.tree import names_in


def idle_settings(
    spec: Spec, settings: Sequence[Setting], overrides: Sequence[InputOverride], graph: Graph
) -> Iterator[Diagnostic]:
    """A warning for each setting that does not change the graph, unless it repeats the default."""
    defaults = {entry.key: entry.value for entry in spec.args}
    for setting in settings:
        others = [other for other in settings if other.name != setting.name]
        if _plain(defaults.get(setting.name)) == _plain(setting.value):
            continue
        if _is_same(graph, spec, others, overrides):
            message = f"{setting.name} changes nothing: no layer depends on it as it is set"
            help = f"use ${setting.name} in the layers, or leave the setting out"
            yield Diagnostic("E804", message, setting.span, help=help, severity="warning")


def unread_settings(spec: Spec, settings: Sequence[Setting]) -> Iterator[Diagnostic]:
    """An error for each setting that no expression of the spec reads, unless it repeats the default."""
    defaults = {entry.key: entry.value for entry in spec.args}
    read = _names_read(spec)
    for setting in settings:
        if setting.name not in read and _plain(defaults.get(setting.name)) != _plain(setting.value):
            message = f"{setting.name} changes nothing: no layer depends on it"
            help = f"use ${setting.name} in the layers, or leave the setting out"
            yield Diagnostic("E804", message, setting.span, help=help)


def _names_read(spec: Spec) -> frozenset[str]:
    items = [*spec.items, *(item for block in spec.blocks.values() for item in block.items)]
    entries = (*spec.args, *spec.preprocess, *spec.expect, *spec.budget)
    values = [*(entry.value for entry in entries), *(given.shape for given in spec.inputs), *spec.ignore]
    defaults = [each.default for block in spec.blocks.values() for each in block.parameters if each.default]
    return frozenset().union(
        *(item.names for item in items),
        *map(names_in, values),
        *(default.names for default in defaults),
        names_in(spec.outputs) if spec.outputs else (),
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
