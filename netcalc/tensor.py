"""What flows along a graph's edges: shapes without the batch axis, and element types."""

from math import prod
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn, TypeVar

Key = TypeVar("Key")
Item = TypeVar("Item")

Shape = tuple[int, ...]
DTypeName = Literal["float64", "float32", "float16", "bfloat16", "int8"]

MAX_ELEMENTS = 2**63 - 1
"""The most elements one tensor may have: what a signed 64-bit index can address."""


MAX_AXES = 32
"""The most axes one tensor may have, the batch left out."""


class DType(NamedTuple):
    """An element type: its name and its size in bytes."""

    name: str
    itemsize: int


DTYPES: dict[str, DType] = {
    dtype.name: dtype
    for dtype in (
        DType("float64", 8),
        DType("float32", 4),
        DType("float16", 2),
        DType("bfloat16", 2),
        DType("int8", 1),
    )
}

FLOAT32 = DTYPES["float32"]


class TensorType(NamedTuple):
    """The type of one sample's tensor: `shape` leaves the batch axis out."""

    shape: Shape
    dtype: DType = FLOAT32

    @property
    def numel(self) -> int:
        """Elements of one sample."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of one sample."""
        return self.numel * self.dtype.itemsize

    def __str__(self) -> str:
        return format_shape(self.shape)


def format_shape(shape: Shape) -> str:
    """`(3, 224, 224)` as `3x224x224`; a scalar as `scalar`."""
    return "x".join(map(str, shape)) or "scalar"


def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("this mapping is part of a result, which is frozen; change a copy of it, dict(...)")


class FrozenDict(dict[Key, Item]):
    """A dict that is not changed: results hold it, and it has a hash where its values have one."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type["FrozenDict[Key, Item]"], tuple[dict[Key, Item]]]:
        return FrozenDict, (dict(self),)

    if not TYPE_CHECKING:  # a checker holds them to the signatures of dict's
        __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

        def __hash__(self) -> int:
            return hash(frozenset(self.items()))
