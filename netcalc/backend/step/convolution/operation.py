"""The convolution's operation: which products it takes forward and backward."""

from collections.abc import Sequence

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import BufferPool, GradientBuffer
from netcalc.backend.step.convolution.columns import (
    Col2im,
    ColumnCorrelation,
    Columns,
    flipped,
    summed_products,
)
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.sums import add_to_channels, sums_of_channels
from netcalc.backend.step.windows import WindowAxis, window_axes
from netcalc.graph import Node
from netcalc.layers.convolution import Conv
from netcalc.tensor import Shape


class Convolution(TrainingOperation):
    """y[o, u] = b[o] + sum over c, k of W[o, c, k] x[c, s u + d k - p].

    dW[o, c, k] = sum over u of dy[o, u] x[c, s u + d k - p];  db[o] = sum over u of dy[o, u];
    dx[c, s u + d k - p] += W[o, c, k] dy[o, u].

    At stride 1 dx is a correlation of dy with the flipped kernel, and dW reuses the columns of dy that this
    takes, unless there are fewer columns of x. Those are built again, which is cheaper than to save them.
    """

    layer: Conv

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a 2D convolution in one group whose rows are not dilated."""
        layer = node.layer
        return (
            isinstance(layer, Conv)
            and len(layer.kernel) == 2
            and layer.groups == 1
            and layer.padding_mode == "zeros"
            and (layer.dilation[0] == 1 or layer.kernel[0] == 1)
        )

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output()
        self.weight = binding.params["weight"]
        self.rows, self.width = window_axes(self.x.layout.shape[1:], self.layer.sliding_window())
        self.forwards = [
            ColumnCorrelation(self.runtime, worker, x, y, self.weight, self.rows, self.width)
            for worker, (x, y) in enumerate(zip(self.x.parts, self.y.parts, strict=True))
        ]

    def forward(self, worker: int) -> None:
        self.forwards[worker].run()
        if self.layer.bias:
            add_to_channels(self.y.parts[worker], self.binding.params["bias"])

    def link(
        self, dy: GradientBuffer, wanted: Sequence[bool], pool: BufferPool
    ) -> list[GradientBuffer | None]:
        taken = super().link(dy, wanted, pool)
        (dxs,) = self.dxs
        axes = self.rows, self.width
        workers = range(len(self.runtime.shares))
        self.backwards: list[ColumnCorrelation] | list[Col2im] = []
        self.reused: list[Columns] = []
        if dxs is not None and all(map(_can_flip, axes)):
            rows, width = map(_flipped, axes, self.y.layout.shape[1:])
            weight = flipped(self.weight)
            correlations = [
                ColumnCorrelation(self.runtime, worker, self.dy[worker], dxs[worker], weight, rows, width)
                for worker in workers
            ]
            self.backwards = correlations
            if self.x.layout.shape[0] >= self.y.layout.shape[0]:
                self.reused = [correlation.columns for correlation in correlations]
        elif dxs is not None:
            self.backwards = [
                Col2im(self.runtime, worker, self.dy[worker], dxs[worker], self.weight, *axes)
                for worker in workers
            ]
        return taken

    def backward(self, worker: int) -> None:
        if self.backwards:
            self.backwards[worker].run()
        if self.binding.node.is_frozen:
            return
        dweight = self.binding.gradients["weight"][worker]
        filters, channels, *kernel = dweight.shape
        if self.reused:
            summed = self._summed(self.reused[worker], 1, self.x.parts[worker], worker)
            cells = summed.reshape(kernel[0], filters, kernel[1], channels, copy=False)
            dweight[:, :, ::-1, ::-1] = cells.transpose(1, 3, 0, 2)
        else:
            columns = self.forwards[worker].columns
            columns.fill()
            summed = self._summed(columns, self.rows.stride, self.dy[worker], worker)
            cells = summed.reshape(kernel[0], channels, kernel[1], filters, copy=False)
            dweight[...] = cells.transpose(3, 1, 0, 2)
        if self.layer.bias:
            self.binding.gradients["bias"][worker][...] = sums_of_channels(self.dy[worker])

    def _summed(self, columns: Columns, stride: int, rows: Array, worker: int) -> Array:
        windows = columns.windows(self.rows.kernel, stride)
        return summed_products(windows, rows.reshape(*rows.shape[:2], -1, copy=False), self.runtime, worker)


def _can_flip(axis: WindowAxis) -> bool:
    """Whether the backward along an axis is a correlation with the flipped kernel."""
    return axis.stride == 1 and max(axis.before, axis.after) <= axis.dilation * (axis.kernel - 1)


def _flipped(axis: WindowAxis, outputs: int) -> WindowAxis:
    """The axis of that correlation: its padding is the kernel's reach less the padding of the forward."""
    reach = axis.dilation * (axis.kernel - 1)
    return WindowAxis(outputs, axis.kernel, 1, reach - axis.before, reach - axis.after, axis.dilation)
