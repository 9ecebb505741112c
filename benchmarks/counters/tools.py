"""Each tool, called as its documentation says: parameters and multiply-adds under the tool's own words.

    python benchmarks/counters/tools.py TOOL NETWORK

prints one JSON object, {"params": …, "figures": {word: number}}, on the last line of its standard output.
Whatever the tool prints itself comes before it.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from models import NAMES, SPECS, keras_model, pytorch_inputs, pytorch_model

Counted = dict[str, Any]


def torchinfo(name: str) -> Counted:
    """`summary(model, input_data=…)`; prints "Total params" and "Total mult-adds"."""
    from torchinfo import summary

    found = summary(pytorch_model(name), input_data=list(pytorch_inputs(name)), verbose=0)
    return {"params": found.total_params, "figures": {"mult-adds": found.total_mult_adds}}


def fvcore(name: str) -> Counted:
    """`FlopCountAnalysis(model, inputs).total()`; one multiply-add is one flop."""
    from fvcore.nn import FlopCountAnalysis, parameter_count

    logging.basicConfig(format="%(message)s")
    model = pytorch_model(name)
    flops = FlopCountAnalysis(model, pytorch_inputs(name)).total()
    return {"params": parameter_count(model)[""], "figures": {"flops": int(flops)}}


def ptflops(name: str, backend: str = "pytorch") -> Counted:
    """`get_model_complexity_info(model, shape)`; the result is named macs."""
    from ptflops import get_model_complexity_info

    inputs = pytorch_inputs(name)
    named = dict(zip(NAMES[name], inputs, strict=True)) if len(inputs) > 1 else inputs[0]
    macs, params = get_model_complexity_info(
        pytorch_model(name), tuple(inputs[0].shape[1:]), input_constructor=lambda _: named, as_strings=False,
        print_per_layer_stat=False, verbose=True, backend=backend,
    )  # fmt: skip
    return {"params": params, "figures": {"macs": None if macs is None else int(macs)}}


def ptflops_aten(name: str) -> Counted:
    """The same with the backend that counts the operations of the ATen library."""
    return ptflops(name, "aten")


def calflops(name: str) -> Counted:
    """`calculate_flops(model, args=…)`; gives flops and macs."""
    from calflops import calculate_flops

    flops, macs, params = calculate_flops(
        pytorch_model(name), args=list(pytorch_inputs(name)), print_results=False, output_as_string=False
    )
    return {"params": params, "figures": {"macs": int(macs), "flops": int(flops)}}


def thop(name: str) -> Counted:
    """`profile(model, inputs=…)`; its README names the result macs."""
    from thop import profile

    macs, params = profile(pytorch_model(name), inputs=pytorch_inputs(name), report_missing=True)
    return {"params": int(params), "figures": {"macs": int(macs)}}


def keras(name: str) -> Counted:
    """`model.summary()`; parameters alone."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    lines: list[str] = []
    keras_model(name).summary(print_fn=lines.append)
    totals = dict(line.strip().split(": ") for line in "\n".join(lines).splitlines() if " params: " in line)
    count = {what: int(shown.split()[0].replace(",", "")) for what, shown in totals.items()}
    return {"params": count["Total params"], "figures": {}, "trainable": count["Trainable params"]}


def pytorch(name: str) -> Counted:
    """PyTorch's FlopCounterMode, where attention and LSTM run as plain matrix products.

    It counts the operations that run, but not those inside fused ones, such as `aten::mkldnn_rnn_layer`.
    """
    from torch.backends import mha, mkldnn
    from torch.nn.attention import SDPBackend, sdpa_kernel

    mha.set_fastpath_enabled(False)
    with sdpa_kernel(SDPBackend.MATH), mkldnn.flags(enabled=False):
        return pytorch_fused(name)


def pytorch_fused(name: str) -> Counted:
    """The same as it comes."""
    from torch.utils.flop_counter import FlopCounterMode

    model, inputs = pytorch_model(name), pytorch_inputs(name)
    with FlopCounterMode(display=False) as counter:
        model(*inputs)
    params = sum(parameter.numel() for parameter in model.parameters())
    return {"params": params, "figures": {"flops": counter.get_total_flops()}}


def netcalc(name: str) -> Counted:
    """`netcalc table` in two conventions."""
    from netcalc import load
    from netcalc.analysis import analyze

    totals = analyze(load(SPECS[name]), convention="flops").totals
    return {"params": totals.params, "figures": {"macs": totals.macs, "flops": totals.flops}}


TOOLS: dict[str, Callable[[str], Counted]] = {
    "netcalc": netcalc,
    "pytorch": pytorch,
    "pytorch_fused": pytorch_fused,
    "torchinfo": torchinfo,
    "fvcore": fvcore,
    "ptflops": ptflops,
    "ptflops_aten": ptflops_aten,
    "calflops": calflops,
    "thop": thop,
    "keras": keras,
}

if __name__ == "__main__":
    tool, network = sys.argv[1:]
    counted = TOOLS[tool](network)
    print("\n" + json.dumps(counted))  # a tool may leave its last line open
