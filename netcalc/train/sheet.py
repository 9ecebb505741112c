"""A sheet of samples: each as it is, and beside it as it is in the first epochs of a training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

import numpy as np

from netcalc.backend.images import pillow
from netcalc.backend.kernels.base import Array
from netcalc.train.augmentation import Augmentation
from netcalc.train.batches import Batches
from netcalc.train.data import Batch, DataSet
from netcalc.train.data.checking import require_range
from netcalc.train.data.scaling import as_numbers

EPOCHS = 4
_TILE = 96
"""Pixels that a small picture is enlarged to, at least."""
_LARGEST = 192
_TEXT = 12
_GAP, _MARGIN = 4, 16
_WHITE, _INK, _FAINT = (255, 255, 255), (30, 30, 30), (120, 120, 120)


class Tile(NamedTuple):
    """A picture C,H,W of numbers from 0 to 1, and the lines below it."""

    pixels: Array
    lines: tuple[str, ...]


Row = list[Tile]
"""A sample as it is, and as it is in each epoch."""


def sample_rows(data: DataSet, augmentation: Augmentation, count: int, seed: int) -> list[Row]:
    """The first samples of a shuffled data set, each with its changes in EPOCHS epochs.

    Raises ExecutionError where samples are no pictures or cannot be augmented.
    """
    from netcalc.train.augmentation.geometry import require_pictures

    augmentation.require(data)
    ((name, field),) = data.fields.items()
    require_pictures(field.shape, "a sheet of samples")
    batches = Batches(data, min(count, len(data)), seed=seed, augmentation=augmentation)
    indices = batches.order(0)[:count]
    stored = data.batch(indices)
    require_range(data, indices, stored.inputs[name])
    rows = [
        [Tile(x, (class_name(data, label),))]
        for x, label in zip(as_numbers(stored.inputs[name]), stored.labels, strict=True)
    ]
    for epoch in range(EPOCHS):
        changed = batches.batch(indices, epoch)
        for number, row in enumerate(rows):
            row.append(Tile(changed.inputs[name][number], _mixture(data, changed, number)))
    return rows


def class_name(data: DataSet, label: Array) -> str:
    """The name of a class, or the number that stands in its place; nothing for a row of numbers."""
    if np.ndim(label):
        return ""
    return data.classes[int(label)] if data.classes else f"{label:g}"


def _mixture(data: DataSet, batch: Batch, number: int) -> tuple[str, ...]:
    if batch.others is None or batch.weights is None:
        return ()
    weight = batch.weights[number]
    first, second = (class_name(data, labels[number]) for labels in (batch.labels, batch.others))
    return f"{weight:.2f} {first}", f"{1 - weight:.2f} {second}"


def write_sheet(rows: list[Row], path: Path) -> None:
    """Draw rows of samples as a PNG, two samples beside each other where there are more than four."""
    image = pillow()
    from PIL import ImageDraw

    tiles = [tile for row in rows for tile in row]
    side = max(_drawn_size(tile.pixels) for tile in tiles)
    text_lines = max(len(tile.lines) for tile in tiles)
    panels = 2 if len(rows) > 4 else 1
    lines = -(-len(rows) // panels)
    block = (EPOCHS + 1) * (side + _GAP) + 3 * _GAP
    height = side + text_lines * (_TEXT + 1) + 3 * _GAP
    top = _MARGIN + _TEXT + 2 * _GAP
    sheet = image.new(
        "RGB", (2 * _MARGIN + panels * block + (panels - 1) * _MARGIN, top + lines * height + _MARGIN), _WHITE
    )
    pen = ImageDraw.Draw(sheet)
    for panel in range(panels):
        left = _MARGIN + panel * (block + _MARGIN)
        for column, title in enumerate(["original", *(f"epoch {epoch}" for epoch in range(EPOCHS))]):
            _write(pen, title, _place(left, column, side), _MARGIN, side, _FAINT)
        for number, row in enumerate(rows[panel * lines : (panel + 1) * lines]):
            for column, tile in enumerate(row):
                x, y = _place(left, column, side), top + number * height
                drawn = _scaled(image, tile.pixels)
                sheet.paste(drawn, (x + (side - drawn.width) // 2, y + (side - drawn.height) // 2))
                for line, text in enumerate(tile.lines):
                    _write(pen, text, x, y + side + 2 + line * (_TEXT + 1), side, _INK)
    sheet.save(path, "PNG")


def _place(left: int, column: int, side: int) -> int:
    """Where a column begins; the original stands a little apart."""
    return left + column * (side + _GAP) + (3 * _GAP if column else 0)


def _drawn_size(pixels: Array) -> int:
    """The longer side of a picture as it is drawn: a small one enlarged by a whole factor."""
    largest: int = max(pixels.shape[1:])
    return min(_LARGEST, largest * max(1, round(_TILE / largest)))


def _scaled(image: Any, pixels: Array) -> Any:
    height, width = pixels.shape[1:]
    numbers = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    picture = image.fromarray(np.ascontiguousarray(np.broadcast_to(numbers, (height, width, 3))))
    side = _drawn_size(pixels)
    if max(height, width) > side:
        picture.thumbnail((side, side))
        return picture
    factor = side // max(height, width)
    return picture.resize((width * factor, height * factor), image.Resampling.NEAREST)


def _write(pen: Any, text: str, x: int, y: int, width: int, colour: tuple[int, int, int]) -> None:
    """Text that is cut off where it would reach the next picture."""
    for shown in _shortened(text):
        if pen.textlength(shown, font_size=_TEXT) <= width:
            pen.text((x, y), shown, fill=colour, font_size=_TEXT)
            return


def _shortened(text: str) -> Iterator[str]:
    plain = normalize("NFKD", text).encode("ascii", "replace").decode()  # Pillow's own font has no more
    text = " ".join("".join(char for char in plain if char.isprintable()).split())[:200]
    yield text
    yield from (f"{text[:length]}…" for length in range(len(text) - 1, 0, -1))
