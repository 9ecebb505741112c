"""Training on one batch and the search for a learning rate: what they find, and that they leave no trace."""

from math import log
from typing import Any

import numpy as np
import pytest

from netcalc.train.data import ArrayData
from netcalc.train.loop import Training
from netcalc.train.overfitting import overfit
from netcalc.train.rate_finder import find_rate, searched
from netcalc.train.recipe import Recipe

from helpers import graph_of
from short_runs import digits

NET = """
input: [1, 8, 8]
layers:
  - conv: {filters: 6, kernel: 3, bias: false}
  - batchnorm
  - relu
  - flatten
  - dropout: 0.1
  - linear: 10
"""


def training(spec: str = NET, labels: Any = None, **options: Any) -> Training:
    x, y = digits()
    recipe = Recipe(**{"epochs": 1, "workers": 1, "normalise": False, "ema": 0.9, **options})
    data = ArrayData("digits", {"input": x[:320]}, (y if labels is None else labels)[:320])
    return Training(recipe.network(graph_of(spec)), data, recipe)


def state(training: Training) -> dict[str, bytes]:
    """All that the next step depends on."""
    arrays = {name: array.tobytes() for name, array in training.arrays().items()}
    return {**arrays, "at": repr(training.at).encode(), "draws": str(training.network.draws).encode()}


@pytest.mark.parametrize("accumulate", [1, 3])
def test_nothing_stays_of_a_trial(accumulate: int) -> None:
    tried, plain = (training(accumulate=accumulate) for _ in range(2))
    before = state(tried)
    find_rate(tried, steps=12)
    assert state(tried) == before
    overfit(tried, steps=3)
    assert state(tried) == before
    tried.run()
    plain.run()
    assert state(tried) == state(plain)


def test_a_trial_that_is_interrupted_leaves_nothing() -> None:
    tried = training()
    before = state(tried)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt("now")

    for trial in (find_rate, overfit):
        with pytest.raises(KeyboardInterrupt, match="now"):
            trial(tried, done=stop)  # type: ignore[operator]
        assert state(tried) == before


def test_the_steepest_descent_of_a_known_curve() -> None:
    """A loss that falls like a sigmoid around 1e-3, and rises from 1e-1 on."""
    rates = np.geomspace(1e-7, 10, 100)
    noise = 0.01 * np.random.default_rng(0).standard_normal(100)
    losses = 2 - 1.5 / (1 + (1e-3 / rates) ** 1.5) + 3 / (1 + (1 / rates) ** 3) + noise
    found = searched(rates, losses, None)
    assert found.best == pytest.approx(1e-3, rel=0.4)
    assert found.lowest is not None
    assert 1e-2 < found.lowest < 0.3
    assert len(found.trials) == 100


@pytest.mark.parametrize(
    "losses",
    [np.full(100, 2.3), 2.3 + 0.05 * np.random.default_rng(0).standard_normal(100), np.geomspace(2.3, 9, 100), np.full(5, 1.0),
     np.array([])],
)  # fmt: skip
def test_a_loss_that_falls_at_no_rate(losses: Any) -> None:
    rates = np.geomspace(1e-7, 10, 100)[: len(losses)]
    assert searched(rates, losses, 1.0)[1:] == (None, None, 1.0)


def test_the_search_ends_where_the_loss_diverges() -> None:
    """Gradient descent on digits: rates between 0.01 and 1 train, 1e4 does not."""
    found = find_rate(training(optimiser="sgd", batch=32), lowest=1e-6, highest=1e4, steps=60)
    assert found.best is not None
    assert found.lowest is not None
    assert found.diverged is not None
    assert 1e-3 < found.best < found.lowest < found.diverged < 1e4
    assert len(found.trials) < 60
    assert all(np.isfinite(trial.loss) for trial in found.trials)
    ratios = np.diff(np.log([trial.rate for trial in found.trials]))
    np.testing.assert_allclose(ratios, log(1e10) / 59)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"lowest": 0}, "the lowest rate is a number above 0"), ({"lowest": 1, "highest": 1}, "the lowest rate is below the highest"),
     ({"steps": 9}, "a search takes 10 steps or more, not 9"), ({"highest": float("nan")}, "the highest rate is a number above 0")],
)  # fmt: skip
def test_searches_that_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_rate(training(), **options)


def entropy_of(smoothing: float, weights: Any) -> float:
    """The mean of -q log(q / sum q) over the first batch, q the smoothed and weighted targets."""
    if not smoothing:
        return 0.0
    first = training(batch=16)
    labels = next(first.batches.epoch(0)).labels
    w = np.ones(10) if weights is None else np.array(weights, float)
    q = smoothing / 10 * np.tile(w, (16, 1))
    q[np.arange(16), labels] += (1 - smoothing) * w[labels]
    return float(-(q * np.log(q / q.sum(1, keepdims=True))).sum() / w[labels].sum())


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, tuple(range(1, 11))])
def test_a_batch_is_learned_by_heart(smoothing: float, weights: Any) -> None:
    """With smoothed labels the loss ends at their entropy."""
    loss = {"cross_entropy": {"label_smoothing": smoothing, "weights": weights}}
    found = overfit(training(loss=loss, optimiser="adam:lr=0.01", batch=16))
    assert found.reached
    assert 5 < len(found.records) < 300
    assert found.records[-1].loss <= found.target < 0.05 * log(10) + found.least
    assert (found.least > 0.3) == (smoothing > 0)
    assert found.least == pytest.approx(entropy_of(smoothing, weights), rel=1e-5)
    assert found.drops
    assert found.warnings == ()


def test_a_network_that_cannot_learn_a_batch() -> None:
    dead = (
        NET.replace("  - batchnorm\n", "")
        .replace("bias: false", "init: zeros")
        .replace("  - dropout: 0.1\n", "")
    )
    found = overfit(training(dead, optimiser="sgd:lr=0.1", batch=16), steps=40)
    assert not found.reached
    assert len(found.records) == 40
    assert not found.drops
    assert 0.01 * log(10) == pytest.approx(found.target, rel=0.01)


def test_a_batch_that_diverges() -> None:
    found = overfit(training("input: [1, 8, 8]\nlayers: [flatten, {linear: 32}, relu, {linear: 32}, relu, {linear: 10}]\n",
                             optimiser="sgd:lr=1e4", batch=16))  # fmt: skip
    assert not found.reached
    assert any("explode" in warning.message for warning in found.warnings)
    assert len(found.records) < 100
