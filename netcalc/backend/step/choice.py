"""Which step runs which layer."""

from collections.abc import Sequence

from netcalc.backend.step.base import Step
from netcalc.backend.step.convolution import Convolution
from netcalc.backend.step.fallback import Fallback, WholeBatch
from netcalc.backend.step.linear import Flattening, LinearProduct
from netcalc.backend.step.normalisation import BatchNormalisation
from netcalc.backend.step.pointwise import Pointwise, Rectifier, Sum
from netcalc.backend.step.pooling import AveragePooling, GlobalAveragePooling, MaxPooling
from netcalc.backend.step.rearranging import Concatenation, Padding, Views
from netcalc.graph import Node
from netcalc.tensor import Shape

STEPS: tuple[type[Step], ...] = (
    Convolution, LinearProduct, MaxPooling, AveragePooling, GlobalAveragePooling, BatchNormalisation,
    Rectifier, Pointwise, Flattening, Padding, Views, Sum, Concatenation, WholeBatch, Fallback,
)  # fmt: skip
"""The kinds of step; a layer takes the first that fits it."""


def step_of(node: Node, shapes: Sequence[Shape]) -> type[Step]:
    """The kind of step for a layer that reads samples of such shapes."""
    return next(step for step in STEPS if step.fits(node, shapes))
