"""netcalc fold: batch norms as part of the layers before them."""

from pathlib import Path
from typing import Annotated

import typer

from netcalc.cli.common import InputOption, SetOption, SpecArgument, VariantOption, load_graph


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
    """
    graph = load_graph(spec, set, input, variant)
    from netcalc.backend import Network
    from netcalc.backend.files import by_ending, written_whole
    from netcalc.backend.folding import fold
    from netcalc.backend.weights import FORMATS, write_weights
    from netcalc.graph import flat_names, flat_spec

    by_ending(output, FORMATS)
    network = Network(graph)
    network.load(weights)
    folded = fold(graph, network.parameters())
    names = flat_names(folded.graph)
    arrays = {
        f"{names[node.full_name]}.{param.name}": folded.arrays[f"{node.full_name}.{param.name}"]
        for node in folded.graph.nodes
        if node.shared is None
        for param in node.params
    }
    spec_path = Path(output).with_suffix(".yaml")
    with written_whole(spec_path) as partial:
        partial.write_text(flat_spec(folded.graph), encoding="utf-8")
        write_weights(output, arrays)
    left = sum(node.layer.kind == "batchnorm" for node in folded.graph.nodes)
    rest = f", {left} left that no such layer stands before alone" if left else ""
    typer.echo(f"{len(folded.into)} batch norms folded{rest}: {spec_path} and {output}")
