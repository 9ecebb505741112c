"""Augmentations against plain code for one sample, their distributions, and their independence of batches."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest
from PIL import Image

from netcalc.diagnostics import ExecutionError
from netcalc.train.augmentation import AUGMENTATIONS, Augmentation, parsed
from netcalc.train.augmentation.geometry import RandomResizedCrop, resized_rows
from netcalc.train.augmentation.mixing import beta
from netcalc.train.draws import Draws

from data_files import Array

FILL = (0.1, 0.5, 0.9)
SEED, EPOCH = 3, 7


def batch(count: int = 12, shape: tuple[int, ...] = (3, 9, 7)) -> Array:
    return np.random.default_rng(1).random((count, *shape))


def flip(x: Array, draws: Draws, probability: float) -> Array:
    if draws.uniform(1)[0, 0] >= probability:
        return x
    return np.array([[list(reversed(row)) for row in channel] for channel in x])


def crop(x: Array, draws: Draws, padding: int) -> Array:
    top, left = (int(draws.uniform(1)[0, 0] * (2 * padding + 1)) - padding for _ in range(2))
    channels, height, width = x.shape
    y = np.zeros_like(x)
    for c in range(channels):
        for i in range(height):
            for j in range(width):
                if 0 <= i + top < height and 0 <= j + left < width:
                    y[c, i, j] = x[c, i + top, j + left]
    return y


def resized_crop(x: Array, draws: Draws, size: int, least: float) -> Array:
    height, width = x.shape[1:]
    u = draws.uniform(20)[:, 0]
    box = None
    for attempt in range(10):
        area = height * width * (least + (1 - least) * u[attempt])
        ratio = (4 / 3) ** (2 * u[10 + attempt] - 1)
        w, h = round(float(np.sqrt(area * ratio))), round(float(np.sqrt(area / ratio)))
        if 0 < w <= width and 0 < h <= height:
            v = draws.uniform(2)[:, 0]
            box = (int(v[1] * (width - w + 1)), int(v[0] * (height - h + 1)), w, h)
            break
    if box is None:
        w, h = min(width, round(height * 4 / 3)), min(height, round(width * 4 / 3))
        box = ((width - w) // 2, (height - h) // 2, w, h)
    left, top, w, h = box
    wanted = (size or width, size or height)
    parts = [Image.fromarray(c[top : top + h, left : left + w].astype(np.float32)) for c in x]
    cut = [part.resize(wanted, Image.Resampling.BILINEAR) for part in parts]
    return np.stack([np.asarray(c) for c in cut])


def jitter(x: Array, draws: Draws, *strengths: float) -> Array:
    factors = [1 + s * (2 * u - 1) for s, u in zip(strengths, draws.uniform(3)[:, 0], strict=True)]
    for kind in draws.uniform(3)[:, 0].argsort():
        if not strengths[kind]:
            continue
        grey = 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2] if len(x) == 3 else x[0]
        other = [0, grey.mean(), grey][kind]
        x = np.stack([np.clip(factors[kind] * c + (1 - factors[kind]) * other, 0, 1) for c in x])
    return x


def cutout(x: Array, draws: Draws, size: int) -> Array:
    """Rows and columns from the centre minus size // 2 on, as many as the size."""
    y = x.copy()
    centre = [int(draws.uniform(1)[0, 0] * length) for length in x.shape[1:]]
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            if all(
                c - size // 2 <= place < c - size // 2 + size for c, place in zip(centre, (i, j), strict=True)
            ):
                y[:, i, j] = FILL[: len(x)]
    return y


PLAIN: dict[str, Callable[..., Array]] = {
    "flip": flip, "crop": crop, "resized_crop": resized_crop, "jitter": jitter, "cutout": cutout,
}  # fmt: skip
CASES = [
    "flip", "flip:1", "flip:0.2", "crop", "crop:1", "crop:20", "resized_crop", "resized_crop:5", "resized_crop:16:0.9",
    "resized_crop:0:1", "jitter", "jitter:1:0:0", "jitter:0:1:0", "jitter:0:0:1", "jitter:1:1:1", "cutout:4", "cutout:1", "cutout:5",
    "cutout:14",
]  # fmt: skip


def test_every_augmentation_is_compared() -> None:
    assert {text.partition(":")[0] for text in CASES} | {"mixup"} == AUGMENTATIONS.keys()


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize(("channels", "dtype"), [(3, np.float64), (1, np.float32)])
def test_against_plain_code(text: str, channels: int, dtype: type) -> None:
    indices = np.array([5, 2**33, 0, *range(100, 116)])
    x = batch(len(indices), (channels, 9, 7)).astype(dtype)
    chain = parsed(text)
    found = chain.apply(x.copy(), indices, SEED, EPOCH, FILL[:channels])
    (transform,) = chain.transforms
    options = [getattr(transform, field.name) for field in fields(transform)]
    for number, index in enumerate(indices):
        expected = PLAIN[transform.name](x[number], Draws(SEED, EPOCH, np.array([index]), 0), *options)
        tolerance = 2e-6 if dtype is np.float32 or transform.name == "resized_crop" else 1e-12
        np.testing.assert_allclose(found[number], expected, atol=tolerance)
    assert found.dtype == dtype
    assert found.shape[1:] == chain.output(x.shape[1:])


@pytest.mark.parametrize("text", [*CASES, "crop:2,flip,jitter,cutout:3,resized_crop:6"])
def test_a_sample_does_not_depend_on_its_batch(text: str) -> None:
    x, indices = batch(), np.arange(12) * 5
    together = parsed(text).apply(x.copy(), indices, SEED, EPOCH, FILL)
    order = np.array([7, 3, 11, 3])
    some = parsed(text).apply(x[order].copy(), indices[order], SEED, EPOCH, FILL)
    np.testing.assert_array_equal(some, together[order])
    other = parsed(text).apply(x.copy(), indices, SEED, EPOCH + 1, FILL)
    assert text in ("flip:1", "resized_crop:0:1") or not np.array_equal(other, together)


def test_a_resized_part_does_not_depend_on_the_parts_of_others() -> None:
    x, indices = np.random.default_rng(0).random((40, 1, 64, 64)), np.arange(40)
    chain = parsed("resized_crop:7")
    together = chain.apply(x.copy(), indices, SEED, EPOCH)
    for number in indices:
        alone = chain.apply(x[number : number + 1].copy(), indices[number : number + 1], SEED, EPOCH)
        np.testing.assert_array_equal(alone[0], together[number])


def test_half_are_flipped_and_windows_are_everywhere() -> None:
    x = np.zeros((20_000, 1, 1, 2))
    x[..., 1] = 1
    flipped = parsed("flip").apply(x, np.arange(20_000), 0, 0)[:, 0, 0, 0].mean()
    assert abs(flipped - 0.5) < 4 * 0.5 / 20_000**0.5
    spots = np.zeros((20_000, 1, 9, 9))
    spots[:, :, 4, 4] = 1
    moved = parsed("crop:4").apply(spots, np.arange(20_000), 0, 0).mean(axis=0)[0]
    assert np.abs(moved - 1 / 81).max() < 4 * (1 / 81 / 20_000) ** 0.5


def test_a_hole_has_the_size_that_is_asked_for_and_is_anywhere() -> None:
    x = np.ones((20_000, 1, 16, 16))
    holes = 1 - parsed("cutout:4").apply(x, np.arange(20_000), 0, 0)
    assert holes.sum(axis=(1, 2, 3)).max() == 16
    often = holes.mean(axis=0)[0]
    assert np.abs(often[3:13, 3:13] - 16 / 256).max() < 4 * (16 / 256 / 20_000) ** 0.5
    assert often[0, 0] < 0.04  # whose squares reach beyond the picture


def test_parts_have_the_sizes_of_their_paper() -> None:
    crop = RandomResizedCrop()
    top, left, rows, columns = crop.boxes(200, 200, Draws(0, 0, np.arange(20_000), 0))
    area, ratio = rows * columns / 40_000, columns / rows
    assert 0.078 < area.min() < 0.085
    assert area.max() <= 1
    assert (ratio > 0.74).all() and (ratio < 1.35).all()  # noqa: PT018
    assert abs(np.log(ratio).mean()) < 0.01
    assert (top + rows <= 200).all() and (left + columns <= 200).all()  # noqa: PT018
    assert abs(area[area < 0.5].mean() - 0.29) < 0.005
    narrow = crop.boxes(4, 400, Draws(0, 0, np.arange(50), 0))  # where only the middle fits
    assert {tuple(map(int, box)) for box in zip(*narrow, strict=True)} >= {(0, 197, 4, 5)}


def test_resizing_as_pillow_does() -> None:
    for length, wanted in ((9, 9), (9, 4), (5, 12), (1, 3), (9, 1)):
        for start in (0, 9 - length):
            row = np.random.default_rng(2).random((1, 9)).astype(np.float32)
            found = resized_rows(row.reshape(1, 1, 9, 1), np.array([start]), np.array([length]), wanted)
            part = Image.fromarray(row[:, start : start + length])
            expected = part.resize((wanted, 1), Image.Resampling.BILINEAR)
            np.testing.assert_allclose(found.reshape(1, -1), np.asarray(expected), atol=1e-6)


@pytest.mark.parametrize("alpha", [0.1, 0.2, 1.0, 4.0, 1000.0])
def test_weights_of_mixtures_are_of_the_beta_distribution(alpha: float) -> None:
    """Moments of Beta(a, a): variance 1 / (8a + 4), fourth 3 / (16 (2a + 1) (2a + 3)), both about 1/2."""
    count = 40_000
    weights = beta(alpha, Draws(0, 0, np.arange(count), 0)) - 0.5
    assert np.abs(weights).max() <= 0.5
    second, fourth = 1 / (8 * alpha + 4), 3 / (16 * (2 * alpha + 1) * (2 * alpha + 3))
    assert abs(weights.mean()) < 4 * (second / count) ** 0.5
    assert abs(np.square(weights).mean() - second) < 4 * ((fourth - second**2) / count) ** 0.5
    assert abs((weights**4).mean() / fourth - 1) < 0.1
    if alpha == 1:  # uniform
        assert np.histogram(weights, 20, (-0.5, 0.5))[0].min() > 1800


def test_weights_of_mixtures_at_the_ends() -> None:
    weights = beta(0.001, Draws(0, 0, np.arange(1000), 0))
    assert np.isfinite(weights).all()
    assert 400 < (weights > 0.5).sum() < 600


@pytest.mark.parametrize("text", [*CASES, "mixup", "mixup:1", "crop,flip:0.1,mixup:0.3"])
def test_it_is_written_as_it_is_read(text: str) -> None:
    chain = parsed(text)
    assert parsed(str(chain)) == chain
    assert str(chain).startswith(text.partition(",")[0])


def test_no_augmentation() -> None:
    assert not parsed("")
    assert parsed(" ") == Augmentation()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flop", "there is no augmentation 'flop'"),
        ("flip:2", "probability of flip is a number from 0 to 1, not 2"),
        ("flip:nan", "probability of flip is a number from 0 to 1, not nan"),
        ("crop:0", "padding of crop is a whole number from 1 to 1024, not 0"),
        ("crop:2.5", "padding of crop is a whole number from 1 to 1024, not 2.5"),
        ("crop:four", "'four' in crop:four is no number"),
        ("crop:4:4", "crop:4:4 has 2 options; it is written crop:padding"),
        ("jitter:-1", "brightness of jitter is a number from 0 to 1, not -1"),
        ("resized_crop:9999999", "size of resized_crop is a whole number from 0 to 4096"),
        ("mixup:0", "alpha of mixup is a number from 0.001 to 1000, not 0"),
        ("mixup,flip", "mixup stands once, as the last"),
        ("mixup,mixup", "mixup stands once, as the last"),
        ("flip:0", "flip:0 changes nothing; leave it out"),
        ("jitter:0:0:0", "jitter:0:0:0 changes nothing"),
        ("flip:", "'' in flip: is no number"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(ExecutionError, match=words) as caught:
        parsed(text)
    assert caught.value.diagnostics[0].code == "E925"


def test_what_cannot_act() -> None:
    for text, shape in (("flip", (8,)), ("crop", (2, 8, 8)), ("cutout:15", (3, 8, 8))):
        with pytest.raises(ExecutionError, match="E925"):
            parsed(text).output(shape)
    for shape, hint in (((28, 28), "--size 1x28x28"), ((32, 32, 3), "x.transpose(0, 3, 1, 2)")):
        with pytest.raises(ExecutionError, match="crop changes pictures") as caught:
            parsed("crop").output(shape)
        assert hint in str(caught.value.diagnostics[0].help)
    with pytest.raises(ExecutionError, match="there is no augmentation") as caught:
        parsed("flop")
    assert caught.value.diagnostics[0].help == "did you mean flip?"


def test_every_augmentation_names_its_source() -> None:
    for transform in AUGMENTATIONS.values():
        assert "Source: " in str(transform.__doc__)
        assert {*transform.ranges} == {field.name for field in fields(transform)}
