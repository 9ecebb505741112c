"""Record a small network of PyTorch's in float16 and bfloat16, layer by layer, the measure of half precision.

A run with the same versions writes the same file, halves.json beside this script:

    pip install torch==2.13.0
    python tests/golden/make_halves.py
"""

import json
from pathlib import Path

import torch
from torch import nn

SPEC = """input: [3, 8, 8]
layers:
  - conv: {filters: 8, kernel: 3, pad: 1}
  - batchnorm
  - silu
  - maxpool: {kernel: 2}
  - conv: {filters: 8, kernel: 3, pad: 1, groups: 2, bias: false}
  - groupnorm: {groups: 2}
  - gelu
  - avgpool: {kernel: 2}
  - flatten
  - linear: {units: 6}
  - layernorm
  - sigmoid
  - softmax
"""
LAYERS = {
    "conv1": nn.Conv2d(3, 8, 3, padding=1), "batchnorm1": nn.BatchNorm2d(8), "silu1": nn.SiLU(),
    "maxpool1": nn.MaxPool2d(2), "conv2": nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False),
    "groupnorm1": nn.GroupNorm(2, 8), "gelu1": nn.GELU(), "avgpool1": nn.AvgPool2d(2), "flatten1": nn.Flatten(),
    "linear1": nn.Linear(32, 6), "layernorm1": nn.LayerNorm(6), "sigmoid1": nn.Sigmoid(), "softmax1": nn.Softmax(-1),
}  # fmt: skip


def record(dtype: torch.dtype) -> dict[str, object]:
    """The input, the weights, and what each layer gives."""
    torch.manual_seed(1)
    x = torch.randn(2, 3, 8, 8).to(dtype)
    weights = {}
    for name, layer in LAYERS.items():
        layer.float()
        for own, tensor in layer.state_dict().items():
            if tensor.is_floating_point():
                values = (
                    torch.rand(tensor.shape) + 0.5 if own == "running_var" else torch.randn(tensor.shape) / 4
                )
                tensor.copy_(values.to(dtype))
                weights[f"{name}.{own}"] = _numbers(tensor)
    y, found = x, {}
    for name, layer in LAYERS.items():
        y = layer.to(dtype).eval()(y)
        found[name] = _numbers(y)
    return {"x": _numbers(x), "weights": weights, "layers": found}


def _numbers(tensor: torch.Tensor) -> list[float]:
    """Six digits, more than the types have."""
    return [float(f"{value:.6g}") for value in tensor.detach().flatten().tolist()]


def main() -> None:
    """Record both types and write the file."""
    torch.set_num_threads(1)
    networks = {name: record(getattr(torch, name)) for name in ("float16", "bfloat16")}
    source = "PyTorch {}, recorded by make_halves.py".format(torch.__version__.split("+")[0])
    text = json.dumps({"source": source, "spec": SPEC, "networks": networks}, separators=(",", ":"))
    Path(__file__).with_name("halves.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
