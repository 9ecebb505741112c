"""Initialisation schemes by name: what `init: he` says, and which of a layer's parameters it draws.

A scheme draws the weights of products: of convolutions, linear layers, recurrent layers and the projections
of attention. Their biases start at zero. `normal` and `uniform` draw tables too: embeddings and positions.
Everything else starts as it does without a scheme: the scales and shifts of norms, learned slopes.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from netcalc.diagnostics import nearest
from netcalc.layers.base import ParamSpec
from netcalc.layers.errors import LayerError

SCHEMES = {
    "pytorch": "what PyTorch's modules do, as without a scheme",
    "normal": "normal with the standard deviation after the colon: normal:0.02",
    "uniform": "uniform within the bound after the colon: uniform:0.05",
    "xavier": "uniform with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)",
    "xavier_normal": "normal with variance 2 / (fan_in + fan_out)",
    "he": "normal with variance gain^2 / fan_in, 2 / fan_in before a ReLU (He et al. 2015)",
    "he_uniform": "uniform with variance gain^2 / fan_in",
    "lecun": "normal with variance 1 / fan_in (LeCun et al. 1998)",
    "lecun_uniform": "uniform with variance 1 / fan_in",
    "orthogonal": "orthonormal rows or columns times the gain (Saxe et al. 2014)",
    "lsuv": "orthonormal, then scaled to outputs of variance 1 on a batch (Mishkin and Matas 2015)",
    "zeros": "every parameter 0, scales of norms too",
}
"""The schemes, each with what it does."""

NUMBERED = {"normal": "standard deviation", "uniform": "bound"}
"""The schemes that have a number, and what it is."""

OTHER_SCHEMES = {
    **dict.fromkeys(("glorot", "glorot_uniform", "xavier_uniform"), "xavier"),
    "glorot_normal": "xavier_normal",
    **dict.fromkeys(("kaiming", "kaiming_normal", "he_normal", "msra"), "he"),
    "kaiming_uniform": "he_uniform",
    "lecun_normal": "lecun",
    "default": "pytorch",
    **dict.fromkeys(("zero", "constant", "zero_init_residual"), "zeros"),
    **dict.fromkeys(("gaussian", "random_normal"), "normal:0.01"),
    "random_uniform": "uniform:0.05",
}
"""What they are called elsewhere, for the help of an error."""

WITH_NUMBER = rf"({'|'.join(NUMBERED)}):(?=[0-9.]*[1-9])[0-9]{{0,15}}\.?[0-9]{{1,15}}([eE][+-]?[0-9]{{1,2}})?"
"""How a scheme with a number is written; the number is above 0."""

_DRAWN = ("fan_in_uniform", "xavier_uniform", "uniform")
_TABLES = ("normal", "truncated_normal")


class Scheme(NamedTuple):
    """A scheme, with its number where it has one."""

    name: str
    number: float = 0.0

    def __str__(self) -> str:
        return f"{self.name}:{repr(self.number).removesuffix('.0')}" if self.name in NUMBERED else self.name


@lru_cache(64)
def read_scheme(text: str) -> Scheme:
    """Read `he` or `normal:0.01`; raises LayerError where it is no scheme."""
    if text in SCHEMES and text not in NUMBERED:
        return Scheme(text)
    name, _, number = text.partition(":")
    if re.fullmatch(WITH_NUMBER, text):
        return Scheme(name, float(number))
    if name in NUMBERED:
        example = SCHEMES[name].rpartition(" ")[2]
        raise LayerError(f"{name} has a {NUMBERED[name]} above 0: {example}, not {text!r}")
    if name in SCHEMES:
        raise LayerError(f"{name} has no number: {name}, not {text!r}", help=f"write {name}")
    match = OTHER_SCHEMES.get(name.lower()) or nearest(name, SCHEMES)
    help = f"did you mean {match}?" if match else f"there are {', '.join(SCHEMES)}"
    raise LayerError(f"there is no initialisation {text!r}", help=help)


Role = Literal["weight", "bias", "table", "fixed", "buffer"]


def role(param: ParamSpec) -> Role:
    """What a parameter is to a scheme: the weight of a product, a bias, a table, or nothing that is drawn."""
    rule = param.initialiser.partition(":")[0]
    if param.buffer:
        return "buffer"
    if rule in _TABLES:
        return "table"
    if rule in _DRAWN:
        return "weight" if len(param.shape) > 1 else "bias"
    return "fixed"


def draws(scheme: Scheme, params: Iterable[ParamSpec]) -> bool:
    """Whether a scheme has a say in any of a layer's parameters."""
    roles = {role(param) for param in params}
    if scheme.name in ("pytorch", "zeros"):
        return bool(roles - {"buffer"})
    return "weight" in roles or (scheme.name in NUMBERED and "table" in roles)
