"""The arithmetic of borders and gaps against windows that are laid out one by one, and its advice, taken."""

import random
import re

from netcalc.analysis import analyze
from netcalc.diagnostics import NetcalcError
from netcalc.graph import Graph
from netcalc.lint import Net
from netcalc.lint.dropped_border import DroppedBorder
from netcalc.lint.windows import axes

from helpers import graph_of


def net_of(size: int, item: str) -> Graph:
    return graph_of(f"input: [4, {size}]\nlayers:\n  - {item}\n")


def test_what_is_dropped_and_what_is_seen() -> None:
    choose = random.Random(7)
    dropped = gaps = 0
    for _ in range(600):
        size, kernel, stride, dilation = (choose.randint(1, most) for most in (40, 5, 5, 3))
        before, after = choose.randint(0, 3), choose.randint(0, 3)
        try:
            graph = net_of(
                size,
                f"conv: {{filters: 1, kernel: {kernel}, stride: {stride}, dilation: {dilation}, pad: [[{before}, {after}]]}}",
            )
        except NetcalcError:
            continue
        (axis,) = axes(Net(analyze(graph), 1), graph.nodes[0])
        read = [
            start * stride - before + cell * dilation
            for start in range(axis.windows)
            for cell in range(kernel)
        ]
        assert axis.dropped == sum(position > max(read) for position in range(size))
        endless = {start * stride + cell * dilation for start in range(100) for cell in range(kernel)}
        assert axis.seen == len(endless & set(range(20, 20 + stride)))
        dropped += axis.dropped > 0
        gaps += axis.seen < stride
    assert min(dropped, gaps) > 40


def test_the_advice_loses_nothing() -> None:
    choose = random.Random(8)
    taken = 0
    for _ in range(1500):
        size, kernel, stride, pad = (choose.randint(2, most) for most in (40, 6, 4, 3))
        kind = choose.choice(["conv", "maxpool"])
        head = f"conv: {{filters: 1, kernel: {kernel}" if kind == "conv" else f"maxpool: {{kernel: {kernel}"
        item = f"{head}, stride: {stride}, pad: {min(pad, kernel // 2)}}}"
        found = findings(size, item)
        if not found:
            continue
        taken += 1
        smaller, larger = map(int, re.findall(r"a size of (\d+) or (\d+) loses nothing", found[0])[0])
        assert smaller < size < larger
        assert findings(smaller, item) == findings(larger, item) == []
        if kind == "maxpool":
            assert findings(size, item.replace("}", ", ceil: true}")) == []
        else:
            padding = re.findall(r"pad: (\[\[\d+, \d+\]\])", found[0])[0]
            assert findings(size, re.sub(r"pad: \d+", f"pad: {padding}", item)) == []
    assert taken > 60


def findings(size: int, item: str) -> list[str]:
    try:
        graph = net_of(size, item)
    except NetcalcError:
        return []
    return [finding.help or "" for finding in DroppedBorder().check(Net(analyze(graph), 1))]
