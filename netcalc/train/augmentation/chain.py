"""A list of augmentations, and how it is written: `crop:4,flip`."""

from dataclasses import dataclass, fields

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import nearest
from netcalc.tensor import Shape, format_shape
from netcalc.train.augmentation.colour import ColourJitter
from netcalc.train.augmentation.geometry import (
    Cutout,
    RandomCrop,
    RandomFlip,
    RandomResizedCrop,
    require_pictures,
)
from netcalc.train.augmentation.mixing import Mixup
from netcalc.train.augmentation.transform import Transform
from netcalc.train.data.dataset import DataSet
from netcalc.train.draws import Draws

AUGMENTATIONS: dict[str, type[Transform]] = {
    each.name: each for each in (RandomFlip, RandomCrop, RandomResizedCrop, ColourJitter, Cutout, Mixup)
}
"""The augmentations by their names."""


@dataclass(frozen=True)
class Augmentation:
    """Augmentations one after another; Mixup is always the last. True where there is any."""

    transforms: tuple[Transform, ...] = ()
    mixup: Mixup | None = None

    def __bool__(self) -> bool:
        return bool(self.transforms) or self.mixup is not None

    def __str__(self) -> str:
        return ",".join(map(str, [*self.transforms, *([self.mixup] if self.mixup else [])]))

    @property
    def has_range(self) -> bool:
        """Whether pictures must be numbers from 0 to 1."""
        return any(transform.has_range for transform in self.transforms)

    def require(self, data: DataSet) -> Shape:
        """The shape of a sample afterwards. Raises ExecutionError where it cannot act on these samples."""
        if len(data.fields) != 1:
            refuse("E925", f"{data.path} has several inputs: {', '.join(data.fields)}; one is augmented")
        ((_, field),) = data.fields.items()
        if data.vocabulary is not None:
            refuse("E925", f"{data.path} holds tokens, which are not augmented")
        if field.dtype.kind != "f" and field.dtype != np.uint8:
            refuse("E925", f"{data.path} holds {field.dtype}; bytes and floats are augmented")
        labels = data.labels()
        moving = next((transform.name for transform in self.transforms if transform.moves), None)
        if moving and labels is not None and any(length > 1 for length in labels.shape[2:]):
            refuse(
                "E925",
                f"{moving} moves the pixels of a picture, and not the labels of {data.path}, which are "
                f"{format_shape(labels.shape[1:])} and have their places in it",
                help="jitter, cutout and mixup leave pixels where they are",
            )
        return self.output(field.shape)

    def output(self, shape: Shape) -> Shape:
        """The shape that a sample C,H,W has afterwards."""
        for transform in self.transforms:
            require_pictures(shape, transform.name)
            if isinstance(transform, Cutout) and transform.size >= 2 * max(shape[1:]) - 1:
                refuse("E925", f"cutout of {transform.size} leaves nothing of {format_shape(shape)}")
            shape = transform.output(shape)
        return shape

    def apply(
        self, x: Array, indices: Array, seed: int, epoch: int, fill: tuple[float, ...] = (0.0,)
    ) -> Array:
        """Pictures (N,C,H,W) of these samples as they are in an epoch, before they are mixed."""
        colour = np.broadcast_to(np.array(fill), (x.shape[1],)) if self.transforms else np.array(fill)
        for stream, transform in enumerate(self.transforms):
            x = transform.apply(x, Draws(seed, epoch, indices, stream), colour)
        return x


def parsed(text: str) -> Augmentation:
    """The augmentations of `crop:4,flip`: names with commas between, each with its options after colons.

    Raises ExecutionError for unknown names, options that are no numbers, too many or out of range.
    """
    found = [_one(part.strip()) for part in text.split(",") if part.strip()]
    mixups = [each for each in found if isinstance(each, Mixup)]
    if len(mixups) > 1 or (mixups and not isinstance(found[-1], Mixup)):
        refuse("E925", "mixup stands once, as the last: it mixes what the others have made")
    return Augmentation(tuple(each for each in found if not isinstance(each, Mixup)), (*mixups, None)[0])


def _one(text: str) -> Transform:
    name, *values = (part.strip() for part in text.split(":"))
    if name not in AUGMENTATIONS:
        match = nearest(name, AUGMENTATIONS)
        hint = f"did you mean {match}?" if match else f"there are {', '.join(AUGMENTATIONS)}"
        refuse("E925", f"there is no augmentation {name!r}", help=hint)
    options = fields(AUGMENTATIONS[name])
    if len(values) > len(options):
        known = ":".join([name, *(option.name for option in options)])
        refuse("E925", f"{text} has {len(values)} options; it is written {known}")
    numbers = [_number(text, value) for value in values]
    return AUGMENTATIONS[name](*numbers)


def _number(text: str, value: str) -> float:
    try:
        return int(value) if value.isdecimal() else float(value)
    except ValueError:
        refuse("E925", f"{value!r} in {text} is no number")
