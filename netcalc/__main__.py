"""The console script `netcalc`, and `python -m netcalc`."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly with 130, even while it still imports."""
    try:
        from netcalc.cli import run

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
