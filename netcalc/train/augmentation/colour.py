"""Colour jitter: brightness, contrast and saturation by random factors, in random order."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from netcalc.backend.kernels.base import Array
from netcalc.train.augmentation.transform import Transform
from netcalc.train.draws import Draws

LUMA = (0.299, 0.587, 0.114)
"""The shares of red, green and blue in grey (ITU-R BT.601)."""


@dataclass(frozen=True)
class ColourJitter(Transform):
    """Brightness, contrast and saturation change by factors, each drawn from 1 - s to 1 + s.

    y = f x + (1 - f) z, kept between 0 and 1: z is black for brightness, the mean grey of the picture for
    contrast, and each pixel's grey for saturation, which grey pictures do not have. The order is random for
    each picture.

    Source: Howard, "Some improvements on deep convolutional neural network based image classification", 2013,
    section 2.
    """

    name: ClassVar[str] = "jitter"
    has_range: ClassVar[bool] = True
    ranges: ClassVar[dict[str, tuple[float, float]]] = {
        "brightness": (0, 1), "contrast": (0, 1), "saturation": (0, 1),
    }  # fmt: skip
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4

    def apply(self, x: Array, draws: Draws, fill: Array) -> Array:
        strengths = np.array([self.brightness, self.contrast, self.saturation])[:, None]
        factors = (1 + strengths * (2 * draws.uniform(3) - 1)).astype(x.dtype)
        order = draws.uniform(3).argsort(axis=0)
        for turn in order:
            for kind, strength in enumerate(strengths[:, 0]):
                chosen = np.flatnonzero(turn == kind)
                if strength and len(chosen):
                    x[chosen] = _blended(x[chosen], kind, factors[kind, chosen])
        return x


def _blended(x: Array, kind: int, factors: Array) -> Array:
    """Pictures with another brightness (kind 0), contrast (1) or saturation (2)."""
    factors = factors[:, None, None, None]
    y = factors * x
    if kind:
        grey = _grey(x)
        y += (1 - factors) * (grey.mean(axis=(2, 3), keepdims=True) if kind == 1 else grey)
    return np.clip(y, 0, 1, out=y)


def _grey(x: Array) -> Array:
    """The grey of each pixel: N,1,H,W."""
    if x.shape[1] == 1:
        return x
    red, green, blue = (x.dtype.type(share) for share in LUMA)
    grey: Array = red * x[:, 0:1] + green * x[:, 1:2] + blue * x[:, 2:3]  # in one order, unlike a product
    return grey
