"""The public functions, in terms of the rooms: `netcalc.load` and `netcalc.analyze`."""

import os
from collections.abc import Mapping, Sequence

from netcalc import analysis
from netcalc.graph import Graph, elaborate
from netcalc.render.graph.display import PrintedGraph
from netcalc.render.table.display import PrintedReport
from netcalc.spec import Evaluated, InputOverride, Setting, find_spec, read_spec

Argument = None | bool | int | float | str | Sequence["Argument"]
Inputs = Sequence[int] | Mapping[str, Sequence[int]]


def load(
    spec: str | os.PathLike[str],
    /,
    *,
    input: Inputs | None = None,
    variant: str | None = None,
    **args: Argument,
) -> Graph:
    """The graph of a spec file, or of a bundled architecture by its name.

    `args` set the spec's own arguments. `input` gives another input shape without the batch axis, or
    a mapping of them where there are several inputs. `variant` names one of the spec's variants.

        >>> netcalc.load("alexnet")
        <Graph AlexNet: 19 layers>
        >>> netcalc.load("alexnet", input=(3, 224, 224)).nodes[0].output.shape
        (64, 55, 55)

    Raises SpecError where the text cannot be read and GraphError where it describes no valid
    network; both carry located diagnostics.
    """
    settings = [Setting(name, _frozen(value)) for name, value in args.items()]
    source, named = find_spec(spec)
    return PrintedGraph.of(elaborate(read_spec(source, variant or named), settings, _overrides(input)))


def analyze(
    graph: Graph, batch: int = 1, dtype: str = "float32", convention: str = "lecture"
) -> PrintedReport:
    """Count what a graph takes: outputs, memory, parameters, FLOPs and receptive fields.

    `dtype` is one of float64, float32, float16, bfloat16, int8; `convention` is lecture, macs or
    flops. Counts and bytes are for the whole batch.

        >>> report = netcalc.analyze(netcalc.load("alexnet"))
        >>> report.totals.params, report.totals.macs
        (61100840, 716767232)

    Raises ValueError for an argument out of range.
    """
    return PrintedReport.of(analysis.analyze(graph, batch, dtype, convention))


def _overrides(input: Inputs | None) -> list[InputOverride]:
    if input is None:
        return []
    named = input.items() if isinstance(input, Mapping) else [(None, input)]
    overrides = [InputOverride(name, tuple(shape)) for name, shape in named]
    for override in overrides:
        if not override.shape or not all(isinstance(size, int) and size > 0 for size in override.shape):
            raise ValueError(f"an input's sizes are whole numbers from 1 up, not {override.shape}")
    return overrides


def _frozen(value: Argument) -> Evaluated:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(map(_frozen, value))
    return value
