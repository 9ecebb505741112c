"""The steps of a plan: what each stage of it becomes, as calls on the views that it is bound to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from netcalc.backend.convolution.base import Call, Scratch, blocks, tiled, widened
from netcalc.backend.folding import followed_by_norm, scale_and_shift
from netcalc.backend.kernels import KERNELS, Context
from netcalc.backend.kernels.base import Array, Arrays
from netcalc.backend.plan.activations import finisher
from netcalc.backend.plan.stages import Stage
from netcalc.backend.plan.tensors import NO_HALO, Halo, Tensor

_BLOCK_ELEMENTS = 2**16
"""Of an output that is gone over several times, so that it stays in the cache."""

_KEEPING = (
    "activation",
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

    stage: Stage
    params: dict[str, Array] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What was chosen, in words."""
        return "kernel"

    @property
    def is_fast(self) -> bool:
        """Whether it shares out its work and needs no memory but the plan's."""
        return False

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

    @property
    def name(self) -> str:
        return "copy"

    @property
    def is_fast(self) -> bool:
        return True

    def calls(self, views: Views) -> Iterator[Call]:
        (tensor, _), (source, _) = views.y, views.xs[0]
        out, x = tensor.natural(views.out()), views.naturals()[0]
        if tensor.shape != source.shape:
            out = out.reshape(x.shape)
        rows = views.part.of(x.shape[1])
        yield partial(np.copyto, out[:, rows], x[:, rows])


class Fused(Step):
    """A step that ends with an activation or not."""

    @property
    def is_fast(self) -> bool:
        return True

    def finished(self, y: Array, scratch: Scratch) -> Iterator[Call]:
        finish = finisher(self.stage.activation)
        return iter(()) if finish is None else finish(y, scratch)


class Linear(Fused):
    """y = x W^T + b over all positions together; workers share out the outputs, or the positions."""

    @property
    def name(self) -> str:
        return "product"

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
        weight = self.params["weight"]
        x, y = (array.reshape(-1, array.shape[-1]) for array in (views.x(), views.out()))
        added = views.plus()
        rows, columns = slice(None), slice(None)
        if len(x) >= len(weight):
            rows = views.part.of(len(x))
        else:
            columns = views.part.of(len(weight))
        y = y[rows, columns]
        if not y.size:
            return
        if len(x) == 1:
            yield partial(np.matmul, weight[columns], x[0], y[0])
        else:
            yield partial(np.matmul, x[rows], weight[columns].T, y)
        if "bias" in self.params:
            yield partial(np.add, y, self.params["bias"][columns], y)
        if added is not None:
            yield partial(np.add, y, added.reshape(-1, added.shape[-1])[rows, columns], y)
        yield from self.finished(y, views.scratch)


class Elementwise(Fused):
    """A batch norm, a sum or product of tensors, or an activation, in blocks of rows."""

    @property
    def name(self) -> str:
        return "in blocks"

    def channels_last(self, number: int) -> bool | None:
        return None

    def calls(self, views: Views) -> Iterator[Call]:
        out, xs = views.out(), [views.x(number) for number in range(len(views.xs))]
        shared = views.part.of(out.shape[1])
        rows = shared.stop - shared.start
        most_rows = max(1, _BLOCK_ELEMENTS // prod(out.shape[2:]))
        if not rows:
            return
        for samples, inside in blocks(views.scratch, len(out), rows, most_rows):
            taken = slice(shared.start + inside.start, shared.start + inside.stop)
            y = out[samples, taken]
            read = [x[samples] if x.shape[1] == 1 else x[samples, taken] for x in xs]
            yield from self.combined(read, y, taken)
            yield from self.finished(y, views.scratch)

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        """The calls that write y."""
        raise NotImplementedError


class Activate(Elementwise):
    """An activation that could not follow its input in place."""

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        yield partial(np.copyto, y, xs[0])

    def finished(self, y: Array, scratch: Scratch) -> Iterator[Call]:
        finish = finisher(self.stage.node.layer)
        assert finish is not None
        return finish(y, scratch)


class Merge(Elementwise):
    """The sum or product of tensors."""

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        rule = np.add if self.stage.kind == "add" else np.multiply
        yield partial(rule, xs[0], xs[1], y)
        for x in xs[2:]:
            yield partial(rule, y, x, y)


class Norm(Elementwise):
    """A batch norm that follows no convolution: y = scale x + shift."""

    def blank(self, dtype: np.dtype[np.floating]) -> None:
        channels = self.stage.node.output.shape[0]
        self.params = {"scale": np.zeros(channels, dtype), "shift": np.zeros(channels, dtype)}

    def prepare(self, params: Arrays, norm: Arrays) -> None:
        scale, shift = scale_and_shift(self.stage.node, params)
        dtype = params["running_var"].dtype
        self.params = {"scale": scale.astype(dtype), "shift": shift.astype(dtype)}

    def combined(self, xs: list[Array], y: Array, rows: slice) -> Iterator[Call]:
        scale, shift = self.params["scale"], self.params["shift"]
        if y.ndim == 4:
            wide, x = widened(y), widened(xs[0])
            if wide.ndim == x.ndim:
                yield partial(np.multiply, x, tiled(scale, wide), wide)
                yield partial(np.add, wide, tiled(shift, wide), wide)
                return
        shape = (-1, *(1,) * (y.ndim - 2))
        channels_last = y.ndim == 4
        factors = [v if channels_last else v[rows].reshape(shape) for v in (scale, shift)]
        yield partial(np.multiply, xs[0], factors[0], y)
        yield partial(np.add, y, factors[1], y)

    def channels_last(self, number: int) -> bool | None:
        return len(self.stage.node.output.shape) == 3 or None


class Concat(Step):
    """Tensors side by side along the channels."""

    @property
    def name(self) -> str:
        return "copy"

    @property
    def is_fast(self) -> bool:
        return True

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


class GlobalAverage(Step):
    """The mean of each channel over all positions."""

    @property
    def name(self) -> str:
        return "mean"

    @property
    def is_fast(self) -> bool:
        return True

    def channels_last(self, number: int) -> bool | None:
        return True

    def calls(self, views: Views) -> Iterator[Call]:
        x = views.x()
        channels = views.part.of(x.shape[3])
        y = views.out().reshape(len(x), x.shape[3])
        if channels.stop > channels.start:
            yield partial(np.mean, x[..., channels], axis=(1, 2), out=y[:, channels])


class Pool(Step):
    """Maxima or means over windows: one pass over the output for each cell of the kernel."""

    @property
    def name(self) -> str:
        return "by kernel cells"

    @property
    def is_fast(self) -> bool:
        return True

    def channels_last(self, number: int) -> bool | None:
        return True

    def calls(self, views: Views) -> Iterator[Call]:
        layer: Any = self.stage.node.layer
        x, out = views.x(), views.out()
        is_max = self.stage.kind == "maxpool"
        join: Callable[..., Any] = np.maximum if is_max else np.add
        start = out.dtype.type(-np.inf if is_max else 0)
        shared = views.part.of(out.shape[1])
        most_rows = max(1, _BLOCK_ELEMENTS // prod(out.shape[2:]))
        if shared.stop == shared.start:
            return
        for samples, inside in blocks(views.scratch, len(out), shared.stop - shared.start, most_rows):
            rows = range(shared.start + inside.start, shared.start + inside.stop)
            y = out[samples, rows.start : rows.stop]
            whole = False
            parts = []
            for cell in product(*map(range, layer.kernel)):
                place = [k * d for k, d in zip(cell, layer.spread(), strict=True)]
                ys, xs = _met(place[0], layer.stride[0], layer.pad[0][0], x.shape[1], rows)
                yc, xc = _met(place[1], layer.stride[1], layer.pad[1][0], x.shape[2], range(out.shape[2]))
                parts.append((y[:, ys, yc], x[samples, xs, xc]))
            parts.sort(key=lambda both: -both[0].size)
            whole = parts[0][0].size == y.size
            if not whole:
                yield partial(np.copyto, y, start)
            elif len(parts) == 1 or parts[1][0].size != y.size:
                yield partial(np.copyto, *parts.pop(0))
            else:
                yield partial(join, parts.pop(0)[1], parts[0][1], out=y)
                parts.pop(0)
            for target, read in parts:
                if target.size:
                    yield partial(join, target, read, out=target)
            if not is_max:
                yield partial(np.multiply, y, y.dtype.type(1 / prod(layer.kernel)), y)


def _met(place: int, stride: int, before: int, size: int, outputs: range) -> tuple[slice, slice]:
    """The outputs whose window has a cell inside the input, and the inputs they meet there."""
    first = max(outputs.start, -((place - before) // stride))
    last = min(outputs.stop - 1, (size - 1 - place + before) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    start = first * stride + place - before
    stop = last * stride + place - before + 1
    return slice(first - outputs.start, last + 1 - outputs.start), slice(start, stop, stride)
