"""The convolution's step: which products it takes forward and backward."""

from collections.abc import Sequence

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.base import Site, Step
from netcalc.backend.step.columns import Axis, Columns, Correlation, Spread, summed_products, turned
from netcalc.backend.step.storage import Pool, Slot
from netcalc.backend.step.sums import add_to_channels, sums_of_channels
from netcalc.graph import Node
from netcalc.layers.convolution import Conv
from netcalc.tensor import Shape


class Convolution(Step):
    """y[o, u] = b[o] + sum over c, k of W[o, c, k] x[c, s u + d k - p].

    dW[o, c, k] = sum over u of dy[o, u] x[c, s u + d k - p];  db[o] = sum over u of dy[o, u];
    dx[c, s u + d k - p] += W[o, c, k] dy[o, u].

    At stride 1 dx is a correlation of dy with the kernel turned round, and the columns of dy that it
    takes serve dW as well, unless there are fewer of x; those are made again, which is cheaper than to
    keep them.
    """

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this step can run a layer: a 2D convolution of all channels, its rows not dilated."""
        layer = node.layer
        return (
            isinstance(layer, Conv)
            and len(layer.kernel) == 2
            and layer.groups == 1
            and layer.padding_mode == "zeros"
            and (layer.dilation[0] == 1 or layer.kernel[0] == 1)
        )

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        (self.x,) = site.xs
        self.y = site.output()
        self.weight = site.params["weight"]
        _, height, width = self.x.layout.shape
        self.rows, self.width = (
            Axis(size, kernel, stride, before, behind, dilation)
            for size, kernel, stride, (before, behind), dilation in zip(
                (height, width), self.layer.kernel, self.layer.stride, self.layer.pad, self.layer.dilation,
                strict=True,
            )
        )  # fmt: skip
        self.forwards = [
            Correlation(self.shop, worker, x, y, self.weight, self.rows, self.width)
            for worker, (x, y) in enumerate(zip(self.x.parts, self.y.parts, strict=True))
        ]

    def forward(self, worker: int) -> None:
        self.forwards[worker].run()
        if self.layer.bias:
            add_to_channels(self.y.parts[worker], self.site.params["bias"])

    def link(self, dy: Slot, wanted: Sequence[bool], pool: Pool) -> list[Slot | None]:
        slots = super().link(dy, wanted, pool)
        (dxs,) = self.dxs
        axes = self.rows, self.width
        self.turned = dxs is not None and all(_can_turn(axis) for axis in axes)
        self.shared = self.turned and self.x.layout.shape[0] >= self.y.layout.shape[0]
        workers = self.shop.workers
        if dxs is None:
            self.backwards: list[Correlation] | list[Spread] | None = None
        elif self.turned:
            rows, width = map(_turned, axes, self.y.layout.shape[1:])
            weight = turned(self.weight)
            self.backwards = [
                Correlation(self.shop, worker, self.dy[worker], dxs[worker], weight, rows, width)
                for worker in workers
            ]
        else:
            self.backwards = [
                Spread(self.shop, worker, self.dy[worker], dxs[worker], self.weight, *axes)
                for worker in workers
            ]
        return slots

    def backward(self, worker: int) -> None:
        if self.backwards is not None:
            self.backwards[worker].run()
        dweight = self.site.gradients["weight"][worker]
        filters, channels, *kernel = dweight.shape
        if self.shared:
            columns: Columns = self.backwards[worker].columns  # type: ignore[index, union-attr]
            summed = self._summed(columns, 1, self.x.parts[worker], worker)
            cells = summed.reshape(kernel[0], filters, kernel[1], channels, copy=False)
            dweight[:, :, ::-1, ::-1] = cells.transpose(1, 3, 0, 2)
        else:
            columns = self.forwards[worker].columns
            columns.fill()
            summed = self._summed(columns, self.rows.stride, self.dy[worker], worker)
            cells = summed.reshape(kernel[0], channels, kernel[1], filters, copy=False)
            dweight[...] = cells.transpose(3, 1, 0, 2)
        if self.layer.bias:
            self.site.gradients["bias"][worker][...] = sums_of_channels(self.dy[worker])

    def _summed(self, columns: Columns, stride: int, rows: Array, worker: int) -> Array:
        windows = columns.windows(self.rows.kernel, stride)
        return summed_products(windows, rows.reshape(*rows.shape[:2], -1, copy=False), self.shop, worker)


def _can_turn(axis: Axis) -> bool:
    """Whether the way back along an axis is a convolution, too."""
    return axis.stride == 1 and max(axis.before, axis.behind) <= axis.dilation * (axis.kernel - 1)


def _turned(axis: Axis, outputs: int) -> Axis:
    """The axis of that convolution: its padding is what the kernel's reach leaves."""
    reach = axis.dilation * (axis.kernel - 1)
    return Axis(outputs, axis.kernel, 1, reach - axis.before, reach - axis.behind, axis.dilation)
