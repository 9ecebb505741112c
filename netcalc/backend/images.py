"""Pictures to arrays: resized, cut out of the middle and normalised, as classifiers are fed.

Pillow reads them, the extra `netcalc[images]`.
"""

import os
import warnings
from typing import Any

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.graph import Preprocess
from netcalc.tensor import Shape, format_shape

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
MAX_PIXELS = 89_478_485
"""Pixels that a picture may have: Pillow's own limit, a quarter of a gigabyte in RGB."""
_MODES = {1: "L", 3: "RGB"}


def read_image(path: str | os.PathLike[str], shape: Shape, preprocess: Preprocess) -> Array:
    """A picture as C,H,W in float64, for an input of that shape.

    Its shorter side is brought to `preprocess.resize`, or to the larger of H and W, by bilinear
    interpolation with antialiasing; the middle H x W is cut out; values from 0 to 1 are taken the mean
    from and divided by the standard deviation of their channel. As torchvision's Resize, CenterCrop,
    ToTensor and Normalize.

    Raises ExecutionError where Pillow is missing, the file is no sound picture or too large, and where
    the input is not one of 1 or 3 channels.
    """
    if len(shape) != 3 or shape[0] not in _MODES:
        refuse("E911", f"a picture fills an input of 1 or 3 channels, H and W, not {format_shape(shape)}")
    channels, height, width = shape
    for name, values in (("mean", preprocess.mean), ("std", preprocess.std)):
        if len(values) not in (1, channels):
            refuse("E911", f"{name} has {len(values)} values, the input has {channels} channels")
    picture = _opened(path, _MODES[channels])
    shorter = max(preprocess.resize or 0, height, width)
    scale = shorter / min(picture.size)
    size = [max(shorter, int(side * scale)) for side in picture.size]
    left, top = round((size[0] - width) / 2), round((size[1] - height) / 2)
    picture = picture.resize(size, _pillow().Resampling.BILINEAR)
    picture = picture.crop((left, top, left + width, top + height))
    pixels = np.asarray(picture, np.float64).reshape(height, width, channels) / 255
    normal = (pixels - np.array(preprocess.mean)) / np.array(preprocess.std)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def _opened(path: str | os.PathLike[str], mode: str) -> Any:
    pillow = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow warns of bombs and of broken metadata
            with pillow.open(path) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise ValueError(f"{picture.width} x {picture.height} pixels are beyond {MAX_PIXELS:,}")
                return picture.convert(mode)
    except FileNotFoundError:
        refuse("E906", f"there is no picture {path}")
    except (OSError, ValueError, SyntaxError, pillow.DecompressionBombError, Warning) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        refuse("E906", f"{path} cannot be read as a picture: {reason}")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        refuse("E912", "pictures are read with Pillow", help="pip install 'netcalc[images]'")
    return Image
