"""Draws the README's picture, `docs/alexnet.svg`: AlexNet's table as a terminal shows it.

python docs/make_picture.py
"""

import io
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

import netcalc
from netcalc.render.table.text import table_lines
from netcalc.render.terminal import Terminal

WIDTH = 96


def main() -> None:
    """Render the table into an SVG file."""
    console = Console(
        file=io.StringIO(), record=True, width=WIDTH, force_terminal=True, color_system="truecolor"
    )
    report = netcalc.analyze(netcalc.load("alexnet"))
    Terminal(console).write(table_lines(report, width=WIDTH))
    picture = console.export_svg(title="netcalc table alexnet.yaml", theme=MONOKAI, unique_id="netcalc")
    Path(__file__).with_name("alexnet.svg").write_text(picture)


if __name__ == "__main__":
    main()
