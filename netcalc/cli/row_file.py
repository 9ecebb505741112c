"""The file of a sweep: a JSON line for each variant. An interrupted sweep resumes where the file ends."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, NoReturn

import typer

from netcalc.analysis.sweep import Sweep, VariantRow
from netcalc.cli.common import print_error
from netcalc.files import written_whole
from netcalc.render.sweep.json import json_line, line_start
from netcalc.spec import Evaluated

_LOCKED_BYTE = 2**31 - 2
"""What a sweep locks of its file on Windows: the last byte that can be, beyond the rows."""


class RowFile:
    """Complete lines in the order of the variants. `rows` are those of an earlier run."""

    def __init__(self, path: str, file: BinaryIO, sweep: Sweep, rows: list[VariantRow]) -> None:
        self.path = path
        self.rows = rows
        self._file = file
        self._sweep = sweep

    def append(self, row: VariantRow) -> None:
        """Write a row and flush it, so that it survives the end of this process."""
        self._file.write(json_line(self._sweep, row).encode())
        self._file.flush()

    def count(self) -> int:
        """The number of complete rows in the file."""
        self._file.flush()
        self._file.seek(0)
        return sum(line.endswith(b"\n") for line in self._file)


@contextmanager
def open_rows(path: str, sweep: Sweep, indices: Sequence[int]) -> Iterator[RowFile]:
    """A sweep's file, created where there is none; an incomplete last line, as of a power cut, is cut off.

    Windows line ends are replaced, so that the file has one form.

    Raises typer.BadParameter where it cannot be written, or holds anything but this sweep's rows; such a
    file is left as it is.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        _refuse(f"{path} is no file that rows can be added to.")
    with ExitStack() as stack:
        file = stack.enter_context(_opened(path))
        rows, whole, torn = _read(path, file, sweep, indices)
        if torn.endswith(b"\0"):
            zeros = len(torn) - len(torn.rstrip(b"\0"))
            print_error(f"{zeros:,} bytes of zeros at the end of {path} are cut off")
        file.seek(0)
        if file.read(len(whole)) == whole:
            file.truncate(len(whole))
        else:
            if sys.platform == "win32":  # which replaces no file that is open
                file.close()
            _replace(path, whole)
            file = stack.enter_context(_opened(path))
        yield RowFile(path, file, sweep, rows)


def _opened(path: str) -> BinaryIO:
    """The file, created where there is none, and locked."""
    try:
        file = open(path, "a+b")  # noqa: SIM115 (the caller closes it)
    except ValueError:
        _refuse("a path cannot hold a NUL character.")
    except OSError as error:
        _refuse(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.")
    try:
        _lock(path, file)
    except BaseException:
        file.close()
        raise
    return file


def _read(
    path: str, file: BinaryIO, sweep: Sweep, indices: Sequence[int]
) -> tuple[list[VariantRow], bytes, bytes]:
    """The rows of a file, the lines that hold them, and an incomplete line after them."""
    rows: list[VariantRow] = []
    lines: list[bytes] = []
    file.seek(0)
    for number, line in enumerate(file):
        expected = line_start(sweep, indices[number]).encode() if number < len(indices) else b""
        if not line.endswith(b"\n"):
            begun = line.rstrip(b"\0")
            if begun and not (expected and (begun.startswith(expected) or expected.startswith(begun))):
                _refuse_line(path, number)
            return rows, b"".join(lines), line
        line = line.removesuffix(b"\n").removesuffix(b"\r") + b"\n"
        rows.append(_row(path, sweep, number, line, expected))
        lines.append(line)
    return rows, b"".join(lines), b""


def _replace(path: str, content: bytes) -> None:
    """Replace a file atomically."""
    try:
        with written_whole(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        _refuse(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.")


def _row(path: str, sweep: Sweep, number: int, line: bytes, expected: bytes) -> VariantRow:
    if not expected or not line.startswith(expected):
        _refuse_line(path, number)
    try:
        found = json.loads(line)
        return {name: _frozen(found[name]) for name in sweep.columns}
    except (ValueError, KeyError, RecursionError):
        _refuse_line(path, number)


def _frozen(value: list[Evaluated] | Evaluated) -> Evaluated:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _lock(path: str, file: BinaryIO) -> None:
    """Keep a second sweep from writing to the file; the lock ends with this process."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(_LOCKED_BYTE)  # others cannot read what is locked
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        _refuse(f"another sweep writes to {path} now.")
    except (ImportError, OSError):  # a system or a file system without locks
        return


def _refuse_line(path: str, number: int) -> NoReturn:
    _refuse(
        f"line {number + 1} of {path} is not of this sweep: another spec, other values or another version "
        "of netcalc wrote it. Name another file, or remove this one."
    )


def _refuse(message: str) -> NoReturn:
    raise typer.BadParameter(message, param_hint="--output")
