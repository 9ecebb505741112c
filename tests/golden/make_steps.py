"""Record what training steps of small networks need in memory in PyTorch, each for one rule of `netcalc memory`.

As make_memory.py measures: the most that lives in forward, loss and backward, in float32 on the CPU, inputs,
targets and parameters left out; and the most that lives in inference, the inputs among it. An entry is
[spec, batch, step, inference]. A run with the same version writes the same file, steps.json beside this script:

    pip install torch==2.13.0 torchvision==0.28.0
    python tests/golden/make_steps.py
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from make_memory import inference, target_of, training
from torch import Tensor, nn

BATCH = 4


class Case(NamedTuple):
    """A network's spec, its input without the batch, its modules by name and what they do."""

    spec: str
    input: tuple[int, ...]
    modules: dict[str, nn.Module]
    run: Callable[[Any, Tensor], Tensor]


class Network(nn.Module):
    """The modules of a case."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(case.modules)
        self.run = case.run

    def forward(self, x: Tensor) -> Tensor:
        """What the case does with them."""
        return self.run(self.parts, x)


def attention() -> list[Case]:
    """Attention alone and in residual blocks."""

    def attend(m: nn.MultiheadAttention, x: Tensor) -> Tensor:
        y: Tensor = m(x, x, x, need_weights=False)[0]
        return y

    def made() -> dict[str, nn.Module]:
        heads = {name: nn.MultiheadAttention(24, 3, batch_first=True) for name in ("attend", "again")}
        norms = {name: nn.LayerNorm(24) for name in ("norm", "other")}
        return {"first": nn.Linear(24, 24), "last": nn.Linear(24, 4), **heads, **norms}

    def in_residual(m: Any, x: Tensor) -> Tensor:
        return x + attend(m["attend"], m["norm"](x))

    start, end = "input: [17, 24]\nlayers:\n- linear: 24\n", "- reduce: [0]\n- linear: 4\n"
    layer = "multi_head_attention: {heads: 3}"
    residual = f"- residual: {{main: [layernorm, {{{layer}}}]}}\n"
    shape = (17, 24)
    return [
        Case(f"{start}- {layer}\n{end}", shape, made(),
             lambda m, x: m["last"](attend(m["attend"], m["first"](x)).mean(1))),
        Case(f"{start}{residual}{end}", shape, made(),
             lambda m, x: m["last"](in_residual(m, m["first"](x)).mean(1))),
        Case(f"{start}{residual}{residual}{end}", shape, made(),
             lambda m, x: m["last"](again(attend, m, in_residual(m, m["first"](x))).mean(1))),
    ]  # fmt: skip


def again(attend: Callable[..., Tensor], m: Any, x: Tensor) -> Tensor:
    """A second residual block."""
    return x + attend(m["again"], m["other"](x))


def record(case: Case) -> list[Any]:
    """A network's entry, as the file has it."""
    torch.manual_seed(0)
    module, x = Network(case), torch.rand(BATCH, *case.input)
    with torch.no_grad():
        target = target_of(module(x))
    step = training(module, [x], target)["step"]
    return [case.spec, BATCH, step, inference(module, [x])[0]]


def main() -> None:
    """Write the file."""
    torch.set_num_threads(1)
    cases = attention()
    lines = ",\n".join(json.dumps(record(case), separators=(",", ":")) for case in cases)
    source = "PyTorch {}, recorded by make_steps.py".format(torch.__version__.split("+")[0])
    text = f'{{"source":{json.dumps(source)},"networks":[\n{lines}\n]}}\n'
    Path(__file__).with_name("steps.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
