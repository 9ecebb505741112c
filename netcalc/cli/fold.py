"""netcalc fold: batch norms as part of the layers before them."""

from pathlib import Path
from typing import Annotated

import typer

from netcalc.cli.common import InputOption, SetOption, SpecArgument, VariantOption, load_graph, terminal
from netcalc.layers.normalisation import BatchNorm


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
    from netcalc.backend.files import by_ending, written_whole
    from netcalc.backend.folding import fold
    from netcalc.backend.precision import PRECISIONS
    from netcalc.backend.weights import FORMATS, stored_weights, write_weights
    from netcalc.graph import flat_names, flat_spec

    by_ending(output, FORMATS)
    shapes = {
        f"{node.full_name}.{param.name}": param.shape
        for node in graph.nodes
        if node.shared is None
        for param in node.params
    }
    stored = stored_weights(weights, shapes)
    types = {name: kind if kind in PRECISIONS else "float32" for name, kind in stored.types.items()}
    folded = fold(graph, {name: PRECISIONS[types[name]].rounded(a) for name, a in stored.arrays.items()})
    for owner in folded.into.values():
        types[f"{owner}.bias"] = types[f"{owner}.weight"]
    names = flat_names(folded.graph)
    flat = {
        f"{node.full_name}.{param.name}": f"{names[node.full_name]}.{param.name}"
        for node in folded.graph.nodes
        if node.shared is None
        for param in node.params
    }
    arrays = {own: PRECISIONS[types[name]].rounded(folded.arrays[name]) for name, own in flat.items()}
    bfloat16 = [flat[name] for name in flat if types[name] == "bfloat16"]
    spec_path = Path(output).with_suffix(".yaml")
    with written_whole(spec_path) as partial:
        partial.write_text(flat_spec(folded.graph), encoding="utf-8")
        write_weights(output, arrays, bfloat16)
    left = sum(isinstance(node.layer, BatchNorm) for node in folded.graph.nodes)
    rest = f", {left} left that no such layer stands before alone" if left else ""
    kept = " and ".join(sorted({types[name] for name in flat}))
    told = f"{len(folded.into)} batch norms folded{rest}: {spec_path} and {output} ({kept or 'no'} weights)"
    terminal().write([[(told, "")]])
