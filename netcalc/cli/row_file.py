"""The file that a sweep grows, a JSON line a variant; an interrupted sweep goes on where it ends."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, NoReturn

import typer

from netcalc.analysis.sweep import Row, Sweep
from netcalc.render.sweep import json_line, line_start
from netcalc.spec import Evaluated


class RowFile:
    """Whole lines in the order of the variants. `rows` are those that were there before."""

    def __init__(self, path: str, file: BinaryIO, sweep: Sweep, rows: list[Row]) -> None:
        self.path = path
        self.rows = rows
        self._file = file
        self._sweep = sweep

    def append(self, row: Row) -> None:
        """Write a row where it survives whatever ends this process."""
        self._file.write(json_line(self._sweep, row).encode())
        self._file.flush()

    def count(self) -> int:
        """How many rows the file has, even where the last one was interrupted on its way there."""
        self._file.flush()
        self._file.seek(0)
        return sum(line.endswith(b"\n") for line in self._file)


@contextmanager
def open_rows(path: str, sweep: Sweep, indices: Sequence[int]) -> Iterator[RowFile]:
    """A sweep's file, made where there is none; a last line that is torn is taken off.

    Raises typer.BadParameter where it cannot be written or holds anything but this sweep's rows, which
    is left as it is.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        _refuse(f"{path} is no file that rows can be added to.")
    try:
        file = open(path, "a+b")  # noqa: SIM115 (closed below)
    except ValueError:
        _refuse("a path cannot hold a NUL character.")
    except OSError as error:
        _refuse(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.")
    with file:
        _lock(path, file)
        file.seek(0)
        rows, end = [], 0
        for number, line in enumerate(file):
            expected = line_start(sweep, indices[number]).encode() if number < len(indices) else b""
            if line.endswith(b"\n"):
                rows.append(_row(path, sweep, number, line, expected))
                end += len(line)
            elif not expected or not (line.startswith(expected) or expected.startswith(line)):
                _refuse_line(path, number)
        file.truncate(end)
        yield RowFile(path, file, sweep, rows)


def _row(path: str, sweep: Sweep, number: int, line: bytes, expected: bytes) -> Row:
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
    """Keep a second sweep from writing the same rows; the system lets go when this process ends."""
    try:
        import fcntl
    except ImportError:  # not a system that has it
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _refuse(f"another sweep writes to {path} now.")
    except OSError:  # a file system without locks
        return


def _refuse_line(path: str, number: int) -> NoReturn:
    _refuse(
        f"line {number + 1} of {path} is not of this sweep: another spec, other values or another version "
        "of netcalc wrote it. Name another file, or remove this one."
    )


def _refuse(message: str) -> NoReturn:
    raise typer.BadParameter(message, param_hint="--output")
