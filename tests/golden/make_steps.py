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
from torch.nn import functional

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


def formulas() -> list[Case]:
    """Layers that PyTorch runs as several operators."""
    start, end = "input: [10, 32]\nlayers:\n- linear: 32\n", "- linear: 4\n- reduce: [0]\n- linear: 4\n"

    def made(features: int) -> dict[str, nn.Module]:
        norm = nn.RMSNorm(32, eps=1e-5)
        return {"a": nn.Linear(32, 32), "norm": norm, "b": nn.Linear(features, 4), "c": nn.Linear(4, 4)}

    def gated(m: Any, x: Tensor) -> Tensor:
        one, two = m["a"](x).chunk(2, -1)
        y: Tensor = m["c"](m["b"](one * functional.silu(two)).mean(1))
        return y

    return [
        Case(f"{start}- rmsnorm: {{eps: 1e-5}}\n{end}", (10, 32), made(32),
             lambda m, x: m["c"](m["b"](m["norm"](m["a"](x))).mean(1))),
        Case(f"{start}- glu: {{gate: silu}}\n{end}", (10, 32), made(16), gated),
    ]  # fmt: skip


def products() -> list[Case]:
    """Layers whose backward makes products before their sums, or takes a formula in steps."""
    start, end = (
        "input: [8, 12, 12]\nlayers:\n- conv: {filters: 8, kernel: 1, name: c}\n",
        "- global_avgpool\n- linear: 4\n",
    )
    gate = "- global_avgpool: {keep: true, name: g}\n"

    def case(layer: str, run: Callable[[Tensor, Any], Tensor], weight: tuple[int, ...] = (1,)) -> Case:
        modules = {"c": nn.Conv2d(8, 8, 1), "l": nn.Linear(8, 4)}
        if weight != (1,):
            modules["w"] = nn.ParameterList([torch.ones(weight)])

        def whole(m: Any, x: Tensor) -> Tensor:
            y: Tensor = m["l"](run(m["c"](x), m["w"][0] if weight != (1,) else None).mean((2, 3)))
            return y

        return Case(f"{start}{layer}{end}", (8, 12, 12), modules, whole)

    return [
        case(f"{gate}- multiply: {{from: [c, g]}}\n", lambda c, _: c * c.mean((2, 3), keepdim=True)),
        case(f"{gate}- divide: {{from: [c, g]}}\n", lambda c, _: c / c.mean((2, 3), keepdim=True)),
        case("- sigmoid\n- divide: {from: [c, sigmoid1]}\n", lambda c, _: c / c.sigmoid()),
        case("- parameter: {shape: [8, 1, 1], join: multiply}\n", lambda c, w: c * w, (8, 1, 1)),
        case("- parameter: {shape: [8, 12, 12], join: multiply}\n", lambda c, w: c * w, (8, 12, 12)),
        case("- power: 2\n", lambda c, _: c**2),
        case("- power: 3\n", lambda c, _: c**3),
        case("- sqrt\n", lambda c, _: c.sqrt()),
        case("- absolute\n", lambda c, _: c.abs()),
        case("- prelu: {channels: 8}\n", functional.prelu, (8,)),
    ]


def again(attend: Callable[..., Tensor], m: Any, x: Tensor) -> Tensor:
    """A second residual block."""
    return x + attend(m["again"], m["other"](x))


def views() -> list[Case]:
    """A tensor whose first gradient comes through a view, and some where it does not."""
    start = "input: [8, 12, 12]\nlayers:\n- conv: {filters: 8, kernel: 1, name: c}\n"
    pooled = start + "- global_avgpool\n- linear: {units: 4, name: o}\n"
    end = "- add: {from: [t, o]}\n"

    def made(**more: nn.Module) -> dict[str, nn.Module]:
        return {"c": nn.Conv2d(8, 8, 1), "o": nn.Linear(8, 4), **more}

    def both(other: Callable[[Any, Tensor], Tensor]) -> Callable[[Any, Tensor], Tensor]:
        def run(m: Any, x: Tensor) -> Tensor:
            c = m["c"](x)
            first = m["o"](c.mean((2, 3)))
            return other(m, c) + first

        return run

    three = "".join(f"- linear: {{units: 4, name: {name}, from: c}}\n" for name in "opq")
    tokens = f"input: [10, 16]\nlayers:\n- linear: {{units: 64, name: c}}\n{three}"
    tokens += "- add: {from: [o, p, q]}\n- reduce: [0]\n- linear: 4\n"
    return [
        Case(f"{pooled}- flatten: {{from: c}}\n- linear: {{units: 4, name: t}}\n{end}", (8, 12, 12),
             made(t=nn.Linear(8 * 144, 4)), both(lambda m, c: m["t"](c.flatten(1)))),
        Case(f"{pooled}- permute: {{order: [1, 2, 0], from: c}}\n- reduce: {{axes: [0, 1]}}\n"
             f"- linear: {{units: 4, name: t}}\n{end}", (8, 12, 12),
             made(t=nn.Linear(8, 4)), both(lambda m, c: m["t"](c.permute(0, 2, 3, 1).mean((1, 2))))),
        Case(f"{pooled}- conv: {{filters: 4, kernel: 12, from: c}}\n- flatten: {{name: t}}\n{end}", (8, 12, 12),
             made(t=nn.Conv2d(8, 4, 12)), both(lambda m, c: m["t"](c).flatten(1))),
        Case(tokens, (10, 16), {"c": nn.Linear(16, 64), "l": nn.Linear(4, 4),
                                **{name: nn.Linear(64, 4) for name in "opq"}}, three_linears),
        Case(f"{start}- concat: {{from: [c, input]}}\n- conv: {{filters: 8, kernel: 1, name: d}}\n"
             "- add: {from: [d, c]}\n- global_avgpool\n- linear: 4\n", (8, 12, 12),
             made(d=nn.Conv2d(16, 8, 1)), joined),
    ]  # fmt: skip


def three_linears(m: Any, x: Tensor) -> Tensor:
    """Three linear layers of one sequence."""
    c = m["c"](x)
    y: Tensor = m["l"]((m["o"](c) + m["p"](c) + m["q"](c)).mean(1))
    return y


def joined(m: Any, x: Tensor) -> Tensor:
    """A tensor that goes past a layer that reads it joined to another."""
    c = m["c"](x)
    y: Tensor = m["o"]((m["d"](torch.cat((c, x), 1)) + c).mean((2, 3)))
    return y


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
    cases = [*attention(), *views(), *formulas(), *products()]
    lines = ",\n".join(json.dumps(record(case), separators=(",", ":")) for case in cases)
    source = "PyTorch {}, recorded by make_steps.py".format(torch.__version__.split("+")[0])
    text = f'{{"source":{json.dumps(source)},"networks":[\n{lines}\n]}}\n'
    Path(__file__).with_name("steps.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
