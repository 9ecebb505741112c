"""Each layer's table row against its execution, and its gradients against finite differences."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netcalc.render.execution.run import three_digits
from netcalc.render.layout import Heading, Segment, lay_out
from netcalc.render.numbers import byte_size, exact
from netcalc.tensor import format_shape

if TYPE_CHECKING:
    from netcalc.analysis.memory import LayerMemory
    from netcalc.backend.gradcheck import Check
    from netcalc.backend.verification import Verified

_LEAST_NAME = 18
_STYLES = {"right": "green", "kink": "yellow", "wrong": "bold red"}


def verification_lines(
    rows: Sequence["Verified"], memory: Sequence["LayerMemory"], width: int | None
) -> Iterator[list[Segment]]:
    """One line a layer with what was executed, then what differs from the table.

    `memory` is what training memory counts for each layer.
    """
    headings = [
        Heading("", "layer", left=True),
        Heading("executed", "output"),
        Heading("executed", "parameters"),
        Heading("executed", "multiply-adds"),
        Heading("counted", "kept"),
        Heading("executed", "held"),
        Heading("", "", left=True),
    ]
    cells = [
        [
            row.node.full_name,
            format_shape(row.shape),
            exact(row.params),
            exact(row.macs),
            byte_size(counted.saved.per_sample),
            byte_size(row.saved),
            "differs" if row.wrong else "as counted",
        ]
        for row, counted in zip(rows, memory, strict=True)
    ]
    layout = lay_out(headings, cells, width, _LEAST_NAME)
    yield from layout.heading_lines()
    for row, texts in zip(rows, cells, strict=True):
        verdict = "bold red" if row.wrong else "green"
        yield layout.line([(texts[0], "cyan"), *((text, "") for text in texts[1:-1]), (texts[-1], verdict)])
    yield []
    for row in rows:
        for problem in row.wrong:
            yield [(f"{row.node.full_name}: {problem}", "bold red")]
    wrong = sum(bool(row.wrong) for row in rows)
    if wrong:
        yield [(f"{wrong} of {len(rows)} layers differ from the table", "bold red")]
    else:
        yield [(f"all {len(rows)} layers are as counted", "bold green")]
    looped, macs = sum(row.looped for row in rows), sum(row.macs for row in rows)
    yield [(f"{exact(looped)} of {exact(macs)} multiply-adds done and counted by a naive loop", "dim")]
    if looped < macs:
        yield [("the rest counted by the sizes of the matrix products done", "dim")]
    yield [("kept: what one more sample adds for backward in `netcalc memory`, each tensor once", "dim")]
    yield [
        ("held: by this kernel, other layers' tensors too; no more than PyTorch's layer alone keeps", "dim")
    ]


def gradcheck_lines(rows: Sequence["Check"], width: int | None) -> Iterator[list[Segment]]:
    """One line an input or parameter, then the verdict on all."""
    headings = [
        Heading("", "layer", left=True),
        Heading("", "gradient of", left=True),
        Heading("", "its norm"),
        Heading("", "error"),
        Heading("", "", left=True),
    ]
    cells = [
        [row.node.full_name, row.array, three_digits(row.norm), f"{row.error:.1e}", row.verdict]
        for row in rows
    ]
    layout = lay_out(headings, cells, width)
    yield from layout.heading_lines()
    for row, texts in zip(rows, cells, strict=True):
        verdict = (texts[-1], _STYLES[row.verdict])
        yield layout.line([(texts[0], "cyan"), *((text, "") for text in texts[1:-1]), verdict])
    yield []
    wrong = sum(row.verdict == "wrong" for row in rows)
    if wrong:
        yield [(f"{wrong} of {len(rows)} gradients are wrong", "bold red")]
    else:
        yield [(f"all {len(rows)} gradients are right", "bold green")]
    if any(row.verdict == "kink" for row in rows):
        yield [("kink: two slopes meet there; a little beside it the gradient is right", "dim")]
    yield [("error: against finite differences in float64, relative to the norm; right below 1e-6", "dim")]
