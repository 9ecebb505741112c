"""netcalc run: the network on real arrays, forward and backward."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from netcalc.cli.common import SetOption, SpecArgument, VariantOption, load_graph, progress, terminal
from netcalc.cli.feeding import Feeds, fed, preprocessing, read_feeds, with_preprocessing
from netcalc.graph import Graph
from netcalc.render.terminal import Terminal

if TYPE_CHECKING:
    from netcalc.backend import Network, Pass
    from netcalc.backend.kernels.base import Array
    from netcalc.backend.profiling import Profiler
    from netcalc.render.execution import Scored

FloatOption = Annotated[
    Literal["float64", "float32", "float16", "bfloat16"],
    typer.Option("--dtype", help="The element type that everything is computed in."),
]


def command(
    spec: SpecArgument,
    input: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="WHAT",
            help="A picture, an .npy or .npz file, random, or another size: 3x64x64. "
            "name=WHAT where there are several inputs; several pictures are a batch.",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option("--weights", metavar="FILE", help="An .npz or .safetensors file; else random."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write outputs, and gradients, to this .npz."),
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="One line a layer: what came out, how fast.")
    ] = False,
    backward: Annotated[
        bool, typer.Option("--backward", help="The way back as well: gradient norms a layer.")
    ] = False,
    upstream: Annotated[
        str | None,
        typer.Option("--upstream", metavar="FILE", help="An .npy for --backward to start from; else ones."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Hold each layer against what is counted for it.")
    ] = False,
    training: Annotated[
        bool, typer.Option("--training", help="As in training: batch statistics, dropout.")
    ] = False,
    reference: Annotated[
        bool, typer.Option("--reference", help="The plain kernels, layer by layer, instead of a fast engine.")
    ] = False,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**63 - 1, help="What random numbers start from.")
    ] = 0,
    batch: Annotated[int, typer.Option("--batch", min=1, max=2**20, help="Samples of a random input.")] = 1,
    dtype: FloatOption = "float32",
    labels: Annotated[
        str | None, typer.Option("--labels", metavar="FILE", help="Names of the classes, one a line.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many classes are shown.")] = 5,
    resize: Annotated[
        int | None,
        typer.Option("--resize", min=1, help="A picture's shorter side before the middle is cut out."),
    ] = None,
    mean: Annotated[str, typer.Option("--mean", help="Taken from each channel: 0.485,0.456,0.406.")] = "",
    std: Annotated[str, typer.Option("--std", help="Each channel is divided by: 0.229,0.224,0.225.")] = "",
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Run a network on a picture, an array or random numbers, forward and, if wanted, backward.

    netcalc run alexnet --input cat.jpg --weights alexnet.safetensors --labels imagenet.txt
    netcalc run resnet18 --trace --backward
    netcalc run lenet5 --verify
    """
    feeds = read_feeds(input or ())
    graph = load_graph(spec, set, feeds.sizes, variant)
    graph = with_preprocessing(graph, preprocessing(graph, resize, mean, std))
    names = _labels(labels)
    from netcalc.backend import Network
    from netcalc.backend.files import by_ending

    if output:
        by_ending(output, [".npz"])

    network = Network(graph, seed, dtype)
    if weights:
        network.load(weights)
    if verify:
        _verify(network, seed)
        return
    from netcalc.backend.profiling import Profiler

    profiler = Profiler()
    x, words = fed(graph, feeds, batch, seed, dtype)
    if trace or backward or reference:
        y = _forward(network, x, profiler if trace else None, gradients=backward, training=training)
    else:
        y = _on_engine(network, x, training)
    out = terminal()
    out.write([[(_what_ran(network, words, weights, len(next(iter(x.values())))), "bold")], []])
    if trace:
        from netcalc.render.trace import trace_lines

        out.write(trace_lines(profiler.forward_rows, out.width))
    else:
        _show_outputs(out, y, names, top, feeds)
    saved = dict(y.outputs)
    if backward:
        saved |= _backward(out, y, upstream, profiler)
    if output:
        from netcalc.backend.files import write_npz

        write_npz(output, saved)


def _on_engine(network: "Network", x: "dict[str, Array]", training: bool) -> "Pass":
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
    work = {
        node.full_name: 1 + node.layer.cost(graph.input_types(node), node.output).macs for node in graph.nodes
    }
    with progress(sum(work.values()), "forward") as advance:

        def observe(node: Any, xs: Any, y: Any, seconds: float) -> None:
            advance(work[node.full_name])
            if profiler is not None:
                profiler.forward(node, xs, y, seconds)

        return network.run(x, training=training, gradients=gradients, observe=observe, draw=0)


def _backward(out: Terminal, y: "Pass", upstream: str | None, profiler: "Profiler") -> "dict[str, Array]":
    """The way back, shown; its gradients by the names they are written under."""
    from netcalc.backend.files import read_npy
    from netcalc.render.trace import backward_lines

    with progress(len(y.backwards), "backward") as advance:

        def observe(record: Any) -> None:
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
    from netcalc.render.verification import verification_lines

    with progress(len(network.graph.nodes), "verifying") as advance:
        rows = verify(network, seed, lambda node: advance(1))
    out = terminal()
    memory = training(network.graph, network.precision.name, loss="none").layers
    out.write(verification_lines(rows, memory, out.width))
    if any(row.wrong for row in rows):
        raise typer.Exit(1)


def _show_outputs(out: Terminal, y: "Pass", labels: Sequence[str], top: int, feeds: Feeds) -> None:
    from netcalc.backend.profiling import Moments
    from netcalc.render.execution import classes_lines, outputs_lines

    pictures = [file for _, file in feeds.files if not file.endswith((".npy", ".npz"))]
    scores = next(iter(y.outputs.values()))
    if (labels or pictures) and len(y.outputs) == 1 and scores.ndim == 2 and scores.shape[1] > 1:
        samples = _best(y.graph, scores, labels, top)
        titles = pictures if len(pictures) == len(samples) else [f"sample {n}" for n in range(len(samples))]
        out.write(classes_lines(samples, titles))
    else:
        out.write(outputs_lines({name: (a.shape, Moments.of(a)) for name, a in y.outputs.items()}))


def _best(graph: Graph, scores: "Array", labels: Sequence[str], top: int) -> "list[list[Scored]]":
    """The classes of each sample that score highest, with their probabilities."""
    import numpy as np

    from netcalc.layers.activation import Softmax
    from netcalc.render.execution import Scored

    if labels and len(labels) != scores.shape[1]:
        message = f"there are {len(labels)} names for the {scores.shape[1]} classes of the output"
        raise typer.BadParameter(message, param_hint="--labels")
    last = type(graph.node(graph.outputs[0]).layer) if graph.nodes else None
    exact = scores.astype(np.float64)
    if last is not Softmax:
        with np.errstate(invalid="ignore"):  # of infinite scores
            exact = np.exp(exact - exact.max(axis=1, keepdims=True))
            exact /= exact.sum(axis=1, keepdims=True)
    order = np.argsort(-exact, axis=1, kind="stable")[:, :top]
    return [
        [Scored(labels[k] if labels else f"class {k}", float(row[k])) for k in best]
        for row, best in zip(exact, order, strict=True)
    ]


def _labels(path: str | None) -> list[str]:
    if path is None:
        return []
    try:
        with open(path, encoding="utf-8-sig") as file:
            names = [line.strip() for line in file.read(2**24).splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise typer.BadParameter(f"{path} cannot be read: {reason}", param_hint="--labels") from None
    if not names:
        raise typer.BadParameter(f"{path} holds no names", param_hint="--labels")
    return names


def _what_ran(network: "Network", words: str, weights: str | None, batch: int) -> str:
    drawn = weights or f"random weights (seed {network.seed})"
    return f"{network.graph.name}  ·  on {words}  ·  batch {batch}, {network.precision.name}  ·  {drawn}"
