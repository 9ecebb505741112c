"""Errors of transfer: weights of another network, and layers that are frozen or drawn anew."""

from netcalc.errors.code import ErrorCode

_NETWORK = """\
input: [8]
layers:
  - linear: 3
"""

TRANSFER = (
    ErrorCode(
        "E950",
        "A pattern of `freeze` or `reinit` fits no layer and no block with parameters.",
        "Name a layer or a block as `netcalc table --all` shows it; `conv*` fits all whose names begin so.",
        _NETWORK,
        program="""\
import netcalc

from netcalc.train.transfer import freeze

freeze(netcalc.load("example.yaml"), ["conv*"])
""",
    ),
    ErrorCode(
        "E951",
        "A file of weights lacks layers of the network, has others, or has them in another size.",
        "Draw what differs anew with `--reinit`, as a head of other classes; the notes list the differences.",
        _NETWORK,
        program="""\
import netcalc
import numpy as np

from netcalc.train.transfer import load_partly

np.savez("weights.npz", **{"linear1.weight": np.zeros((5, 8)), "linear1.bias": np.zeros(5)})
load_partly(netcalc.Network(netcalc.load("example.yaml")), "weights.npz")
""",
    ),
)
