"""netcalc augment, and what the page on data shows."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data_files import Array, pictures, write_classes, write_mnist

Cli = Callable[..., Any]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def sheet(cli: Cli, *arguments: str) -> Array:
    """The sheet that a command draws, H,W,3, without its margin."""
    result = cli("augment", *arguments, "-o", "sheet.png")
    assert (result.code, result.err) == (0, "")
    with Image.open("sheet.png") as drawn:
        return np.asarray(drawn)


def test_an_original_stands_before_what_is_made_of_it(cli: Cli) -> None:
    x = np.zeros((1, 1, 8, 8), np.uint8)
    x[..., :4] = 200
    np.savez("d.npz", x=x, y=[0])
    drawn = sheet(cli, "--data", "d.npz", "--augment", "flip:1")
    side, top, left = 96, 16 + 12 + 8, 16
    for column, expected in enumerate([x[0, 0], *[x[0, 0, :, ::-1]] * 4]):
        start = left + column * (side + 4) + (12 if column else 0)
        tile = drawn[top : top + side, start : start + side]
        np.testing.assert_array_equal(
            tile, np.repeat(np.repeat(expected, 12, 0), 12, 1)[..., None] * [1, 1, 1]
        )


def test_colours_and_large_pictures(cli: Cli) -> None:
    x = np.zeros((6, 3, 300, 200), np.uint8)
    x[:, 1] = 255
    np.savez("d.npz", x=x, y=np.arange(6))
    drawn = sheet(cli, "--data", "d.npz", "--augment", "flip:1", "--samples", "6")
    green = (drawn == [0, 255, 0]).all(axis=2)
    assert green.sum() == 6 * 5 * 192 * 128
    assert drawn.shape[1] > 2 * 5 * 192  # two samples beside each other


def test_a_sheet_is_the_same_again(cli: Cli) -> None:
    write_mnist(Path("mnist"))
    arguments = ("--data", "mnist", "--augment", "crop,cutout:4,mixup:1", "--samples", "9")
    first = sheet(cli, *arguments, "--seed", "3")
    np.testing.assert_array_equal(sheet(cli, *arguments, "--seed", "3"), first)
    assert not np.array_equal(sheet(cli, *arguments, "--seed", "4"), first)
    assert "9 samples, as they are and in 4 epochs with crop:4,cutout:4,mixup:1 (seed 3)" in " ".join(
        cli("augment", *arguments, "--seed", "3", "-o", "s.png").out.split()
    )


def test_a_class_whose_name_is_no_text(cli: Cli) -> None:
    write_classes(Path("d"), ("cat", os.fsdecode(b"\xff\xfe"), "x" * 200))
    sheet(cli, "--data", "d")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--data no.npz -o s.png", "error[E906]: there is no data file no.npz"),
        ("--data d.npz -o s.jpg", "error[E906]: s.jpg does not end in .png"),
        ("--data d.npz --size 1x28x28 -o no/s.png", "error[E910]: no/s.png cannot be written"),
        ("--data d.npz --augment flop -o s.png", "error[E925]: there is no augmentation 'flop'"),
        ("--data d.npz --size 3x -o s.png", "'3x' is no shape such as 3x64x64"),
        ("--data d.npz --size 3x0x4 -o s.png", "'3x0x4' is no shape"),
        ("--data d.npz --size 1x14x56 -o s.png", "error[E921]: samples of d.npz are 28x28, 1x14x56 are asked"),
        ("--data d.npz -o s.png", "error[E925]: crop changes pictures of 1 or 3 channels; samples are 28x28"),
        ("--data d.npz --augment mixup -o s.png", "error[E925]: a sheet of samples changes pictures"),
        ("--data d.npz --data-format idx -o s.png", "error[E906]: d.npz is not an IDX file"),
        ("--data d.npz --part test -o s.png", "error[E920]: d.npz has no parts"),
        ("--data t.txt -o s.png", "error[E925]: t.txt holds tokens, which are not augmented"),
        ("--data t.txt --size 300 -o s.png", "error[E921]: t.txt has 60 tokens; a sample of 300"),
    ],
)  # fmt: skip
def test_what_is_refused(cli: Cli, arguments: str, words: str) -> None:
    x, y = pictures(3)
    np.savez("d.npz", x=x, y=y)
    Path("t.txt").write_text("Hello. " * 8 + "Bye." if "300" in arguments else "Hello. " * 100)
    there = {path.name for path in Path().iterdir()}
    result = cli("augment", *arguments.split())
    assert (result.code, result.out) == (2, "")
    assert words in " ".join(result.err.replace("│", " ").split())
    assert {path.name for path in Path().iterdir()} == there
