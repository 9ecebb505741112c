"""Batches of epochs, splits and statistics."""

from pathlib import Path

import numpy as np
import pytest

from netcalc.diagnostics import ExecutionError
from netcalc.train.augmentation import parsed
from netcalc.train.batches import Batches
from netcalc.train.data import ArrayData, ChannelStatistics, Reading, open_data, split
from netcalc.train.data import statistics as statistics_module

from data_files import pictures, write_classes


def data_set(count: int = 50, shape: tuple[int, ...] = (3, 8, 8)) -> ArrayData:
    x, y = pictures(count, shape)
    return ArrayData("data", {"x": x}, y)


@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [16, 16, 16, 2]), (True, [16, 16, 16])])
def test_an_epoch_has_every_sample_once(drop_last: bool, sizes: list[int]) -> None:
    data = ArrayData("data", {"x": np.arange(50.0)[:, None]}, np.arange(50))
    batches = Batches(data, 16, drop_last=drop_last)
    assert len(batches) == len(sizes)
    epochs = [[batch.labels.tolist() for batch in batches.epoch(epoch)] for epoch in (0, 1)]
    for epoch in epochs:
        assert [len(labels) for labels in epoch] == sizes
        seen = [label for labels in epoch for label in labels]
        assert len({*seen}) == len(seen)
    assert epochs[0] != epochs[1]
    plain = Batches(data, 16, shuffle=False)
    assert [label for batch in plain.epoch(3) for label in batch.labels] == [*range(50)]


def test_it_continues_where_it_stopped() -> None:
    how = {"seed": 4, "augmentation": parsed("crop:2,flip,jitter,mixup:1")}
    whole = [*Batches(data_set(), 8, **how).epoch(2)]  # type: ignore[arg-type]
    rest = [*Batches(data_set(), 8, **how).epoch(2, start=3)]  # type: ignore[arg-type]
    assert len(rest) == len(whole) - 3
    for one, other in zip(rest, whole[3:], strict=True):
        np.testing.assert_array_equal(one.inputs["x"], other.inputs["x"])
        np.testing.assert_array_equal(one.others, other.others)
        np.testing.assert_array_equal(one.weights, other.weights)


def test_a_batch_is_augmented_and_then_normalised() -> None:
    data = data_set()
    scale = ChannelStatistics((0.25, 0.5, 0.75), (0.5, 1.0, 2.0))
    batches = Batches(data, 5, augmentation=parsed("cutout:7"), statistics=scale, dtype=np.float64)
    x = batches.batch(np.arange(5), 0).inputs["x"]
    stored = data.batch(np.arange(5)).inputs["x"] / 255
    expected = (stored - np.reshape(scale.mean, (3, 1, 1))) / np.reshape(scale.std, (3, 1, 1))
    hole = x == 0  # the mean colour
    np.testing.assert_allclose(x[~hole], expected[~hole], rtol=1e-12)
    assert 0.3 < hole.mean() < 0.9
    assert Batches(data, 5).batch(np.arange(5), 0).inputs["x"].dtype == np.float32


def test_mixtures_are_of_samples_as_they_are_by_themselves() -> None:
    data = data_set()
    indices = np.arange(10, 40)
    batches = Batches(data, 8, indices=indices, augmentation=parsed("flip,mixup:1"), dtype=np.float64)
    alone = Batches(data, 8, indices=indices, augmentation=parsed("flip"), dtype=np.float64)
    mixup = parsed("mixup:1").mixup
    assert mixup is not None
    chosen = np.array([11, 30, 39])
    batch = batches.batch(chosen, 5)
    partners, weights = mixup.draw(chosen, indices, 0, 5)
    assert {*partners} <= {*indices}
    first, second = (alone.batch(numbers, 5) for numbers in (chosen, partners))
    w = weights[:, None, None, None]
    np.testing.assert_allclose(
        batch.inputs["x"], w * first.inputs["x"] + (1 - w) * second.inputs["x"], atol=1e-15
    )
    np.testing.assert_array_equal(batch.weights, weights)
    assert (batch.labels.tolist(), [*np.asarray(batch.others)]) == (first.labels.tolist(), [*second.labels])


def test_partners_are_drawn_evenly() -> None:
    mixup = parsed("mixup").mixup
    assert mixup is not None
    partners, _ = mixup.draw(np.arange(10_000), np.arange(10), 0, 0)
    assert np.abs(np.bincount(partners) - 1000).max() < 4 * 30


def test_tokens_stay_whole_numbers(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("what is this, if not a text without any table?" * 3)
    data = open_data(tmp_path / "t", reading=Reading(context=8))
    (batch, *_) = Batches(data, 4).epoch(0)
    assert (batch.inputs["x"].dtype, batch.labels.shape) == (np.int64, (4, 8))
    np.testing.assert_array_equal(batch.inputs["x"][:, 1:], batch.labels[:, :-1])


@pytest.mark.parametrize(
    ("size", "indices", "augmentation", "words"),
    [
        (0, 9, "", "9 samples of data make no batch of 0"),
        (8, 0, "", "0 samples of data make no batch of 8"),
        (8, 9, "flip", "flip changes pictures of 1 or 3 channels; samples are 5"),
    ],
)
def test_batches_that_cannot_be(size: int, indices: int, augmentation: str, words: str) -> None:
    data = ArrayData("data", {"x": np.zeros((20, 5))}, np.arange(20))
    with pytest.raises(ExecutionError, match=words):
        Batches(data, size, indices=np.arange(indices), augmentation=parsed(augmentation))


def test_floats_beyond_0_to_1_have_no_brightness() -> None:
    x = np.zeros((9, 3, 4, 4))
    x[5, 1, 2, 3] = 255
    data = ArrayData("data", {"x": x}, np.arange(9))
    Batches(data, 9, augmentation=parsed("crop:1,flip")).batch(np.arange(9), 0)
    with pytest.raises(
        ExecutionError, match=r"E925.*sample 5 of data has 255 at \[1, 2, 3\]; floats are pictures"
    ):
        Batches(data, 9, augmentation=parsed("flip,jitter")).batch(np.arange(9), 0)


def test_several_inputs_are_not_augmented() -> None:
    data = ArrayData("data", {"a": np.zeros((2, 3, 4, 4)), "b": np.zeros((2, 3))}, np.arange(2))
    with pytest.raises(ExecutionError, match="data has several inputs: a, b; one is augmented"):
        Batches(data, 2, augmentation=parsed("flip"))
    with pytest.raises(ExecutionError, match="data holds int64; bytes and floats are augmented"):
        Batches(
            ArrayData("data", {"x": np.zeros((2, 3, 4, 4), int)}, np.arange(2)),
            2,
            augmentation=parsed("flip"),
        )


@pytest.mark.parametrize("stratified", [True, False])
def test_a_split_has_each_sample_once(stratified: bool) -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    np.random.default_rng(0).shuffle(labels)
    data = ArrayData("data", {"x": np.zeros((1000, 1))}, labels)
    training, validation = split(data, 0.15, seed=1, stratified=stratified)
    assert sorted([*training, *validation]) == [*range(1000)]
    assert len(validation) == 150
    counts = np.bincount(labels[validation], minlength=3)
    assert (counts.tolist() == [90, 45, 15]) == stratified
    assert not np.array_equal(validation, split(data, 0.15, seed=2)[1])
    np.testing.assert_array_equal(validation, split(data, 0.15, seed=1, stratified=stratified)[1])


def test_shares_that_do_not_come_out_even_add_up() -> None:
    labels = np.repeat(np.arange(7), [3, 5, 7, 11, 2, 1, 8])
    data = ArrayData("data", {"x": np.zeros((37, 1))}, labels)
    for fraction in (0.1, 0.2, 0.3, 0.45):
        _, validation = split(data, fraction)
        assert len(validation) == round(fraction * 37)
        counts = np.bincount(labels[validation], minlength=7)
        assert np.abs(counts - fraction * np.bincount(labels)).max() < 1.2


@pytest.mark.parametrize("shape", [(3, 8, 8), (5,), (2, 6)])
def test_statistics_are_those_of_all_samples_together(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    x = np.random.default_rng(0).standard_normal((200, *shape)) * 3 + 1e6
    x[:, 0] = 7
    data = ArrayData("data", {"x": x}, np.arange(200))
    monkeypatch.setattr(statistics_module, "_PART_BYTES", 7 * x[0].nbytes)
    told: list[int] = []
    chosen = np.arange(20, 180)
    found = ChannelStatistics.of(data, chosen, told.append)
    axes = (0, *range(2, x.ndim))
    np.testing.assert_allclose(found.mean, x[chosen].mean(axis=axes), rtol=1e-14)
    expected = x[chosen].std(axis=axes)
    assert found.std[0] == 1  # where a channel is the same everywhere
    np.testing.assert_allclose(found.std[1:], expected[1:], rtol=1e-9)
    assert sum(told) == 160
    normal = found.apply(x[chosen].copy())
    np.testing.assert_allclose(normal.mean(axis=axes), 0, atol=1e-8)


def test_statistics_of_bytes_are_of_numbers_from_0_to_1(tmp_path: Path) -> None:
    x = write_classes(tmp_path)
    found = ChannelStatistics.of(open_data(tmp_path))
    np.testing.assert_allclose(found.mean, (x / 255).mean(axis=(0, 2, 3)), rtol=1e-12)


@pytest.mark.parametrize("count", [7, 100, 1000])
def test_a_channel_of_equal_numbers_has_the_deviation_1(count: int) -> None:
    for value in range(256):
        x = np.full((count, 1, 4, 4), value, np.uint8)
        found = ChannelStatistics.of(ArrayData("data", {"x": x}, np.arange(count)))
        assert found == ChannelStatistics((value / 255,), (1.0,))


def test_statistics_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("a text " * 100)
    with pytest.raises(ExecutionError, match="has no channels of one input to be normalised"):
        ChannelStatistics.of(open_data(tmp_path / "t"))
    with pytest.raises(ExecutionError, match="no sample of data is chosen"):
        ChannelStatistics.of(data_set(), np.arange(0))
    with pytest.raises(ExecutionError, match="are single numbers, without channels"):
        ChannelStatistics.of(ArrayData("data", {"x": np.zeros(4)}, np.arange(4)))


@pytest.mark.parametrize("sizes", [[1] * 100 + [100], [4, 4, 1, 1, 1, 24]])
def test_classes_that_have_more_give_what_others_cannot(sizes: list[int]) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    data = ArrayData("data", {"x": np.zeros((len(labels), 1))}, labels)
    for fraction in (0.1, 0.4):
        training, validation = split(data, fraction)
        assert len(validation) == round(fraction * len(labels))
        assert len(np.unique(labels[training])) == len(sizes)
    with pytest.raises(ExecutionError, match="0.95 of data would leave a class without a sample"):
        split(data, 0.95)
    with pytest.raises(ValueError, match="fraction is a number, not nan"):
        split(data, float("nan"))
