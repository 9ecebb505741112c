"""netcalc curves, and the options of netcalc train that only try something."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import METRICS
from short_runs import digits

Cli = Callable[..., Any]

NET = "name: Small\ninput: [1, 8, 8]\nlayers: [flatten, {linear: 32}, relu, {linear: 10}]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("a", METRICS), ("b", METRICS.replace("2.4", "2.6"))):
        Path(name).mkdir()
        Path(name, "metrics.jsonl").write_text(text)
    x, y = digits()
    np.savez("d.npz", x=x[:200], y=y[:200])
    Path("net.yaml").write_text(NET)
    return tmp_path


def test_one_run(cli: Cli) -> None:
    shown = cli("curves", "a")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("a  ·  2 epochs  ·  4 steps\n")
    assert "⣀⣀ training 0.8   • validation 1.1" in shown.out
    assert (
        "warning: step 3: units of conv1 are dead: 5 of 6 give 0 for all of 8 samples\n   help: lower the"
        in shown.out
    )
    assert cli("curves", "a/metrics.jsonl").out == shown.out.replace("a  ·", "a/metrics.jsonl  ·", 1)


def test_several_runs(cli: Cli) -> None:
    shown = cli("curves", "a", "b").out
    assert "validation loss" in shown
    assert "\na  a " in shown
    assert "\nb  b " in shown
    assert "warning: run b, step 3" in shown
    rows = [*csv.DictReader(io.StringIO(cli("curves", "a", "b", "-f", "csv").out))]
    assert [row["run"] for row in rows] == ["a", "b"]
    assert {name: rows[0][name] for name in ("training_loss", "validation_accuracy", "best_epoch", "warnings")} == {
        "training_loss": "0.8", "validation_accuracy": "0.6", "best_epoch": "2", "warnings": "1",
    }  # fmt: skip


def test_the_document_has_every_epoch(cli: Cli) -> None:
    (run,) = json.loads(cli("curves", "a", "-f", "json").out)["runs"]
    assert [epoch["validation_loss"] for epoch in run["epoch_records"]] == [1.4, 1.1]
    assert run["warning_records"][0]["layer"] == "conv1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "a"], "a is given twice."),
        (["a", "-o", "a/metrics.jsonl"], "a/metrics.jsonl is what the command reads; name another file."),
        (["a", "--plot", "c.gif"], "a plot's file ends in .png, .svg, .pdf, unlike c.gif."),
        (["a", "--plot", "no/c.svg"], "there is no folder no."),
        (["no"], "error[E945]: no cannot be read: no such file or directory"),
        (["."], "error[E945]: . has no metrics.jsonl"),
        (["net.yaml"], "error[E946]: net.yaml:1: this is no line of a training's metrics: it is no JSON"),
        (["d.npz"], "error[E945]: d.npz is no text"),
        (list("abcdefghijklmnopqrstuvwxyz0"), "26 runs at most are compared, not 27."),
    ],
)
def test_what_is_refused(cli: Cli, arguments: list[str], message: str) -> None:
    found = cli("curves", *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in " ".join(found.err.replace("│", " ").split())


@pytest.mark.parametrize("run", ["a", "a/metrics.jsonl"])
@pytest.mark.parametrize(
    "name", ["recipe.yaml", "weights.safetensors", "checkpoints/step-000000001.safetensors"]
)
def test_what_a_run_needs_is_not_overwritten(cli: Cli, name: str, run: str) -> None:
    file = Path("a", name)
    file.parent.mkdir(exist_ok=True)
    file.write_text("kept")
    found = cli("curves", run, "b", "-o", str(file))
    assert (found.code, file.read_text()) == (2, "kept")
    assert "is what the command reads" in found.err
    assert cli("curves", run, "-o", "a/results.csv").code == 0


def test_a_plot(cli: Cli) -> None:
    for runs in (["a"], ["a", "b"]):
        found = cli("curves", *runs, "--plot", "c.svg")
        assert (found.code, found.err) == (0, "drawn into c.svg\n")
        assert b"validation" in Path("c.svg").read_bytes()


def train(cli: Cli, *arguments: str) -> Any:
    return cli("train", "net.yaml", "--data", "d.npz", "--workers", "1", *arguments)


def test_a_training_shows_and_draws_its_curves(cli: Cli) -> None:
    found = train(cli, "--epochs", "2", "-o", "run")
    assert found.code == 0, found.err
    assert "• validation" in found.out
    assert b"validation" in Path("run/curves.svg").read_bytes()
    assert cli("curves", "run").code == 0


def test_a_training_warns(cli: Cli) -> None:
    found = train(cli, "--epochs", "1", "-o", "run", "--optimiser", "sgd", "--lr", "1000")
    assert found.code == 0
    assert "warning step 1: the updates explode" in " ".join(found.err.split())
    assert "the updates explode" in cli("curves", "run").out


def test_a_learning_rate_is_found(cli: Cli) -> None:
    found = train(cli, "--lr-find", "--plot", "rates.svg", "--optimiser", "sgd")
    assert (found.code, found.err) == (0, "drawn into rates.svg\n")
    assert found.out.startswith("Small  ·  learning-rate search")
    assert "The loss falls fastest at a learning rate of" in found.out
    assert sorted(path.name for path in Path().iterdir()) == ["a", "b", "d.npz", "net.yaml", "rates.svg"]


def test_a_loss_that_no_rate_lowers(cli: Cli) -> None:
    Path("net.yaml").write_text("input: [1, 8, 8]\ninit: zeros\nlayers: [flatten, {linear: 10}, relu]\n")
    found = train(cli, "--lr-find")
    assert found.code == 1
    assert "The loss falls at no learning rate" in found.out
    assert "no learning rate lowers the loss" in found.err


def test_a_batch_is_learned(cli: Cli) -> None:
    found = train(cli, "--overfit-batch", "--lr", "0.01", "--plot", "batch.png")
    assert (found.code, found.err) == (0, "drawn into batch.png\n")
    assert "the network can learn" in found.out
    assert not Path("runs").exists()


def test_a_batch_is_not_learned(cli: Cli) -> None:
    found = train(cli, "--overfit-batch", "--lr", "1e4", "--optimiser", "sgd", "--batch", "8")
    assert found.code == 1
    assert "warning: step 1: the updates explode" in found.err
    assert "warning: the network does not learn one batch; try --lr-find" in found.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lr-find", "--overfit-batch"], "one at a time: --lr-find is there too."),
        (["--plot", "c.svg"], "it is of --lr-find or --overfit-batch"),
        (["--lr-find", "-o", "run"], "--lr-find keeps nothing; --plot draws its curve."),
        (["--overfit-batch", "--resume", "run"], "--overfit-batch is for the beginning of a training."),
        (["--overfit-batch", "--augment", "flip"], "--overfit-batch learns a batch as it is."),
        (["--lr-find", "--plot", "c.gif"], "a plot's file ends in"),
        (["--lr-find", "--keep", "3"], "it does nothing with --lr-find"),
        (["--overfit-batch", "--checkpoint-every", "5"], "it does nothing with --overfit-batch"),
        (["--overfit-batch", "--epochs", "5"], "it does nothing with --overfit-batch"),
        (["--lr-find", "--schedule", "constant"], "it does nothing with --lr-find"),
        (["--overfit-batch", "--ema", "0.9"], "it does nothing with --overfit-batch"),
    ],
)
def test_options_that_do_not_go_together(cli: Cli, arguments: list[str], message: str) -> None:
    found = train(cli, *arguments)
    assert (found.code, found.out) == (2, "")
    assert message in " ".join(found.err.replace("│", " ").split())
