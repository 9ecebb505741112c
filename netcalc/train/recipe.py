"""A recipe: everything that a training is a function of, beside the network and the data.

    >>> recipe = Recipe(epochs=15, optimiser="adamw:lr=2e-3,weight_decay=0.05", augment="crop:2")
    >>> recipe.optimiser
    >>> print(recipe.text())

Written as YAML it has the same names; `netcalc.train.recipe_file` reads it and places its mistakes.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, cast

from netcalc.backend import Network
from netcalc.backend.workers import cores
from netcalc.graph import Graph
from netcalc.layers.options import Choice, Flag, Integer, Maybe, Number
from netcalc.spec.writing import flow_text
from netcalc.train.augmentation import Augmentation
from netcalc.train.configurable import Configurable, Fraction, OptionError
from netcalc.train.data import DataSet, Reading, open_data
from netcalc.train.losses import LOSSES
from netcalc.train.optimisers import OPTIMISERS
from netcalc.train.recipe_options import (
    Augmentations,
    Chosen,
    Configured,
    NumberByName,
    Patterns,
    ShapeText,
    Text,
)
from netcalc.train.schedules import SCHEDULES
from netcalc.train.transfer import freeze, load_partly

SAMPLES_A_WORKER = 4
"""With fewer samples each, another thread costs more time than it saves."""
OF_DATA = ("data", "data_format", "part", "size", "resize", "context", "label")
"""The options that say what the data are; a run is told by the data themselves."""


class Recipe(Configurable):
    """How a network is trained. Options that are left out have their defaults; raises OptionError."""

    name = "recipe"

    epochs = Integer(15, doc="passes over the training samples")
    batch = Integer(64, doc="samples of a step")
    loss = Chosen(LOSSES, "cross_entropy", doc="what is minimised")
    heads = NumberByName(doc="the weights of the losses of further outputs; 0 leaves one out")
    optimiser = Chosen(OPTIMISERS, "adamw", doc="how gradients become updates")
    schedule = Chosen(SCHEDULES, "cosine", doc="the factor of the learning rate over the steps")
    clip_norm = Maybe(Number(above=0, doc="the largest norm of all gradients together"))
    clip_value = Maybe(Number(above=0, doc="the largest element of a gradient"))
    accumulate = Integer(1, doc="batches whose gradients make one update")
    ema = Maybe(Fraction(0.999, doc="the decay of an average of the weights, which is evaluated and kept"))
    factors = NumberByName(doc="factors of the learning rate by patterns of names", above=True)
    weights = Text("", doc="a file of weights that the training begins with")
    reinit = Patterns(doc="layers and blocks that begin anew where a file has the others' weights")
    freeze = Patterns(doc="layers and blocks that are not trained")
    augment = Augmentations(doc="what is done to pictures")
    normalise = Maybe(Flag(True, doc="bring each channel to mean 0 and deviation 1"))
    validation = Fraction(0.1, doc="the share of the samples that is held back; 0 for none")
    drop_last = Flag(False, doc="leave out the last, smaller batch of an epoch")
    seed = Integer(0, at_least=0, doc="what weights, order, augmentation and dropout are drawn from")
    dtype = Choice("float32", "float64", doc="what everything is computed in")
    workers = Maybe(Integer(doc="threads that share a batch, if it has 4 samples for each; a core each"))

    data = Text("", doc="a data set: a file, or a folder of files or classes")
    data_format = Text("", doc="the format of the file, where its bytes do not tell")
    part = Maybe(Choice("train", "test", doc="which part of a data set that has both"))
    size = ShapeText(doc="the shape that samples are brought to, as 3x64x64")
    resize = Maybe(Integer(doc="a picture's shorter side before its middle is cut out"))
    context = Maybe(Integer(doc="tokens of a sample"))
    label = Text("", doc="the column of a CSV with the labels")

    @classmethod
    def parsed(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        values = super().parsed(given)
        if values["workers"] is None:  # equal bits need equal numbers of threads, so it is written down
            values["workers"] = cores()
        if values["reinit"] and not values["weights"]:
            message = "reinit is about the weights of a file, and none is named"
            raise OptionError(message, "reinit", "without weights: all layers are drawn anew")
        schedule: Configured = values["schedule"]
        try:
            schedule(values["epochs"], 1000)
        except OptionError as error:
            option = f"schedule.{schedule.kind.name}.{error.option}"
            raise OptionError(error.message, option, error.help) from None
        return values

    @classmethod
    def value_of(cls, name: str, value: Any) -> Any:
        """The value of one option, the default for None; raises OptionError."""
        return cls._value(cls.options[name], {} if value is None else {name: value})

    def network(self, graph: Graph, loaded: bool = True) -> Network:
        """The network as its training begins; not `loaded`, without the weights of the file that it names.

        Raises ExecutionError where patterns fit no layer, and where that file does not fit the network.
        """
        network = Network(freeze(graph, self.freeze), self.seed, self.dtype)
        if self.weights and loaded:
            load_partly(network, self.weights, self.reinit)
        return network

    def workers_of(self, samples: int) -> int:
        """How many threads share a batch of so many samples."""
        return max(1, min(self.workers or 1, samples // SAMPLES_A_WORKER))

    def plain(self) -> dict[str, Any]:
        """Every option as a plain value, which reads back to an equal recipe."""
        return {name: _plain(getattr(self, name)) for name in self.options}

    def fingerprint(self) -> str:
        """A digest of what a run depends on, but for where the data are and how many epochs it goes on."""
        own = {name: value for name, value in self.plain().items() if name not in (*OF_DATA, "epochs")}
        return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()

    def open_data(self) -> DataSet:
        """The data set that it names; raises ExecutionError where that cannot be read."""
        shape = tuple(map(int, self.size.split("x"))) if self.size else None
        part = cast("Literal['train', 'test'] | None", self.part)
        reading = Reading(part, shape, self.resize, self.context, self.label or None)
        return open_data(self.data, self.data_format or None, reading)

    def text(self) -> str:
        """The recipe as YAML: every option, those that differ from their defaults first."""
        default = Recipe().plain()
        given = {name: value for name, value in self.plain().items() if value != default[name]}
        lines = [f"{name}: {flow_text(value, dollars=True)}" for name, value in given.items()]
        lines += ["", "# the defaults"] if lines else ["# the defaults"]
        lines += [
            f"{name}: {flow_text(value, dollars=True)}"
            for name, value in default.items()
            if name not in given
        ]
        return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Configured):
        return value.plain
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Augmentation) else value
