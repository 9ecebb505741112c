"""A line for each epoch, aligned; columns are dropped where a terminal is narrow."""

from collections.abc import Callable
from typing import NamedTuple

from netcalc.render.layout import Segment
from netcalc.render.training.words import accuracy_text, loss_text, rate_text
from netcalc.train.records import EpochRecord

_GAP = 2


class _Column(NamedTuple):
    group: str
    heading: str
    width: int
    text: Callable[[EpochRecord], str]
    drop: int = 0
    """When it is dropped where there is no room, 1 first; never for 0."""


class EpochTable:
    """The headings and the lines of a training's epochs."""

    def __init__(self, samples: int, has_accuracy: bool, held_back: bool, width: int | None) -> None:
        columns = _columns(samples, has_accuracy, held_back)
        for column in sorted((column for column in columns if column.drop), key=lambda column: column.drop):
            if width is None or sum(each.width + _GAP for each in columns) - _GAP <= width:
                break
            columns.remove(column)
        self._columns = columns

    def headings(self) -> list[list[Segment]]:
        """Groups of columns, and the columns."""
        groups = [(column.group, column.width) for column in self._columns]
        first = ""
        for number, (group, width) in enumerate(groups):
            is_new = group and (number == 0 or groups[number - 1][0] != group)
            cell = group if is_new else ""
            room = len(first) + (_GAP if number else 0) + width
            first = f"{first}{'':{_GAP if number else 0}}{cell:<{width}}" if is_new else f"{first:<{room}}"
        names = [column.heading for column in self._columns]
        lines = [self._line(names, "bold")]
        return [[(first.rstrip(), "bold")], *lines] if first.strip() else lines

    def line(self, record: EpochRecord, is_best: bool) -> list[Segment]:
        """The line of an epoch."""
        return self._line([column.text(record) for column in self._columns], "bold" if is_best else "")

    def _line(self, texts: list[str], style: str) -> list[Segment]:
        cells = (f"{text:>{column.width}}" for text, column in zip(texts, self._columns, strict=True))
        return [((" " * _GAP).join(cells), style)]


def _columns(samples: int, has_accuracy: bool, held_back: bool) -> list[_Column]:
    columns = [_Column("", "epoch", 5, lambda record: str(record.epoch + 1))]
    columns.append(_Column("training", "loss", 8, lambda record: loss_text(record.loss)))
    if has_accuracy:
        columns.append(_Column("training", "accuracy", 8, lambda record: accuracy_text(record.accuracy), 3))
    if held_back:
        columns.append(_Column("held back", "loss", 9, lambda record: loss_text(record.validation_loss)))
    if held_back and has_accuracy:
        columns.append(
            _Column("held back", "accuracy", 8, lambda record: accuracy_text(record.validation_accuracy))
        )
    columns.append(_Column("", "lr", 8, lambda record: rate_text(record.rate), 1))
    columns.append(_Column("", "samples/s", 9, lambda record: f"{samples / record.seconds:,.0f}", 2))
    return columns
