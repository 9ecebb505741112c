"""The element types that a network can be run in, and how its arrays are rounded to them.

float16 and bfloat16 are computed as PyTorch computes them on a CPU: each layer in float32 on inputs and
parameters of few digits, and its results rounded once, also what its backward saves of the output. NumPy
has no bfloat16, so that its numbers are held in float32 arrays whose last 16 bits are zero.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients, Kernel
from netcalc.layers import Layer


@dataclass(frozen=True, slots=True)
class ElementType:
    """An element type: its name, the dtype of the arrays that hold it, and its largest number."""

    name: str
    stored: np.dtype[np.floating]
    largest: float
    epsilon: float
    """The distance from 1 to the next number."""

    @property
    def is_half(self) -> bool:
        """Whether layers are computed in float32, and their results rounded."""
        return self.name in ("float16", "bfloat16")

    def rounded(self, array: Array) -> Array:
        """The nearest numbers of this type, of two equally near the even one; itself where it holds them."""
        if self.name == "bfloat16":
            return _to_bfloat16(array)
        return array.astype(self.stored, copy=False)

    def taken(self, array: npt.ArrayLike, what: str) -> Array:
        """What was given from outside, rounded; raises ExecutionError where a number becomes infinite."""
        given = np.asarray(array)
        with np.errstate(over="ignore"):
            result = self.rounded(given)
        if result is not given and not np.array_equal(np.isinf(result), np.isinf(given)):
            beyond = given[np.isinf(result) & ~np.isinf(given)].flat[0]
            message = f"{what} holds {beyond:.6g}, {self.name} no more than {self.largest:.6g}"
            refuse("E903", message, help="run it in a --dtype that holds it: float64 goes to 1.8e308")
        return result

    def computed(self, array: Array) -> Array:
        """An array as a kernel gets it: float16 in float32, token numbers as they are."""
        return array.astype(np.float32) if array.dtype == np.float16 else array

    def around(self, kernel: Kernel) -> Kernel:
        """The kernel itself, or in half precision one that computes in float32 and rounds what it gives."""
        return self._in_float32(kernel) if self.is_half else kernel

    def _in_float32(self, kernel: Kernel) -> Kernel:
        def rounding(
            layer: Layer, params: Arrays, xs: tuple[Array, ...], context: Context
        ) -> tuple[Array, Backward]:
            wide = {name: self.computed(self.rounded(array)) for name, array in params.items()}
            y, computed_backward = kernel(layer, wide, tuple(map(self.computed, xs)), context)
            if context.training and not context.frozen:
                for name in params:
                    if name.startswith("running_"):
                        params[name][...] = self.rounded(wide[name])

            def backward(dy: Array) -> Gradients:
                dxs, gradients = computed_backward(self.computed(dy))
                rounded = tuple(None if dx is None else self.rounded(dx) for dx in dxs)
                return rounded, {name: self.rounded(own) for name, own in gradients.items()}

            if y.dtype.kind != "f":
                return y, backward
            rounded = self.rounded(y)
            if y.flags.writeable:
                y[...] = rounded  # what backward keeps of the output
            return rounded, backward

        return rounding


def _to_bfloat16(array: Array) -> Array:
    """float32 numbers with the last 16 bits rounded off."""
    result = np.array(array, np.float32)
    bits = result.view(np.uint32)
    bits += 0x7FFF + (bits >> 16 & 1)
    bits &= 0xFFFF0000
    result[np.isnan(array)] = np.nan
    return result


def _of_numpy(name: str) -> ElementType:
    info = np.finfo(name)
    return ElementType(name, np.dtype(name), float(info.max), float(info.eps))


PRECISIONS = {
    precision.name: precision
    for precision in (
        _of_numpy("float64"),
        _of_numpy("float32"),
        ElementType("bfloat16", np.dtype(np.float32), 3.3895313892515355e38, 2.0**-7),
        _of_numpy("float16"),
    )
}
"""Every type by its name."""
