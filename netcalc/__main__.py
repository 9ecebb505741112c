"""The console script `netcalc`, and `python -m netcalc`."""

import gc
import os
import signal
import sys
from types import FrameType

_INTERRUPTED = 130
_HANDLES = (os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)
"""How the null device is opened in place of a closed standard input, output and error.

Reading the first and writing the second then fail as they would, and no other file takes their numbers.
"""


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly with 130, even while it still imports."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    _open_handles()
    gc.disable()  # specs, graphs and reports hold no cycles, but large ones are costly to search for them
    try:
        from netcalc.cli import run

        code = run()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done but for leaving
    sys.exit(code)


def _interrupted(number: int, frame: FrameType | None) -> None:
    """End at once where modules are imported, which an exception may leave half done, or raise as ever."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os._exit(_INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt


def _open_handles() -> None:
    """Stand in for standard streams that were closed before the start."""
    for handle, mode in enumerate(_HANDLES):
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, mode)  # it takes the lowest number that is free
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)


if __name__ == "__main__":
    main()
