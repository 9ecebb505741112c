"""Errors of recipes, runs and checkpoints."""

from netcalc.errors.code import ErrorCode

_NETWORK = """\
input: [8]
layers:
  - linear: 3
"""
_PROGRAM = """\
import netcalc
import numpy as np

from netcalc.train.checkpoints import RunIdentity, checkpoints_in, restore, write_checkpoint
from netcalc.train.data import open_data
from netcalc.train.loop import Training
from netcalc.train.recipe import Recipe

np.savez("data.npz", x=np.zeros((9, 8), "f4"), y=np.arange(9) % 3)
data, graph = open_data("data.npz"), netcalc.load("example.yaml")


def training(**options):
    recipe = Recipe(**options)
    return Training(recipe.network(graph), data, recipe)


"""
_SAVED = f"""{_PROGRAM}\
first = training(validation=0)
path = write_checkpoint(".", first, RunIdentity.of(first))
"""

TRAINING = (
    ErrorCode(
        "E930",
        "A recipe has an unknown key, or a value that an option does not take.",
        "Write what the message names; docs/training.md lists the options of a recipe.",
        _NETWORK,
        "netcalc train example.yaml --data data.npz --epochs 0",
    ),
    ErrorCode(
        "E931",
        "A recipe does not fit the network: its loss, heads, factors, augmentation or warm-up.",
        "Name outputs and parameters that the network has; `netcalc table --all` lists its layers.",
        _NETWORK,
        program=_PROGRAM + 'training(factors={"conv*": 0.1})\n',
    ),
    ErrorCode(
        "E932",
        "A run cannot go on with another network, data set or recipe than it began with.",
        "Leave out what differs, or begin a new run.",
        _NETWORK,
        program=_SAVED + "restore(training(validation=0, seed=1), path)\n",
    ),
    ErrorCode(
        "E933",
        "A checkpoint is damaged, as a file that was cut off, or there is none.",
        "Go on from the one before: `netcalc train --resume RUN/checkpoints/step-…`.",
        _NETWORK,
        program=_SAVED + "path.write_bytes(path.read_bytes()[:-9])\nrestore(first, path)\n",
    ),
    ErrorCode(
        "E934",
        "A folder is not that of a run that can go on, or holds files where a new run is to be.",
        "Name the folder that `netcalc train -o` has made, or for a new run another folder.",
        _NETWORK,
        "netcalc train --resume .",
    ),
)
