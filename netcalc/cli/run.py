"""netcalc run: the network on real arrays, forward and backward."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from netcalc.cli.common import SetOption, SpecArgument, VariantOption, load_graph, progress, terminal
from netcalc.cli.input_files import (
    LoadedInputs,
    load_inputs,
    preprocessing,
    read_input_options,
    read_labels,
    with_preprocessing,
)
from netcalc.graph import Graph, Node
from netcalc.render.terminal import Terminal

if TYPE_CHECKING:
    from netcalc.backend import Network, Pass
    from netcalc.backend.kernels.base import Array
    from netcalc.backend.passes import LayerBackward
    from netcalc.backend.profiling import Profiler
    from netcalc.render.execution.run import Scored

FloatOption = Annotated[
    Literal["float64", "float32", "float16", "bfloat16"],
    typer.Option("--dtype", help="The element type that everything is computed in."),
]
RunInputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="WHAT",
        help="A picture, an .npy or .npz file, random, or another size: 3x64x64. "
        "name=WHAT where there are several inputs; several pictures are a batch.",
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option("--weights", metavar="FILE", help="An .npz or .safetensors file; else random."),
]
OutputOption = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write outputs, and gradients, to this .npz."),
]
TraceOption = Annotated[bool, typer.Option("--trace", help="One line a layer: what came out, how fast.")]
BackwardOption = Annotated[bool, typer.Option("--backward", help="Backward as well: gradient norms a layer.")]
UpstreamOption = Annotated[
    str | None,
    typer.Option("--upstream", metavar="FILE", help="An .npy for --backward to start from; else ones."),
]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Hold each layer against what is counted for it.")
]
TrainingOption = Annotated[
    bool, typer.Option("--training", help="As in training: batch statistics, dropout.")
]
ReferenceOption = Annotated[
    bool, typer.Option("--reference", help="The plain kernels, layer by layer, instead of a fast engine.")
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, max=2**63 - 1, help="What random numbers start from.")
]
RandomBatchOption = Annotated[
    int, typer.Option("--batch", min=1, max=2**20, help="Samples of a random input.")
]
LabelsOption = Annotated[
    str | None, typer.Option("--labels", metavar="FILE", help="Names of the classes, one a line.")
]
TopOption = Annotated[int, typer.Option("--top", min=1, help="How many classes are shown.")]
ResizeOption = Annotated[
    int | None,
    typer.Option("--resize", min=1, help="A picture's shorter side before the middle is cut out."),
]
MeanOption = Annotated[str, typer.Option("--mean", help="Taken from each channel: 0.485,0.456,0.406.")]
StdOption = Annotated[str, typer.Option("--std", help="Each channel is divided by: 0.229,0.224,0.225.")]


class _Classes(NamedTuple):
    """How the classes of an output are shown: their names, how many, and the files of the samples."""

    names: list[str]
    top: int
    pictures: list[str]


def command(
    spec: SpecArgument,
    input: RunInputOption = None,
    weights: WeightsOption = None,
    output: OutputOption = None,
    trace: TraceOption = False,
    backward: BackwardOption = False,
    upstream: UpstreamOption = None,
    verify: VerifyOption = False,
    training: TrainingOption = False,
    reference: ReferenceOption = False,
    seed: SeedOption = 0,
    batch: RandomBatchOption = 1,
    dtype: FloatOption = "float32",
    labels: LabelsOption = None,
    top: TopOption = 5,
    resize: ResizeOption = None,
    mean: MeanOption = "",
    std: StdOption = "",
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Run a network on a picture, an array or random numbers, forward and, if wanted, backward.

    netcalc run alexnet --input cat.jpg --weights alexnet.safetensors --labels imagenet.txt
    netcalc run resnet18 --trace --backward
    netcalc run lenet5 --verify
    """
    given = read_input_options(input or ())
    graph = load_graph(spec, set, given.sizes, variant)
    graph = with_preprocessing(graph, preprocessing(graph, resize, mean, std))
    classes = _Classes(read_labels(labels), top, given.pictures)
    from netcalc.backend import Network
    from netcalc.backend.files import by_ending, write_npz

    if output:
        by_ending(output, [".npz"])
    network = Network(graph, seed, dtype)
    if weights:
        network.load(weights)
    if verify:
        _verify(network, seed)
        return
    inputs = load_inputs(graph, given, batch, seed, dtype)
    arrays = _run(network, inputs, weights, training, reference, trace, backward, upstream, classes)
    if output:
        write_npz(output, arrays)


def _run(
    network: "Network",
    inputs: LoadedInputs,
    weights: str | None,
    training: bool,
    reference: bool,
    profiled: bool,
    backward: bool,
    upstream: str | None,
    classes: _Classes,
) -> "dict[str, Array]":
    """Run the network and show what came out; its outputs and gradients by the names they are saved under."""
    from netcalc.backend.profiling import Profiler
    from netcalc.render.execution.profile import trace_lines
    from netcalc.render.layout import title_lines

    profiler, out, x = Profiler(), terminal(), inputs.arrays
    if profiled or backward or reference:
        y = _forward(network, x, profiler if profiled else None, gradients=backward, training=training)
    else:
        y = _forward_on_engine(network, x, training)
    out.write([*title_lines((network.graph.name, "bold"), _facts(network, inputs, weights), out.width), []])
    if profiled:
        out.write(trace_lines(profiler.forward_rows, out.width))
    else:
        _show_outputs(out, y, classes)
    arrays = dict(y.outputs)
    return arrays | _backward(out, y, upstream, profiler) if backward else arrays


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

        return network.run(x, training=training, gradients=gradients, observe=observe, draw=0)


def _backward(out: Terminal, y: "Pass", upstream: str | None, profiler: "Profiler") -> "dict[str, Array]":
    """Run and show the backward pass; its gradients by the names they are saved under."""
    from netcalc.backend.files import read_npy
    from netcalc.render.execution.profile import backward_lines

    with progress(len(y.backwards), "backward") as advance:

        def observe(record: "LayerBackward") -> None:
            advance(1)
            profiler.backward(record)

        grads = y.backward(read_npy(upstream) if upstream else None, observe)
    out.write([[]])
    out.write(backward_lines(profiler.backward_rows, out.width))
    named = {name: gradient for name, gradient in grads.inputs.items() if gradient is not None}
    return {f"grad.{name}": gradient for name, gradient in (grads.params | named).items()}


def _verify(network: "Network", seed: int) -> None:
    from netcalc.analysis.memory import training
    from netcalc.backend.verification import verify
    from netcalc.render.execution.verification import verification_lines

    with progress(len(network.graph.nodes), "verifying") as advance:
        rows = verify(network, seed, lambda node: advance(1))
    out = terminal()
    memory = training(network.graph, network.precision.name, loss="none").layers
    out.write(verification_lines(rows, memory, out.width))
    if any(row.wrong for row in rows):
        raise typer.Exit(1)


def _show_outputs(out: Terminal, y: "Pass", classes: _Classes) -> None:
    """The best classes where the output is scores of them, else the outputs' statistics."""
    from netcalc.backend.profiling import Moments
    from netcalc.render.execution.run import classes_lines, outputs_lines

    names, top, pictures = classes
    scores = next(iter(y.outputs.values()))
    if (names or pictures) and len(y.outputs) == 1 and scores.ndim == 2 and scores.shape[1] > 1:
        samples = _best(y.graph, scores, names, top)
        titles = pictures if len(pictures) == len(samples) else [f"sample {n}" for n in range(len(samples))]
        out.write(classes_lines(samples, titles, out.width))
    else:
        found = {name: (a.shape, Moments.of(a)) for name, a in y.outputs.items()}
        out.write(outputs_lines(found, out.width))


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


def _facts(network: "Network", inputs: LoadedInputs, weights: str | None) -> list[str]:
    """The inputs, the batch, the element type and the weights."""
    source = weights or f"random weights (seed {network.seed})"
    return [f"on {inputs.description}", f"batch {inputs.batch}, {network.precision.name}", source]
