"""Record what PyTorch's layers do with NaN, infinity, signed zeros, subnormal and huge numbers, forward and backward.

Every case of edge_cases.py is run in its types, once forward, and backward once for each
turn of its upstream gradient. A run with the same versions writes the same file, edges.json beside this script:

    pip install torch==2.13.0 torchvision==0.28.0
    python tests/golden/make_edges.py
"""

import json
import warnings
from pathlib import Path

import torch
from edge_cases import CASES, UPSTREAM, Case, parameter, upstream
from kernel_modules import build
from torch import Tensor, nn

OWN = {"hardsigmoid": lambda *_: nn.Hardsigmoid()}
"""What kernel_modules.py measures by another function, for its sixth in the gradient is float32's."""
_DIGITS = {"float64": 17, "float32": 9, "float16": 5, "bfloat16": 4}


def record(case: Case, dtype: str) -> list[list[float]]:
    """The output, then the input's gradient for each turn of the upstream gradient, then those of the parameters."""
    kind = getattr(torch, dtype)
    x = torch.from_numpy(case.x(dtype)).to(kind).requires_grad_()
    module = OWN.get(case.kind, build)(case.kind, (tuple(x.shape[1:]),), case.options)
    module = module.to(kind).train(case.training)
    for name, tensor in module.state_dict(keep_vars=True).items():
        if tensor.is_floating_point():
            tensor.data.copy_(
                torch.from_numpy(parameter(name.rpartition(".")[2], tensor.numel())).view(tensor.shape)
            )
    y = module(x)
    found = [y]
    for turn in range(len(UPSTREAM)):
        dy = torch.from_numpy(upstream(tuple(y.shape), turn)).to(kind)
        found += torch.autograd.grad(y, [x, *module.parameters()], dy, retain_graph=True)
    return [_numbers(tensor, _DIGITS[dtype]) for tensor in found]


def _numbers(tensor: Tensor, digits: int) -> list[float]:
    flat = tensor.detach().double().flatten().tolist()
    return [
        int(v) if abs(v) < 1e4 and v == int(v) and f"{v}" != "-0.0" else float(f"{v:.{digits}g}")
        for v in flat
    ]


def main() -> None:
    """Record every case and write the file."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    lines = []
    for case in CASES:
        for dtype in case.dtypes:
            try:
                text = json.dumps(record(case, dtype), separators=(",", ":"))
            except NotImplementedError:  # PyTorch has no local response norm in half precision
                continue
            text = text.replace("-Infinity", "-1e999").replace("Infinity", "1e999").replace("NaN", "null")
            lines.append(f"{json.dumps(f'{case.name} {dtype}')}:{text}")
    source = "PyTorch {}, recorded by make_edges.py".format(torch.__version__.split("+")[0])
    body = ",\n".join(lines)
    text = f'{{"source":{json.dumps(source)},"cases":{{\n{body}\n}}}}\n'
    Path(__file__).with_name("edges.json").write_text(text, encoding="utf-8")
    print(f"{len(lines)} cases, {len(text) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
