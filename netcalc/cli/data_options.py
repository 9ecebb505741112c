"""The options of commands that read a data set for a network, and the data set that they name."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from netcalc.graph import Graph

if TYPE_CHECKING:
    from netcalc.train.data import DataSet

DataOption = Annotated[
    str, typer.Option("--data", metavar="PATH", help="The data set: a file, or a folder of files or classes.")
]
Part = Literal["train", "test"] | None
PartOption = Annotated[
    Part, typer.Option("--part", help="Which part of a data set that has both; train unless given.")
]
DataFormatOption = Annotated[
    str,
    typer.Option(
        "--data-format", metavar="NAME", help="The format of the file, where its bytes do not tell."
    ),
]
DataBatchOption = Annotated[
    int, typer.Option("--batch", min=1, max=2**20, help="Samples that are run at a time.")
]
TrainedOption = Annotated[
    str,
    typer.Option("--weights", metavar="FILE", help="The trained file, .safetensors or .npz, or any weights."),
]


def data_for(graph: Graph, path: str, format: str, part: Part, resize: int | None = None) -> "DataSet":
    """The data set of the options, its samples in the shape of the network's input.

    `resize` is for folders of pictures. Raises ExecutionError where it cannot be read.
    """
    from netcalc.train.data import Reading, open_data
    from netcalc.train.data.folder import FolderData

    shape = graph.inputs[0].type.shape if len(graph.inputs) == 1 else None
    reading = Reading(part=part, shape=shape)
    data = open_data(path, format or None, reading)
    if resize is not None and isinstance(data, FolderData):
        data = open_data(path, None, replace(reading, resize=resize))
    return data
