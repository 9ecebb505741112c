"""Record what PyTorch's layers give forward and backward, the measure of netcalc's kernels.

Every case is [layer, figures]. The layer is its kind, its input shapes without the batch and its options
in netcalc's words, and where they are not as usual the batch, the mode, and what numbers the inputs hold.
Inputs, parameters and the upstream gradient are drawn by seeded.py from that very text. Of the output,
of each gradient and of running statistics after the run the shape and the figures of seeded.py are written
down, all in float64. A run with the same versions writes the same file, kernels.json beside this script:

    pip install torch==2.13.0 torchvision==0.28.0
    python tests/golden/make_kernels.py
"""

import json
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import torch
import torchvision
from kernel_cases import FAMILIES
from kernel_modules import build, own_name
from torch import Tensor, nn
from windowed_cases import Case

from seeded import case_input, figures, parameter, upstream


def given_inputs(case: Case) -> list[Tensor]:
    """What the layer reads: tokens are whole and have no gradient."""
    arrays = [case_input(case.text, case._asdict(), number) for number in range(len(case.inputs))]
    if case.kind == "embedding":
        return [torch.from_numpy(array).long() for array in arrays]
    return [torch.from_numpy(array).double().requires_grad_() for array in arrays]


def set_parameters(module: nn.Module, text: str) -> dict[str, Tensor]:
    """Give every parameter and running statistic its value; return them by netcalc's names."""
    tensors = {own_name(name): tensor for name, tensor in module.state_dict(keep_vars=True).items()}
    state = {
        name: tensor
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and "coords" not in name
    }
    for name, tensor in state.items():
        tensor.data.copy_(torch.from_numpy(parameter(f"{text} {name}", name, tuple(tensor.shape))))
    return state


def recorded(tensor: Tensor | None) -> list[Any] | None:
    """The shape and the figures of a result."""
    return None if tensor is None else [list(tensor.shape), *figures(tensor.detach().numpy())]


def record(case: Case) -> str:
    """Run the module forward and backward and write down what it gives."""
    module = build(case.kind, case.inputs, case.options).double().train(case.training)
    state = set_parameters(module, case.text)
    xs = given_inputs(case)
    y = module(*xs)
    y.backward(torch.from_numpy(upstream(case.text, tuple(y.shape))).double())
    results = {
        "y": recorded(y),
        "inputs": [recorded(x.grad) for x in xs],
        "params": {name: recorded(p.grad) for name, p in state.items() if isinstance(p, nn.Parameter)},
    }
    if any(not isinstance(p, nn.Parameter) for p in state.values()):
        results["after"] = {name: recorded(b) for name, b in state.items() if not isinstance(b, nn.Parameter)}
    return f"[{case.text},{json.dumps(results, separators=(',', ':'))}]"


def main() -> None:
    """Record every case and write the file."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")
    cases = {case.text: case for family in FAMILIES for case in family()}
    lines = [record(case) for case in cases.values()]
    versions = [module.__version__.split("+")[0] for module in (torch, torchvision)]
    source = "PyTorch {}, torchvision {}, recorded by make_kernels.py".format(*versions)
    text = f'{{"source":{json.dumps(source)},"cases":[\n' + ",\n".join(lines) + "\n]}\n"
    Path(__file__).with_name("kernels.json").write_text(text, encoding="utf-8")
    print(f"{len(lines)} cases, {len(text) / 1024:.0f} KiB")
    print(", ".join(f"{kind} {count}" for kind, count in Counter(c.kind for c in cases.values()).items()))


if __name__ == "__main__":
    main()
