"""The loop: what it equals, what it sums, and a whole run of LeNet-5."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.diagnostics import ExecutionError
from netcalc.train.data import DataSet, open_data
from netcalc.train.draws import shuffled
from netcalc.train.gradients import clip_norm
from netcalc.train.loop import Training
from netcalc.train.losses import LOSSES, CrossEntropy, TotalLoss
from netcalc.train.monitoring import Monitor
from netcalc.train.recipe import Recipe
from netcalc.train.records import Observer, TrainingWarning

from helpers import graph_of
from small_runs import NETWORK, TWO_HEADS, Log, pictures, training_of

PLAIN = NETWORK.replace("  - batchnorm\n", "").replace("  - dropout: 0.2\n", "")


def test_lenet_on_digits(tmp_path: Path) -> None:
    """Above 98 % of the digits that are held back, 8 x 8 pixels enlarged and framed to 28 x 28."""
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    enlarged = np.kron(16 * digits.images.clip(0, 15), np.ones((1, 3, 3)))
    framed = np.pad(enlarged, ((0, 0), (2, 2), (2, 2)))
    np.savez(tmp_path / "digits.npz", x=framed[:, None].astype(np.uint8), y=digits.target)
    recipe = Recipe(epochs=6, batch=32, augment="crop:2", schedule="cosine:warmup=1", workers=1)
    training = Training(recipe.network(netcalc.load("lenet5")), open_data(tmp_path / "digits.npz"), recipe)
    log = Log()
    training.run([log])
    training.close()
    best = max(epoch.validation_accuracy or 0 for epoch in log.epochs)
    assert best > 0.98
    assert training.at.best_accuracy == best


def test_accumulated_batches_are_one_larger_batch(tmp_path: Path) -> None:
    """In a network without statistics of the batch; the last step of an epoch has what is left."""
    data, logs, finals = pictures(tmp_path), [], []
    for batch, accumulate in ((16, 1), (4, 4)):
        training, log = (
            training_of(data, graph_of(PLAIN), batch=batch, accumulate=accumulate, dtype="float64", epochs=3),
            Log(),
        )
        training.run([log])
        logs.append(log)
        finals.append(training.arrays())
    assert [step.samples for step in logs[0].steps] == [step.samples for step in logs[1].steps]
    assert [step.loss for step in logs[0].steps] == pytest.approx(
        [step.loss for step in logs[1].steps], rel=1e-9
    )
    for name, array in finals[0].items():
        np.testing.assert_allclose(finals[1][name], array, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_shares_of_samples(name: str) -> None:
    """A loss with shares is the sum of those of its samples, each by its share; so is the gradient."""
    draw = np.random.default_rng(0)
    outputs, loss = draw.normal(size=(5, 4)), LOSSES[name]()
    targets = draw.integers(0, 4, 5) if loss.of_classes else draw.uniform(size=(5, 4))
    shares = draw.uniform(size=5)
    value, gradient = loss(outputs, targets, shares)
    single = [loss(outputs[at : at + 1], targets[at : at + 1]) for at in range(5)]
    assert value == pytest.approx(
        sum(share * each for share, (each, _) in zip(shares, single, strict=True)) / 5
    )
    rows = [share * row[0] / 5 for share, (_, row) in zip(shares, single, strict=True)]
    np.testing.assert_allclose(gradient, rows, rtol=1e-12, atol=1e-15)


def test_a_mixture_has_the_shares_of_both_labels(tmp_path: Path) -> None:
    data = pictures(tmp_path)
    training = training_of(data, graph_of(PLAIN), augment="mixup:1", dtype="float64")
    batch = next(training.batches.epoch(0))
    assert batch.others is not None
    assert batch.weights is not None
    outputs = training.network.run(batch.inputs["x"]).outputs
    (scores,) = outputs.values()
    first = [CrossEntropy()(scores[at : at + 1], batch.labels[at : at + 1])[0] for at in range(8)]
    second = [CrossEntropy()(scores[at : at + 1], batch.others[at : at + 1])[0] for at in range(8)]
    expected = np.mean(batch.weights * first + (1 - batch.weights) * second)
    record, _ = training.update([batch])
    assert record.loss == pytest.approx(expected)
    right = scores.argmax(1)
    share = batch.weights * (right == batch.labels) + (1 - batch.weights) * (right == batch.others)
    assert record.accuracy == pytest.approx(share.mean())


def test_heads_have_their_weights(tmp_path: Path) -> None:
    data, graph = pictures(tmp_path), graph_of(TWO_HEADS)
    training = training_of(data, graph, heads={"side": 0.25}, dtype="float64")
    batch = next(training.batches.epoch(0))
    outputs = training.network.run(batch.inputs["x"]).outputs
    expected = TotalLoss({"head": (CrossEntropy(), 1.0), "side": (CrossEntropy(), 0.25)})(
        outputs, batch.labels
    )
    record, _ = training.update([batch])
    assert record.loss == pytest.approx(expected.value)
    alone = training_of(data, graph, heads={"side": 0})
    alone.run()
    untouched = alone.recipe.network(graph).parameters()["side.bias"]
    assert np.array_equal(alone.network.parameters()["side.bias"], untouched)
    with pytest.raises(ExecutionError, match="E931.*what their losses count is not said"):
        training_of(data, graph)


def test_norms_are_clipped_and_rates_follow_the_schedule(tmp_path: Path) -> None:
    training, log = (
        training_of(pictures(tmp_path), clip_norm=0.01, optimiser="sgd:lr=0.5", schedule="step:at=[1]"),
        Log(),
    )

    class Norms(Observer):
        seen: list[float] = []  # noqa: RUF012

        def after_step(self, record: Any, gradients: Any) -> tuple[()]:
            self.seen.append(clip_norm({name: g.copy() for name, g in gradients.items()}, 1e9))
            return ()

    training.run([log, Norms()])
    assert min(step.gradient_norm for step in log.steps) > 0.01
    assert Norms.seen == pytest.approx([0.01] * len(log.steps), rel=1e-3)
    assert [step.rate for step in log.steps] == pytest.approx([0.5] * 5 + [0.05] * 5)


def test_every_observer_is_told_of_warnings(tmp_path: Path) -> None:
    class Warns(Log):
        def __init__(self) -> None:
            super().__init__()
            self.warnings: list[TrainingWarning] = []

        def after_epoch(self, record: Any) -> Any:
            return [TrainingWarning(record.step, f"epoch {record.epoch}")]

        def warned(self, warning: TrainingWarning) -> None:
            self.warnings.append(warning)

    first, second = Warns(), Warns()
    training_of(pictures(tmp_path)).run([first, second])
    assert first.warnings == second.warnings
    assert [warning.message for warning in first.warnings] == ["epoch 0", "epoch 0", "epoch 1", "epoch 1"]


def test_a_step_without_a_loss_is_refused(tmp_path: Path) -> None:
    training = training_of(pictures(tmp_path), loss="cross_entropy:weights=[1,1]")
    with pytest.raises(ExecutionError, match="step 1 has no loss: .*2 weights for 3 classes"):
        training.run()


def sparse(folder: Path, *labelled: int) -> DataSet:
    """The pictures, of which few have a label: that of the others is 9, which is ignored."""
    data = pictures(folder)
    y = np.where(np.isin(np.arange(45), labelled), data.labels(), 9)
    np.savez(folder / "sparse.npz", x=data.batch(np.arange(45)).inputs["x"], y=y)
    return open_data(folder / "sparse.npz")


IGNORED = "cross_entropy:ignored=9"


@pytest.mark.parametrize("augment", ["", "mixup:1"])
@pytest.mark.parametrize("accumulate", [1, 2, 100])
def test_a_batch_in_which_no_label_counts_adds_nothing(tmp_path: Path, accumulate: int, augment: str) -> None:
    data = sparse(tmp_path, 3, 4, 5, 22)
    training, log = (
        training_of(
            data, graph_of(PLAIN), loss=IGNORED, batch=2, validation=0, accumulate=accumulate, augment=augment
        ),
        Log(),
    )
    monitor = Monitor.of(training)
    training.run([log, monitor])
    counted = [step for step in log.steps if step.samples]
    if accumulate < 100 and not augment:
        assert any(step.loss == step.gradient_norm == step.samples == 0 for step in log.steps)
    assert all(step.loss > 0 and step.gradient_norm > 0 for step in counted)
    for epoch in log.epochs:
        own = [step for step in counted if step.epoch == epoch.epoch]
        mean = sum(step.loss * step.samples for step in own) / sum(step.samples for step in own)
        assert epoch.loss == pytest.approx(mean)


def test_accumulated_batches_without_labels_have_no_weight(tmp_path: Path) -> None:
    data = sparse(tmp_path, 0, 1)
    training = training_of(data, graph_of(PLAIN), loss=IGNORED, validation=0, accumulate=3, dtype="float64")
    labelled, empty = (training.batches.batch(np.array(chosen), 0) for chosen in ([0, 1], [2, 3, 4]))
    alone = {name: array.copy() for name, array in training.update([labelled], 1e-300)[1].items()}
    for group in ([empty, labelled], [labelled, empty, empty]):
        found = training.update(group, 1e-300)[1]
        assert all(np.allclose(found[name], array, rtol=1e-12) for name, array in alone.items())
    record, gradients = training.update([empty, empty], 1e-300)
    assert (record.loss, record.samples, record.gradient_norm) == (0, 0, 0)
    assert not any(array.any() for array in gradients.values())


def test_an_epoch_without_a_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError, match="E931.*no label of the 45 samples that are trained on counts"):
        training_of(sparse(tmp_path), loss=IGNORED, validation=0)
    with pytest.raises(
        ExecutionError, match="E931.*no label of the [0-9]+ samples that are held back counts"
    ):
        training_of(sparse(tmp_path, 0), loss=IGNORED, validation=0.2)
    seed = next(seed for seed in range(999) if shuffled(np.arange(45), seed, 0)[-1] == 0)
    training = training_of(
        sparse(tmp_path, 0), loss=IGNORED, validation=0, batch=44, drop_last=True, seed=seed
    )
    with pytest.raises(ExecutionError, match="E931.*epoch 1 has no loss: no label counts"):
        training.run()


ENDS = {
    "softmax": "  - softmax\n",
    "sigmoid": "  - sigmoid\n",
    "hardsigmoid": "  - hardsigmoid\n",
    "softmax, seen through others": "  - softmax: {name: p}\n  - reshape: [3, 1]\n  - flatten\n  - dropout: 0.1\n",
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_probabilities_are_refused_where_a_loss_takes_scores(tmp_path: Path, loss: str, end: str) -> None:
    of_scores = loss in ("cross_entropy", "hinge", "bce")
    data = pictures(tmp_path)
    if not LOSSES[loss].of_classes:
        np.savez(tmp_path / "n.npz", x=data.batch(np.arange(45)).inputs["x"], y=np.zeros((45, 3), np.float32))
        data = open_data(tmp_path / "n.npz")
    graph = graph_of(NETWORK + ENDS[end])
    if not of_scores:
        training_of(data, graph, loss=loss)
        return
    kind = end.partition(",")[0]
    with pytest.raises(ExecutionError, match=f"E931.*is of a {kind}, and {loss} takes scores"):
        training_of(data, graph, loss=loss)


def test_logarithms_of_probabilities_are_scores(tmp_path: Path) -> None:
    training_of(pictures(tmp_path), graph_of(NETWORK + "  - log_softmax\n"))
    side = TWO_HEADS.replace("outputs:", "  - softmax: {name: p, from: side}\noutputs:").replace(
        "side]", "p]"
    )
    with pytest.raises(ExecutionError, match="E931.*the output p is of a softmax"):
        training_of(pictures(tmp_path), graph_of(side), heads={"p": 0.3})
    training_of(pictures(tmp_path), graph_of(side), heads={"p": 0})


def test_a_data_file_that_changes_ends_the_training(tmp_path: Path) -> None:
    training = training_of(pictures(tmp_path), epochs=3)

    class Rewrites(Observer):
        def after_epoch(self, record: Any) -> tuple[()]:
            if record.epoch == 1:
                os.utime(tmp_path / "pictures.npz", (1, 1))
            return ()

    with pytest.raises(ExecutionError, match=r"E906.*pictures\.npz has changed since the training began"):
        training.run([Rewrites()])
    assert (training.at.epoch, training.at.batch) == (2, 0)
