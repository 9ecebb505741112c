"""The steps of a plan: what each stage of it becomes, as calls on the views that it is bound to."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from netcalc.backend.convolution.base import Call, Scratch
from netcalc.backend.folding import followed_by_norm
from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.plan.activations import finisher
from netcalc.backend.plan.stages import Stage
from netcalc.backend.plan.tensors import NO_HALO, Halo, Tensor

BLOCK_ELEMENTS = 2**16
"""Of an output that is gone over several times, so that it stays in the cache."""

_KEEPING = (
    "activation",
    "arithmetic",
    "cutting",
    "merge",
    "normalisation",
    "pooling",
    "resampling",
    "channel_shuffle",
    "pad",
)
"""Families and kinds whose kernels may leave the layout as it is."""


class Part(NamedTuple):
    """A worker's share of a step: one of as many parts as workers."""

    number: int = 0
    workers: int = 1

    def of(self, size: int, unit: int = 1) -> slice:
        """Its share of an axis, in whole units."""
        units = -(-size // unit)
        first, last = (number * units // self.workers * unit for number in (self.number, self.number + 1))
        return slice(min(first, size), min(last, size))

    @property
    def is_first(self) -> bool:
        return self.number == 0


class Views(NamedTuple):
    """What a step is bound to: its tensors, each with its array and halo, and scratch memory."""

    xs: tuple[tuple[Tensor, Array], ...]
    y: tuple[Tensor, Array]
    added: tuple[Tensor, Array] | None
    scratch: Scratch
    part: Part

    def x(self, number: int = 0) -> Array:
        """An input without its halo."""
        tensor, whole = self.xs[number]
        return tensor.inner(whole)

    def naturals(self) -> tuple[Array, ...]:
        """All inputs as the graph has them."""
        return tuple(tensor.natural(tensor.inner(whole)) for tensor, whole in self.xs)

    def out(self) -> Array:
        """The output without its halo."""
        tensor, whole = self.y
        return tensor.inner(whole)

    def plus(self) -> Array | None:
        """What is added to the output."""
        return None if self.added is None else self.added[0].inner(self.added[1])


@dataclass
class Step:
    """A stage with its way to run; the base runs the layer's kernel, which every layer has."""

    is_fast: ClassVar[bool] = False
    """Whether it shares out its work and needs no memory but the plan's."""

    stage: Stage
    params: dict[str, Array] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What was chosen, in words."""
        return "kernel"

    def channels_last(self, number: int) -> bool | None:
        """Whether an input C,H,W has its channels last; None is as the first, which may be either."""
        return None

    def gives_channels_last(self, first: bool) -> bool:
        """Whether its output C,H,W has its channels last, where its first input has or has not."""
        layer = self.stage.node.layer
        return first and (layer.family in _KEEPING or layer.kind in _KEEPING)

    def halo(self, number: int, tensor: Tensor) -> Halo:
        """The zeros that it needs around an input."""
        return NO_HALO

    def prepare(self, params: Arrays, norm: Arrays) -> None:
        """Take the layer's arrays, and those of a batch norm that becomes part of them."""
        self.params = dict(params)

    def blank(self, dtype: np.dtype[np.floating]) -> None:
        """Take arrays of the right shape before there are any; they are not looked into."""
        self.params = {param.name: np.zeros(param.shape, dtype) for param in self.stage.node.params}
        if self.stage.norm is not None:
            self.params["bias"] = np.zeros(self.stage.node.params[0].shape[0], dtype)

    @property
    def weight_bytes(self) -> int:
        """What it holds beside the network's own arrays."""
        return 0

    def calls(self, views: Views) -> Iterator[Call]:
        """What one worker does."""
        if views.part.is_first:
            tensor, _ = views.y
            kernel = KERNELS[self.stage.kind]
            yield partial(_run, kernel, self.stage.node.layer, self.params, views.naturals(),
                          tensor.natural(views.out()))  # fmt: skip


def _run(kernel: Any, layer: Any, params: Arrays, xs: tuple[Array, ...], out: Array) -> None:
    y, _ = kernel(layer, params, xs, Context())
    np.copyto(out, y)


class Rearrange(Step):
    """A copy of a tensor in another layout or shape."""

    name = "copy"
    is_fast = True

    def calls(self, views: Views) -> Iterator[Call]:
        (tensor, _), (source, _) = views.y, views.xs[0]
        out, x = tensor.natural(views.out()), views.naturals()[0]
        if tensor.shape != source.shape:
            out = out.reshape(x.shape, copy=False)
        rows = views.part.of(x.shape[1])
        yield partial(np.copyto, out[:, rows], x[:, rows])


class Fused(Step):
    """A step that ends with an activation or not."""

    is_fast = True

    def finished(self, y: Array, scratch: Scratch) -> Iterator[Call]:
        finish = finisher(self.stage.activation)
        return iter(()) if finish is None else finish(y, scratch)


class Linear(Fused):
    """y = x W^T + b over all positions together; workers share out the outputs, or the positions."""

    name = "product"

    def channels_last(self, number: int) -> bool | None:
        return False

    def gives_channels_last(self, first: bool) -> bool:
        return False

    def prepare(self, params: Arrays, norm: Arrays) -> None:
        weight, bias = followed_by_norm(params["weight"], params.get("bias"), self.stage.norm, norm)
        self.params = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}

    @property
    def weight_bytes(self) -> int:
        return 0 if self.stage.norm is None else self.params["weight"].nbytes

    def calls(self, views: Views) -> Iterator[Call]:
        weight, scratch = self.params["weight"], views.scratch
        y = views.out().reshape(-1, len(weight), copy=False)
        rows, columns = slice(None), slice(None)
        if len(y) >= len(weight):
            rows = views.part.of(len(y))
        else:
            columns = views.part.of(len(weight))
        y = y[rows, columns]
        if not y.size:
            return
        x = yield from _matrix(views.x(), scratch)
        if len(x) == 1:
            yield partial(np.matmul, weight[columns], x[0], y[0])
        else:
            yield partial(np.matmul, x[rows], weight[columns].T, y)
        if "bias" in self.params:
            yield partial(np.add, y, self.params["bias"][columns], y)
        added = views.plus()
        if added is not None:
            matrix = yield from _matrix(added, scratch)
            yield partial(np.add, y, matrix[rows, columns], y)
        yield from self.finished(y, scratch)


def _matrix(array: Array, scratch: Scratch) -> Generator[Call, None, Array]:
    """An array as a row for each position; a halo that others need leaves gaps, so that it is copied then."""
    try:
        return array.reshape(-1, array.shape[-1], copy=False)
    except ValueError:
        packed = scratch.take(array.shape, array.dtype)
    yield partial(np.copyto, packed, array)
    return packed.reshape(-1, array.shape[-1], copy=False)


class Concat(Step):
    """Tensors side by side along the channels."""

    name = "copy"
    is_fast = True

    def channels_last(self, number: int) -> bool | None:
        return True

    def calls(self, views: Views) -> Iterator[Call]:
        out = views.out()
        rows = views.part.of(out.shape[1])
        first = 0
        for number in range(len(views.xs)):
            x = views.x(number)
            last = first + x.shape[3]
            yield partial(np.copyto, out[:, rows, :, first:last], x[:, rows])
            first = last
