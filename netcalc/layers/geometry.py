"""Windows and padding: the only such arithmetic in the project.

Shape rules, receptive fields, kernels and exporters all call it, one axis at a time. The rules are
PyTorch's. A size that does not fit is refused by a `require_...` helper.
"""

from math import gcd, prod
from typing import NamedTuple

from netcalc.layers.errors import LayerError


class Window(NamedTuple):
    """Which inputs an output depends on, along one axis.

    Output u reads inputs ceil(start / upsampling) to floor((start + reach) / upsampling) with
    start = stride u - before.
    """

    stride: int = 1
    before: int = 0
    reach: int = 0
    upsampling: int = 1


POINTWISE = Window()


class SlidingWindow(NamedTuple):
    """A window that slides over the padded input, with one entry for each spatial axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]

    def output_sizes(self, space: tuple[int, ...], ceil: bool = False) -> tuple[int, ...]:
        """How many windows there are along each axis of an input."""
        axes = zip(space, *self, strict=True)
        return tuple(
            output_size(size, kernel, stride, pad, dilation, ceil)
            for size, kernel, stride, pad, dilation in axes
        )

    def positions_read(self, space: tuple[int, ...], outputs: tuple[int, ...]) -> int:
        """How many positions of an input some window reads."""
        axes = zip(space, outputs, *self, strict=True)
        return prod(
            positions_read(size, windows, kernel, stride, pad[0], dilation)
            for size, windows, kernel, stride, pad, dilation in axes
        )

    def windows(self) -> tuple[Window, ...]:
        """Which inputs an output depends on, along each axis."""
        return tuple(map(convolution_window, *self))


MIRRORING = ("reflect", "replicate")
"""The padding modes whose backward reads the input in PyTorch; that of the others needs its sizes alone."""


def extent(kernel: int, dilation: int) -> int:
    """Input positions from a kernel's first cell to its last."""
    return dilation * (kernel - 1) + 1


def positions_read(size: int, outputs: int, kernel: int, stride: int, before: int, dilation: int = 1) -> int:
    """How many positions along an axis some window reads: with a stride beyond the kernel not all.

    Where a dilated kernel strides, those at the border may be counted too few.
    """
    if dilation == 1 and kernel >= stride:
        return max(0, min(size, (outputs - 1) * stride - before + kernel) - max(0, -before))
    found = 0
    for cell in range(min(kernel, stride // gcd(stride, dilation))):  # no two of them read one position
        start = cell * dilation - before
        first, last = max(0, -(start // stride)), min(outputs - 1, (size - 1 - start) // stride)
        found += max(0, last - first + 1)
    return found


def same_padding(kernel: int, dilation: int) -> tuple[int, int]:
    """The padding that keeps the size at stride 1; an odd cell goes at the end, as in PyTorch."""
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2


def causal_padding(kernel: int, dilation: int) -> tuple[int, int]:
    """The padding by which an output reads its own position and those before it."""
    return dilation * (kernel - 1), 0


def output_size(
    size: int, kernel: int, stride: int, pad: tuple[int, int], dilation: int = 1, ceil: bool = False
) -> int:
    """Window positions along an axis: floor((size - extent + pad) / stride) + 1.

    With `ceil` the division rounds up, and a last window that would start in the padding at the end
    the input is dropped.
    """
    before, after = pad
    room = size - extent(kernel, dilation) + (before + after)
    if ceil:
        windows = -(-room // stride) + 1
        if (windows - 1) * stride + 1 > size + before:
            windows = windows - 1
    else:
        windows = room // stride + 1
    if windows < 1:
        raise LayerError(_too_large(size, kernel, pad, dilation), option="kernel")
    return windows


def transposed_size(
    size: int, kernel: int, stride: int, pad: tuple[int, int], dilation: int, output_pad: int
) -> int:
    """The size whose convolution gives `size`: (size - 1) stride - pad + extent + output_pad."""
    before, after = pad
    result = (size - 1) * stride - (before + after) + extent(kernel, dilation) + output_pad
    require_at_least(result, 1, "pad leaves nothing of the output", option="pad")
    return result


def convolution_window(kernel: int, stride: int, pad: tuple[int, int], dilation: int = 1) -> Window:
    """The window of a convolution or a pool."""
    before, _ = pad
    return Window(stride, before, extent(kernel, dilation) - 1)


def transposed_window(kernel: int, stride: int, pad: tuple[int, int], dilation: int) -> Window:
    """The window of a transposed convolution: output u reads input i where u = i stride - pad + cell."""
    before, _ = pad
    reach = extent(kernel, dilation) - 1
    return Window(1, reach - before, reach, upsampling=stride)


def cell_positions(size: int, outputs: int, stride: int, offset: int) -> tuple[slice, slice]:
    """The outputs whose kernel cell lies inside the input, and the inputs that it reads, as slices.

    Output u reads input stride u + offset; those that lie outside the input are left out.
    """
    first = max(0, -(offset // stride))
    after = max(first, min(outputs, (size - 1 - offset) // stride + 1))
    start = first * stride + offset
    return slice(first, after), slice(start, start + (after - first) * stride, stride)


def adaptive_bounds(size: int, windows: int) -> list[tuple[int, int]]:
    """The start and the stop of each window of an adaptive pool along an axis.

    Window u covers floor(u size / windows) to ceil((u + 1) size / windows), as in PyTorch.
    """
    return [(u * size // windows, whole_windows((u + 1) * size, windows)) for u in range(windows)]


def adaptive_cells(size: int, windows: int) -> int:
    """Cells of all windows of an adaptive pool along an axis, those in two windows counted twice.

    Of the windows - 1 neighbouring pairs gcd - 1 share no cell, the other windows - gcd share one.
    """
    return size + windows - gcd(size, windows)


def adaptive_window(size: int, windows: int) -> Window | None:
    """The window of an adaptive pool where all are alike: it divides its input, or repeats it."""
    if size % windows == 0:
        cells = size // windows
        return Window(cells, 0, cells - 1)
    if windows % size == 0:
        repeats = windows // size
        return nearest_window(repeats)
    return None


def nearest_window(factor: int) -> Window:
    """The window of repeating each input `factor` times: output u reads input floor(u / factor)."""
    return Window(1, factor - 1, factor - 1, upsampling=factor)


def linear_window(factor: int, beyond: int = 0) -> Window:
    """The window of linear interpolation: two inputs around (u + 1/2) / factor - 1/2.

    On either side `beyond` more are read: one for cubic interpolation.
    """
    if factor == 1:
        return POINTWISE
    more = 2 * factor * beyond
    return Window(2, 3 * factor - 2 + more, 4 * factor - 1 + 2 * more, upsampling=2 * factor)


def aligned_window(size: int, outputs: int, beyond: int = 0) -> Window:
    """The window of interpolation between corners: the inputs around u (size - 1) / (outputs - 1)."""
    if size == 1 or outputs == 1:
        return nearest_window(outputs)
    steps = outputs - 1
    more = steps * beyond if (size - 1) % steps else 0  # on an input an output is that input alone
    return Window(size - 1, steps - 1 + more, 2 * (steps - 1) + 2 * more, upsampling=steps)


def resampling_window(size: int, outputs: int, taps: int, aligned: bool) -> Window | None:
    """The window of picking (1 tap), linear (2) or cubic (4) interpolation along an axis.

    Between half-pixel centres it is known where the axis is enlarged by a whole factor.
    """
    if aligned:
        return aligned_window(size, outputs, taps // 2 - 1)
    factor = whole_factor(size, outputs)
    if factor is None:
        return None
    return nearest_window(factor) if taps == 1 else linear_window(factor, taps // 2 - 1)


def shifted_window(offset: int) -> Window:
    """The window of a crop (offset above 0) or a padding (below): output u reads input u + offset."""
    return Window(1, -offset)


def resolve_axis(axis: int, rank: int, option: str) -> int:
    """An axis counted from 0, where -1 is the last; raises LayerError where there is none."""
    if not -rank <= axis < rank:
        axes = f"axes 0 to {rank - 1}" if rank else "no axes"
        raise LayerError(
            f"{option}={axis} is outside a tensor with {axes} (the batch not counted)", option=option
        )
    return axis % rank


def whole_factor(size: int, enlarged: int) -> int | None:
    """How many times an axis is enlarged, where that is a whole number."""
    return enlarged // size if enlarged % size == 0 else None


def whole_windows(size: int, window: int) -> int:
    """How many windows side by side cover an axis, the last one padded: ceil(size / window)."""
    return -(-size // window)


def require_at_least(value: int, least: int, message: str, option: str | None = None) -> None:
    """Raise LayerError unless `value` is `least` or more."""
    if value < least:
        raise LayerError(message, option=option)


def require_equal(first: object, second: object, message: str, option: str | None = None) -> None:
    """Raise LayerError unless the two are equal."""
    if first != second:
        raise LayerError(message, option=option)


def require_divides(divisor: int, number: int, what: str, option: str) -> None:
    """Raise LayerError unless `option`, the divisor, divides `number` of `what`."""
    if number % divisor != 0:
        raise LayerError(f"{option}={divisor} does not divide {number} {what}", option=option)


def require_stretches(size: int, other: int, message: str, option: str | None = None) -> None:
    """Raise LayerError unless `size` is `other`, or 1 and so stretches to it."""
    if size not in (1, other):
        raise LayerError(message, option=option)


def require_padding_fits(mode: str, space: tuple[int, ...], pad: tuple[tuple[int, int], ...]) -> None:
    """Raise LayerError where a mode has not enough input to fill the padding with."""
    for size, (before, after) in zip(space, pad, strict=True):
        if mode == "reflect":
            require_at_least(
                size - 1, max(before, after), f"reflect padding must be below the size {size}", "pad"
            )
        elif mode == "circular":
            require_at_least(size, max(before, after), f"circular padding is at most the size {size}", "pad")


def require_output_pad_fits(
    output_pad: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> None:
    """Raise LayerError unless each output_pad is below the stride or the dilation."""
    for added, step, spread in zip(output_pad, stride, dilation, strict=True):
        limit = max(step, spread)
        message = f"output_pad={added} must be below the stride or the dilation, here {limit}"
        require_at_least(limit - 1, added, message, "output_pad")


def require_pool_padding_fits(kernel: tuple[int, ...], pad: tuple[tuple[int, int], ...]) -> None:
    """Raise LayerError where a pool's window could lie in the padding alone."""
    for size, (before, after) in zip(kernel, pad, strict=True):
        message = f"pad is at most half the kernel of {size}, or a window could see no input"
        require_at_least(size // 2, max(before, after), message, "pad")


def _too_large(size: int, kernel: int, pad: tuple[int, int], dilation: int) -> str:
    dilated = f" dilated to {extent(kernel, dilation)}" if dilation != 1 else ""
    padded = f" padded to {size + sum(pad)}" if sum(pad) else ""
    return f"a kernel of {kernel}{dilated} does not fit an input of {size}{padded}"
