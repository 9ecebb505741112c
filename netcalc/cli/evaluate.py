"""netcalc evaluate: how well a trained network does on a data set."""

from typing import TYPE_CHECKING, Annotated

import typer

from netcalc.cli.common import (
    FormatOption,
    InputOption,
    OutputOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
    print_error,
    progress,
)
from netcalc.cli.data_options import (
    DataBatchOption,
    DataFormatOption,
    DataOption,
    PartOption,
    TrainedOption,
    data_for,
)
from netcalc.cli.output import output_of
from netcalc.cli.plot_files import check_plot
from netcalc.cli.run_options import FloatOption
from netcalc.graph import Graph

if TYPE_CHECKING:
    from netcalc.render.evaluation.result import EvaluationResult
    from netcalc.train.applying import Applied
    from netcalc.train.data import DataSet
    from netcalc.train.recipe_options import Configured

_PAIRS = 15
"""Pairs of confused classes that are shown where the matrix is not."""

_BYTES = 256
_WHITE = {" ": "space", "\n": "newline", "\t": "tab"}
"""The tokens of a text, and the names of those that nobody sees."""

LossOption = Annotated[
    str | None,
    typer.Option(
        "--loss",
        metavar="NAME",
        help="As mse, or cross_entropy:ignored=-100; unless given by the labels, classes or numbers.",
    ),
]
ConfusionPlotOption = Annotated[
    str, typer.Option("--plot", metavar="FILE", help="The confusion matrix as a .png, .svg or .pdf.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every class, however many there are.")]


def command(
    spec: SpecArgument,
    weights: TrainedOption,
    data: DataOption,
    part: PartOption = None,
    data_format: DataFormatOption = "",
    batch: DataBatchOption = 64,
    chosen_loss: LossOption = None,
    dtype: FloatOption = "float32",
    plot_file: ConfusionPlotOption = "",
    all: AllOption = False,
    format: FormatOption = None,
    output: OutputOption = "",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Loss, accuracy and confusions of a trained network on a data set.

    netcalc evaluate lenet5 --weights runs/lenet/weights.safetensors --data mnist --part test
    netcalc evaluate my.yaml --weights my.npz --data photos --plot confusion.svg
    """
    to = output_of(format, output)
    if plot_file:
        check_plot(plot_file, [spec, output, weights, data])
    if all and to.format != "rich":
        raise typer.BadParameter(f"{to.format} has every class; leave it out.", param_hint="--all")
    graph = load_graph(spec, set, input, variant)
    from netcalc.backend import Network
    from netcalc.train.applying import applied

    use = applied(Network(graph, 0, dtype), weights)
    opened = data_for(graph, data, data_format, part, use.preprocess.resize)
    result = _evaluated(use, opened, chosen_loss, batch, weights, part, all)
    if plot_file and result.evaluation.confusion is None:
        raise typer.BadParameter("no confusions are counted for these labels.", param_hint="--plot")
    to.show(result)
    if plot_file:
        from netcalc.render.evaluation.plots import draw

        draw(result, plot_file)
        print_error(f"drawn into {plot_file}")


def _evaluated(
    use: "Applied", data: "DataSet", loss: str | None, batch: int, weights: str, part: str | None, all: bool
) -> "EvaluationResult":
    """The evaluation with the figures of every class. Raises ExecutionError for data that do not fit."""
    from netcalc.backend.errors import refuse
    from netcalc.render.evaluation.result import Conditions, EvaluationResult
    from netcalc.train.applying import batches_for
    from netcalc.train.confusion import class_figures, most_confused
    from netcalc.train.data import require_fit
    from netcalc.train.evaluation import evaluate, takes_probabilities

    configured = _loss(loss, data, use.network.graph)
    function = configured()
    require_fit(data, use.network.graph, "classes" if function.of_classes else "numbers", function.ignored)
    with progress(len(data), "evaluating") as advance:
        try:
            found = evaluate(use.network, batches_for(use, data, batch), function, observe=advance)
        except ValueError as error:
            refuse("E943", f"{data.path} cannot be evaluated: {error}")
    which = f"{data.path}, {part} part" if part else data.path
    conditions = Conditions(
        weights,
        which,
        data.vocabulary is not None,
        batch,
        use.network.precision.name,
        str(configured),
        use.normalised_by,
        takes_probabilities(use.network.graph, function),
    )
    if found.confusion is None:
        return EvaluationResult(use.network.graph, conditions, found)
    names = use.class_names
    if data.vocabulary == len(names) == _BYTES and not use.trained.classes:
        names = [*map(_byte_name, range(_BYTES))]
    figures, pairs = class_figures(found.confusion), most_confused(found.confusion, _PAIRS)
    return EvaluationResult(use.network.graph, conditions, found, names, figures, pairs, all)


def _loss(text: str | None, data: "DataSet", graph: Graph) -> "Configured":
    """The loss as `netcalc train` takes it, else by the labels: whether they are fractions in the shape of
    the output.
    """
    from netcalc.layers.errors import LayerError
    from netcalc.train.configurable import OptionError
    from netcalc.train.recipe import Recipe

    if text is None:
        labels, shape = data.labels(), graph.types[graph.outputs[0]].shape
        text = "cross_entropy"
        if labels is not None and labels.dtype.kind == "f" and (labels.shape[1:] or (1,)) == (shape or (1,)):
            text = "mse"
    try:
        found: Configured = Recipe.options["loss"].parse(text)
    except (OptionError, LayerError) as error:
        help = f"; {error.help}" if error.help else ""
        raise typer.BadParameter(f"{error.message}{help}.", param_hint="--loss") from None
    return found


def _byte_name(byte: int) -> str:
    character = chr(byte)
    is_seen = character.isascii() and character.isprintable()
    return _WHITE.get(character, character if is_seen else f"\\x{byte:02x}")
