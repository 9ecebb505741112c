"""Each layer's table row against its execution, and its gradients against finite differences."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netcalc.render.execution.run import three_digits
from netcalc.render.layout import Heading, Segment, paragraph
from netcalc.render.numbers import byte_size, exact
from netcalc.render.text_table import TextColumn, text_table
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
    kept = [byte_size(counted.saved.per_sample) for _, counted in zip(rows, memory, strict=True)]
    verdicts = ["differs" if row.wrong else "as counted" for row in rows]
    styles = ["bold red" if row.wrong else "green" for row in rows]
    columns = [
        TextColumn(Heading("", "layer", left=True), [row.node.full_name for row in rows], "cyan"),
        TextColumn(Heading("executed", "output"), [format_shape(row.shape) for row in rows], drop=2),
        TextColumn(Heading("executed", "parameters"), [exact(row.params) for row in rows], drop=4),
        TextColumn(Heading("executed", "multiply-adds"), [exact(row.macs) for row in rows]),
        TextColumn(Heading("counted", "kept"), kept, drop=3),
        TextColumn(Heading("executed", "held"), [byte_size(row.saved) for row in rows], drop=1),
        TextColumn(Heading("", "", left=True), verdicts, styles),
    ]
    yield from text_table(columns, width, _LEAST_NAME)
    yield []
    for row in rows:
        for problem in row.wrong:
            yield from paragraph(f"{row.node.full_name}: {problem}", "bold red", width)
    wrong = sum(bool(row.wrong) for row in rows)
    if wrong:
        yield from paragraph(f"{wrong} of {len(rows)} layers differ from the table", "bold red", width)
    else:
        yield from paragraph(f"all {len(rows)} layers are as counted", "bold green", width)
    looped, macs = sum(row.looped for row in rows), sum(row.macs for row in rows)
    notes = [f"{exact(looped)} of {exact(macs)} multiply-adds done and counted by a naive loop"]
    if looped < macs:
        notes.append("the rest counted by the sizes of the matrix products done")
    notes.append("kept: what one more sample adds for backward in `netcalc memory`, each tensor once")
    notes.append("held: by this kernel, other layers' tensors too; no more than PyTorch's layer alone keeps")
    for note in notes:
        yield from paragraph(note, "dim", width)


def gradcheck_lines(rows: Sequence["Check"], width: int | None) -> Iterator[list[Segment]]:
    """One line an input or parameter, then the verdict on all."""
    verdicts = [row.verdict for row in rows]
    columns = [
        TextColumn(Heading("", "layer", left=True), [row.node.full_name for row in rows], "cyan"),
        TextColumn(Heading("", "gradient of", left=True), [row.array for row in rows]),
        TextColumn(Heading("", "its norm"), [three_digits(row.norm) for row in rows], drop=1),
        TextColumn(Heading("", "error"), [f"{row.error:.1e}" for row in rows]),
        TextColumn(Heading("", "", left=True), verdicts, [_STYLES[verdict] for verdict in verdicts]),
    ]
    yield from text_table(columns, width, _LEAST_NAME)
    yield []
    wrong = sum(row.verdict == "wrong" for row in rows)
    if wrong:
        yield from paragraph(f"{wrong} of {len(rows)} gradients are wrong", "bold red", width)
    else:
        yield from paragraph(f"all {len(rows)} gradients are right", "bold green", width)
    notes = ["error: against finite differences in float64, relative to the norm; right below 1e-6"]
    if any(row.verdict == "kink" for row in rows):
        notes.insert(0, "kink: two slopes meet there; a little beside it the gradient is right")
    for note in notes:
        yield from paragraph(note, "dim", width)
