"""The bytes of a file: mapped from disk, or inflated where it is a gzip."""

import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.files import opened, sound
from netcalc.backend.kernels.base import Array

GZIP = b"\x1f\x8b"
MAX_INFLATED = 2 * 2**30
"""Bytes that a gzip may inflate to: a kilobyte can become a megabyte."""
_CHUNK = 2**22


def content(path: str | os.PathLike[str]) -> Array:
    """The bytes of a regular file as a read-only array; nothing is read before it is used.

    Raises ExecutionError where the file is not there or empty, or a gzip that is damaged or too large.
    """
    with sound(path, "data file"), opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise ValueError("it is empty")
        is_gzip = file.read(len(GZIP)) == GZIP
        if not is_gzip:
            return np.asarray(np.memmap(file, np.uint8, "r"))
    return np.frombuffer(_inflated(path), np.uint8)


def beginning(path: str | os.PathLike[str], count: int = 4096) -> bytes:
    """The first bytes of a file, inflated where it is a gzip; what cannot be read has none."""
    try:
        with opened(path) as file:
            is_gzip = file.read(len(GZIP)) == GZIP
            file.seek(0)
            if not is_gzip:
                return file.read(count)
            with gzip.GzipFile(fileobj=file) as inflated:
                return inflated.read(count)
    except (OSError, EOFError, zlib.error):
        return b""


def _inflated(path: str | os.PathLike[str]) -> bytes:
    whole = bytearray()
    try:
        with gzip.GzipFile(Path(path)) as file:
            while chunk := file.read1(_CHUNK):
                whole += chunk
                if len(whole) > MAX_INFLATED:
                    refuse(
                        "E906",
                        f"{path} inflates to more than {MAX_INFLATED / 2**30:g} GiB",
                        help=f"gunzip {path}: a file that is not compressed is read from disk as it is used",
                    )
    except EOFError:
        refuse("E906", f"{path} ends in the middle of its gzip, after {len(whole):,} inflated bytes")
    except (gzip.BadGzipFile, zlib.error) as error:
        refuse("E906", f"{path} is a damaged gzip, after {len(whole):,} inflated bytes: {error}")
    except MemoryError:
        refuse("E906", f"{path} does not fit in memory when it is inflated")
    return bytes(whole)
