"""The formats of data sets, each recognised by what a file holds, not by its name."""

import os
from collections.abc import Callable
from typing import NamedTuple

from netcalc.backend.errors import refuse
from netcalc.backend.files import sound
from netcalc.diagnostics import listed, nearest
from netcalc.train.data import cifar, csv_table, folder, idx, npz, tokens
from netcalc.train.data.content import beginning, content
from netcalc.train.data.dataset import DataSet, Reader, Reading

_HEAD = 2**16


class FileFormat(NamedTuple):
    """A format of one file: whether its first bytes and its size are those of one, and how it is read."""

    meaning: str
    recognises: Callable[[bytes, int], bool]
    read: Reader


def _is_text(head: bytes, size: int) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return size > len(head) and error.start >= len(head) - 4  # a character may be cut off
    return b"\0" not in head


FORMATS: dict[str, FileFormat] = {
    "idx": FileFormat(
        "MNIST's IDX, its labels in a file beside it", lambda head, size: idx.is_idx(head), idx.read
    ),
    "npz": FileFormat("arrays by name, labels in `y`", lambda head, size: npz.is_npz(head), npz.read),
    "npy": FileFormat("token numbers on one axis", lambda head, size: tokens.is_npy(head), tokens.read_npy),
    "cifar10-python": FileFormat(
        "CIFAR-10's pickled files", lambda head, size: cifar.is_pickle(head), cifar.read_python
    ),
    "cifar10": FileFormat("CIFAR-10's records of 3073 bytes", cifar.is_record_file, cifar.read_binary),
    "csv": FileFormat(
        "features and a label in rows", lambda head, size: csv_table.is_csv(head), csv_table.read
    ),
    "text": FileFormat("text, whose bytes are tokens", _is_text, tokens.read_text),
    "uint16": FileFormat("token numbers of 16 bits", lambda head, size: False, tokens.read_uint16),
    "uint32": FileFormat("token numbers of 32 bits", lambda head, size: False, tokens.read_uint32),
}
"""The formats of files, in the order in which they are tried."""


def open_data(
    path: str | os.PathLike[str], format: str | None = None, reading: Reading | None = None
) -> DataSet:
    """The data set of a file or a folder.

    `format` is one of FORMATS, for files whose bytes do not tell, `reading` says what the files leave open.
    A folder holds the files of MNIST or CIFAR-10, or pictures in a folder for each class.

    Raises ExecutionError, naming the file and the place, where it cannot be read.
    """
    path, reading = os.fspath(path), reading or Reading()
    if format is not None and format not in FORMATS:
        match = nearest(format, FORMATS)
        hint = f"did you mean {match}?" if match else f"there are {', '.join(FORMATS)}"
        refuse("E920", f"there is no format {format!r}", help=hint)
    if os.path.isdir(path):
        if format is not None:
            refuse("E920", f"{path} is a folder, {format} is a format of files")
        with sound(path, "folder"):
            data = _of_folder(path, reading)
        is_table = False
    else:
        raw = content(path)
        format = format or _recognised(path, raw[:_HEAD].tobytes(), len(raw))
        data = FORMATS[format].read(path, raw, reading)
        is_table = format == "csv"
    if reading.label is not None and not is_table:
        refuse("E920", f"{path} is no CSV, which alone has a column of labels")
    _refuse_idle(path, data, reading)
    return data


def _of_folder(path: str, reading: Reading) -> DataSet:
    with os.scandir(path) as entries:
        files = sorted(entry.name for entry in entries if entry.is_file() and not entry.name.startswith("."))
    if any(idx.is_idx(beginning(os.path.join(path, name), 4)) for name in files):
        data: DataSet = idx.read_folder(path, files, reading)
    elif cifar.is_folder(path, files):
        data = cifar.read_folder(path, files, reading)
    elif folder.is_folder_of_classes(path):
        data = folder.read_folder(path, reading)
    else:
        refuse(
            "E920",
            f"{path} holds no data that is known: {listed(files) or 'it is empty'}",
            help="a folder has a folder of pictures for each class, or the files of MNIST or CIFAR-10",
        )
    return data


def _refuse_idle(path: str, data: DataSet, reading: Reading) -> None:
    """Raise for what is asked for and does nothing with these files."""
    if reading.context is not None and data.vocabulary is None:
        refuse("E920", f"{path} holds no tokens, of which a context is a number")
    if reading.resize is not None and not isinstance(data, folder.FolderData):
        refuse("E920", f"{path} is no folder of pictures, which alone are resized")


def _recognised(path: str, head: bytes, size: int) -> str:
    """The format of a file with these first bytes."""
    found = next((name for name, format in FORMATS.items() if format.recognises(head, size)), None)
    if found is None:
        hint = "say which it is: uint16 and uint32 are raw token numbers"
        if head[257:262] == b"ustar":
            hint = f"unpack it, tar xf {path}, and name the folder"
        elif head[0] < len(cifar.CLASSES):
            records = f"{size / cifar.RECORD:,.2f}"
            hint += f"; records of CIFAR-10 have {cifar.RECORD} bytes, of which this is {records}"
        begins = head[:8].hex(" ")
        refuse("E920", f"{path} is of no known format: its {size:,} bytes begin with {begins}", help=hint)
    return found
