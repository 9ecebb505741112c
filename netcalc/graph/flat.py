"""A graph written back as a spec: every layer on a line of its own, no block left."""

from collections.abc import Sequence
from typing import Any

from netcalc.graph.model import Graph
from netcalc.layers import Layer
from netcalc.layers.window_options import Padding, Sizes
from netcalc.spec.writing import FlatItem, spec_text


def flat_names(graph: Graph) -> dict[str, str]:
    """A name for each layer that a flat spec can give it: `stage1.0.conv1` becomes `stage1_0_conv1`."""
    taken = {given.name for given in graph.inputs}
    names = {}
    for node in graph.nodes:
        base = name = node.full_name.replace(".", "_")
        count = 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names[node.full_name] = name
    return names


def flat_spec(graph: Graph) -> str:
    """YAML that reads back to the graph's layers, under the names of `flat_names`."""
    names = {given.name: given.name for given in graph.inputs} | flat_names(graph)
    items, above = [], graph.inputs[0].name if len(graph.inputs) == 1 else ""
    for node in graph.nodes:
        options: dict[str, Any] = {"name": names[node.full_name], **_settings(node.layer)}
        if node.inputs != (above,):
            options["from"] = _listed([names[source] for source in node.inputs])
        if node.shared is not None:
            options["share"] = names[node.shared]
        elif node.is_frozen:
            options["trainable"] = False
        if node.init and node.shared is None:
            options["init"] = node.init
        items.append(FlatItem(node.layer.kind, options))
        above = node.full_name
    head: dict[str, Any] = {"name": graph.name, "source": graph.citation, "year": graph.year}
    head["init"] = graph.init
    if graph.preprocess.resize is not None:
        head["preprocess"] = graph.preprocess._asdict()
    inputs = {given.name: given.type.shape for given in graph.inputs}
    return spec_text(head, inputs, items, [names[output] for output in graph.outputs])


def _settings(layer: Layer) -> dict[str, Any]:
    """The options that differ from their defaults, one number where all axes and sides are alike."""
    settings = layer.settings()
    for name, value in settings.items():
        if isinstance(layer.options[name], Sizes | Padding):
            settings[name] = _one(tuple(map(_one, value)))
    return settings


def _one(values: Any) -> Any:
    alike = isinstance(values, tuple) and len(set(values)) == 1 and not isinstance(values[0], tuple)
    return values[0] if alike else values


def _listed(names: Sequence[str]) -> Any:
    return names[0] if len(names) == 1 else list(names)
