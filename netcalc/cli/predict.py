"""netcalc predict: the classes of pictures and samples, or how tokens continue."""

from collections.abc import Callable, Iterator, Mapping
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
    progress,
)
from netcalc.cli.data_options import DataFormatOption, PartOption, TrainedOption, data_for
from netcalc.cli.output import output_of
from netcalc.cli.run_options import TOP, FloatOption, TopOption

if TYPE_CHECKING:
    from netcalc.render.evaluation.predictions import (
        ContinuationResult,
        PredictionConditions,
        PredictionResult,
    )
    from netcalc.train.applying import Applied
    from netcalc.train.data import DataSet
    from netcalc.train.prediction import Prediction

_TEXT = 256
"""The tokens of a model of bytes."""
_TOKENS = 64

PicturesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[IMAGE]...", help="Pictures, in any number.")
]
SamplesDataOption = Annotated[
    str, typer.Option("--data", metavar="PATH", help="In place of pictures: a data set's samples.")
]
SamplesOption = Annotated[
    int | None, typer.Option("--samples", min=1, help="How many samples of the data set; all unless given.")
]
PromptOption = Annotated[
    str, typer.Option("--prompt", metavar="TEXT", help="In place of pictures: a text, or tokens as 5,17,2.")
]
TokensOption = Annotated[
    int | None, typer.Option("--tokens", min=1, max=2**16, help=f"Tokens after the prompt; {_TOKENS}.")
]
PredictBatchOption = Annotated[
    int, typer.Option("--batch", min=1, max=2**20, help="Samples that are run at a time.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every sample, however many there are.")]


def command(
    spec: SpecArgument,
    weights: TrainedOption,
    pictures: PicturesArgument = None,
    data: SamplesDataOption = "",
    part: PartOption = None,
    data_format: DataFormatOption = "",
    samples: SamplesOption = None,
    prompt: PromptOption = "",
    tokens: TokensOption = None,
    top: TopOption = TOP,
    batch: PredictBatchOption = 64,
    dtype: FloatOption = "float32",
    all: AllOption = False,
    format: FormatOption = None,
    output: OutputOption = "",
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """The best classes of pictures or of a data set's samples, or how a prompt continues.

    netcalc predict lenet5 --weights runs/lenet/weights.safetensors seven.png three.png
    netcalc predict lenet5 --weights runs/lenet/weights.safetensors --data mnist --part test -o classes.csv
    netcalc predict gpt.yaml --weights gpt.safetensors --prompt "It was" --tokens 200
    """
    to = output_of(format, output)
    of_data = {"--part": part, "--data-format": data_format, "--samples": samples, "--all": all}
    of_prompt = {"--tokens": tokens}
    _refuse_idle({"IMAGE": pictures, "--data": data, "--prompt": prompt}, of_data, of_prompt, top)
    if all and to.format != "rich":
        raise typer.BadParameter(f"{to.format} has every sample; leave it out.", param_hint="--all")
    graph = load_graph(spec, set, input, variant)
    from netcalc.backend import Network
    from netcalc.render.evaluation.predictions import PredictionConditions
    from netcalc.train.applying import applied

    use = applied(Network(graph, 0, dtype), weights)
    which = f"{data}, {part} part" if part else data
    conditions = PredictionConditions(weights, which, batch, use.network.precision.name, use.normalised_by)
    if prompt:
        to.show(_continued(use, prompt, tokens or _TOKENS, conditions))
        return
    opened = data_for(graph, data, data_format, part, use.preprocess.resize) if data else None
    to.show(_predicted(use, opened or pictures or [], samples, top, conditions, all))


def _refuse_idle(
    given: Mapping[str, object], of_data: Mapping[str, object], of_prompt: Mapping[str, object], top: int
) -> None:
    """Raise typer.BadParameter unless one thing is given to predict, and every option acts on it."""
    named = [name for name, value in given.items() if value]
    if len(named) != 1:
        there = f", not {' and '.join(named)}" if named else ""
        raise typer.BadParameter(
            f"give pictures, --data or --prompt{there}.", param_hint=named[-1] if named else "IMAGE"
        )
    for options, other, what in ((of_data, "--data", "a data set"), (of_prompt, "--prompt", "a prompt")):
        for option, value in options.items():
            if value and other not in named:
                raise typer.BadParameter(f"it is for {what}; give {other}.", param_hint=option)
    if top != TOP and "--prompt" in named:
        raise typer.BadParameter("of each token the best one follows.", param_hint="--top")


def _predicted(
    use: "Applied",
    given: "DataSet | list[str]",
    count: int | None,
    top: int,
    conditions: "PredictionConditions",
    all: bool,
) -> "PredictionResult":
    """The predictions of a data set's samples, or of pictures."""
    from netcalc.render.evaluation.predictions import PredictionResult
    from netcalc.train.data import require_fit
    from netcalc.train.prediction import predict_data, predict_images, require_classes

    graph, size = use.network.graph, conditions.batch
    require_classes(graph)
    if isinstance(given, list):
        with progress(len(given), "predicting") as advance:
            found = [*_counted(predict_images(use, given, top, size), advance)]
    else:
        require_fit(given, graph)
        with progress(min(count or len(given), len(given)), "predicting") as advance:
            found = [*_counted(predict_data(use, given, top, size, count), advance)]
    return PredictionResult(graph, conditions, found, use.class_names, all)


def _counted(predictions: "Iterator[Prediction]", advance: Callable[[int], None]) -> "Iterator[Prediction]":
    for prediction in predictions:
        advance(1)
        yield prediction


def _continued(
    use: "Applied", prompt: str, count: int, conditions: "PredictionConditions"
) -> "ContinuationResult":
    """What follows a prompt, which is a text for a model of bytes."""
    from netcalc.render.evaluation.predictions import ContinuationResult
    from netcalc.train.continuation import continued, require_language_model

    graph = use.network.graph
    require_language_model(graph)
    is_text = graph.types[graph.outputs[0]].shape[-1] == _TEXT
    row = [*prompt.encode("utf-8", "surrogateescape")] if is_text else _numbers(prompt)
    with progress(count, "predicting") as advance:
        found = []
        for following in continued(use.network, row, count):
            found.append(following)
            advance(1)
    return ContinuationResult(graph, conditions, row, found, is_text)


def _numbers(prompt: str) -> list[int]:
    parts = [part.strip() for part in prompt.split(",")]
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        message = f"{prompt!r} is no list of tokens such as 5,17,2; a text is for networks of {_TEXT} tokens."
        raise typer.BadParameter(message, param_hint="--prompt")
    return [*map(int, parts)]
