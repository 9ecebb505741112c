"""The convolution's operation: which products it takes forward and backward."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import BufferPool, GradientBuffer
from netcalc.backend.step.convolution.columns import (
    Col2im,
    ColumnCorrelation,
    Columns,
    as_matrices,
    flipped,
    products_of_weights,
)
from netcalc.backend.step.convolution.winograd import WinogradCorrelation
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.sums import add_to_channels, sums_of_channels
from netcalc.backend.step.windows import WindowAxis, window_axes
from netcalc.graph import Node
from netcalc.layers.convolution import Correlation
from netcalc.tensor import Shape

_ONE_ROW = WindowAxis(1, 1, 1, 0, 0)


class Convolution(TrainingOperation):
    """y[o, u] = b[o] + sum over c, k of W[o, c, k] x[c, s u + d k - p].

    dW[o, c, k] = sum over u of dy[o, u] x[c, s u + d k - p];  db[o] = sum over u of dy[o, u];
    dx[c, s u + d k - p] += W[o, c, k] dy[o, u].

    At stride 1 dx is a correlation of dy with the flipped kernel, and dW reuses the columns of dy that this
    takes, unless it takes none or there are fewer columns of x. Those are built again, which is cheaper than
    to save them. Signals C,T and volumes C,D,H,W are copied to 1,C,T,N and D,C,H,W,N.
    """

    layer: Correlation

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a convolution padded with zeros whose rows, or slices, are not dilated."""
        layer = node.layer
        if not isinstance(layer, Correlation) or layer.padding_mode != "zeros":
            return False
        return len(layer.kernel) == 1 or layer.dilation[0] == 1 or layer.kernel[0] == 1

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        channels, *space = self.x.layout.shape
        self.groups = self.layer.in_groups(channels)
        weight = binding.params["weight"]
        signal = self.x.rank == 2
        self.weight = self._grouped(weight[:, :, np.newaxis] if signal else weight)
        self.axes = window_axes(tuple(space), self.layer.sliding_window())
        self.outputs: Shape = self.y.layout.shape[1:]
        if signal:
            self.axes, self.outputs = (_ONE_ROW, *self.axes), (1, *self.outputs)
        self.xs, self.ys = self._arrays("x", self.x.parts), self._arrays("y", self.y.parts)
        self.forwards = self._correlations(self.xs, self.ys, self.weight, self.axes)

    def _grouped(self, weight: Array) -> Array:
        return weight.reshape(self.groups, -1, *weight.shape[1:], copy=False)

    def _arrays(self, name: str, parts: list[Array]) -> list[Array]:
        """Each worker's samples as rows: images are stored so, others have arrays that they are copied to."""
        if self.x.rank == 3:
            return parts
        return [
            self.runtime.scratch(f"{name} in rows", worker, *_in_rows(part).shape)
            for worker, part in enumerate(parts)
        ]

    def _correlations(
        self, xs: list[Array], ys: list[Array], weight: Array, axes: Sequence[WindowAxis]
    ) -> Sequence[ColumnCorrelation | WinogradCorrelation]:
        """For each worker, by the algorithm that fits."""
        pairs = list(enumerate(zip(xs, ys, strict=True)))
        if WinogradCorrelation.fits(weight, axes):
            return [WinogradCorrelation(self.runtime, w, x, y, weight[0], axes) for w, (x, y) in pairs]
        return [ColumnCorrelation(self.runtime, w, x, y, weight, axes) for w, (x, y) in pairs]

    def forward(self, worker: int) -> None:
        x, y = self.xs[worker], self.ys[worker]
        if self.x.rank != 3:
            np.copyto(x, _in_rows(self.x.parts[worker]))
        self.forwards[worker].run()
        if self.layer.bias:
            add_to_channels(_as_image(y), self.binding.params["bias"])
        if self.x.rank != 3:
            np.copyto(_in_rows(self.y.parts[worker]), y)

    def link(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        taken = super().link(dy, wanted, pool)
        (dxs,) = self.dxs
        self.dys = self._arrays("dy", self.dy)
        self.backwards: Sequence[ColumnCorrelation | WinogradCorrelation | Col2im] = []
        self.reused: list[ColumnCorrelation] = []
        if dxs is not None:
            self.rows_of_dx = self._arrays("dx", dxs)
            self._link_dx()
        self.columns = {worker: self._columns(worker) for worker in range(0 if self.reused else len(self.xs))}
        return taken

    def _columns(self, worker: int) -> Columns:
        return Columns(self.runtime, worker, self.xs[worker], self.axes, self.outputs[1:], self.groups)

    def _link_dx(self) -> None:
        """Choose what computes the gradient of the input."""
        if not all(map(_can_flip, self.axes)):
            self.backwards = [
                Col2im(self.runtime, worker, dy, dx, self.weight, self.axes)
                for worker, (dy, dx) in enumerate(zip(self.dys, self.rows_of_dx, strict=True))
            ]
            return
        axes = [_flipped(axis, size) for axis, size in zip(self.axes, self.outputs, strict=True)]
        self.backwards = self._correlations(self.dys, self.rows_of_dx, flipped(self.weight), axes)
        if self.x.layout.shape[0] >= self.y.layout.shape[0] and not self.binding.node.is_frozen:
            self.reused = [each for each in self.backwards if isinstance(each, ColumnCorrelation)]
            for worker, correlation in enumerate(self.reused):
                operands = self._operands(correlation.columns, 1, self.xs[worker], worker)
                correlation.also(*operands)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        dy = self.dys[worker]
        if self.x.rank != 3:
            np.copyto(dy, _in_rows(self.dy[worker]))
        if self.x.rank != 3 and self.reused:
            np.copyto(self.xs[worker], _in_rows(self.x.parts[worker]))
        if self.backwards:
            self.backwards[worker].run()
        if dxs is not None and self.x.rank != 3:
            np.copyto(_in_rows(dxs[worker]), self.rows_of_dx[worker])
        if self.binding.node.is_frozen:
            return
        self._weight_gradient(worker)
        if self.layer.bias:
            self.binding.gradients["bias"][worker][...] = sums_of_channels(_as_image(dy))

    def _weight_gradient(self, worker: int) -> None:
        """The sum of products of columns and rows: of x and dy, or of dy and x, which are there already."""
        x, dy = self.xs[worker], self.dys[worker]
        given = self.binding.gradients["weight"][worker]
        dweight = self._grouped(given.reshape(*given.shape[:2], *self.weight.shape[3:], copy=False))
        if self.reused:
            *_, products = self._operands(self.reused[worker].columns, 1, x, worker)
            summed = products.sum(axis=1)
            if np.isfinite(summed).all():
                _unpack(summed, flipped(dweight))
                return
            # a number that is not finite meets the padding of dy in cells that do not read it: 0 x inf
            self.columns.setdefault(worker, self._columns(worker))
        if self.x.rank != 3:
            np.copyto(x, _in_rows(self.x.parts[worker]))
        columns = self.columns[worker]
        columns.fill()
        windows, rows, products = self._operands(columns, self.axes[0].stride, dy, worker)
        np.matmul(windows, rows.swapaxes(2, 3), out=products)
        _unpack(products.sum(axis=1), dweight)

    def _operands(
        self, columns: Columns, stride: int, rows: Array, worker: int
    ) -> tuple[Array, Array, Array]:
        """The windows, the rows that they are multiplied with, and where the products are written."""
        windows, matrices = columns.windows(self.axes[0].kernel, stride), as_matrices(rows, self.groups)
        return windows, matrices, products_of_weights(windows, matrices, self.runtime, worker)


def _unpack(summed: Array, dweight: Array) -> None:
    """Write sums G,(kh,C/G,kw),O/G into a gradient G,O/G,C/G,kh,kw."""
    groups, filters, channels, height, *within = dweight.shape
    cells = summed.reshape(groups, height, channels, *within, filters, copy=False)
    dweight[...] = cells.transpose(0, cells.ndim - 1, 2, 1, *range(3, cells.ndim - 1))


def _in_rows(array: Array) -> Array:
    """A view of signals N,C,T as 1,C,T,N, or of volumes N,C,D,H,W as D,C,H,W,N."""
    if array.ndim == 3:
        return array.transpose(1, 2, 0)[np.newaxis]
    return array.transpose(2, 1, 3, 4, 0)


def _as_image(array: Array) -> Array:
    """A view of rows H,C,...,N as H,C,W,N."""
    return array.reshape(*array.shape[:2], -1, array.shape[-1], copy=False)


def _can_flip(axis: WindowAxis) -> bool:
    """Whether the backward along an axis is a correlation with the flipped kernel."""
    return axis.stride == 1 and max(axis.before, axis.after) <= axis.dilation * (axis.kernel - 1)


def _flipped(axis: WindowAxis, outputs: int) -> WindowAxis:
    """The axis of that correlation: its padding is the kernel's reach less the padding of the forward."""
    reach = axis.dilation * (axis.kernel - 1)
    return WindowAxis(outputs, axis.kernel, 1, reach - axis.before, reach - axis.after, axis.dilation)
