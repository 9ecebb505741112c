"""Errors of trained files, and of what is evaluated and predicted with them."""

from netcalc.errors.code import ErrorCode

_NETWORK = """\
input: [8]
layers:
  - linear: 3
"""
_PROGRAM = """\
import numpy as np

import netcalc
from netcalc.train.data import ChannelStatistics
from netcalc.train.trained import Trained, read_trained, write_trained

network = netcalc.Network(netcalc.load("example.yaml"))
"""

EVALUATION = (
    ErrorCode(
        "E940",
        "A note of a trained file is damaged: its mean and deviation, the names of its classes, or others.",
        "Write the file again, with `netcalc train` or `write_trained`.",
        _NETWORK,
        program=_PROGRAM
        + 'np.savez("w.npz", **network.parameters(), **{"@mean": np.array("[1, nan]")})\n'
        + 'read_trained("w.npz", network)\n',
    ),
    ErrorCode(
        "E941",
        "A trained file does not fit the network: it normalises other channels, or names more classes than "
        "there are scores.",
        "Name the trained file of this network.",
        _NETWORK,
        program=_PROGRAM
        + "statistics = ChannelStatistics((0.5, 0.5), (1.0, 1.0))\n"
        + 'write_trained("w.npz", Trained(network.parameters(), statistics))\n'
        + 'read_trained("w.npz", network)\n',
    ),
    ErrorCode(
        "E942",
        "A class of the data has a name that none of the trained file's classes has, or the file names none.",
        "Rename the folder or label as the message says, or take the data that the network was trained for.",
        _NETWORK,
        program=_PROGRAM
        + """\
from netcalc.train.applying import applied, batches_for
from netcalc.train.data import ArrayData

write_trained("w.npz", Trained(network.parameters(), classes=("bird", "cat", "dog")))
data = ArrayData("data", {"x": np.zeros((2, 8))}, np.arange(2), classes=("cat", "horse"))
next(batches_for(applied(network, "w.npz"), data, 64))
""",
    ),
    ErrorCode(
        "E943",
        "Labels do not suit the loss that they are evaluated with.",
        "Take another `--loss`, or mend the labels.",
        _NETWORK,
        program=_PROGRAM
        + """\
from netcalc.cli.app import app

network.save("w.npz")
np.savez("data.npz", x=np.zeros((2, 8)), y=np.full((2, 3), 1.5))
app(["evaluate", "example.yaml", "--weights", "w.npz", "--data", "data.npz", "--loss", "bce"])
""",
    ),
    ErrorCode(
        "E944",
        "Nothing of the kind is predicted: the output is no score a class, or tokens cannot follow, or an "
        "array of features has no name of its own.",
        "Take pictures for a classifier, and `--prompt` for a network whose causal layers read tokens.",
        _NETWORK,
        program=_PROGRAM
        + """\
from netcalc.train.continuation import continued

next(continued(network, [1, 2], 3))
""",
    ),
)
