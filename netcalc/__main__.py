"""The console script `netcalc`, and `python -m netcalc`."""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import FrameType
else:  # signal itself imports a good deal before Ctrl-C is looked after
    import _signal as signal

_INTERRUPTED = 130
_HANDLES = (os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)
"""How the null device is opened in place of a closed standard input, output and error.

Reading the first and writing the second then fail as they would, and no other file takes their numbers.
"""


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly with 130, even while it still imports."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    try:
        _open_handles()
        gc.disable()  # specs, graphs and reports hold no cycles, but large ones are costly to search for them
        if os.environ.get("_NETCALC_COMPLETE", "").startswith("complete_"):
            from netcalc.cli.completion import complete

            code = complete()
        else:
            from netcalc.cli.app import run

            code = run()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done but for leaving
    gc.freeze()  # the interpreter would search all objects for cycles before it gives their memory back
    sys.exit(code)


def _interrupted(_: int, frame: "FrameType | None") -> None:
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
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


if __name__ == "__main__":
    main()
