"""Labels that have a place in the picture: what augmentation may do then."""

from pathlib import Path

import numpy as np
import pytest

from netcalc.diagnostics import ExecutionError
from netcalc.train.augmentation import AUGMENTATIONS, Augmentation, parsed
from netcalc.train.augmentation.mixing import Mixup
from netcalc.train.batches import Batches
from netcalc.train.data import DataSet, open_data

STILL = {"jitter", "cutout", "mixup"}
"""What leaves every pixel where it is."""


def augmented(name: str) -> Augmentation:
    """An augmentation by itself, with its defaults."""
    transform = AUGMENTATIONS[name]()
    return Augmentation((), transform) if isinstance(transform, Mixup) else Augmentation((transform,))


def data_of(folder: Path, *label: int) -> DataSet:
    """Six pictures 1 x 16 x 16 with labels of a shape."""
    np.savez(folder / "d.npz", x=np.zeros((6, 1, 16, 16), np.float32), y=np.zeros((6, *label), np.int64))
    return open_data(folder / "d.npz")


@pytest.mark.parametrize("label", [(16, 16), (4, 4), (1, 16, 16)], ids=str)
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_what_moves_pixels_is_refused_where_labels_have_places(
    name: str, label: tuple[int, ...], tmp_path: Path
) -> None:
    data = data_of(tmp_path, *label)
    if name in STILL:
        Batches(data, 2, augmentation=augmented(name))
        return
    with pytest.raises(ExecutionError, match=f"E925.*{name} moves the pixels of a picture, and not the"):
        Batches(data, 2, augmentation=augmented(name))


@pytest.mark.parametrize("label", [(), (5,), (5, 1, 1)], ids=str)
def test_a_label_of_the_whole_picture_goes_with_every_augmentation(
    label: tuple[int, ...], tmp_path: Path
) -> None:
    Batches(data_of(tmp_path, *label), 2, augmentation=parsed("flip,crop:1,resized_crop"))
