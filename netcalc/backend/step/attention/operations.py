"""The operations of attention layers, on sequences N,T,D."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.backend.step.attention.heads import Heads, HeadsAttention, split
from netcalc.backend.step.operations import Binding, TrainingOperation
from netcalc.backend.step.sums import sum_of_rows
from netcalc.backend.step.tiles import rows
from netcalc.graph import Node
from netcalc.layers.attention import ScaledDotProductAttention
from netcalc.layers.multi_head_attention import MultiHeadAttention
from netcalc.tensor import Shape


class DotProductAttention(TrainingOperation):
    """y = softmax(q k^T / sqrt(d)) v of three tensors, each head on its own part of the features."""

    layer: ScaledDotProductAttention

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, ScaledDotProductAttention)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self.query, self.key, self.value = binding.xs
        self.y = binding.output(overwritable=False)
        self.shared = self.layer.kv_heads or self.layer.heads
        self.group = self.layer.heads // self.shared
        self.attention = [
            HeadsAttention(self._heads(*arrays), self.layer.causal, binding, worker)
            for worker, arrays in enumerate(
                zip(self.query.parts, self.key.parts, self.value.parts, self.y.parts, strict=True)
            )
        ]

    def _heads(self, query: Array, key: Array, value: Array, y: Array) -> Heads:
        return Heads(
            split(query, self.shared, self.group), split(key, self.shared), split(value, self.shared),
            split(y, self.shared, self.group),
        )  # fmt: skip

    def forward(self, worker: int) -> None:
        self.attention[worker].forward()

    def backward(self, worker: int) -> None:
        dquery, dkey, dvalue = (
            self.runtime.scratch(f"gradient {number}", worker, *x.parts[worker].shape)
            if dxs is None
            else dxs[worker]
            for number, (x, dxs) in enumerate(zip(self.binding.xs, self.dxs, strict=True))
        )
        dy = self.dy[worker]
        gradients = self._heads(dquery, dkey, dvalue, dy)
        self.attention[worker].backward(gradients.y, gradients)


class Projection(NamedTuple):
    """What queries, keys and values that are made of one input are projected with, side by side."""

    input: int
    weight: Array
    bias: Array | None
    dweight: list[Array]
    """A worker's each."""
    dbias: list[Array] | None
    outputs: list[Array]
    """Each worker's queries, keys and values of this projection, N,T,rows of the weight."""


class MultiHeadProjections(TrainingOperation):
    """y = softmax(q k^T / sqrt(d)) v Wo + bo with q = x Wq + bq, k = m Wk + bk, v = m Wv + bv.

    What one input is projected to is one product. An input that is read by several sums their gradients.
    """

    layer: MultiHeadAttention

    @staticmethod
    def fits(node: Node, shapes: Sequence[Shape]) -> bool:
        return isinstance(node.layer, MultiHeadAttention)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        self.y = binding.output()
        self.width = self.y.layout.shape[1]
        self.shared = self.layer.kv_heads or self.layer.heads
        self.group = self.layer.heads // self.shared
        self.projections = self._projections()
        self.attended = [binding.saved("attended", worker, *y.shape) for worker, y in enumerate(self.y.parts)]
        self.attention = []
        for worker, attended in enumerate(self.attended):
            outputs = [projection.outputs[worker] for projection in self.projections]
            heads = self._heads(outputs, split(attended, self.shared, self.group))
            self.attention.append(HeadsAttention(heads, self.layer.causal, binding, worker))

    def _projections(self) -> list[Projection]:
        """One for each input that follows another, where their weights are one array; else three."""
        params, gradients, xs = self.binding.params, self.binding.gradients, self.binding.xs
        kv_width = self.layer.kv_width(self.width)
        bounds = [0, self.width, self.width + kv_width, self.width + 2 * kv_width]
        read = [0, min(1, len(xs) - 1), len(xs) - 1]
        packed = "in_proj_weight" in params
        firsts = [part for part in range(3) if not (packed and part and read[part] == read[part - 1])]
        found = []
        for first, last in zip(firsts, [*firsts[1:], 3], strict=True):
            own = slice(bounds[first], bounds[last])
            name = "in_proj_weight" if packed else f"{'qkv'[first]}_proj_weight"
            part = own if packed else slice(None)
            bias, dbias = None, None
            if self.layer.bias:
                bias = params["in_proj_bias"][own]
                dbias = [gradient[own] for gradient in gradients.get("in_proj_bias", ())]
            outputs = [
                self.binding.saved(f"projection {first}", worker, *x.shape[:2], own.stop - own.start)
                for worker, x in enumerate(xs[read[first]].parts)
            ]
            dweight = [gradient[part] for gradient in gradients.get(name, ())]
            found.append(Projection(read[first], params[name][part], bias, dweight, dbias, outputs))
        return found

    def _heads(self, outputs: list[Array], y: Array) -> Heads:
        """The heads of queries, keys and values, which stand in this order in what the projections give."""
        kv_width = self.layer.kv_width(self.width)
        wanted = [(self.width, self.group), (kv_width, 1), (kv_width, 1)]
        heads: list[Array] = []
        for output in outputs:
            start = 0
            while start < output.shape[2]:
                width, group = wanted[len(heads)]
                heads.append(split(output[:, :, start : start + width], self.shared, group))
                start += width
        query, key, value = heads
        return Heads(query, key, value, y)

    def forward(self, worker: int) -> None:
        for projection in self.projections:
            output = rows(projection.outputs[worker])
            np.matmul(rows(self.binding.xs[projection.input].parts[worker]), projection.weight.T, out=output)
            if projection.bias is not None:
                output += projection.bias
        self.attention[worker].forward()
        y = rows(self.y.parts[worker])
        np.matmul(rows(self.attended[worker]), self.binding.params["out_proj.weight"].T, out=y)
        if self.layer.bias:
            y += self.binding.params["out_proj.bias"]

    def backward(self, worker: int) -> None:
        dattended = self._out_backward(worker)
        doutputs = [
            self.runtime.scratch(
                f"gradient of projection {number}", worker, *projection.outputs[worker].shape
            )
            for number, projection in enumerate(self.projections)
        ]
        dy = split(dattended, self.shared, self.group)
        gradients = self._heads(doutputs, dy)
        self.attention[worker].backward(dy, gradients)
        written: set[int] = set()
        for projection, doutput in zip(self.projections, doutputs, strict=True):
            self._in_backward(worker, projection, rows(doutput), projection.input in written)
            written.add(projection.input)

    def _out_backward(self, worker: int) -> Array:
        """The gradient of the weighted values; those of the output's projection."""
        dy, gradients = rows(self.dy[worker]), self.binding.gradients
        dattended = self.runtime.scratch("gradient of attended", worker, *self.attended[worker].shape)
        np.matmul(dy, self.binding.params["out_proj.weight"], out=rows(dattended))
        if self.binding.node.is_trained:
            np.matmul(dy.T, rows(self.attended[worker]), out=gradients["out_proj.weight"][worker])
            if self.layer.bias:
                sum_of_rows(dy, out=gradients["out_proj.bias"][worker])
        return dattended

    def _in_backward(self, worker: int, projection: Projection, doutput: Array, is_more: bool) -> None:
        """The gradients of a projection and of its input; `is_more` adds to what another has given that."""
        x, dxs = self.binding.xs[projection.input].parts[worker], self.dxs[projection.input]
        if self.binding.node.is_trained:
            np.matmul(doutput.T, rows(x), out=projection.dweight[worker])
            if projection.dbias is not None:
                sum_of_rows(doutput, out=projection.dbias[worker])
        if dxs is None:
            return
        dx = rows(dxs[worker])
        if is_more:
            dx += doutput @ projection.weight
        else:
            np.matmul(doutput, projection.weight, out=dx)
