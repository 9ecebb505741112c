"""The optimisers: how a parameter w moves against its gradient g at the learning rate lr.

The formulas, their state and their defaults are PyTorch's. L2 has already been added to g, or decoupled decay
taken off w. `keep` is the running mean that most of them are made of.
"""

from math import sqrt

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.layers.options import Number
from netcalc.train.configurable import Fraction
from netcalc.train.optimiser import Optimiser


class StochasticGradientDescent(Optimiser):
    """w -= lr g."""

    name = "sgd"

    def update(self, w: Array, g: Array, lr: float, state: tuple[Array, ...], workspace: Array) -> None:
        w -= np.multiply(g, lr, out=workspace)


class Momentum(StochasticGradientDescent):
    """v = momentum v + g;  w -= lr v (Polyak 1964)."""

    name = "momentum"

    momentum = Fraction(0.9, doc="what the velocity keeps of itself", torch="momentum")

    @property
    def slots(self) -> tuple[str, ...]:
        return ("velocity",)

    def update(self, w: Array, g: Array, lr: float, state: tuple[Array, ...], workspace: Array) -> None:
        (v,) = state
        v *= self.momentum
        v += g
        w -= np.multiply(v, lr, out=workspace)


class Nesterov(Momentum):
    """v = momentum v + g;  w -= lr (g + momentum v) (Nesterov 1983, in the form of Sutskever et al. 2013)."""

    name = "nesterov"

    def update(self, w: Array, g: Array, lr: float, state: tuple[Array, ...], workspace: Array) -> None:
        (v,) = state
        v *= self.momentum
        v += g
        np.multiply(v, self.momentum, out=workspace)
        workspace += g
        workspace *= lr
        w -= workspace


class Adagrad(Optimiser):
    """s = s + g^2;  w -= lr g / (sqrt(s) + eps) (Duchi, Hazan and Singer 2011)."""

    name = "adagrad"

    lr = Number(1e-2, above=0, doc=Optimiser.lr.doc, torch="lr")
    eps = Number(1e-10, above=0, doc="added to the root", torch="eps")

    @property
    def slots(self) -> tuple[str, ...]:
        return ("squares",)

    def update(self, w: Array, g: Array, lr: float, state: tuple[Array, ...], workspace: Array) -> None:
        (s,) = state
        s += np.multiply(g, g, out=workspace)
        divided_by_root(g, s, self.eps, workspace)
        workspace *= lr
        w -= workspace


class RMSprop(Optimiser):
    """s = alpha s + (1 - alpha) g^2;  v = momentum v + g / (sqrt(s) + eps);  w -= lr v (Hinton 2012)."""

    name = "rmsprop"

    lr = Number(1e-2, above=0, doc=Optimiser.lr.doc, torch="lr")
    alpha = Fraction(0.99, doc="what the mean of the squares keeps of itself", torch="alpha")
    momentum = Fraction(0.0, doc="what the velocity keeps of itself", torch="momentum")
    eps = Number(1e-8, above=0, doc="added to the root", torch="eps")

    @property
    def slots(self) -> tuple[str, ...]:
        return ("squares", "velocity") if self.momentum else ("squares",)

    def update(self, w: Array, g: Array, lr: float, state: tuple[Array, ...], workspace: Array) -> None:
        s, *velocity = state
        keep(s, self.alpha, np.multiply(g, g, out=workspace), workspace)
        divided_by_root(g, s, self.eps, workspace)
        for v in velocity:
            v *= self.momentum
            v += workspace
            workspace[...] = v
        workspace *= lr
        w -= workspace


class Adam(Optimiser):
    """m = beta1 m + (1 - beta1) g;  s = beta2 s + (1 - beta2) g^2;  w -= lr m' / (sqrt(s') + eps).

    m' = m / (1 - beta1^t) and s' = s / (1 - beta2^t) make up for the start at zero; t counts the updates
    (Kingma and Ba 2015).
    """

    name = "adam"

    beta1 = Fraction(0.9, doc="what the mean of the gradients keeps of itself", torch="betas[0]")
    beta2 = Fraction(0.999, doc="what the mean of their squares keeps of itself", torch="betas[1]")
    eps = Number(1e-8, above=0, doc="added to the root", torch="eps")

    @property
    def slots(self) -> tuple[str, ...]:
        return ("mean", "squares")

    def update(self, w: Array, g: Array, lr: float, state: tuple[Array, ...], workspace: Array) -> None:
        m, s = state
        keep(m, self.beta1, g, workspace)
        keep(s, self.beta2, np.multiply(g, g, out=workspace), workspace)
        # both corrections are numbers: sqrt(s') + eps = (sqrt(s) + eps root) / root
        root = sqrt(1 - self.beta2**self.steps)
        divided_by_root(m, s, self.eps * root, workspace)
        workspace *= lr * root / (1 - self.beta1**self.steps)
        w -= workspace


class AdamW(Adam):
    """Adam with decoupled weight decay: also w -= lr weight_decay w (Loshchilov and Hutter 2019)."""

    name = "adamw"

    weight_decay = Number(1e-2, at_least=0, doc=Optimiser.weight_decay.doc, torch="weight_decay")
    decoupled = True


class Lion(Optimiser):
    """w -= lr sign(beta1 m + (1 - beta1) g);  m = beta2 m + (1 - beta2) g (Chen et al. 2023).

    Its weight decay is decoupled. PyTorch has none; a learning rate is 3 to 10 times smaller than Adam's.
    """

    name = "lion"

    decoupled = True
    lr = Number(1e-4, above=0, doc=Optimiser.lr.doc)
    beta1 = Fraction(0.9, doc="what the update keeps of the mean of the gradients")
    beta2 = Fraction(0.99, doc="what the mean keeps of itself")

    @property
    def slots(self) -> tuple[str, ...]:
        return ("mean",)

    def update(self, w: Array, g: Array, lr: float, state: tuple[Array, ...], workspace: Array) -> None:
        (m,) = state
        # the sign of m + (g - m) (1 - beta1), without another array
        np.subtract(g, m, out=workspace)
        workspace *= 1 - self.beta1
        workspace += m
        np.sign(workspace, out=workspace)
        workspace *= lr
        w -= workspace
        keep(m, self.beta2, g, workspace)


OPTIMISERS: dict[str, type[Optimiser]] = {
    optimiser.name: optimiser
    for optimiser in (StochasticGradientDescent, Momentum, Nesterov, Adagrad, RMSprop, Adam, AdamW, Lion)
}
"""Every optimiser by its name."""


def keep(mean: Array, share: float, new: Array, workspace: Array) -> None:
    """Mean = share mean + (1 - share) new, in place; `new` may be the workspace."""
    mean *= share
    mean += np.multiply(new, 1 - share, out=workspace)


def divided_by_root(x: Array, squares: Array, eps: float, out: Array) -> None:
    """Out = x / (sqrt(squares) + eps)."""
    np.sqrt(squares, out=out)
    out += eps
    np.divide(x, out, out=out)
