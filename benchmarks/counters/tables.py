"""The tables of docs/comparison.md, from what is recorded."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent.parent / "docs" / "comparison.md"
NETWORKS = {
    "resnet50": "ResNet-50",
    "vit_b_16": "ViT-B/16",
    "swin_t": "Swin-T",
    "lstm": "LSTM",
    "siamese": "Siamese",
    "tied": "tied",
}
COUNTERS = {
    "torchinfo": "torchinfo",
    "fvcore": "fvcore",
    "ptflops": "ptflops",
    "ptflops_aten": "ptflops, aten",
    "calflops": "calflops",
    "thop": "thop",
}
"""The tools that report parameters and multiply-adds of a PyTorch model."""

Record = dict[str, Any]


def with_tables(page: str, record: Record) -> str:
    """The page with each table below a `<!-- measured: … -->` line written again."""
    makers = {
        "params": params_table, "multiply-adds": macs_table, "flops": flops_table, "seconds": seconds_table
    }  # fmt: skip

    def written(found: re.Match[str]) -> str:
        return f"{found[1]}\n\n" + "\n".join(makers[found[2]](record)) + "\n\n"

    return re.sub(r"(<!-- measured: (.+?) -->)\n\n(?:\|.*\n)*\n*", written, page)


def params_table(record: Record) -> Iterable[str]:
    """Parameters; those that differ from the distinct parameters of the model are bold."""
    yield from _head("parameters")
    for tool, shown in {"netcalc": "netcalc", **COUNTERS, "keras": "Keras"}.items():
        counts = {network: record["networks"][network][tool]["params"] for network in NETWORKS}
        cells = [_number(count, _truth(record, network, "params")) for network, count in counts.items()]
        yield _row(shown, cells)


def macs_table(record: Record) -> Iterable[str]:
    """Multiply-adds; those that differ from PyTorch's own counter are bold."""
    yield from _head("multiply-adds")
    for tool, shown in {"netcalc": "netcalc", **COUNTERS}.items():
        figures = {network: record["networks"][network][tool]["figures"] for network in NETWORKS}
        word = next(iter(figures["resnet50"]))
        cells = [_number(figures[network][word], _truth(record, network, "macs")) for network in NETWORKS]
        yield _row(f"{shown}: {word}", cells)


def flops_table(record: Record) -> Iterable[str]:
    """What is called FLOPs, in multiples of the multiply-adds of PyTorch's own counter."""
    shown_as = {
        "netcalc": "netcalc, `--convention flops`",
        "fvcore": "fvcore",
        "calflops": "calflops",
        "pytorch_fused": "FlopCounterMode as it comes",
    }
    yield from _head("FLOPs for each multiply-add")
    for tool, shown in shown_as.items():
        flops = [record["networks"][network][tool]["figures"]["flops"] for network in NETWORKS]
        truth = [_truth(record, network, "macs") for network in NETWORKS]
        yield _row(shown, [f"{count / macs:.3f}" for count, macs in zip(flops, truth, strict=True)])


def seconds_table(record: Record) -> Iterable[str]:
    """Whole processes on ResNet-50, and their ratio to netcalc's."""
    taken = record["seconds"]
    shown = {"netcalc": "`netcalc table`", "model alone": "PyTorch, building the model alone", **COUNTERS}
    yield "| ResNet-50 | seconds | ratio |"
    yield "| :-- | --: | --: |"
    for tool, name in {**shown, "keras": "Keras"}.items():
        yield f"| {name} | {taken[tool]:.2f} | {taken[tool] / taken['netcalc']:.0f} |"


def _truth(record: Record, network: str, figure: str) -> int:
    """PyTorch's own count: two FLOPs a multiply-add, and the distinct parameters."""
    counted = record["networks"][network]["pytorch"]
    return int(counted["params"] if figure == "params" else counted["figures"]["flops"] // 2)


def _head(title: str) -> Iterable[str]:
    yield _row(title, NETWORKS.values())
    yield "| :-- |" + " --: |" * len(NETWORKS)


def _row(name: str, cells: Iterable[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def _number(count: int | None, truth: int) -> str:
    if count is None:
        return "none"
    return f"{count:,}" if count == truth else f"**{count:,}**"
