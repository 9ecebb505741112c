"""netcalc run: the network on real arrays, forward and backward."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import typer

from netcalc import __version__
from netcalc.cli.common import (
    FormatOption,
    SetOption,
    SpecArgument,
    VariantOption,
    load_graph,
    progress,
)
from netcalc.cli.data_options import DataFormatOption, PartOption
from netcalc.cli.features import FeatureDataOption, FeatureOptions, FeaturesOption
from netcalc.cli.features import write as write_features
from netcalc.cli.input_files import (
    LoadedInputs,
    load_inputs,
    preprocessing,
    read_input_options,
    read_labels,
    with_preprocessing,
)
from netcalc.cli.output import ENDINGS, Output, output_of
from netcalc.cli.run_options import (
    TOP,
    ArraysOption,
    BackwardOption,
    FloatOption,
    LabelsOption,
    MeanOption,
    RandomBatchOption,
    ReferenceOption,
    ResizeOption,
    RunInputOption,
    SeedOption,
    StdOption,
    TopOption,
    TraceOption,
    TrainingOption,
    UpstreamOption,
    VerifyOption,
    WeightsOption,
)
from netcalc.cli.run_refusals import How, refuse_idle
from netcalc.graph import Graph, Node, Preprocess
from netcalc.render.result import Shown

if TYPE_CHECKING:
    from netcalc.backend import Network, Pass
    from netcalc.backend.kernels.base import Array
    from netcalc.backend.passes import LayerBackward
    from netcalc.backend.profiling import Profiler
    from netcalc.render.execution.run import Scored
    from netcalc.render.execution.run_data import RunResult


class _Classes(NamedTuple):
    """How the classes of an output are shown: their names, how many, and the files of the samples."""

    names: list[str]
    top: int
    pictures: list[str]


def command(
    spec: SpecArgument,
    input: RunInputOption = None,
    weights: WeightsOption = None,
    format: FormatOption = None,
    output: ArraysOption = "",
    trace: TraceOption = False,
    backward: BackwardOption = False,
    upstream: UpstreamOption = None,
    verify: VerifyOption = False,
    training: TrainingOption = False,
    reference: ReferenceOption = False,
    seed: SeedOption = 0,
    batch: RandomBatchOption = None,
    dtype: FloatOption = "float32",
    labels: LabelsOption = None,
    top: TopOption = TOP,
    resize: ResizeOption = None,
    mean: MeanOption = "",
    std: StdOption = "",
    features: FeaturesOption = None,
    data: FeatureDataOption = "",
    part: PartOption = None,
    data_format: DataFormatOption = "",
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Run a network on a picture, an array or random numbers, forward and, if wanted, backward.

    netcalc run alexnet --input cat.jpg --weights alexnet.safetensors --labels imagenet.txt
    netcalc run resnet18 --trace --backward
    netcalc run lenet5 --verify
    netcalc run resnet18 --weights w.safetensors --features global_avgpool --data photos -o features.npz
    """
    is_arrays = output not in ("", "-") and os.path.splitext(output)[1].lower() not in ENDINGS
    to = output_of(format, "" if is_arrays else output)
    given = read_input_options(input or ())
    how = How(training, reference, trace, backward, upstream)
    prepared = {"--resize": resize is not None, "--mean": bool(mean), "--std": bool(std)}
    shown = {"--labels": labels is not None, "--top": top != TOP}
    others = {"--batch": batch is not None, "--output": is_arrays, **shown, **prepared}
    of_features = FeatureOptions(features or (), data, part, data_format)
    of_features.refuse_idle(how, verify, given, {**shown, **prepared, "--format": format is not None}, output)
    if not features:
        refuse_idle(how, verify, given, others, to.format)
    graph = load_graph(spec, set, given.sizes, variant)
    if features:
        write_features(graph, of_features, weights, output, batch, seed, dtype)
        return
    from netcalc.backend import Network
    from netcalc.backend.files import by_ending, write_npz

    if is_arrays:
        by_ending(output, [".npz", *ENDINGS])
    network = Network(graph, seed, dtype)
    own, names = _loaded(network, weights)
    graph = with_preprocessing(graph, preprocessing(own, resize, mean, std))
    classes = _Classes(read_labels(labels) or (names if given.pictures else []), top, given.pictures)
    if verify:
        _verify(network, seed, to)
        return
    inputs = load_inputs(graph, given, batch or 1, seed, dtype)
    result, arrays = _run(network, inputs, weights, how, classes)
    _show(result, to)
    if is_arrays:
        write_npz(output, arrays)


def _loaded(network: "Network", weights: str | None) -> tuple[Preprocess, list[str]]:
    """Load weights; how pictures are prepared, and the names of the classes where a trained file has them."""
    if weights is None:
        return network.graph.preprocess, []
    from netcalc.train.applying import applied

    use = applied(network, weights)
    return use.preprocess, use.class_names if use.trained.classes else []


def _show(result: "RunResult", to: Output) -> None:
    from netcalc.render.execution.run_data import json_chunks, run_lines, run_table

    to.show(
        Shown(
            lambda width: run_lines(result, width),
            lambda: json_chunks(result, __version__),
            lambda: run_table(result),
        )
    )


def _run(
    network: "Network", inputs: LoadedInputs, weights: str | None, how: How, classes: _Classes
) -> "tuple[RunResult, dict[str, Array]]":
    """Run the network: what came out, and outputs and gradients by the names they are saved under."""
    from netcalc.backend.profiling import Moments, Profiler
    from netcalc.render.execution.run_data import RunResult

    profiler, x = Profiler(), inputs.arrays
    if how.trace or how.backward or how.reference:
        observer = profiler if how.trace else None
        y = _forward(network, x, observer, gradients=how.backward, training=how.training)
    else:
        y = _forward_on_engine(network, x, how.training)
    best, samples = ([], []) if how.trace else _classes(y, classes)
    arrays = dict(y.outputs)
    if how.backward:
        arrays |= _backward(y, how.upstream, profiler)
    result = RunResult(
        network.graph,
        inputs.batch,
        network.precision.name,
        how.training,
        _summary(network, inputs, weights),
        {name: (array.shape, Moments.of(array)) for name, array in y.outputs.items()},
        best,
        samples,
        profiler.forward_rows if how.trace else None,
        profiler.backward_rows if how.backward else None,
    )
    return result, arrays


def _forward_on_engine(network: "Network", x: "dict[str, Array]", training: bool) -> "Pass":
    """The forward run on a fast engine, or on the kernels where the engine refuses it."""
    from netcalc.backend.dispatch import run_on_engine

    with progress(1, "forward"):
        y = run_on_engine(network, x, training)
    return y or _forward(network, x, None, gradients=False, training=training)


def _forward(
    network: "Network", x: "dict[str, Array]", profiler: "Profiler | None", gradients: bool, training: bool
) -> "Pass":
    """The forward run with a progress bar that knows how much each layer takes."""
    graph = network.graph
    work = {node.full_name: 1 + graph.cost(node).macs for node in graph.nodes}
    with progress(sum(work.values()), "forward") as advance:

        def observe(node: Node, xs: "tuple[Array, ...]", y: "Array", seconds: float) -> None:
            advance(work[node.full_name])
            if profiler is not None:
                profiler.forward(node, xs, y, seconds)

        return network.run(
            x, training=training, gradients=gradients, input_gradients=gradients, observe=observe, draw=0
        )


def _backward(y: "Pass", upstream: str | None, profiler: "Profiler") -> "dict[str, Array]":
    """Run the backward pass; its gradients by the names they are saved under."""
    from netcalc.backend.files import read_npy

    with progress(len(y.backwards or ()), "backward") as advance:

        def observe(record: "LayerBackward") -> None:
            advance(1)
            profiler.backward(record)

        grads = y.backward(read_npy(upstream) if upstream else None, observe)
    named = {name: gradient for name, gradient in grads.inputs.items() if gradient is not None}
    return {f"grad.{name}": gradient for name, gradient in (grads.params | named).items()}


def _verify(network: "Network", seed: int, to: Output) -> None:
    from netcalc.analysis.memory import training
    from netcalc.backend.verification import verify
    from netcalc.render.execution.verification import verification_lines
    from netcalc.render.execution.verified import Verification, json_chunks, verified_table

    with progress(len(network.graph.nodes), "verifying") as advance:
        rows = verify(network, seed, lambda node: advance(1))
    memory = training(network.graph, network.precision.name, loss="none").layers
    found = Verification(network.graph, rows, memory)
    to.show(
        Shown(
            lambda width: verification_lines(rows, memory, width),
            lambda: json_chunks(found, __version__),
            lambda: verified_table(found),
        )
    )
    if any(row.wrong for row in rows):
        raise typer.Exit(1)


def _classes(y: "Pass", classes: _Classes) -> "tuple[list[list[Scored]], list[str]]":
    """The best classes of each sample, and the samples' names; none where the output is not their scores."""
    names, top, pictures = classes
    scores = next(iter(y.outputs.values()))
    has_scores = len(y.outputs) == 1 and scores.ndim == 2 and scores.shape[1] > 1
    if names and not has_scores:
        raise typer.BadParameter("the output is no row of scores of classes.", param_hint="--labels")
    if not (names or pictures) or not has_scores:
        return [], []
    samples = _best(y.graph, scores, names, top)
    titles = pictures if len(pictures) == len(samples) else [f"sample {n}" for n in range(len(samples))]
    return samples, titles


def _best(graph: Graph, scores: "Array", names: Sequence[str], top: int) -> "list[list[Scored]]":
    """The classes of each sample that score highest, with their probabilities."""
    from netcalc.backend.ranking import best_classes
    from netcalc.layers.softmax import Softmax
    from netcalc.render.execution.run import Scored

    if names and len(names) != scores.shape[1]:
        message = f"there are {len(names)} names for the {scores.shape[1]} classes of the output"
        raise typer.BadParameter(message, param_hint="--labels")
    last = graph.node(graph.outputs[0]).layer if graph.nodes else None
    return [
        [Scored(names[k] if names else f"class {k}", probability) for k, probability in best]
        for best in best_classes(scores, top, are_probabilities=type(last) is Softmax)
    ]


def _summary(network: "Network", inputs: LoadedInputs, weights: str | None) -> str:
    """The network, its inputs, the batch, the element type and the weights."""
    source = weights or f"random weights (seed {network.seed})"
    batch = f"batch {inputs.batch}, {network.precision.name}"
    return f"{network.graph.name}  ·  on {inputs.description}  ·  {batch}  ·  {source}"
