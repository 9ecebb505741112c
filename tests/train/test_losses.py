"""The losses against their definitions, finite differences, and what does not fit."""

import numpy as np
import pytest

import netcalc.train.parallel
import netcalc.train.softmax
from netcalc.backend.kernels.base import Array
from netcalc.train.losses import LOSSES, CrossEntropy, Hinge, LossFunction, MeanSquaredError, TotalLoss

from training_cases import LOSS_CASES, LossCase

LOGITS = np.random.default_rng(0).normal(0, 3, (5, 7))
LABELS = np.array([0, 6, 3, 3, 1])

every_case = pytest.mark.parametrize(
    "case", [*LOSS_CASES, LossCase("hinge", (2, 5, 2, 3), {"average": False, "squared": True})], ids=str
)


def loss_of(case: LossCase) -> LossFunction:
    return LOSSES[case.loss](**case.options)


def test_every_loss_has_cases_with_every_option_set() -> None:
    assert {case.loss for case in LOSS_CASES} == LOSSES.keys()
    for name, loss in LOSSES.items():
        used = {option for case in LOSS_CASES if case.loss == name for option in case.options}
        assert used | ({"average"} if name == "hinge" else set()) == loss.options.keys()


@every_case
def test_the_gradient_is_the_finite_difference(case: LossCase) -> None:
    loss, outputs, targets = loss_of(case), case.outputs, case.targets
    _, gradient = loss(outputs, targets)
    for index in np.ndindex(outputs.shape):
        step = np.zeros_like(outputs)
        step[index] = 1e-5
        slope = (loss(outputs + step, targets)[0] - loss(outputs - step, targets)[0]) / 2e-5
        assert gradient[index] == pytest.approx(slope, abs=1e-9)


@every_case
def test_given_arrays_stay_as_they_are(case: LossCase) -> None:
    outputs, targets = case.outputs, case.targets
    outputs.flags.writeable = targets.flags.writeable = False
    loss_of(case)(outputs, targets)


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_gradient_has_the_dtype_and_the_shape_of_the_outputs(case: LossCase, dtype: str) -> None:
    value, gradient = loss_of(case)(case.outputs.astype(dtype), case.targets)
    assert isinstance(value, float)
    assert (gradient.dtype, gradient.shape) == (dtype, case.shape)


@every_case
def test_outputs_that_are_not_finite_give_no_warning(case: LossCase) -> None:
    for bad in (np.nan, np.inf):
        outputs = case.outputs
        outputs.flat[1:3] = bad
        loss_of(case)(outputs, case.targets)


def test_the_largest_scores_neither_overflow_nor_lose_the_loss() -> None:
    scores = np.array([[1e4, 0.0], [-1e4, 1e4]], np.float32)
    loss, gradient = CrossEntropy()(scores, [1, 1])
    assert loss == pytest.approx(5e3)
    np.testing.assert_array_equal(gradient, np.array([[0.5, -0.5], [0, 0]], np.float32))
    loss, gradient = LOSSES["bce"]()(scores, np.array([[0, 1], [0, 1]]))
    assert loss == pytest.approx((1e4 + np.log(2)) / 4)
    np.testing.assert_array_equal(gradient, np.array([[0.25, -0.125], [0, 0]], np.float32))


def test_cross_entropy_is_the_mean_of_the_labels_negative_logarithms() -> None:
    probabilities = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    loss, _ = CrossEntropy()(LOGITS, LABELS)
    assert loss == pytest.approx(-np.log(probabilities[np.arange(5), LABELS]).mean(), rel=1e-14)


def test_a_sequence_and_a_map_are_their_positions_one_by_one() -> None:
    rng = np.random.default_rng(1)
    scores, labels = rng.normal(size=(2, 3, 4, 5)), rng.integers(0, 5, (2, 3, 4))  # N,H,W,C
    for name in ("cross_entropy", "hinge"):
        loss = LOSSES[name]()
        value, gradient = loss(scores.reshape(-1, 5), labels.reshape(-1))
        in_sequence, along_sequence = loss(scores.reshape(2, 12, 5), labels.reshape(2, 12))
        on_map, along_map = loss(np.moveaxis(scores, 3, 1), labels)
        assert in_sequence == pytest.approx(value)
        assert on_map == pytest.approx(value)
        np.testing.assert_allclose(along_sequence.reshape(-1, 5), gradient)
        np.testing.assert_allclose(np.moveaxis(along_map, 1, 3).reshape(-1, 5), gradient)


def test_the_hinge_of_the_lectures() -> None:
    scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
    loss, _ = Hinge(average=False)(scores, [0, 1, 2])
    assert loss == pytest.approx((2.9 + 0 + 12.9) / 3)
    assert Hinge()(scores, [0, 1, 2])[0] == pytest.approx(loss / 3)


def test_what_is_ignored_has_no_gradient() -> None:
    labels = np.where(np.arange(5) == 2, -1, LABELS)
    value, gradient = CrossEntropy(ignored=-1)(LOGITS, labels)
    kept = np.arange(5) != 2
    expected, others = CrossEntropy()(LOGITS[kept], LABELS[kept])
    assert value == pytest.approx(expected)
    assert not gradient[2].any()
    np.testing.assert_allclose(gradient[kept], others)


@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "message"),
    [
        (CrossEntropy(), LOGITS, LABELS[:4], r"not \(5, 7\) and \(4,\)"),
        (CrossEntropy(), LOGITS[0], LABELS, "scores N,C or"),
        (CrossEntropy(), LOGITS[:0], LABELS[:0], "scores N,C or"),
        (CrossEntropy(), LOGITS, LABELS + 1, "labels are 0 to 6, not 1 to 7"),
        (CrossEntropy(), LOGITS, LABELS - 1, "labels are 0 to 6, not -1 to 5"),
        (CrossEntropy(), LOGITS, LABELS / 2, "whole numbers, not float64"),
        (CrossEntropy(), LOGITS, LABELS > 2, "whole numbers, not bool"),
        (CrossEntropy(), LOGITS, np.array(list("abcde")), "whole numbers, not <U1"),
        (CrossEntropy(ignored=9), LOGITS, LABELS + 2, "labels are 0 to 6, not 2 to 8"),
        (CrossEntropy(weights=[1, 2]), LOGITS, LABELS, "2 weights for 7 classes"),
        (LOSSES["hinge"](), LOGITS, LABELS + 1, "labels are 0 to 6"),
        (LOSSES["mse"](), LOGITS, LOGITS[:, :1], r"outputs' shape \(5, 7\), not \(5, 1\)"),
        (LOSSES["l1"](), LOGITS[:0], LOGITS[:0], "outputs' shape"),
        (LOSSES["huber"](), LOGITS, LOGITS * np.nan, "NaN or infinite"),
        (LOSSES["mse"](), LOGITS, LOGITS * 1j, "numbers, not complex128"),
        (LOSSES["bce"](), LOGITS, LOGITS * 0 + 1.5, "targets are 0 to 1, not 1.5 to 1.5"),
    ],
)
def test_what_does_not_fit_is_refused(
    loss: LossFunction, outputs: Array, targets: Array, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        loss(outputs, targets)


def test_several_outputs_are_weighted() -> None:
    loss = TotalLoss({"head": (CrossEntropy(), 1.0), "aux": (CrossEntropy(), 0.3)})
    outputs = {"head": LOGITS, "aux": LOGITS[::-1], "features": LOGITS}
    value, gradients, losses = loss(outputs, LABELS)
    head, dy = CrossEntropy()(LOGITS, LABELS)
    aux, other = CrossEntropy()(LOGITS[::-1], LABELS)
    assert losses == {"head": head, "aux": aux}
    assert value == pytest.approx(head + 0.3 * aux)
    assert gradients.keys() == losses.keys()
    np.testing.assert_array_equal(gradients["head"], dy)
    np.testing.assert_allclose(gradients["aux"], 0.3 * other)


def test_several_outputs_have_targets_of_their_own() -> None:
    loss = TotalLoss({"head": (CrossEntropy(), 1.0), "value": (MeanSquaredError(), 0.5)})
    value, _, losses = loss({"head": LOGITS, "value": LOGITS}, {"head": LABELS, "value": LOGITS + 2})
    assert value == pytest.approx(losses["head"] + 0.5 * 4)


@pytest.mark.parametrize(
    ("terms", "outputs", "targets", "message"),
    [
        ({}, {}, {}, "needs the loss of an output"),
        ({"y": (CrossEntropy(), 0)}, {}, {}, "the weight of y's loss is a number above 0, not 0"),
        ({"y": (CrossEntropy(), np.nan)}, {}, {}, "above 0, not nan"),
        ({"y": (CrossEntropy(), 1)}, {"z": LOGITS}, LABELS, "no output 'y', but z"),
        ({"y": (CrossEntropy(), 1)}, {"y": LOGITS}, {"z": LABELS}, "no targets 'y', but z"),
        ({"y": (CrossEntropy(), 1)}, {"y": LOGITS}, LABELS + 1, "y: labels are 0 to 6"),
    ],
)
def test_what_several_outputs_lack_is_said(terms, outputs, targets, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TotalLoss(terms)(outputs, targets)


@pytest.mark.parametrize("case", [case for case in LOSS_CASES if case.loss == "cross_entropy"], ids=str)
def test_a_tile_at_a_time_on_two_workers_is_all_at_once(
    case: LossCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, gradient = loss_of(case)(case.outputs, case.targets)
    monkeypatch.setattr(netcalc.train.softmax, "TILE", 2 * case.shape[1])
    monkeypatch.setattr(netcalc.train.parallel, "_FEWEST_ELEMENTS", 1)
    in_tiles, gradient_in_tiles = loss_of(case)(case.outputs, case.targets)
    assert in_tiles == value
    np.testing.assert_array_equal(gradient_in_tiles, gradient)


@pytest.mark.parametrize(
    ("loss", "labels"),
    [
        (CrossEntropy(ignored=9), LABELS * 0 + 9),
        (CrossEntropy(ignored=9, label_smoothing=0.1), LABELS * 0 + 9),
        (CrossEntropy(weights=[0, 0, 1, 0, 0, 0, 0]), LABELS),
    ],
)
def test_where_no_label_counts_loss_and_gradient_are_zero(loss: CrossEntropy, labels: Array) -> None:
    for shape in ((5, 7), (1, 5, 7), (5, 7, 1, 1)):
        outputs = LOGITS.reshape(shape)
        places = labels.reshape(shape[:-1] if len(shape) < 4 else (5, 1, 1))
        value, gradient = loss(outputs, places)
        assert (value, gradient.shape, np.abs(gradient).max()) == (0, shape, 0)
