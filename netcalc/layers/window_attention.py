"""Attention inside windows or across grids, with the channels last."""

from math import log, prod

from netcalc.layers import geometry
from netcalc.layers.activation import Sigmoid
from netcalc.layers.attention import SCORE_OPS
from netcalc.layers.axes import Axes, channels_last
from netcalc.layers.base import Cost, ParamSpec, SpatialLayer
from netcalc.layers.errors import LayerError
from netcalc.layers.operators import Operators
from netcalc.layers.options import Choice, Flag, Integer
from netcalc.layers.saved import Extra, Saved
from netcalc.layers.window_options import Sizes
from netcalc.tensor import Shape, TensorType

_HIDDEN = 512
"""Features inside the network that makes Swin v2's position bias from coordinates."""
_COORDINATES = 2


class WindowAttention(SpatialLayer):
    """Self attention among the positions of each window, on H x W x C or T x H x W x C.

    Swin's (Liu et al. 2021): y = (softmax(q k^T / sqrt(width of a head) + bias) v a head) Wo, the bias
    learned for each head and each offset inside a window. The input is padded to whole windows
    and the padding is computed too; P padded positions in windows of n take 4 P C^2 + 2 P n C
    multiply-adds. In 3D a window larger than the input shrinks to it. `shift` moves the windows, on
    axes where the input is larger than one. `grid` attends among the n cells that lie one in each
    block of a coarse grid instead, as MaxViT (Tu et al. 2022); the input is then a multiple of `size`.

    With `cosine` as Swin v2: scores are cosines times a learned factor, and the bias comes from a
    network of 2, 512 and `heads` features over the offsets, counted in macs.

    Names are torchvision's for Swin; for MaxViT it writes to_qkv and merge where these are qkv and
    proj, and divides the scores by the root of all of C, as `scale: input`. A score takes one product
    for the scale, softmax's 5, one addition for the bias and, where shifted, one for the mask. `cosine`
    adds 3 an element of queries and keys for their length (a square, an addition, a division), 5 a
    bias for 16 sigmoid and one ReLU for each hidden feature.

    Example: `window_attention: {size: 7, heads: 3, shift: 3}` on 56x56x96 gives 56x56x96
    """

    kind = "window_attention"
    transposes = True
    family = "attention"
    mixes_tokens = True
    also = ("ShiftedWindowAttention", "ShiftedWindowAttentionV2", "swin_attention", "grid_attention")

    size = Sizes(doc="positions of a window along each axis", torch="window_size")
    heads = Integer(doc="parts that C is split into, each with scores of its own", torch="num_heads")
    shift = Sizes(0, at_least=0, doc="how far the windows are moved, below their size", torch="shift_size")
    grid = Flag(False, doc="attend across a grid of blocks rather than inside windows")
    bias = Flag(True, doc="whether queries, keys and values add a bias", torch="qkv_bias")
    cosine = Flag(False, doc="Swin v2's cosine attention, in 2D")
    scale = Choice("head", "input", doc="whose width's root divides the scores: a head's, or all of C")

    def infer(self, xs: tuple[TensorType, ...]) -> TensorType:
        (x,) = xs
        if len(x.shape) not in (3, 4):
            raise LayerError(f"window_attention reads H,W,C or T,H,W,C with the channels last, not {x}")
        geometry.require_divides(self.heads, x.shape[-1], "channels", "heads")
        for window, shift in zip(self.size, self.shift, strict=True):
            message = f"shift={shift} is not below the window of {window}"
            geometry.require_at_least(window - 1, shift, message, "shift")
        if self.cosine:
            message = f"cosine attention is for H,W,C, not {x}"
            geometry.require_equal(len(x.shape) - 1, _COORDINATES, message, "cosine")
        if self.grid:
            geometry.require_equal(any(self.shift), False, "a grid has no shift", "shift")
            for window, size in zip(self.size, x.shape[:-1], strict=True):
                geometry.require_divides(window, size, "positions of a grid", "size")
        return x

    def reads_axes(self, rank: int) -> Axes | None:
        return channels_last(rank)

    def output_axes(self, names: tuple[Axes, ...], xs: tuple[TensorType, ...], y: TensorType) -> Axes:
        return channels_last(len(y.shape))

    def params(self, xs: tuple[TensorType, ...]) -> tuple[ParamSpec, ...]:
        (x,) = xs
        channels = x.shape[-1]
        weight = ParamSpec("qkv.weight", (3 * channels, channels), "fan_in_uniform")
        bias = ParamSpec("qkv.bias", (3 * channels,), "fan_in_uniform")
        return (
            *((weight, bias) if self.bias else (weight,)),
            ParamSpec("proj.weight", (channels, channels), "fan_in_uniform"),
            ParamSpec("proj.bias", (channels,), "fan_in_uniform"),
            *self._bias_params(),
        )

    def tells_positions(self, xs: tuple[TensorType, ...]) -> bool:
        return True

    def cost(self, xs: tuple[TensorType, ...], y: TensorType) -> Cost:
        *space, channels = xs[0].shape
        positions, inside = self._positions(tuple(space))
        scores = positions * inside * self.heads
        macs = 4 * positions * channels * channels + 2 * positions * inside * channels
        other_ops = scores * (SCORE_OPS + 1 + any(self.shifts(tuple(space))))
        if self.cosine:
            hidden = self.offsets() * _HIDDEN
            macs = macs + hidden * (_COORDINATES + self.heads)
            biases = inside * inside * self.heads
            other_ops = other_ops + 2 * positions * channels * 3 + biases * (Sigmoid.ops + 1) + hidden
        return Cost(macs, other_ops)

    def saved(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> Saved:
        """Copies of the windows, queries, keys, values, the scores' softmax and what it weighs.

        With one head keys and values stay in the projection's memory. `cosine` also saves the projection,
        lengths, scores before their factor, and the network of the bias; a window that shrank its offsets.
        """
        *space, channels = xs[0].shape
        positions, inside = self._positions(tuple(space))
        scores = positions * inside * self.heads
        tensors = 5 if self.heads > 1 else 6
        each, once = tensors * positions * channels + scores, Extra()
        if self.cosine:
            lengths = 4 * positions * self.heads
            each = (7 if self.heads == 1 else 8) * positions * channels + lengths + 2 * scores
            once = Extra(self.offsets() * _HIDDEN + inside * inside * self.heads + self.heads)
        elif inside != prod(self.size):
            once = Extra(indices=inside * inside)
        return Saved(each=Extra(each), once=once)

    def weight_macs(self, xs: tuple[TensorType, ...], y: TensorType) -> int:
        *space, channels = xs[0].shape
        positions, inside = self._positions(tuple(space))
        hidden = self.offsets() * _HIDDEN * self.heads if self.cosine else 0  # inside the bias's network
        return self.cost(xs, y).macs - 2 * positions * inside * channels + hidden

    def backward_macs(self, xs: tuple[TensorType, ...], y: TensorType, needs: tuple[bool, ...]) -> int:
        """Two products for each of forward's, but one where only the weights need it: of x and of offsets."""
        *space, channels = xs[0].shape
        positions, _ = self._positions(tuple(space))
        reading = 0 if any(needs) else 3 * positions * channels * channels
        offsets = self.offsets() * _HIDDEN * _COORDINATES if self.cosine else 0
        return 2 * self.cost(xs, y).macs - reading - offsets

    def operators(self, xs: tuple[TensorType, ...], y: TensorType) -> Operators:
        """Bias, windows, projection, scores, softmax, weighted values, and the input's shape again."""
        operators = Operators()
        *space, channels = xs[0].shape
        positions, _ = self._positions(tuple(space))
        windows = self.windows(tuple(space))
        cut = any(size > window for size, window in zip(space[1:], windows[1:], strict=True))
        padded = positions * channels
        swin = not self.grid and self.scale == "head"
        bias = self._make_bias(operators, windows) if swin else None
        x = operators.copy(padded, 0) if swin else 0
        if any(self.shifts(tuple(space))):
            x = operators.copy(padded, x)
        if cut or not swin:
            x = operators.copy(padded, x)
        qkv = operators.product(3 * padded, x, weights=3 * channels * channels)
        x = self._attend(operators, qkv, bias, tuple(space), x)
        x = operators.product(padded, x, weights=channels * channels)
        if cut or not swin:
            x = operators.copy(padded, x)
        if any(self.shifts(tuple(space))):
            x = operators.copy(padded, x)
        if positions != prod(space):
            operators.copy(y.numel, x)
        return operators

    def _make_bias(self, operators: Operators, windows: Shape) -> int:
        """The bias of each two positions of a window: picked from a table, or from a network's results."""
        pairs = prod(windows) ** 2
        picked = Extra(values=pairs * self.heads)
        made: tuple[int, ...] = ()
        if self.cosine:
            hidden = operators.make(0, once=Extra(values=self.offsets() * _HIDDEN))
            made = (operators.make(0, hidden, once=Extra(values=self.offsets() * self.heads)),)
        elif prod(windows) != prod(self.size):
            made = (operators.make(0, once=Extra(indices=pairs)),)
        bias = operators.make(0, *made, once=picked)
        if self.heads > 1:
            bias = operators.copy(0, bias, once=picked)
        for _ in ("sigmoid", "times 16") if self.cosine else ():
            bias = operators.make(0, bias, once=picked)
        return bias

    def _attend(self, operators: Operators, qkv: int, bias: int | None, space: Shape, windows: int) -> int:
        """Scores of queries and keys, their softmax, and the values that it weighs."""
        channels = operators.listed[qkv - operators.inputs].each.values
        positions, size = self._positions(space)
        part, scores = channels // 3, positions * size * self.heads
        several_heads = self.heads > 1
        if self.cosine:
            query, key = (self._unit_length(operators, qkv, part, positions) for _ in ("queries", "keys"))
        else:
            query, key = operators.make(part, qkv), qkv
        if several_heads:
            query, key = operators.copy(part, query), operators.copy(part, key)
        score = operators.product(scores, query, key)
        if self.cosine:
            score = operators.product(scores, score, operators.make(0, once=Extra(values=self.heads)))
        if bias is None:
            bias = self._make_bias(operators, self.windows(space))
        score = operators.make(scores, score, bias, copies=True)
        if any(self.shifts(space)):
            score = operators.make(
                scores, score, self._make_mask(operators, positions, size, windows), copies=True
            )
        weights = operators.softmax(scores, score)
        weighted = operators.product(part, weights, operators.copy(part, qkv) if several_heads else qkv)
        return operators.copy(part, weighted) if several_heads else weighted

    def _unit_length(self, operators: Operators, qkv: int, part: int, positions: int) -> int:
        """Queries or keys divided by their lengths."""
        length = operators.make(positions * self.heads, qkv, saves=(qkv,))
        bounded = operators.product(positions * self.heads, length)
        return operators.product(part, qkv, bounded)

    def _make_mask(self, operators: Operators, positions: int, size: int, windows: int) -> int:
        """The mask of pairs that are no neighbours in a shifted window; the same for all samples.

        PyTorch's `new_zeros` takes the windows as an example of a tensor.
        """
        pairs = Extra(values=positions * size)
        region = operators.make(0, windows, once=Extra(values=positions))
        region = operators.copy(0, region, once=Extra(values=positions))
        differences = operators.make(0, region, once=pairs)
        differs = operators.make(0, differences, once=Extra(flags=positions * size))
        filled = operators.make(0, differences, differs, once=pairs)
        agrees = operators.make(0, differences, once=Extra(flags=positions * size))
        return operators.make(0, filled, agrees, once=pairs)

    def _positions(self, space: Shape) -> tuple[int, int]:
        """The positions of all windows, the padded ones among them, and those of one."""
        windows = self.windows(space)
        covered = zip(space, windows, strict=True)
        return prod(geometry.whole_windows(size, window) * window for size, window in covered), prod(windows)

    def windows(self, space: Shape) -> Shape:
        """The window's size along each axis, as it is used on an input."""
        if len(space) == _COORDINATES:
            return self.size
        return tuple(map(min, self.size, space))

    def shifts(self, space: Shape) -> Shape:
        """How far the windows are moved along each axis of an input: not where one covers it."""
        moved = zip(space, self.size, self.shift, strict=True)
        return tuple(shift if size > window else 0 for size, window, shift in moved)

    def offsets(self) -> int:
        """How many offsets there are between two positions of a window."""
        return prod(2 * size - 1 for size in self.size)

    def _bias_params(self) -> tuple[ParamSpec, ...]:
        if not self.cosine:
            shape = (self.offsets(), self.heads)
            return (ParamSpec("relative_position_bias_table", shape, "truncated_normal", decays=False),)
        return (
            ParamSpec("logit_scale", (self.heads, 1, 1), f"constant:{log(10)}", decays=False),
            ParamSpec("cpb_mlp.0.weight", (_HIDDEN, _COORDINATES), "fan_in_uniform"),
            ParamSpec("cpb_mlp.0.bias", (_HIDDEN,), "fan_in_uniform"),
            ParamSpec("cpb_mlp.2.weight", (self.heads, _HIDDEN), "fan_in_uniform"),
        )
