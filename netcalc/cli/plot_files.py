"""The files that plots are drawn into."""

import os

import typer

from netcalc.diagnostics import extra_help


def check_plot(path: str, others: list[str]) -> None:
    """Raise typer.BadParameter where no picture can be drawn into a file; `others` are the command's."""
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
