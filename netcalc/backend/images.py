"""Pictures to arrays: resized, cut out of the middle and normalised, as classifiers are fed.

Pillow reads them, the extra `netcalc-nn[images]`.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.files import FAULTS, opened
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import extra_help
from netcalc.graph import Preprocess
from netcalc.tensor import Shape, format_shape

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""Those alone are read, whatever a file is called: an EPS would start Ghostscript."""
MAX_PIXELS = 89_478_485
"""Pixels that a picture may have: Pillow's own limit, a quarter of a gigabyte in RGB."""
_MODES = {1: "L", 3: "RGB"}
_DEEP = 65535
"""The largest number of a picture of 16 bits."""
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
"""Tags of a TIFF."""
_ORIENTATION, _ON_ITS_SIDE = 274, (5, 6, 7, 8)
"""A tag of EXIF, and its values for pictures whose rows are columns."""
_WHITE_IS_ZERO, _SIGNED = 0, 2
"""Values of the tags of a TIFF."""


def read_image(path: str | os.PathLike[str], shape: Shape, preprocess: Preprocess) -> Array:
    """A picture as C,H,W in float64, for an input of that shape.

    Its shorter side is brought to `preprocess.resize`, or to the larger of H and W, by bilinear
    interpolation with antialiasing; the middle H x W is cut out; values from 0 to 1 are taken the mean
    from and divided by the standard deviation of their channel. As torchvision's Resize, CenterCrop,
    ToTensor and Normalize. Grey pictures may have 16 bits, or floats from 0 to 1. A picture is turned
    upright as its EXIF data says.

    Raises ExecutionError where Pillow is missing, the file is no sound picture, too large, transparent
    or of numbers whose range nobody knows, and where the input is not one of 1 or 3 channels.
    """
    for name, values in (("mean", preprocess.mean), ("std", preprocess.std)):
        if len(shape) == 3 and shape[0] in _MODES and len(values) not in (1, shape[0]):
            refuse("E911", f"{name} has {len(values)} values, the input has {shape[0]} channels")
    pixels = read_pixels(path, shape, preprocess.resize).transpose(1, 2, 0)
    values_of = pixels / 255 if pixels.dtype == np.uint8 else pixels.astype(np.float64)
    normal = (values_of - np.array(preprocess.mean)) / np.array(preprocess.std)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def read_pixels(path: str | os.PathLike[str], shape: Shape, resize: int | None = None) -> Array:
    """A picture as C,H,W before it is normalised: uint8, or float32 from 0 to 1 where its file has more bits.

    Raises ExecutionError as `read_image` does.
    """
    return read_pictures([path], shape, resize, workers=1)[0]


def read_pictures(
    paths: Sequence[str | os.PathLike[str]], shape: Shape, resize: int | None, workers: int
) -> list[Array]:
    """The pixels of several pictures, decoded by as many threads: Pillow lets go of the interpreter lock."""
    with warnings.catch_warnings():  # here and not in the threads, which share one list of filters
        warnings.simplefilter("error")  # Pillow warns of bombs and of broken metadata
        if min(workers, len(paths)) < 2:
            return [_pixels(path, shape, resize) for path in paths]
        with ThreadPoolExecutor(min(workers, len(paths))) as threads:
            return [*threads.map(lambda path: _pixels(path, shape, resize), paths)]


def picture_shape(path: str | os.PathLike[str]) -> Shape:
    """The shape that a picture has as C,H,W, from its header alone; 1 channel where it is grey.

    Raises ExecutionError where the file is no picture.
    """
    with warnings.catch_warnings(), _faults(path):
        warnings.simplefilter("error")
        with opened(path) as file, pillow().open(file, formats=_FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise ValueError(f"{width} x {height} pixels are beyond {MAX_PIXELS:,}")
            is_tagged = picture.format != "PNG" or "exif" in picture.info  # else all of it would be decoded
            if is_tagged and picture.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE:
                width, height = height, width
            is_grey = picture.mode in ("1", "L", "LA", "La", "F") or picture.mode.startswith("I")
            return 1 if is_grey else 3, height, width


def _pixels(path: str | os.PathLike[str], shape: Shape, resize: int | None) -> Array:
    if len(shape) != 3 or shape[0] not in _MODES:
        refuse("E911", f"a picture fills an input of 1 or 3 channels, H and W, not {format_shape(shape)}")
    channels, height, width = shape
    picture = _opened(path, _MODES[channels])
    shorter = max(resize or 0, height, width)
    scale = shorter / min(picture.size)
    size = [max(shorter, int(side * scale)) for side in picture.size]
    if size[0] * size[1] > max(MAX_PIXELS, 4 * height * width):
        refuse("E911", f"{path} would be resized to {size[0]} x {size[1]}, beyond {MAX_PIXELS:,} pixels")
    left, top = round((size[0] - width) / 2), round((size[1] - height) / 2)
    picture = picture.resize(size, pillow().Resampling.BILINEAR)
    picture = picture.crop((left, top, left + width, top + height))
    pixels = np.asarray(picture).reshape(height, width, -1)
    return np.broadcast_to(pixels, (height, width, channels)).transpose(2, 0, 1)


def _opened(path: str | os.PathLike[str], mode: str) -> Any:
    """A picture in that mode, or in mode F with numbers from 0 to 1 where its own have more than 8 bits."""
    with _faults(path), opened(path) as file, pillow().open(file, formats=_FORMATS) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise ValueError(f"{picture.width} x {picture.height} pixels are beyond {MAX_PIXELS:,}")
        return _in_mode(picture, mode)


@contextmanager
def _faults(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise ExecutionError, naming the picture, for whatever goes wrong in reading it."""
    image = pillow()
    try:
        yield
    except FileNotFoundError:
        refuse("E906", f"there is no picture {path}")
    except image.UnidentifiedImageError:
        refuse("E906", f"{path} cannot be read as a picture: it is none of {', '.join(_FORMATS)}")
    except MemoryError:
        refuse("E906", f"{path} does not fit in memory")
    except (OSError, image.DecompressionBombError, Warning, *FAULTS) as error:
        reason = getattr(error, "strerror", None) or (str(error) or type(error).__name__).splitlines()[0]
        refuse("E906", f"{path} cannot be read as a picture: {reason}")


def _in_mode(picture: Any, mode: str) -> Any:
    from PIL import ImageOps

    is_deep = picture.mode == "F" or picture.mode.startswith("I")
    if is_deep:
        _require_range(picture)
    elif _has_deep_colours(picture):
        raise ValueError("it has 16 bits a colour, of which Pillow reads 8: save it with 8, or as an .npy")
    elif picture.format == "TIFF" and _SIGNED in picture.tag_v2.get(_SAMPLE_FORMAT, ()):
        raise ValueError("it has signed numbers, and nobody knows which of them is white")
    picture = ImageOps.exif_transpose(picture)
    if _is_transparent(picture, is_deep):
        raise ValueError("it is transparent in places: lay it on a background first")
    return pillow().fromarray(_from_0_to_1(picture)) if is_deep else picture.convert(mode)


def _has_deep_colours(picture: Any) -> bool:
    """Whether a picture that Pillow reads as one of 8 bits has more."""
    if picture.format == "TIFF":
        return any(bits > 8 for bits in picture.tag_v2.get(_BITS, ()))
    if picture.format == "PPM":
        return any(codec.startswith("ppm") and args[1] > 255 for codec, _, _, args in picture.tile)
    return picture.format == "PNG" and ";16" in str(picture.tile)


def _is_transparent(picture: Any, is_deep: bool) -> bool:
    """Whether any pixel lets through what is behind it."""
    if is_deep:  # one number may stand for nothing
        return bool(np.any(np.asarray(picture) == picture.info.get("transparency")))
    has_alpha = picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info
    return has_alpha and bool(picture.convert("RGBA").getchannel("A").getextrema()[0] < 255)


def _require_range(picture: Any) -> None:
    """Raise unless a grey picture of more than 8 bits says which numbers are black and white."""
    if picture.format == "TIFF" and picture.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        raise ValueError("its 0 is white, which is read in pictures of 8 bits alone")
    if ";12" in str(picture.tile):  # how Pillow unpacks it
        raise ValueError("it has 12 bits, of which Pillow does not say the largest number")
    if picture.mode == "I" and picture.format not in ("PNG", "PPM"):
        raise ValueError("it has 32-bit or signed numbers, and nobody knows which of them is white")


def _from_0_to_1(picture: Any) -> Array:
    """The numbers of a grey picture of more than 8 bits, as parts of white."""
    numbers = np.asarray(picture, np.float32)
    if picture.mode != "F":
        numbers = numbers / np.float32(_DEEP)
    if not (numbers.min() >= 0 and numbers.max() <= 1):  # NaN neither
        raise ValueError("its numbers are not all from 0, black, to 1, white")
    return numbers


def pillow() -> Any:
    """The module PIL.Image; raises ExecutionError where Pillow is missing."""
    try:
        from PIL import Image
    except ImportError:
        refuse("E912", "pictures are read with Pillow", help=extra_help("images"))
    return Image
