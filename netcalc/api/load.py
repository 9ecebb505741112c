"""netcalc.load: the graph of a spec, and what every function makes of the model that it is given."""

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from operator import index
from typing import NamedTuple

from netcalc.diagnostics import Diagnostic, Source, Span, SpecError, require_text
from netcalc.graph import Graph, elaborate
from netcalc.spec import InputOverride, Setting, Spec, find_spec, read_document, read_spec

Argument = None | bool | int | float | str | Sequence["Argument"]
"""A value of one of a spec's arguments."""
Sizes = int | Sequence[int]
"""The size of an input without the batch; a single number keeps the channels."""
Inputs = Sizes | Mapping[str, Sizes]
"""The size of the only input, or sizes by the names of inputs."""
SpecLike = str | os.PathLike[str] | Mapping[str, object]
"""A path, the name of a bundled architecture, YAML text, or a mapping of plain values."""
Model = SpecLike | Graph
"""What functions take: a spec, or a graph that is loaded."""


class Asked(NamedTuple):
    """A spec, and what is set of it from outside."""

    spec: Spec
    settings: Sequence[Setting] = ()
    overrides: Sequence[InputOverride] = ()

    @property
    def is_as_written(self) -> bool:
        """Whether nothing is set from outside."""
        return not self.settings and not self.overrides

    def graph(self) -> Graph:
        """The graph, which expects the figures of the spec only where that is as it was written.

        Raises SpecError for a setting that nothing reads.
        """
        graph = elaborate(*self)
        if self.settings:
            from netcalc.lint.settings import unread_settings

            if unread := [*unread_settings(self.spec, self.settings)]:
                raise SpecError(unread)
        return graph if self.is_as_written else replace(graph, expect=None, expected_at={})


def load(
    spec: SpecLike,
    /,
    *,
    input: Inputs | None = None,
    variant: str | None = None,
    args: Mapping[str, Argument] | None = None,
) -> Graph:
    """The graph of a spec: a file, a bundled architecture, YAML text, or a mapping of plain values.

    A string with a line break, or one that begins with `{`, is YAML text; any other is a path or the
    name of a bundled architecture, and an existing file wins. `input` gives another input size without
    the batch axis, or sizes by name where there are several inputs; a single number keeps the channels.
    `variant` names one of the spec's variants, `args` set the spec's own arguments.

        >>> netcalc.load("alexnet")
        <Graph AlexNet: 19 layers>
        >>> netcalc.load("alexnet", input=224).nodes[0].output.shape
        (64, 55, 55)
        >>> netcalc.load("mobilenet_v2", args={"width": 0.5}).nodes[0].output.shape
        (16, 112, 112)
        >>> netcalc.load({"name": "Tiny", "input": [8], "layers": [{"linear": 3}, "relu"]})
        <Graph Tiny: 2 layers>

    Raises SpecError where the text cannot be read and GraphError where it describes no valid network;
    both carry located diagnostics. Raises TypeError and ValueError for other wrong arguments.
    """
    from netcalc.render.graph.display import PrintedGraph  # imported here: a command shows no graph

    return PrintedGraph.of(asked_of(spec, input, variant, args).graph())


def graph_of(
    model: Model, input: Inputs | None, variant: str | None, args: Mapping[str, Argument] | None
) -> Graph:
    """The graph of a model; a graph takes no settings.

    Raises ValueError where it is given some, and what `load` raises.
    """
    if not isinstance(model, Graph):
        return load(model, input=input, variant=variant, args=args)
    given = {"input": input, "variant": variant, "args": args}
    for name, value in given.items():
        if value is not None:
            message = f"{model.name} is a graph already; {name} is for a spec, give it to netcalc.load"
            raise ValueError(message)
    return model


def asked_of(
    spec: SpecLike, input: Inputs | None, variant: str | None, args: Mapping[str, Argument] | None
) -> Asked:
    """A spec that is read, with its settings and the whole sizes of its inputs."""
    source, named = _find(spec)
    if variant is not None:
        require_text("variant", variant)
    read = read_spec(source, named if variant is None else variant)
    settings, overrides = settings_of(args), overrides_of(input)
    if overrides:
        from netcalc.analysis.input_sizes import with_channels

        overrides = with_channels(read, settings, overrides)
    return Asked(read, settings, overrides)


def name_of(model: Model) -> str:
    """What a model is called where several are shown."""
    if isinstance(model, Graph):
        return model.name
    if isinstance(model, Mapping):
        return str(model.get("name", "<mapping>"))
    return "<text>" if _is_text(model) else str(model)


def _is_text(spec: object) -> bool:
    """Whether a spec is YAML text rather than a path or a name."""
    return isinstance(spec, str) and ("\n" in spec or spec.lstrip("\ufeff \t").startswith("{"))


def _find(spec: object) -> tuple[Source, str | None]:
    """The text of a spec, and the variant in it where the spec is a variant's name."""
    if isinstance(spec, Mapping):
        from netcalc.spec.mapping import mapping_source

        return _encodable(mapping_source(spec)), None
    if not isinstance(spec, str | os.PathLike):
        message = "a spec is a path, the name of a bundled architecture, YAML text or a mapping"
        raise TypeError(f"{message}, not {type(spec).__name__}")
    return (_encodable(Source("<text>", str(spec))), None) if _is_text(spec) else find_spec(spec)


def _encodable(source: Source) -> Source:
    """A source whose text is Unicode; raises SpecError where it has half of a surrogate pair."""
    try:
        source.text.encode()
    except UnicodeEncodeError as error:
        message = f"U+{ord(source.text[error.start]):04X} is half of a character"
        span = Span(source, error.start, error.start + 1)
        raise SpecError([Diagnostic("E102", message, span)]) from None
    return source


def settings_of(args: Mapping[str, Argument] | None) -> list[Setting]:
    """The settings of `args`."""
    if args is None:
        return []
    if not isinstance(args, Mapping):
        raise TypeError(f"args is a mapping of the spec's arguments, as {{'width': 0.5}}, not {args!r}")
    for name in args:
        require_text("the name of an argument of args", name)
    return [setting_of(name, value) for name, value in args.items()]


def setting_of(name: str, value: Argument) -> Setting:
    """The setting of an argument, read as the same value in the `args` of a spec."""
    from netcalc.spec.mapping import argument_source  # imported here: a command reads text

    root, problems = read_document(_encodable(argument_source(name, value)))
    if problems:
        raise SpecError(problems)
    return Setting(name, root)


def overrides_of(input: Inputs | None) -> list[InputOverride]:
    """The sizes of inputs as they were given, some without their channels."""
    if input is None:
        return []
    if not isinstance(input, Mapping):
        return [InputOverride(None, shape_of(input))]
    for name in input:
        require_text("the name of an input", name)
    return [InputOverride(name, shape_of(sizes)) for name, sizes in input.items()]


def shape_of(sizes: Sizes) -> tuple[int, ...]:
    """The sizes of an input; ValueError for anything but whole numbers from 1 up."""
    shape: tuple[int, ...] = ()
    if not isinstance(sizes, bytes | bytearray | memoryview | Set | Mapping):
        with suppress(TypeError):
            parts = [*sizes] if isinstance(sizes, Iterable) else [sizes]
            shape = tuple(map(index, parts)) if not any(isinstance(part, bool) for part in parts) else ()
    if not shape or min(shape) < 1:
        raise ValueError(f"an input's sizes are whole numbers from 1 up, not {sizes!r}")
    return shape
