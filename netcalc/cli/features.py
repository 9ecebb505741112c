"""`netcalc run --features`: the outputs of layers for a data set, written into a file."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import typer

from netcalc.cli.common import progress, terminal
from netcalc.cli.data_options import Part, data_for
from netcalc.cli.input_files import InputOptions
from netcalc.cli.run_refusals import How
from netcalc.graph import Graph
from netcalc.render.layout import paragraph
from netcalc.render.numbers import byte_size
from netcalc.tensor import format_shape

_BATCH = 64

FeaturesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--features", metavar="LAYER", help="Write a layer's outputs for --data into the .npz; repeatable."
    ),
]
FeatureDataOption = Annotated[
    str, typer.Option("--data", metavar="PATH", help="The data set of --features: a file or a folder.")
]


class FeatureOptions(NamedTuple):
    """The options of `run` that are for features alone."""

    layers: Sequence[str]
    data: str
    part: Part
    data_format: str

    def refuse_idle(
        self, how: How, verify: bool, given: InputOptions, others: Mapping[str, bool], output: str
    ) -> None:
        """Raise typer.BadParameter for options that have nothing to act on; `others` says which are given."""
        of_data = {"--data": self.data, "--part": self.part, "--data-format": self.data_format}
        if not self.layers:
            for option in (option for option, value in of_data.items() if value):
                raise typer.BadParameter("it is for --features LAYER.", param_hint=option)
            return
        if not self.data:
            raise typer.BadParameter("they are those of a data set; give --data.", param_hint="--features")
        if not output.lower().endswith(".npz"):
            raise typer.BadParameter("features go into an .npz; give one.", param_hint="--output")
        if len({*self.layers}) < len(self.layers):
            raise typer.BadParameter("a layer is given twice.", param_hint="--features")
        unused = {
            **{f"--{name}": bool(value) for name, value in how._asdict().items()},
            "--verify": verify,
            "--input": bool(given.files or given.random),
            **others,
        }
        for option in (option for option, is_given in unused.items() if is_given):
            raise typer.BadParameter("--features does without it; leave it out.", param_hint=option)


def write(
    graph: Graph,
    options: FeatureOptions,
    weights: str | None,
    output: str,
    batch: int | None,
    seed: int,
    dtype: str,
) -> None:
    """Write the features, and say what was written."""
    from netcalc.backend import Network
    from netcalc.render.evaluation.words import prepared_in_words
    from netcalc.train.applying import applied
    from netcalc.train.data.checking import require_inputs
    from netcalc.train.features import write_features

    use = applied(Network(graph, seed, dtype), weights)
    data = data_for(graph, options.data, options.data_format, options.part, use.preprocess.resize)
    require_inputs(data, graph)
    with progress(len(data), "running") as advance:
        written = write_features(use, data, options.layers, output, batch or _BATCH, advance)
    out = terminal()
    if data.vocabulary is None:
        out.write(paragraph(prepared_in_words(use.normalised_by, weights or ""), "", out.width))
    for name, (shape, kind) in written.items():
        size = kind.itemsize
        for side in shape:
            size *= side
        layer = "labels" if name == "y" else options.layers[0] if len(options.layers) == 1 else name
        text = f"{output}: {name} holds {layer}, {format_shape(shape)} {kind.name}, {byte_size(size)}"
        out.write(paragraph(text, "", out.width))
