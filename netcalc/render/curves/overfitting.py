"""Whether a network learns one batch by heart: the curve, and the verdict."""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from netcalc.diagnostics import counted
from netcalc.render.curves.panels import Panel, panels
from netcalc.render.curves.text import chart_lines
from netcalc.render.layout import Segment, paragraph, title_lines
from netcalc.train.history import RunHistory

if TYPE_CHECKING:
    from netcalc.train.overfitting import Overfitting


def overfitting_panels(found: "Overfitting") -> list[Panel]:
    """Loss and accuracy step by step."""
    drawn = panels([RunHistory("", found.records)])
    return [panel._replace(series=[panel.series[0]._replace(last=None)]) for panel in drawn]


def overfitting_lines(name: str, found: "Overfitting", width: int | None) -> Iterator[Sequence[Segment]]:
    """The curve, and what it says."""
    yield from title_lines(
        (name, "bold"), [f"one batch of {counted(found.records[0].samples, 'sample')}"], width
    )
    drawn = overfitting_panels(found)
    if drawn:
        yield []
        yield from chart_lines(drawn, width)
    yield []
    yield from paragraph(overfitting_in_words(found), "green" if found.reached else "red", width)


def overfitting_in_words(found: "Overfitting") -> str:
    """The verdict: `The loss on one batch is 0.0226 after 84 steps, from 2.31: the network can learn`."""
    first, last = found.records[0].loss, found.records[-1].loss
    steps = counted(len(found.records), "step")
    if found.reached:
        return f"The loss on one batch is {last:.3g} after {steps}, from {first:.3g}: the network can learn."
    if not isfinite(last):
        return f"The loss on one batch is not finite after {steps}, from {first:.3g}."
    fact = (
        f"The loss on one batch is {last:.3g} after {steps}, from {first:.3g}; it is to be {found.target:.3g}"
    )
    return f"{fact}: labels, network or learning rate do not suit."


def advice(found: "Overfitting") -> str:
    """What to look at where the loss stays."""
    drops = "set the rates of dropout to 0 for this test; " if found.drops else ""
    return (
        f"{drops}try --lr-find, a larger network, and look at the labels, and with `netcalc init SPEC` at "
        "activations and gradients"
    )
