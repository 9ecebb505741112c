"""A folder of pictures: one folder inside for each class, named after it.

Pictures may stand in folders of a class's folder too. Each is brought to one shape as `netcalc run` does it:
the shorter side resized, the middle cut out. They are decoded when they are asked for, by several threads.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.images import MAX_PIXELS, picture_shape, read_pictures
from netcalc.backend.kernels.base import Array
from netcalc.backend.workers import cores
from netcalc.diagnostics import listed
from netcalc.tensor import Shape, format_shape
from netcalc.train.data.dataset import Batch, DataSet, InputField, Reading

_PARTS = {"train": ("train", "training"), "test": ("test", "val", "valid", "validation")}
"""The folders of the parts in small letters; of several the first counts."""
_LARGE = 2**14
"""Bytes of a picture from which on threads decode it: about a millisecond's work."""
_DEPTH = 16
"""Folders inside each other that are looked through."""


class FolderData(DataSet):
    """Pictures of classes, decoded when they are asked for: uint8, or floats from 0 to 1 where files are
    deep.
    """

    def __init__(
        self, path: str, classes: tuple[str, ...], files: list[str], labels: Array, how: Reading
    ) -> None:
        self.path = path
        self.classes = classes
        self._files = files
        self._labels = labels
        self._shape = how.shape or _common_shape(path, files)
        if int(np.prod(self._shape[1:], dtype=object)) > MAX_PIXELS:
            refuse("E921", f"pictures of {format_shape(self._shape)} are beyond {MAX_PIXELS:,} pixels")
        self._resize = how.resize
        self._workers = how.workers or (cores() if _are_large(files) else 1)
        self.fields = {"x": InputField(self._shape, np.dtype(np.uint8))}

    def __len__(self) -> int:
        return len(self._files)

    def batch(self, indices: Array) -> Batch:
        paths = [self._files[index] for index in indices]
        pictures = read_pictures(paths, self._shape, self._resize, self._workers)
        if any(picture.dtype != np.uint8 for picture in pictures):
            pictures = [p / np.float32(255) if p.dtype == np.uint8 else p for p in pictures]
        x = np.stack(pictures) if pictures else np.empty((0, *self._shape), np.uint8)
        return Batch({"x": x}, self._labels[indices])

    def labels(self) -> Array:
        return self._labels

    def place(self, index: int) -> str:
        return self._files[index]


def is_folder_of_classes(path: str) -> bool:
    """Whether there is any folder inside that is not hidden."""
    return bool(_folders(Path(path)))


def read_folder(path: str, reading: Reading) -> FolderData:
    """The pictures of a folder; the header of each is read, so that what is none is found now.

    Raises ExecutionError for files that are no pictures, classes without any, and links that lead in a
    circle.
    """
    root = Path(path)
    inside = {folder.name: folder for folder in _folders(root)}
    by_name = {name.lower(): folder for name, folder in inside.items()}
    parts = {
        part: next(by_name[name] for name in names if name in by_name)
        for part, names in _PARTS.items()
        if not by_name.keys().isdisjoint(names)
    }
    if reading.part or ("train" in parts and by_name.keys() <= {*chain(*_PARTS.values())}):
        part = reading.part or "train"
        if part not in parts:
            refuse("E920", f"{path} has no {part} part: its folders are {listed(inside)}")
        root = parts[part]
        inside = {folder.name: folder for folder in _folders(root)}
    stray = [entry.name for entry in root.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    if stray:
        refuse("E920", f"{root / min(stray)} is in no folder of a class", help="move it into one, or away")
    paths: list[str] = []
    labels: list[int] = []
    for label, (name, folder) in enumerate(inside.items()):
        found = sorted(_files(folder, ()))
        if not found:
            refuse("E920", f"the folder {folder} of the class {name} is empty", help="remove it, or fill it")
        paths += found
        labels += [label] * len(found)
    if not paths:
        refuse("E920", f"{root} has no folder for a class")
    return FolderData(path, tuple(inside), paths, np.array(labels, np.int64), reading)


def _folders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _files(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """The files in a folder and in those inside; raises where one is inside itself."""
    status = folder.stat()
    own = status.st_dev, status.st_ino
    if own in above or len(above) > _DEPTH:
        refuse("E920", f"{folder} leads back into itself", help="remove the link")
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _files(entry, (*above, own))
        else:
            yield str(entry)


def _are_large(files: list[str]) -> bool:
    """Whether decoding a picture takes longer than handing it to a thread, by the size of the first files."""
    first = files[:16]
    return sum(Path(file).stat().st_size for file in first) > _LARGE * len(first)


def _common_shape(path: str, files: list[str]) -> Shape:
    """The shape of all pictures: 3 channels where any has colours."""
    shapes = [picture_shape(file) for file in files]
    for file, shape in zip(files, shapes, strict=True):
        if shape[1:] != shapes[0][1:]:
            wanted = format_shape((shapes[0][0], 224, 224))
            sizes = f"{shapes[0][2]} x {shapes[0][1]} and {shape[2]} x {shape[1]}"
            refuse(
                "E921",
                f"the pictures of {path} have different sizes, {sizes} pixels: {files[0]} and {file}",
                help=f"say which size they are brought to, as --size {wanted}",
            )
    return max(shapes)
