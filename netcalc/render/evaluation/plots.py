"""A confusion matrix as a picture: the shares of each label's samples, in a PNG, SVG or PDF file."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcalc.render.escaping import visible
from netcalc.render.evaluation.words import percent
from netcalc.render.figures import STYLE, save
from netcalc.render.layout import cut_middle

if TYPE_CHECKING:
    from netcalc.backend.kernels.base import Array
    from netcalc.render.evaluation.result import EvaluationResult

_MOST_NUMBERS, _MOST_NAMES = 20, 50
"""Classes up to which cells have their numbers, and every class has its name."""
_LONGEST = 20
_WIDE = 1000
"""Classes up to which a cell has a pixel of its own."""


def draw(result: "EvaluationResult", path: str) -> None:
    """Draw the confusions; raises OSError where the file cannot be written."""
    from matplotlib import rc_context
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

    confusion = result.evaluation.confusion
    assert confusion is not None
    classes = len(confusion)
    side = min(12.0, max(4.0, 0.42 * classes))
    with rc_context(STYLE):
        figure = Figure(figsize=(side + 2.2, side + 1.2), layout="constrained")
        axes = figure.subplots()
        shares = confusion / confusion.sum(axis=1, keepdims=True).clip(1)
        # a root, so that a confusion of one in a hundred is seen beside the diagonal
        how = "nearest" if classes <= _WIDE else "auto"
        shown = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation=how)
        bar = figure.colorbar(shown, ax=axes, shrink=0.8, ticks=[0, 0.01, 0.1, 0.25, 0.5, 1])
        bar.ax.set_yticklabels(["0%", "1%", "10%", "25%", "50%", "100%"])
        bar.set_label("share of the label")
        _name(axes, short_names(result.names))
        if classes <= _MOST_NUMBERS:
            _write_numbers(axes, confusion, shares)
        axes.set_xlabel("predicted")
        axes.set_ylabel("label")
        words = f"{visible(result.graph.name)}  ·  accuracy {percent(result.evaluation.accuracy)}"
        axes.set_title(words, parse_math=False, fontsize="medium")
        save(figure, path)


def short_names(names: Sequence[str]) -> list[str]:
    """Names that fit beside the axes; those that are alike when cut have the numbers of their classes."""
    shown = [cut_middle(visible(name), _LONGEST) for name in names]
    times = Counter(shown)
    return [
        f"{number} {cut_middle(visible(name), _LONGEST - 1 - len(str(number)))}" if times[text] > 1 else text
        for number, (name, text) in enumerate(zip(names, shown, strict=True))
    ]


def _name(axes: object, names: Sequence[str]) -> None:
    """The names of the classes along both axes, or of some where there are many."""
    every = -(-len(names) // _MOST_NAMES)
    places = range(0, len(names), every)
    texts = [names[place] for place in places]
    is_long = max(map(len, texts)) > 2 and len(texts) > 5
    size = "small" if len(texts) <= _MOST_NUMBERS else "x-small"
    how = {"parse_math": False, "fontsize": size}
    axes.set_xticks(places, texts, rotation=90 if is_long else 0, **how)  # type: ignore[attr-defined]
    axes.set_yticks(places, texts, **how)  # type: ignore[attr-defined]


def _write_numbers(axes: object, confusion: "Array", shares: "Array") -> None:
    for row, counts in enumerate(confusion.tolist()):
        for column, count in enumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.3 else "black"
                axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize="small")  # type: ignore[attr-defined]
