"""Errors of data sets and of augmentation."""

from netcalc.errors.code import ErrorCode

_DATA = """\
import numpy as np

from netcalc.train.data import open_data, require_finite, require_fit, split

"""
_SAVED = (
    _DATA
    + """\
np.savez("data.npz", x=np.zeros((4, 8), "f4"), y=np.arange(4))
data = open_data("data.npz")
"""
)
_NETWORK = """\
input: [8]
layers:
  - linear: 3
"""

DATA = (
    ErrorCode(
        "E920",
        "A data set is of no known format, or lacks something: labels, samples, a part, pictures of a class.",
        "Give a file or folder as docs/data.md describes it; `--data-format` names a format of raw numbers.",
        "input: [8]\n",
        program=_DATA + 'np.savez("data.npz", x=np.zeros((4, 8)))\nopen_data("data.npz")\n',
    ),
    ErrorCode(
        "E921",
        "Samples have the wrong shape or number, or do not fill the inputs of the network.",
        "Give as many samples as labels, each of the shape that the message names.",
        _NETWORK,
        program=_DATA + 'np.savez("data.npz", x=np.zeros((4, 8)), y=np.arange(3))\nopen_data("data.npz")\n',
    ),
    ErrorCode(
        "E922",
        "A label is no number of a class, or beyond the network's outputs.",
        "Number the classes from 0, and give the network an output for each.",
        _NETWORK,
        program="import netcalc\n" + _SAVED + 'require_fit(data, netcalc.load("example.yaml"))\n',
    ),
    ErrorCode(
        "E923",
        "A number of a sample is NaN or infinite.",
        "Remove the sample that the message names, or mend it.",
        _NETWORK,
        program=_DATA
        + 'np.savez("data.npz", x=np.full((4, 8), np.nan), y=np.arange(4))\n'
        + 'require_finite(open_data("data.npz"))\n',
    ),
    ErrorCode(
        "E924",
        "A pickle would build something else than CIFAR-10's dict of an array and lists.",
        "Save arrays as `.npz`; a pickle is never executed, so nothing has happened.",
        "input: [8]\n",
        program=_DATA
        + "import pickle\n\n"
        + 'with open("data", "wb") as file:\n    pickle.dump({"data": print, "labels": []}, file)\n'
        + 'open_data("data")\n',
    ),
    ErrorCode(
        "E925",
        "An augmentation is unknown, has a wrong option, or cannot act on the samples.",
        "Write a list such as `crop:4,flip`; all but mixup are for pictures of 1 or 3 channels.",
        "input: [8]\n",
        "netcalc augment --data example.yaml --augment flop -o sheet.png",
    ),
    ErrorCode(
        "E926",
        "A batch or a part of a split has no samples.",
        "Take a smaller batch, another fraction, or more samples.",
        _NETWORK,
        program=_SAVED + "split(data, 0.9)\n",
    ),
)
