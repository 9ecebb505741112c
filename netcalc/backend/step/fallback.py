"""Layers without an operation of their own: their kernels, on arrays with the batch in front."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels import Backward, Context
from netcalc.backend.kernels.base import Array
from netcalc.backend.step.buffers import natural, stored
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.graph import Node
from netcalc.tensor import Shape


class SampleFallback(TrainingOperation):
    """The layer's kernel, run by each worker on its own samples."""

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return True

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self.y = binding.output()
        self.backwards: list[Backward | None] = [None for _ in self.runtime.shares]

    def forward(self, worker: int) -> None:
        xs = tuple(_contiguous(natural(x.parts[worker], x.rank)) for x in self.binding.xs)
        y = self._run(worker, xs, Context(training=True))
        np.copyto(self.y.parts[worker], stored(y))

    def _run(self, worker: int, xs: tuple[Array, ...], context: Context) -> Array:
        y, backward = self.runtime.network.apply(self.binding.node, xs, context)
        self.backwards[worker] = backward if self.binding.has_backward else None
        return y

    def backward(self, worker: int) -> None:
        dy = _contiguous(natural(self.dy[worker], self.y.rank))
        for dxs, dx in zip(self.dxs, self._run_backward(worker, dy), strict=True):
            if dxs is not None:
                np.copyto(dxs[worker], 0 if dx is None else stored(dx))

    def _run_backward(self, worker: int, dy: Array) -> tuple[Array | None, ...]:
        backward = self.backwards[worker]
        assert backward is not None, "a backward follows a forward"
        dxs, dparams = backward(dy)
        for name, gradient in dparams.items():
            self.binding.gradients[name][worker][...] = gradient
        return dxs


class WholeBatchFallback(SampleFallback):
    """The kernel of a layer that mixes samples: worker 0 runs it on the whole batch."""

    joint = True

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether a layer needs all samples together."""
        return node.mixes_samples_in_training

    def forward(self, worker: int) -> None:
        self.runtime.workers.barrier(worker)
        if worker == 0:
            xs = tuple(_gathered(x.parts, x.rank) for x in self.binding.xs)
            y = self._run(0, xs, Context(True, self.runtime.random(self.binding.number)))
            for part, share in zip(self.y.parts, self.runtime.shares, strict=True):
                np.copyto(part, stored(y[share]))
        self.runtime.workers.barrier(worker)

    def backward(self, worker: int) -> None:
        self.runtime.workers.barrier(worker)
        if worker == 0:
            gradients = self._run_backward(0, _gathered(self.dy, self.y.rank))
            for dxs, dx in zip(self.dxs, gradients, strict=True):
                for part, share in zip(dxs or [], self.runtime.shares, strict=False):
                    np.copyto(part, 0 if dx is None else stored(dx[share]))
        self.runtime.workers.barrier(worker)


def _contiguous(array: Array) -> Array:
    """A copy in C order, because a kernel's products and reshapes would otherwise each copy the array."""
    return np.ascontiguousarray(array)


def _gathered(parts: list[Array], rank: int) -> Array:
    return np.concatenate([natural(part, rank) for part in parts])
