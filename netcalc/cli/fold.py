"""netcalc fold: batch norms as part of the layers before them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from netcalc.cli.common import InputOption, SetOption, SpecArgument, VariantOption, load_graph, terminal
from netcalc.diagnostics import counted
from netcalc.graph import Graph
from netcalc.layers.base import ParamSpec
from netcalc.layers.normalisation import BatchNorm
from netcalc.render.layout import paragraph


def command(
    spec: SpecArgument,
    weights: Annotated[
        str, typer.Option("--weights", metavar="FILE", help="The weights: an .npz or .safetensors file.")
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The new weights; the new spec is written beside, as .yaml.",
        ),
    ],
    input: InputOption = None,
    set: SetOption = None,
    variant: VariantOption = None,
) -> None:
    """Fold every batch norm into the convolution or linear layer before it, for inference.

    netcalc fold resnet18 --weights resnet18.safetensors -o folded.safetensors

    Writes folded.safetensors and folded.yaml, a flat spec with one layer a line; its outputs are equal.
    It is computed in float64; weights keep the type that they were stored in.
    """
    graph = load_graph(spec, set, input, variant)
    from netcalc.backend.files import by_ending
    from netcalc.backend.weights import FORMATS

    by_ending(output, FORMATS)
    out = terminal()
    out.write(paragraph(_fold(graph, weights, output), "", out.width))


def _fold(graph: Graph, weights: str, output: str) -> str:
    """Fold a network into a file of weights and the spec beside it; says what was done."""
    from netcalc.backend.files import written_whole
    from netcalc.backend.folding import fold
    from netcalc.backend.precision import PRECISIONS
    from netcalc.backend.weights import read_notes, stored_weights, write_weights
    from netcalc.graph.flat import flat_names, flat_spec

    stored = stored_weights(weights, {name: param.shape for _, name, param in _params(graph)})
    types = {name: kind if kind in PRECISIONS else "float32" for name, kind in stored.types.items()}
    folded = fold(graph, {name: PRECISIONS[types[name]].rounded(a) for name, a in stored.arrays.items()})
    for owner in folded.into.values():
        types[f"{owner}.bias"] = types[f"{owner}.weight"]
    names = flat_names(folded.graph)
    flat = {name: f"{names[node]}.{param.name}" for node, name, param in _params(folded.graph)}
    arrays = {own: PRECISIONS[types[name]].rounded(folded.arrays[name]) for name, own in flat.items()}
    bfloat16 = [flat[name] for name in flat if types[name] == "bfloat16"]
    spec_path = Path(output).with_suffix(".yaml")
    with written_whole(spec_path) as partial:
        partial.write_text(flat_spec(folded.graph), encoding="utf-8")
        write_weights(output, arrays, bfloat16, read_notes(weights))
    left = sum(isinstance(node.layer, BatchNorm) for node in folded.graph.nodes)
    rest = f", {left} left that no such layer stands before alone" if left else ""
    kept = " and ".join(sorted({types[name] for name in flat}))
    norms = counted(len(folded.into), "batch norm")
    return f"{norms} folded{rest}: {spec_path} and {output} ({kept or 'no'} weights)"


def _params(graph: Graph) -> Iterator[tuple[str, str, ParamSpec]]:
    """Each parameter of its own with its node's full name and its own full name."""
    for node in graph.nodes:
        if node.shared is None:
            yield from ((node.full_name, f"{node.full_name}.{param.name}", param) for param in node.params)
