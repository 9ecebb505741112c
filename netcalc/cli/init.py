"""netcalc init: what an initialisation does to activations and gradients."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from netcalc.cli.common import (
    FormatOption,
    OutputOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
    print_error,
    progress,
)
from netcalc.cli.input_files import InputOptions, LoadedInputs, load_inputs, read_input_options
from netcalc.cli.output import output_of
from netcalc.cli.plot_files import check_plot
from netcalc.cli.run_options import FloatOption, RunInputOption, SeedOption
from netcalc.graph import Graph
from netcalc.layers import LayerError

if TYPE_CHECKING:
    from netcalc.render.initialisation.result import InitResult

_BATCH = 16

SchemeOption = Annotated[
    str | None,
    typer.Option(
        "--scheme",
        metavar="NAME",
        help="In place of the spec's `init:`: he, xavier, orthogonal, lsuv, normal:0.01, ...",
    ),
]
SamplesOption = Annotated[
    int | None, typer.Option("--batch", min=1, max=2**20, help="Samples of a random input; 16 unless given.")
]
BackwardOption = Annotated[
    bool, typer.Option("--backward/--no-backward", help="The gradients' deviations as well, or not.")
]
FixOption = Annotated[
    bool, typer.Option("--fix", help="Try others too, and propose the one that keeps the scale.")
]
HistogramsOption = Annotated[
    str, typer.Option("--plot", metavar="FILE", help="The histograms as a .png, .svg or .pdf.")
]


def command(
    spec: SpecArgument,
    scheme: SchemeOption = None,
    fix: FixOption = False,
    input: RunInputOption = None,
    batch: SamplesOption = None,
    backward: BackwardOption = True,
    seed: SeedOption = 0,
    dtype: FloatOption = "float32",
    histograms: HistogramsOption = "",
    format: FormatOption = None,
    output: OutputOption = "",
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Statistics of activations and gradients, layer by layer, under an initialisation.

    netcalc init lecture-six-layers --scheme normal:0.01
    netcalc init resnet18 --input 3x64x64 --fix
    netcalc init my.yaml --scheme he --plot histograms.svg
    """
    to = output_of(format, output)
    given = read_input_options(input or ())
    if batch is not None and given.files:
        message = "the samples are those of the files; it is for random inputs."
        raise typer.BadParameter(message, param_hint="--batch")
    if histograms:
        check_plot(histograms, [spec, output, *(file for _, file in given.files)])
    graph = _with_scheme(load_graph(spec, set, given.sizes, variant), scheme, fix)
    result = _measured(graph, given, batch or _BATCH, seed, dtype, backward, fix)
    to.show(result)
    if histograms:
        from netcalc.render.initialisation.plots import draw

        draw(result, histograms)
        print_error(f"drawn into {histograms}")


def _with_scheme(graph: Graph, scheme: str | None, fix: bool) -> Graph:
    """The graph with another initialisation of the layers that state none themselves."""
    from netcalc.graph.initialisation import follows
    from netcalc.layers.initialisation import read_scheme
    from netcalc.train.statistics import stages

    if not stages(graph):
        raise typer.BadParameter(f"{graph.name} has no layer that is initialised.", param_hint="SPEC")
    if scheme is not None:
        try:
            graph = replace(graph, init=str(read_scheme(scheme)))
        except LayerError as error:
            help = f"; {error.help}" if error.help else ""
            raise typer.BadParameter(f"{error.message}{help}", param_hint="--scheme") from None
    tested = graph.init if scheme is not None else "he"
    if (scheme is not None or fix) and not any(follows(node, tested) for node in graph.nodes):
        message = f"no layer of {graph.name} has parameters that {tested} draws, or each states its own init."
        raise typer.BadParameter(message, param_hint="--scheme" if scheme is not None else "--fix")
    return graph


def _measured(
    graph: Graph, given: InputOptions, batch: int, seed: int, dtype: str, backward: bool, fix: bool
) -> "InitResult":
    """The statistics of the graph's initialisation, and with `fix` those of the others."""
    from netcalc.render.initialisation.result import InitConditions, InitResult
    from netcalc.train.candidates import CANDIDATES, begun, proposed, tried
    from netcalc.train.statistics import statistics

    x: LoadedInputs = load_inputs(graph, given, batch, seed, dtype)
    with progress(len(graph.nodes) * (1 + backward), "running") as advance:
        network = begun(graph, x.arrays, seed, dtype)
        signals = statistics(network, x.arrays, backward, lambda node: advance(1))
    candidates = []
    if fix:
        with progress(len(CANDIDATES), "trying") as advance:
            candidates = tried(graph, x.arrays, seed, dtype, lambda init: advance(1))
    conditions = InitConditions(graph.init or "pytorch", x.description, x.batch, seed, dtype)
    return InitResult(graph, conditions, signals, candidates, proposed(candidates))
