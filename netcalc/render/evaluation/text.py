"""The classes of an evaluation, and the largest confusions, as tables for a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from netcalc.render.evaluation.words import percent
from netcalc.render.layout import LEAST_NAME, Heading, Segment, paragraph
from netcalc.render.text_table import TextColumn, text_table

if TYPE_CHECKING:
    from netcalc.train.confusion import ClassFigures, Confused

_MANY, _WORST = 20, 10
"""With more classes than the first those of the lowest F1 are shown, as many as the second says."""


def class_lines(
    classes: "Sequence[ClassFigures]", names: Sequence[str], width: int | None, show_all: bool
) -> Iterator[list[Segment]]:
    """One line a class, or the classes that are predicted worst where there are many."""
    shown = classes
    if len(classes) > _MANY and not show_all:
        judged = [one for one in classes if one.labels]
        shown = sorted(judged, key=lambda one: one.f1 or 0)[:_WORST]
        text = f"The {len(shown)} classes of the lowest F1, of {len(classes):,}; --all shows every one."
        yield from paragraph(text, "", width)
        yield []
    columns = [
        TextColumn(Heading("", "class", left=True), [names[one.number] for one in shown], "cyan"),
        TextColumn(Heading("", "labels"), [f"{one.labels:,}" for one in shown], drop=2),
        TextColumn(Heading("", "predicted"), [f"{one.predicted:,}" for one in shown], drop=1),
        TextColumn(Heading("", "precision"), [percent(one.precision) for one in shown]),
        TextColumn(Heading("", "recall"), [percent(one.recall) for one in shown]),
        TextColumn(Heading("", "F1"), [percent(one.f1) for one in shown], "bold"),
        TextColumn(
            Heading("", "most confused with", left=True), [_other(one, names) for one in shown], drop=3
        ),
    ]
    yield from text_table(columns, width, LEAST_NAME)


def confused_lines(
    pairs: "Sequence[Confused]",
    names: Sequence[str],
    classes: "Sequence[ClassFigures]",
    width: int | None,
) -> Iterator[list[Segment]]:
    """One line for each label and what it was predicted as, the most frequent first."""
    if not pairs:
        yield from paragraph("No class is confused with another.", "", width)
        return
    shares = [percent(pair.times / classes[pair.label].labels) for pair in pairs]
    columns = [
        TextColumn(Heading("", "label", left=True), [names[pair.label] for pair in pairs], "cyan"),
        TextColumn(
            Heading("", "predicted as", left=True), [names[pair.predicted] for pair in pairs], wraps=True
        ),
        TextColumn(Heading("", "times"), [f"{pair.times:,}" for pair in pairs], "bold"),
        TextColumn(Heading("", "of the label"), shares, drop=1),
    ]
    yield from paragraph("The classes that are confused most often:", "", width)
    yield []
    yield from text_table(columns, width, LEAST_NAME)


def _other(one: "ClassFigures", names: Sequence[str]) -> str:
    return "" if one.confused_with is None else f"{names[one.confused_with]} ({one.confused:,})"
