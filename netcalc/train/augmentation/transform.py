"""What an augmentation is, and its options with their ranges."""

from abc import abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape
from netcalc.train.draws import Draws


@dataclass(frozen=True)
class Transform:
    """A change of pictures by random numbers; its fields are its options, in the order of `crop:4`."""

    name: ClassVar[str]
    has_range: ClassVar[bool] = False
    """Whether it takes 0 for black and 1 for white, so that other numbers are an error."""
    moves: ClassVar[bool] = False
    """Whether pixels change their places, so that labels of places would have to move too."""
    ranges: ClassVar[dict[str, tuple[float, float]]] = {}
    """The least and the largest value of each option; both may be taken."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = self.ranges[field.name]
            is_whole = field.type in (int, "int")
            if not isinstance(value, int if is_whole else (int, float)) or not low <= value <= high:
                what = "a whole number" if is_whole else "a number"
                span = f"from {low:g}" + (f" to {high:g}" if high < float("inf") else "")
                refuse("E925", f"{field.name} of {self.name} is {what} {span}, not {value!r}")

        if not any(getattr(self, field.name) for field in fields(self)):
            refuse("E925", f"{self} changes nothing; leave it out")

    @abstractmethod
    def apply(self, x: Array, draws: Draws, fill: Array) -> Array:
        """Changed pictures N,C,H,W; `x` may be written to. `fill` is a colour (C,) for what is cut out."""

    def output(self, shape: Shape) -> Shape:
        """The shape that a picture C,H,W has afterwards; raises ExecutionError where there is none."""
        return shape

    def __str__(self) -> str:
        values: list[Any] = [getattr(self, field.name) for field in fields(self)]
        return ":".join([self.name, *(f"{value:g}" for value in values)])
