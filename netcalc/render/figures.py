"""Files of matplotlib's figures, for every room of `render` that draws one."""

import os
from typing import Any
from warnings import catch_warnings, filterwarnings

from netcalc.files import written_whole

SUFFIXES = (".png", ".svg", ".pdf")
STYLE = {"svg.hashsalt": "netcalc", "svg.fonttype": "none"}
"""So that equal figures are equal files, and texts stay texts."""


def is_available() -> bool:
    """Whether matplotlib, the optional extra `plots`, is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def save(figure: Any, path: str) -> None:
    """Write a figure whole or not at all, in the type that its suffix says; raises OSError."""
    suffix = os.path.splitext(path)[1].lower()
    metadata = {"Date": None} if suffix == ".svg" else None  # so that equal plots are equal files
    with written_whole(path) as partial, catch_warnings():
        filterwarnings("ignore", "Glyph")  # a script that the font lacks is drawn as boxes
        figure.savefig(partial, format=suffix[1:], dpi=150, metadata=metadata)
