"""The console script `netcalc`, and `python -m netcalc`."""

import gc
import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly with 130, even while it still imports."""
    gc.disable()  # specs, graphs and reports hold no cycles, but large ones are costly to search for them
    try:
        from netcalc.cli import run

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
