"""Pieces of Markdown that every document shares."""

from collections.abc import Sequence

from netcalc.render.escaping import visible


def table_row(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |\n"


def escaped(text: str) -> str:
    """A text on one line, in which no character is markup or a control character."""
    for character in "\\|*_`<[":
        text = text.replace(character, f"\\{character}")
    return visible(" ".join(text.split()))
