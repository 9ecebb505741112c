"""The file of a plot, which several commands draw."""

import os
from collections.abc import Iterable

import typer

from netcalc.diagnostics import extra_help


def check_plot(path: str, others: Iterable[str]) -> None:
    """Raise typer.BadParameter where no picture can be drawn into a file; `others` are not written over."""
    from netcalc.render.figures import SUFFIXES, is_available

    message = ""
    if not path.lower().endswith(SUFFIXES):
        message = f"a plot's file ends in {', '.join(SUFFIXES)}, unlike {path}."
    elif not os.path.isdir(os.path.dirname(path) or "."):
        message = f"there is no folder {os.path.dirname(path)}."
    elif any(os.path.realpath(path) == os.path.realpath(other) for other in others):
        message = f"{path} is another file of this command; name a file of its own."
    elif not is_available():
        message = f"a plot needs matplotlib: {extra_help('plots')}."
    if message:
        raise typer.BadParameter(message, param_hint="--plot")
