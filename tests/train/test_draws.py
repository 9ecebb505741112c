"""Counter-based random numbers: the published vectors, and their distribution."""

import numpy as np
import pytest

from netcalc.train.draws import Draws, philox, shuffled


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0, 0, 0, 0], (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([2**32 - 1] * 4, (2**32 - 1, 2**32 - 1), [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            (0xA4093822, 0x299F31D0),
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_the_vectors_of_its_authors(counter: list[int], key: tuple[int, int], expected: list[int]) -> None:
    """Random123's kat_vectors."""
    a, b, c, d = (np.array([word], np.uint64) for word in counter)
    assert [int(word[0]) for word in philox((a, b, c, d), key)] == expected


def test_a_samples_numbers_are_its_own() -> None:
    together = Draws(3, 1, np.arange(100), 2).uniform(5)
    some = Draws(3, 1, np.array([70, 4]), 2).uniform(5)
    np.testing.assert_array_equal(some, together[:, [70, 4]])
    for seed, epoch, stream in ((4, 1, 2), (3, 2, 2), (3, 1, 3)):
        assert not (Draws(seed, epoch, np.arange(100), stream).uniform(5) == together).any()


def test_they_are_uniform_and_independent() -> None:
    numbers = Draws(0, 0, np.arange(20_000), 0).uniform(4)
    counts = np.stack([np.histogram(row, 50, (0, 1))[0] for row in numbers])
    assert (np.square(counts - 400).sum(axis=1) / 400 < 86).all()  # chi-squared of 49: P < 0.001 beyond
    assert np.abs(np.corrcoef(numbers) - np.eye(4)).max() < 0.03
    whole = Draws(0, 0, np.arange(10_000), 1).integers(2)
    assert np.bincount(whole).min() > 3100


def test_an_order_is_of_seed_and_epoch_alone() -> None:
    indices = np.arange(1000) * 3
    first = shuffled(indices, 5, 0)
    assert sorted(first) == indices.tolist()
    np.testing.assert_array_equal(first, shuffled(indices, 5, 0))
    places = np.array([np.argsort(shuffled(indices, 5, epoch))[:3] for epoch in range(400)])
    assert np.abs(places.mean(axis=0) - 499.5).max() < 4 * 288.7 / 20
    assert first[:5].tolist() == shuffled(indices[::-1], 5, 0)[:5].tolist()
