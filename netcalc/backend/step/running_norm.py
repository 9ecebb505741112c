"""The operation of a batch norm that is frozen: by its running statistics, which stay."""

from collections.abc import Sequence

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.sums import by_channel
from netcalc.graph import Node
from netcalc.layers.normalisation import BatchNorm
from netcalc.tensor import Shape


class RunningNormalisation(TrainingOperation):
    """y = s x + (b - s m) with s = g / sqrt(v + eps), written over x if nothing else reads it;  dx = s dy."""

    layer: BatchNorm

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        """Whether this is a frozen batch norm of images or of vectors that has running statistics."""
        return (
            isinstance(node.layer, BatchNorm) and node.keeps_statistics and len(node.output.shape) in (1, 3)
        )

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        (self.x,) = binding.xs
        self.y = binding.output(overwriting=self.x if self.x.can_overwrite else None)

    def forward(self, worker: int) -> None:
        params, scale = self.binding.params, self._scale()
        shift = params.get("bias", 0.0) - scale[:, 0] * params["running_mean"]
        y = by_channel(self.y.parts[worker])
        np.multiply(by_channel(self.x.parts[worker]), scale, out=y)
        np.add(y, shift[:, np.newaxis], out=y)

    def backward(self, worker: int) -> None:
        (dxs,) = self.dxs
        if dxs is not None:
            np.multiply(by_channel(self.dy[worker]), self._scale(), out=by_channel(dxs[worker]))

    def _scale(self) -> Array:
        params = self.binding.params
        inverse = 1 / np.sqrt(params["running_var"] + self.layer.eps)
        scale: Array = params.get("weight", 1.0) * inverse
        return scale.astype(self.runtime.dtype, copy=False)[:, np.newaxis]
