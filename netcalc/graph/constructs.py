"""`parallel` and `residual`: their options, and the layers that they add."""

from typing import ClassVar

from netcalc.layers import Layer
from netcalc.layers.options import Choice, Flag, Integer
from netcalc.spec import Evaluated


class Parallel(Layer):
    """Branches that read the same tensor and are joined: added, multiplied or concatenated.

    `branches` maps each branch's name to its layers; an empty one is the identity. With `split` each
    branch reads its own share of the channels instead.
    """

    kind = "parallel"
    family = "branching"

    join = Choice("concat", "add", "multiply", doc="how the branches come together")
    axis = Integer(0, at_least=None, doc="the axis of a concat, without the batch")
    split = Flag(False, doc="deal the channels out to the branches")


class Residual(Layer):
    """`main` added to `shortcut`, which is the identity unless it is given (He et al. 2015)."""

    kind = "residual"
    family = "branching"

    instead: ClassVar[dict[str, str]] = dict.fromkeys(
        ("downsample", "skip", "identity", "projection", "shortcut_branch"),
        "write shortcut: [...]",
    )

    connect = Flag(True, doc="whether the shortcut is there; without it only main is left")


CONSTRUCTS: dict[str, type[Layer]] = {construct.kind: construct for construct in (Parallel, Residual)}


def join_of(construct: Layer) -> tuple[str, dict[str, Evaluated]]:
    """The kind and the options of the layer that joins the branches."""
    if not isinstance(construct, Parallel):
        return "add", {}
    return construct.join, {"axis": construct.axis} if construct.join == "concat" else {}


def share_of(channels: int, number: int, branches: int) -> dict[str, Evaluated]:
    """The options of the slice that gives a branch its share of the channels."""
    return {"start": channels * number // branches, "end": channels * (number + 1) // branches}
