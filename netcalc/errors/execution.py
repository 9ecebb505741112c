"""Errors of running a network, and of the files that it reads and writes."""

from netcalc.errors.code import ErrorCode

_LINEAR = """\
input: [4]
layers:
  - linear: {units: 2}
"""
_NETWORK = """\
import numpy as np

import netcalc

network = netcalc.Network(netcalc.load("example.yaml"))
"""

EXECUTION = (
    ErrorCode(
        "E901",
        "What is given does not match the names of the inputs or outputs: one is unknown, missing or given "
        "twice, or several need a name.",
        "Give each input once, as `--input name=file`; the message lists the names.",
        _LINEAR,
        "netcalc run example.yaml --input image=random",
    ),
    ErrorCode(
        "E902",
        "An array has the wrong shape, or batches that belong together differ in size.",
        "Give an array of the shape that the message names, the batch first.",
        _LINEAR,
        program=_NETWORK + "network.forward(np.zeros((1, 5)))\n",
    ),
    ErrorCode(
        "E903",
        "An array or a table holds values of the wrong kind: words where numbers belong, fractions where "
        "token numbers belong, or a number that does not fit the data type.",
        "Give numbers of the kind that the message names, or a wider `--dtype`.",
        _LINEAR,
        program=_NETWORK + 'network.forward(np.array([["a", "b", "c", "d"]]))\n',
    ),
    ErrorCode(
        "E904",
        "The run needs more memory than the machine has.",
        "Take a smaller `--batch`, a smaller `--input` or smaller layers.",
        """\
input: [1000000]
layers:
  - linear: {units: 1000000000}
""",
        "netcalc run example.yaml",
    ),
    ErrorCode(
        "E905",
        "The weights belong to another network: names or shapes differ.",
        "Name the file of weights of this network; the notes list the differences.",
        _LINEAR,
        program=_NETWORK + 'np.savez("weights.npz", weight=np.zeros(3))\nnetwork.load("weights.npz")\n',
    ),
    ErrorCode(
        "E906",
        "A file of weights, arrays, samples or a picture is not there, is damaged, or has an unknown ending.",
        "Mend the path; arrays are read from `.npy` and `.npz`, weights from `.npz` and `.safetensors`.",
        _LINEAR,
        "netcalc run example.yaml --input missing.npy",
    ),
    ErrorCode(
        "E907",
        "A layer cannot compute on a tensor of this size, such as a batch norm of one value a channel in "
        "training.",
        "Take a larger `--batch` or a larger `--input`.",
        """\
input: [4]
layers:
  - batchnorm
""",
        program=_NETWORK + "network.forward(np.zeros((1, 4)), training=True)\n",
    ),
    ErrorCode(
        "E908",
        "A layer of this kind is counted, but no kernel runs it.",
        "Add a kernel for a layer of your own; every bundled kind has one.",
        """\
input: [4]
layers:
  - relu
""",
        "netcalc run example.yaml",
        condition="the kernel of relu is removed",
    ),
    ErrorCode(
        "E909",
        "A backward pass has no forward pass before it that saved its tensors.",
        "Call `forward` first, with `gradients=True` (the default), and each backward pass once after it.",
        _LINEAR,
        program=_NETWORK
        + "network.forward(np.zeros((1, 4)), gradients=False)\nnetwork.backward(np.ones((1, 2)))\n",
    ),
    ErrorCode(
        "E910",
        "A file of weights or arrays cannot be written.",
        "Name a file in a folder that exists and that you may write to.",
        _LINEAR,
        "netcalc run example.yaml --output missing/outputs.npz",
    ),
    ErrorCode(
        "E911",
        "A picture cannot fill the input: the input has not 1 or 3 channels, the mean or deviation has "
        "another number of values, or the picture would be too large.",
        "Give the input as an `.npy` array, or one value a channel for `--mean` and `--std`.",
        """\
input: [2, 8, 8]
layers:
  - relu
""",
        "netcalc run example.yaml --input picture.png",
    ),
    ErrorCode(
        "E912",
        "Reading a picture needs Pillow, which is not installed.",
        "Run `pip install 'netcalc-nn[images]'`, or `pip install '.[images]'` in a checkout.",
        """\
input: [3, 8, 8]
layers:
  - relu
""",
        "netcalc run example.yaml --input picture.png",
        condition="Pillow is not installed",
    ),
    ErrorCode(
        "E913",
        "A fast engine does not compute in this data type.",
        "Take float32 or float64, or run the network without the engine.",
        _LINEAR,
        program="""\
import netcalc
from netcalc.backend import TrainingStep

network = netcalc.Network(netcalc.load("example.yaml"), dtype="float16")
TrainingStep(network, batch=8)
""",
    ),
    ErrorCode(
        "E914",
        "The processes or the cluster that count the variants of a sweep are lost.",
        "Run the same command again: it continues where its `--output` ends.",
        """\
args: {width: 8}
input: [4]
layers:
  - linear: {units: $width}
""",
        "netcalc sweep example.yaml --set width=1,2,3,4 --jobs 2",
        condition="the processes are killed",
    ),
    ErrorCode(
        "E915",
        "A forward pass is to capture a layer that the network does not have.",
        "Take the full name of a layer, as `netcalc table` shows it.",
        _LINEAR,
        program=_NETWORK + 'network.forward(np.zeros((1, 4)), capture=["linear9"])\n',
    ),
    ErrorCode(
        "E916",
        "A table of devices is wrong: a device lacks a figure, has an unknown one, or one that is no number "
        "above 0.",
        "Give each device `name`, `memory_gib`, `bandwidth_giga` and `peak_tera`; `source` is optional.",
        """\
mine: {name: Mine, memory_gib: 8, bandwidth_giga: 200}
""",
        "netcalc roofline alexnet --device mine --devices example.yaml",
    ),
    ErrorCode(
        "E917",
        "A training step was closed and cannot run any more.",
        "Make another `TrainingStep`, or close it after its last run.",
        _LINEAR,
        program="""\
import netcalc

step = netcalc.TrainingStep(netcalc.Network(netcalc.load("example.yaml")), batch=1)
step.close()
step.forward([[1, 2, 3, 4]])
""",
    ),
)
