"""CSV: a row a sample, its features and in one column its label; with a line of names or without.

The label is in the column that is asked for, else in one called label, labels, class, target or y, else in
the last. Labels are numbers of classes, words, which are numbered in alphabetical order, or fractions.
"""

import csv
import warnings
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from itertools import zip_longest
from typing import Literal, NamedTuple, NoReturn

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.files import sound
from netcalc.backend.kernels.base import Array
from netcalc.backend.memory import require_memory
from netcalc.diagnostics import listed
from netcalc.train.data.dataset import ArrayData, Reading, laid_out

LABEL_NAMES = ("label", "labels", "class", "target", "y")
_DELIMITERS = ",;\t"
_FIRST_LINES = 20


class _Layout(NamedTuple):
    """How a file is divided: the delimiter, the names of its columns where it has them, and their number."""

    delimiter: str
    names: list[str]
    width: int

    def name(self, column: int) -> str:
        return f"column {self.names[column]!r}" if self.names else f"column {column + 1}"


def is_csv(head: bytes) -> bool:
    """Whether bytes begin as lines of cells with delimiters, of which more than half are numbers."""
    return _layout(head) is not None


def read(path: str, raw: Array, reading: Reading) -> ArrayData:
    """The features and labels of a CSV; raises ExecutionError with the line and column of a wrong cell."""
    if reading.part:
        refuse("E920", f"{path} has no parts: it is one table")
    require_memory(3 * len(raw), f"the numbers of {path}")
    text = raw.tobytes()
    layout = _layout(text[: 2**16])
    if layout is None:
        refuse("E920", f"{path} is not rows of numbers with a label, divided by commas, semicolons or tabs")
    column = _label_column(path, layout, reading.label)
    features = [number for number in range(layout.width) if number != column]
    try:
        numbers = _cells(text, layout, np.float32, features, 2)
        words = _cells(text, layout, str, column, 1)
        if _widths_differ(text, layout):
            raise ValueError
    except (ValueError, UnicodeDecodeError):
        _locate(path, text, layout, column)
    labels, classes = _labels(path, words)
    return ArrayData(path, {"x": laid_out(numbers, reading.shape, path)}, labels, classes)


def _cells(text: bytes, layout: _Layout, dtype: type, columns: int | list[int], axes: Literal[1, 2]) -> Array:
    """The cells of some columns, by NumPy's own reader."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of empty lines
        return np.loadtxt(
            TextIOWrapper(BytesIO(text), "utf-8-sig"),
            dtype,
            delimiter=layout.delimiter,
            skiprows=int(bool(layout.names)),
            comments=None,
            quotechar='"',
            usecols=columns,
            ndmin=axes,
        )


def _layout(head: bytes) -> _Layout | None:
    """How a file with this beginning is divided, None where it is no CSV of numbers."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.end < len(head) - 4:  # but for a character that is cut off
            return None
        text = head[: error.start].decode("utf-8-sig")
    lines = text.splitlines()[:_FIRST_LINES]
    for delimiter in _DELIMITERS:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        if not rows or len(rows[0]) < 2:
            continue
        cells = [cell for row in rows[1:] or rows for cell in row]
        if 2 * sum(map(_is_number, cells)) >= len(cells):
            return _Layout(delimiter, _names(rows), len(rows[0]))
    return None


def _names(rows: list[list[str]]) -> list[str]:
    """The first row where it names the columns: a word above a number, or `label` above other words.

    `y` above words may be an answer, as n is.
    """
    first, *others = [[cell.strip() for cell in row] for row in rows]
    columns = list(zip_longest(*others, fillvalue=""))
    names_columns = any(
        not _is_number(name)
        and (_is_number(cells[0]) or (name.lower() in LABEL_NAMES[:-1] and name not in cells))
        for name, cells in zip(first, columns, strict=False)
    )
    return first if names_columns else []


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _label_column(path: str, layout: _Layout, wanted: str | None) -> int:
    if wanted is None:
        named = [number for number, name in enumerate(layout.names) if name.lower() in LABEL_NAMES]
        return named[0] if len(named) == 1 else layout.width - 1
    if wanted in layout.names:
        return layout.names.index(wanted)
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() else 0
    if not 0 < number <= layout.width:
        columns = f"are {listed(layout.names)}" if layout.names else "have no names"
        refuse("E920", f"{path} has no column {wanted!r}; its {layout.width} columns {columns}")
    return number - 1


def _widths_differ(text: bytes, layout: _Layout) -> bool:
    """Whether a line has more cells than the first: those would be left out."""
    if b'"' in text:
        return any(len(row) != layout.width for _, row in _rows(text, layout))
    text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    blank = sum(not line.strip() for line in text.split(b"\n")) - text.endswith(b"\n")
    return text.count(layout.delimiter.encode()) != (lines - blank) * (layout.width - 1)


def _rows(text: bytes, layout: _Layout) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table with their lines, from 1."""
    reader = csv.reader(TextIOWrapper(BytesIO(text), "utf-8-sig", newline=""), delimiter=layout.delimiter)
    for row in reader:
        if row:
            yield reader.line_num, row


def _locate(path: str, text: bytes, layout: _Layout, column: int) -> NoReturn:
    """Raise for the first cell that is wrong."""
    with sound(path, "CSV file"):
        for number, (line, row) in enumerate(_rows(text, layout)):
            if len(row) != layout.width:
                refuse(
                    "E921", f"line {line} of {path} has {len(row)} cells, the first line has {layout.width}"
                )
            if number == 0 and layout.names:
                continue
            for place, cell in enumerate(row):
                if place != column and not _is_number(cell):
                    what = f"holds {cell[:40]!r}, which is no number" if cell.strip() else "is empty"
                    refuse("E921", f"{layout.name(place)} in line {line} of {path} {what}")
        raise ValueError("its cells cannot be read as numbers")


def _labels(path: str, words: Array) -> tuple[Array, tuple[str, ...]]:
    """The labels and the names of the classes, which are numbers or words."""
    words = np.char.strip(np.char.strip(words), '"')  # the reader leaves quotes behind a blank
    empty = np.flatnonzero(words == "")
    if len(empty):
        refuse("E922", f"sample {empty[0]} of {path} has no label")
    try:
        return words.astype(np.int64), ()
    except (ValueError, OverflowError):
        pass
    if all(map(_is_number, words.tolist())):
        return words.astype(np.float64), ()
    names, labels = np.unique(words, return_inverse=True)
    return labels, tuple(map(str, names))
