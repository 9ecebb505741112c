"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to that takes the final name when all went well, and vanishes otherwise.

    Raises OSError where nothing can be written there: it is no regular file, or read-only, or there is no
    such folder.
    """
    final = Path(os.path.realpath(path))  # a link keeps pointing to its file
    mode = 0o666 & ~_umask()
    if final.exists():
        mode = final.stat().st_mode & 0o777
        if not final.is_file():
            raise OSError(None, "it is not a regular file")
        if not os.access(final, os.W_OK):
            raise PermissionError(None, "it is read-only")
    with NamedTemporaryFile(dir=final.parent, prefix=f".{final.name}.", delete=False) as file:
        partial = Path(file.name)
    try:
        yield partial
        partial.chmod(mode)
        partial.replace(final)
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
