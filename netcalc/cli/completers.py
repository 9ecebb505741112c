"""The values that Tab offers for the parameters of commands, from the spec at hand where they can be.

After `netcalc explain alexnet c` those are its layers. What some parameters need is imported for these alone.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from netcalc.cli.completion import Given
from netcalc.diagnostics import NetcalcError
from netcalc.spec import (
    Spec,
    bundled_files,
    bundled_names,
    find_spec,
    read_input_override,
    read_setting,
    read_spec,
)

if TYPE_CHECKING:
    from netcalc.graph import Graph

Completer = Callable[[Given, str], Iterable[str]]
"""Gives values for a parameter of a line; those are offered that begin with the text."""

_MOST_ENTRIES = 1000
"""Entries of a folder that are looked at."""


def values(parameter: str, given: Given, text: str) -> list[str]:
    """The values of a parameter; none where the spec at hand has mistakes, which its command shows."""
    completer = COMPLETERS.get(parameter)
    try:
        return [] if completer is None else [*completer(given, text)]
    except (NetcalcError, OSError, ValueError):
        return []


def _specs(_: Given, text: str) -> Iterator[str]:
    """The bundled architectures, and the YAML files of the folder that the text is in."""
    names = sorted({*bundled_files(), *bundled_names()})
    yield from names
    if "." in text:
        yield from (f"{name}.yaml" for name in names)
    folder = text[: len(text) - len(os.path.basename(text))]
    for shown, is_folder in _yaml_files(folder):
        if not is_folder:
            yield shown
        elif shown.startswith(text):
            inside = [name for name, _ in _yaml_files(shown)]
            yield from [shown, *inside] if inside else []  # a folder alone would look complete to a shell


def _yaml_files(folder: str) -> Iterator[tuple[str, bool]]:
    """The YAML files and the folders in a folder, as one types them, and whether each is a folder."""
    with os.scandir(os.path.expanduser(folder) or ".") as entries:
        for entry in islice(entries, _MOST_ENTRIES):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield f"{folder}{entry.name}/", True
            elif entry.name.endswith((".yaml", ".yml")) and entry.is_file():
                yield folder + entry.name, False


def _architectures(*_: object) -> Iterable[str]:
    return sorted({*bundled_files(), *bundled_names()})


def _variants(given: Given, _: str) -> Iterable[str]:
    spec = read_spec(find_spec(_spec_name(given)).source)
    return () if _is_wrong(spec) else spec.variants


def _settings(given: Given, _: str) -> Iterator[str]:
    """The arguments of the spec at hand, each alone and with its default."""
    spec = _spec(given)
    if _is_wrong(spec):
        return
    for entry in spec.args:
        span = entry.value.span
        default = re.sub(r"\s", "", span.source.text[span.start : span.end])
        yield from (f"{entry.key}=", f"{entry.key}={default}")
    if given.command == "sweep":
        yield "input="


def _is_wrong(spec: Spec) -> bool:
    """Whether a spec has mistakes that its header shows, or that are seen without building its layers."""
    from netcalc.graph.header import arguments
    from netcalc.graph.problems import ElaborationProblems

    problems = ElaborationProblems(spec.problems)
    arguments(spec, (), problems)
    return len(problems) > 0


def _inputs(given: Given, _: str) -> Iterator[str]:
    """The sizes of the inputs as they are, and `random` for an input of `run`."""
    inputs = _graph(given._replace(texts={**given.texts, "input": []})).inputs
    for input in inputs:
        name = f"{input.name}=" if len(inputs) > 1 else ""
        yield name + "x".join(map(str, input.type.shape))
        yield from [f"{name}random"] if given.command == "run" else []


def _layers(given: Given, _: str) -> Iterator[str]:
    return (node.full_name for node in _graph(given).nodes)


def _kinds(*_: object) -> Iterable[str]:
    from netcalc.layers import LAYERS

    return LAYERS


def _kinds_at_hand(given: Given, text: str) -> Iterable[str]:
    """The kinds of layers in the network, and their families."""
    layers = [node.layer for node in _graph(given).nodes]
    return _listed(sorted({layer.kind for layer in layers} | {layer.family for layer in layers}), text)


def _columns(given: Given, text: str) -> Iterable[str]:
    from netcalc.analysis import CONVENTIONS
    from netcalc.render.table.columns import columns

    plus = "+" if text.rpartition(",")[2].startswith("+") else ""
    convention = CONVENTIONS.get(given.last("convention") or "lecture", CONVENTIONS["lecture"])
    return _listed([plus + name for name in columns(convention)], text)


def _rule_codes(_: Given, text: str) -> Iterable[str]:
    from netcalc.lint.rules import RULES

    return _listed(RULES, text)


def _codes(_: Given, text: str) -> Iterator[str]:
    from netcalc.errors import ERRORS

    yield from ERRORS
    if not text.startswith("E"):
        yield from _rule_codes(_, "")


def _devices(given: Given, _: str) -> Iterable[str]:
    from netcalc.analysis.devices import read_devices

    return read_devices(given.last("devices"))


def _checkpoints(*_: object) -> Iterable[str]:
    return ("none", "sqrt", "block")


def _sweep_columns(given: Given, _: str = "") -> list[str]:
    """The columns of a sweep that hold numbers."""
    from netcalc import __version__
    from netcalc.analysis.selection import numeric_columns
    from netcalc.analysis.sweep import plan

    grid = given.texts.get("set", [])
    sweep = plan(_spec(given), grid, (), batch=1, dtype="float32", convention="lecture", version=__version__)
    return numeric_columns(sweep)


def _objectives(given: Given, text: str) -> Iterable[str]:
    return _listed(_sweep_columns(given), text)


def _axes(given: Given, text: str) -> Iterable[str]:
    columns = _sweep_columns(given)
    axes = [f"{axis}={column}" for axis in ("x", "y", "by") for column in columns]
    return _listed([*axes, "kind=line"], text)


def _augmentations(_: Given, text: str) -> Iterable[str]:
    from netcalc.train.augmentation import AUGMENTATIONS

    return _listed(AUGMENTATIONS, text)


def _losses(*_: object) -> Iterable[str]:
    from netcalc.train.losses import LOSSES

    return LOSSES


def _optimisers(*_: object) -> Iterable[str]:
    from netcalc.train.optimisers import OPTIMISERS

    return OPTIMISERS


def _schedules(*_: object) -> Iterable[str]:
    from netcalc.train.schedules import SCHEDULES

    return SCHEDULES


def _data_formats(*_: object) -> Iterable[str]:
    from netcalc.train.data import FORMATS

    return FORMATS


def _listed(names: Iterable[str], text: str) -> Iterable[str]:
    """Names for the end of a list with commas, but for those that it has."""
    before, comma, _ = text.rpartition(",")
    had = {name.removeprefix("+") for name in before.split(",")}
    return [f"{before}{comma}{name}" for name in names if name.removeprefix("+") not in had]


def _graph(given: Given) -> "Graph":
    """The graph of the spec at hand, with what is set from outside."""
    from netcalc.graph import elaborate

    sizes = [text for text in given.texts.get("input", []) if re.fullmatch(r"(?:.*=)?\d+(?:x\d+)*", text)]
    settings = given.texts.get("set", []) if given.command != "sweep" else []
    return elaborate(_spec(given), [*map(read_setting, settings)], [*map(read_input_override, sizes)])


def _spec(given: Given) -> Spec:
    source, named = find_spec(_spec_name(given))
    return read_spec(source, given.last("variant") or named)


def _spec_name(given: Given) -> str:
    """The first spec of the line; ValueError where none can be read without waiting for it."""
    names = [name for key in ("spec", "specs", "name") for name in given.texts.get(key, [])]
    if not names or names[0] == "-" or (os.path.exists(names[0]) and not os.path.isfile(names[0])):
        raise ValueError("no file that can be read")
    return names[0]


def _schemes(*_: object) -> Iterator[str]:
    from netcalc.layers.initialisation import NUMBERED, SCHEMES

    yield from (f"{name}:" if name in NUMBERED else name for name in SCHEMES)


COMPLETERS: dict[str, Completer] = {
    "spec": _specs, "specs": _specs, "name": _specs, "words": _architectures, "variant": _variants,
    "set": _settings, "input": _inputs, "layer": _layers, "only": _kinds_at_hand, "columns": _columns,
    "kind": _kinds, "code": _codes, "ignore": _rule_codes, "device": _devices, "checkpoint": _checkpoints,
    "scheme": _schemes, "features": _layers, "reinit": _layers, "freeze": _layers,
    "where": _sweep_columns, "pareto": _objectives, "plot": _axes,
    "chosen_loss": _losses, "chosen_optimiser": _optimisers, "schedule": _schedules,
    "augment": _augmentations, "data_format": _data_formats,
}  # fmt: skip
"""By the names of parameters, which mean the same in every command; a shell offers files for others."""
