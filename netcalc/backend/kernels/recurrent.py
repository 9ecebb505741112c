"""Recurrent layers: one loop over the steps; the products with the input are taken for all steps at once.

Inside, steps go first: T,N,D. A step takes a = W x + b of the input and u = U h + c of the state, with the
gates side by side, and the state before; h goes first in a state.
"""

from collections.abc import Callable, Mapping

import numpy as np

from netcalc.backend.kernels.base import Array, Arrays, Backward, Context, Gradients
from netcalc.backend.kernels.parts import affine, summed
from netcalc.backend.kernels.special import logistic
from netcalc.layers.recurrent import GRU, LSTM, RNN

State = tuple[Array, ...]
StepBackward = Callable[[State], tuple[Array, Array, State]]
"""From the gradient of a state to those of a, of u and, past u, of the state before."""
Step = Callable[[Array, Array, State], tuple[State, StepBackward]]
"""From a, u and the state before to the next state and its backward function."""


def rnn(layer: RNN, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """h' = f(a + u), f tanh or ReLU (Elman 1990);  da = du = f' dh'."""
    steps: Mapping[str, Step] = {"tanh": _tanh_step, "relu": _relu_step}
    return _stack(layer, params, xs, steps[layer.activation], 1, context.frozen)


def lstm(layer: LSTM, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """c' = f c + i g and h' = o tanh(c'), with i, f, g, o the sigmoids, g the tanh, of a + u.

    dc' grows by dh' o (1 - tanh^2 c');  di = dc' g, df = dc' c, dg = dc' i, do = dh' tanh c';
    da = du, each of these times the slope of its gate;  dc = dc' f (Hochreiter and Schmidhuber 1997).
    """
    return _stack(layer, params, xs, _lstm_step, 2, context.frozen)


def gru(layer: GRU, params: Arrays, xs: tuple[Array, ...], context: Context) -> tuple[Array, Backward]:
    """h' = (1 - z) n + z h with r, z = sigmoid(a + u) and n = tanh(a + r u), as PyTorch (Cho et al. 2014).

    dn = dh' (1 - z), dz = dh' (h - n);  da of n = dn (1 - n^2), its du = r da;  dr = u da;  dh = z dh'.
    """
    return _stack(layer, params, xs, _gru_step, 1, context.frozen)


def _stack(
    layer: RNN | LSTM | GRU, params: Arrays, xs: tuple[Array, ...], step: Step, states: int, frozen: bool
) -> tuple[Array, Backward]:
    """Layers above one another, each with its directions side by side."""
    below = xs[0].swapaxes(0, 1)
    backs = []
    for number in range(layer.layers):
        runs = [
            _direction(layer, params, f"_l{number}{direction}", below, step, states, frozen)
            for direction in layer.directions
        ]
        below = np.concatenate([h for h, _ in runs], axis=-1)
        backs.append([back for _, back in runs])
    top, shape = below, below.shape
    parts = range(len(layer.directions))
    ends = [(_ENDS[part], slice(None), slice(part * layer.units, (part + 1) * layer.units)) for part in parts]
    y = np.concatenate([top[end] for end in ends], axis=-1) if layer.last else top.swapaxes(0, 1)

    def backward(dy: Array) -> Gradients:
        if layer.last:
            dh = np.zeros(shape, dy.dtype)
            for end, part in zip(ends, np.split(dy, len(ends), axis=-1), strict=True):
                dh[end] = part
        else:
            dh = dy.swapaxes(0, 1)
        gradients: dict[str, Array] = {}
        for level in reversed(backs):
            found = [back(part) for back, part in zip(level, np.split(dh, len(level), axis=-1), strict=True)]
            dh = found[0][0] if len(found) == 1 else found[0][0] + found[1][0]
            for _, own in found:
                gradients |= own
        return (dh.swapaxes(0, 1),), gradients

    return y, backward


_ENDS = (-1, 0)
"""Where the forward direction ends, and where the backward one does."""
_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _direction(
    layer: RNN | LSTM | GRU, params: Arrays, suffix: str, x: Array, step: Step, states: int, frozen: bool
) -> tuple[Array, Callable[[Array], tuple[Array, dict[str, Array]]]]:
    """One layer run over all steps one way: h of each step, in the order of x.

    With du of all steps: dU = sum over t of du[t]^T h[t-1], dc = sum of du, dh[t-1] += du[t] U for t > 0.
    """
    order = -1 if suffix.endswith("_reverse") else 1
    names = [f"{name}{suffix}" for name in _NAMES[: 4 if layer.bias else 2]]
    weight, recurrent, *biases = (params[name] for name in names)
    a, a_backward = affine(x[::order], weight, *biases[:1], frozen=frozen)
    shape = a.shape
    first = np.zeros((shape[1], layer.units), x.dtype)
    state: State = tuple(first for _ in range(states))
    h, backs = [first], []
    for own in a:
        u = h[-1] @ recurrent.T
        for bias in biases[1:]:
            u += bias
        state, back = step(own, u, state)
        h.append(state[0])
        backs.append(back)
    y = np.stack(h[1:])[::order]
    read = [] if frozen else h[:-1]

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        da, du = np.empty(shape, dy.dtype), np.empty(shape, dy.dtype)
        dy = dy[::order]
        dstate: State = (np.zeros_like(dy[0]),) * states
        for t in reversed(range(len(backs))):
            da[t], du[t], before = backs[t]((dstate[0] + dy[t], *dstate[1:]))
            if t:  # the state before the first step needs no gradient
                dstate = (before[0] + du[t] @ recurrent, *before[1:])
        dx, gradients = a_backward(da)
        if frozen:
            return dx[::order], {}
        dweight, *dbias = gradients
        rows = du.reshape(-1, shape[-1])
        found = (dweight, rows.T @ np.concatenate(read), *dbias, *(summed(rows, 0) for _ in dbias))
        return dx[::order], dict(zip(names, found, strict=True))

    return y, backward


def _tanh_step(a: Array, u: Array, state: State) -> tuple[State, StepBackward]:
    h = np.tanh(a + u)

    def backward(dstate: State) -> tuple[Array, Array, State]:
        (dh,) = dstate
        dsum = dh * (1 - h * h)
        return dsum, dsum, (np.zeros_like(dh),)

    return (h,), backward


def _relu_step(a: Array, u: Array, state: State) -> tuple[State, StepBackward]:
    h = np.maximum(a + u, 0)

    def backward(dstate: State) -> tuple[Array, Array, State]:
        (dh,) = dstate
        dsum = dh * (h > 0)
        return dsum, dsum, (np.zeros_like(dh),)

    return (h,), backward


def _lstm_step(a: Array, u: Array, state: State) -> tuple[State, StepBackward]:
    _, before = state
    i, f, g, o = np.split(a + u, 4, axis=-1)
    i, f, g, o = logistic(i), logistic(f), np.tanh(g), logistic(o)
    c = f * before + i * g
    shown = np.tanh(c)

    def backward(dstate: State) -> tuple[Array, Array, State]:
        dh, dc = dstate
        dc = dc + dh * o * (1 - shown * shown)
        slopes = (dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g))
        dsum = np.concatenate((*slopes, dh * shown * o * (1 - o)), axis=-1)
        return dsum, dsum, (np.zeros_like(dh), dc * f)

    return (o * shown, c), backward


def _gru_step(a: Array, u: Array, state: State) -> tuple[State, StepBackward]:
    (before,) = state
    (ar, az, an), (ur, uz, un) = np.split(a, 3, axis=-1), np.split(u, 3, axis=-1)
    r, z = logistic(ar + ur), logistic(az + uz)
    shown = r * un
    n = np.tanh(an + shown)

    def backward(dstate: State) -> tuple[Array, Array, State]:
        (dh,) = dstate
        dn = dh * (1 - z) * (1 - n * n)
        dr, dz = dn * shown * (1 - r), dh * (before - n) * z * (1 - z)
        return np.concatenate((dr, dz, dn), axis=-1), np.concatenate((dr, dz, dn * r), axis=-1), (dh * z,)

    return (n + z * (before - n),), backward
