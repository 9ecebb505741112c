"""Histograms in a line of text."""

from collections.abc import Sequence

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def histogram_text(counts: Sequence[int], width: int) -> str:
    """A histogram, `width` characters wide, in eighths of the highest bin; only nothing is empty.

    The number of bins is a multiple of the width.
    """
    merged = len(counts) // width
    bins = [sum(counts[first : first + merged]) for first in range(0, len(counts), merged)]
    highest = max(bins, default=0) or 1
    return "".join(_EIGHTHS[-(-8 * count // highest)] for count in bins)
