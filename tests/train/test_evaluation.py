"""Evaluation against a few independent lines: means, shares and confusions, whatever the batches."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.train import evaluation
from netcalc.train.data import Batch
from netcalc.train.evaluation import evaluate
from netcalc.train.losses import L1, LOSSES, BinaryCrossEntropy, CrossEntropy, Hinge, MeanSquaredError

Array = np.ndarray[Any, np.dtype[Any]]
DRAW = np.random.default_rng(0)
VECTOR = "input: [6]\nlayers:\n  - linear: 8\n  - relu\n  - linear: 7\n"
CONVOLUTION = (
    "input: [3, 8, 8]\nlayers:\n  - conv: {filters: 8, kernel: 3, pad: 1}\n  - batchnorm\n  - relu\n"
)
MAP = CONVOLUTION + "  - conv: {filters: 7, kernel: 1}\n"
SEQUENCE = "input: [5]\nlayers:\n  - embedding: {entries: 11, width: 6}\n  - linear: 7\n"
TWO = """\
input: [6]
outputs: [first, second]
layers:
  - linear: {name: first, units: 3}
  - linear: {name: second, units: 7, from: input}
"""


def network_of(spec: str, dtype: str = "float64") -> netcalc.Network:
    return netcalc.Network(netcalc.load(spec), seed=3, dtype=dtype)


def batches_of(x: Array, labels: Array, size: int) -> Iterator[Batch]:
    for start in range(0, len(x), size):
        yield Batch({"x": x[start : start + size]}, labels[start : start + size])


def log_softmax(scores: Array) -> Array:
    """Of scores with the classes last."""
    shifted = scores - scores.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


CASES = {
    "vectors": (VECTOR, DRAW.normal(size=(23, 6)), DRAW.integers(0, 7, 23)),
    "maps": (MAP, DRAW.normal(size=(11, 3, 8, 8)), DRAW.integers(0, 7, (11, 8, 8))),
    "sequences": (SEQUENCE, DRAW.integers(0, 11, (13, 5)), DRAW.integers(0, 7, (13, 5))),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@every_case
@pytest.mark.parametrize("size", [1, 4, 9, 100])
@pytest.mark.parametrize("ignored", [None, 2])
def test_classes_against_independent_lines(
    case: tuple[str, Array, Array], size: int, ignored: int | None
) -> None:
    spec, x, labels = case
    network = network_of(spec)
    scores = network.forward(x)
    assert isinstance(scores, np.ndarray)
    if scores.ndim == 4:
        scores = scores.transpose(0, 2, 3, 1)
    rows, truth = scores.reshape(-1, 7), labels.ravel()
    rows, truth = (rows, truth) if ignored is None else (rows[truth != ignored], truth[truth != ignored])
    top = np.argsort(-rows, axis=1)
    found = evaluate(network, batches_of(x, labels, size), CrossEntropy(ignored=ignored))
    assert (found.samples, found.labels) == (len(x), len(truth))
    assert found.output == network.graph.outputs[0]
    assert found.loss == pytest.approx(-np.mean(log_softmax(rows)[np.arange(len(truth)), truth]), rel=1e-12)
    assert found.accuracy == np.mean(top[:, 0] == truth)
    assert found.top5 == np.mean([label in best for label, best in zip(truth, top[:, :5], strict=True)])
    confusion = np.zeros((7, 7), int)
    for label, best in zip(truth, top[:, 0], strict=True):
        confusion[label, best] += 1
    assert found.confusion is not None
    np.testing.assert_array_equal(found.confusion, confusion)


@every_case
@pytest.mark.parametrize(
    "loss", [CrossEntropy(weights=[1, 2, 0, 4, 1, 1, 0.5], ignored=3), Hinge()], ids=repr
)
def test_the_mean_loss_is_that_of_one_batch(case: tuple[str, Array, Array], loss: Any) -> None:
    spec, x, labels = case
    network = network_of(spec)
    whole, _ = loss(network.forward(x), labels)
    for size in (1, 3, 8):
        assert evaluate(network, batches_of(x, labels, size), loss).loss == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("loss", [None, MeanSquaredError(), L1(), BinaryCrossEntropy()], ids=repr)
def test_numbers_have_a_loss_and_no_accuracy(loss: Any) -> None:
    network, x = network_of(VECTOR), DRAW.normal(size=(10, 6))
    targets = DRAW.uniform(size=(10, 7))
    whole, _ = (loss or MeanSquaredError())(network.forward(x), targets)
    found = evaluate(network, batches_of(x, targets, 4), loss)
    assert found.loss == pytest.approx(whole, rel=1e-12)
    assert (found.accuracy, found.top5, found.confusion) == (None, None, None)


def test_a_column_of_one_number_takes_labels_without_an_axis() -> None:
    network, x = network_of("input: [6]\nlayers:\n  - linear: 1\n"), DRAW.normal(size=(10, 6))
    targets = DRAW.normal(size=10)
    expected = np.mean((network.forward(x)[:, 0] - targets) ** 2)  # type: ignore[call-overload]
    assert evaluate(network, batches_of(x, targets, 4)).loss == pytest.approx(expected, rel=1e-12)


def test_the_weights_are_those_of_now() -> None:
    network, x, labels = network_of(CASES["maps"][0]), CASES["maps"][1], CASES["maps"][2]
    before = evaluate(network, batches_of(x, labels, 4)).loss
    for array in network.parameters().values():
        array += 0.1
    after = evaluate(network, batches_of(x, labels, 4)).loss
    whole, _ = CrossEntropy()(network.forward(x), labels)  # type: ignore[arg-type]
    assert after == pytest.approx(whole, rel=1e-12)
    assert after != pytest.approx(before, rel=1e-3)


@pytest.mark.parametrize(("output", "classes"), [(None, 3), ("first", 3), ("second", 7)])
def test_one_of_several_outputs_is_judged(output: str | None, classes: int) -> None:
    network, x = network_of(TWO), DRAW.normal(size=(9, 6))
    labels = np.arange(9) % 3
    found = evaluate(network, batches_of(x, labels, 4), output=output)
    assert found.output == (output or "first")
    assert found.confusion is not None
    assert found.confusion.shape == (classes, classes)
    assert (found.top5 is None) == (classes <= 5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_every_precision(dtype: str) -> None:
    spec, x, labels = CASES["maps"]
    network = network_of(spec, dtype)
    whole, _ = CrossEntropy()(network.forward(x), labels)  # type: ignore[arg-type]
    assert evaluate(network, batches_of(x, labels, 4)).loss == pytest.approx(whole, rel=2e-3)


def test_scores_that_are_nan_count_for_the_first_class_as_argmax_has_it() -> None:
    network, (_, x, labels) = network_of(VECTOR), CASES["vectors"]
    network.parameters()["linear2.bias"][...] = np.nan
    found = evaluate(network, batches_of(x, labels, 4))
    assert np.isnan(found.loss)
    assert found.accuracy == np.mean(labels == 0)
    assert found.top5 == np.mean(labels < 5)


def test_equal_scores_count_for_the_lowest_number() -> None:
    network, (_, x, labels) = network_of(VECTOR), CASES["vectors"]
    for array in network.parameters().values():
        array[...] = 0
    found = evaluate(network, batches_of(x, labels, 4))
    assert (found.accuracy, found.top5) == (np.mean(labels == 0), np.mean(labels < 5))


def test_an_infinite_pixel_stays_among_its_neighbours() -> None:
    """A plan's Winograd convolution would spread it over a whole tile."""
    spec = "input: [32, 12, 12]\nlayers:\n  - conv: {filters: 32, kernel: 3, pad: 1}\n"
    network, x = network_of(spec, "float32"), DRAW.normal(size=(4, 32, 12, 12)).astype("float32")
    x[0, 0, 0, 0] = np.inf
    expected = network.run(x, gradients=False).outputs["conv1"].argmax(axis=1)
    labels = DRAW.integers(0, 32, (4, 12, 12))
    found = evaluate(network, batches_of(x, labels, 2))
    assert found.confusion is not None
    np.testing.assert_array_equal(found.confusion.sum(axis=0), np.bincount(expected.ravel(), minlength=32))


def test_a_batch_of_ignored_labels_counts_nothing() -> None:
    network, (_, x, labels) = network_of(VECTOR), CASES["vectors"]
    labels = labels.copy()
    labels[:8] = 255
    loss = CrossEntropy(ignored=255)
    whole, _ = loss(network.forward(x), labels)  # type: ignore[arg-type]
    found = evaluate(network, batches_of(x, labels, 4), loss)
    assert found.loss == pytest.approx(whole, rel=1e-12)
    assert (found.samples, found.labels) == (23, 15)
    with pytest.raises(ValueError, match="no label counts"):
        evaluate(network, batches_of(x, np.full(23, 255), 4), loss)


def test_confusions_are_not_counted_beyond_some_thousand_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MAX_CONFUSED", 6)
    _, x, labels = CASES["vectors"]
    found = evaluate(network_of(VECTOR), batches_of(x, labels, 4))
    assert found.confusion is None
    assert found.accuracy is not None


def test_it_tells_of_each_batch() -> None:
    done: list[int] = []
    _, x, labels = CASES["vectors"]
    evaluate(network_of(VECTOR), batches_of(x, labels, 10), observe=done.append)
    assert done == [10, 10, 3]


def test_what_cannot_be_evaluated() -> None:
    network, (_, x, labels) = network_of(VECTOR), CASES["vectors"]
    with pytest.raises(ValueError, match="no output 'other', but linear2"):
        evaluate(network, batches_of(x, labels, 4), output="other")
    with pytest.raises(ValueError, match="there is no sample to evaluate"):
        evaluate(network, [])
    with pytest.raises(ValueError, match="labels are 0 to 6, not 7 to 7"):
        evaluate(network, batches_of(x, np.full(23, 7), 4))
    with pytest.raises(ValueError, match="labels are 0 to 6"):
        evaluate(network, batches_of(x, np.full(23, 7), 4), CrossEntropy(weights=[1] * 7))
    mixed = Batch({"x": x}, labels, labels, np.ones(23))
    with pytest.raises(ValueError, match="evaluate without mixup"):
        evaluate(network, [mixed])


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_says_whether_it_is_of_classes(name: str) -> None:
    assert LOSSES[name].of_classes == (name in ("cross_entropy", "hinge"))
