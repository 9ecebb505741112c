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
)
