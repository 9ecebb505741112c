"""Flip, crop and resized crop: where the pixels of a picture are taken from."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.tensor import Shape, format_shape
from netcalc.train.augmentation.transform import Transform
from netcalc.train.draws import Draws

_ATTEMPTS = 10


@dataclass(frozen=True)
class RandomFlip(Transform):
    """Left and right change places, with a probability.

    Source: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks",
    2012, section 4.1.
    """

    name: ClassVar[str] = "flip"
    moves: ClassVar[bool] = True
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"probability": (0, 1)}
    probability: float = 0.5

    def apply(self, x: Array, draws: Draws, fill: Array) -> Array:
        flipped = draws.uniform(1)[0] < self.probability
        x[flipped] = x[flipped, :, :, ::-1]
        return x


@dataclass(frozen=True)
class RandomCrop(Transform):
    """The picture is padded with black on each side, and a window of its own size cut out anywhere.

    Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016, section 4.2, after Lee,
    Xie, Gallagher, Zhang, Tu, "Deeply-supervised nets", 2015.
    """

    name: ClassVar[str] = "crop"
    moves: ClassVar[bool] = True
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"padding": (1, 1024)}
    padding: int = 4

    def apply(self, x: Array, draws: Draws, fill: Array) -> Array:
        pad = self.padding
        top, left = draws.integers(2 * pad), draws.integers(2 * pad)
        padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        windows = sliding_window_view(padded, x.shape[2:], (2, 3))
        cut: Array = windows[np.arange(len(x)), :, top, left]
        return cut


@dataclass(frozen=True)
class RandomResizedCrop(Transform):
    """A part of the picture of random size and proportions, resized to `size` x `size`.

    The part has from `least` of the picture's pixels to all, and from 3/4 to 4/3 as many columns as rows,
    drawn evenly on a logarithmic scale; bilinear interpolation with antialiasing. Where ten draws do not fit
    in, it is the largest middle part of allowed proportions. `size` 0 keeps the picture's own.

    Source: Szegedy and others, "Going deeper with convolutions", 2015, section 6.
    """

    name: ClassVar[str] = "resized_crop"
    moves: ClassVar[bool] = True
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"size": (0, 4096), "least": (1e-6, 1)}
    size: int = 0
    least: float = 0.08

    def output(self, shape: Shape) -> Shape:
        return (shape[0], self.size, self.size) if self.size else shape

    def apply(self, x: Array, draws: Draws, fill: Array) -> Array:
        _, height, width = self.output(x.shape[1:])
        top, left, rows, columns = self.boxes(x.shape[2], x.shape[3], draws)
        x = resized_rows(x, top, rows, height)
        turned = resized_rows(x.swapaxes(2, 3), left, columns, width)
        return np.ascontiguousarray(turned.swapaxes(2, 3))

    def boxes(self, height: int, width: int, draws: Draws) -> tuple[Array, Array, Array, Array]:
        """Top, left, rows and columns of each sample's part, in whole pixels."""
        area, ratio = draws.uniform(2 * _ATTEMPTS).reshape(2, _ATTEMPTS, -1)
        area = height * width * (self.least + (1 - self.least) * area)
        ratio = np.exp(np.log(4 / 3) * (2 * ratio - 1))
        columns = np.rint(np.sqrt(area * ratio)).astype(np.int64)
        rows = np.rint(np.sqrt(area / ratio)).astype(np.int64)
        fits = (columns > 0) & (columns <= width) & (rows > 0) & (rows <= height)
        first = fits.argmax(axis=0)
        columns, rows = (sizes[first, np.arange(sizes.shape[1])] for sizes in (columns, rows))
        found = fits.any(axis=0)
        widest, highest = min(width, round(height * 4 / 3)), min(height, round(width * 4 / 3))
        columns, rows = np.where(found, columns, widest), np.where(found, rows, highest)
        u, v = draws.uniform(2)
        top = np.where(found, u * (height - rows + 1), (height - rows) // 2).astype(np.int64)
        left = np.where(found, v * (width - columns + 1), (width - columns) // 2).astype(np.int64)
        return top, left, rows, columns


def resized_rows(x: Array, start: Array, length: Array, wanted: int) -> Array:
    """A stretch of the rows of each picture N,C,H,W as `wanted` rows, bilinear with antialiasing.

    Row i is the mean of the rows around start + (i + 1/2) s, s = length / wanted, weighted by a triangle that
    is max(s, 1) wide on either side and ends at the stretch, as Pillow resizes what is cut out.
    """
    scale = (length / wanted)[:, None, None]
    reach = np.maximum(scale, 1)
    centre = start[:, None, None] + (np.arange(wanted)[:, None] + 0.5) * scale
    near = np.floor(centre - reach).astype(np.int64) + np.arange(int(np.ceil(2 * reach.max())) + 1)
    weights = np.maximum(0, 1 - np.abs(near + 0.5 - centre) / reach)
    weights *= (near >= start[:, None, None]) & (near < (start + length)[:, None, None])
    # added one after another: the order of `sum` depends on how many taps other samples need
    weights /= np.add.accumulate(weights, axis=2)[..., -1:]
    weights = weights.astype(x.dtype)
    near = near.clip(0, x.shape[2] - 1)
    sample, channel = np.ogrid[: len(x), : x.shape[1]]
    y = np.zeros((*x.shape[:2], wanted, x.shape[3]), x.dtype)
    for tap in range(near.shape[2]):
        rows = x[sample[..., None], channel[..., None], near[:, None, :, tap]]
        rows *= weights[:, None, :, tap, None]
        y += rows
    return y


@dataclass(frozen=True)
class Cutout(Transform):
    """A square of `size` x `size` pixels is set to the mean colour, its centre anywhere in the picture.

    Parts of the square beyond the picture are lost. Without statistics of the data the square is black.

    Source: DeVries, Taylor, "Improved regularization of convolutional neural networks with Cutout", 2017.
    """

    name: ClassVar[str] = "cutout"
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"size": (1, 4096)}
    size: int = 16

    def apply(self, x: Array, draws: Draws, fill: Array) -> Array:
        inside = [
            np.abs(
                np.arange(length)
                - (draws.integers(length - 1) - self.size // 2 + (self.size - 1) / 2)[:, None]
            )
            < self.size / 2
            for length in x.shape[2:]
        ]
        hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
        np.copyto(x, fill.astype(x.dtype).reshape(1, -1, 1, 1), where=hole)
        return x


def require_pictures(shape: Shape, what: str) -> None:
    """Raise ExecutionError unless samples are pictures C,H,W of 1 or 3 channels."""
    if len(shape) != 3 or shape[0] not in (1, 3):
        hint = None
        if len(shape) == 2:
            hint = f"grey pictures have one channel: --size {format_shape((1, *shape))}"
        elif len(shape) == 3 and shape[2] in (1, 3):
            hint = "the channels stand first: x.transpose(0, 3, 1, 2)"
        refuse(
            "E925",
            f"{what} changes pictures of 1 or 3 channels; samples are {format_shape(shape)}",
            help=hint,
        )
