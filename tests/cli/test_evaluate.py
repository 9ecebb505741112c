"""netcalc evaluate: its figures against independent lines, what it says, and what it refuses."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.train.data import ChannelStatistics
from netcalc.train.losses import CrossEntropy
from netcalc.train.trained import Trained, write_trained

from data_files import write_classes

Cli = Callable[..., Any]
Array = np.ndarray[Any, np.dtype[Any]]

SPEC = """\
name: Small
input: [3, 8, 8]
args: {classes: 4}
layers: [{conv: {filters: 6, kernel: 3}}, relu, flatten, {linear: $classes}]
"""
STATISTICS = ChannelStatistics((0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
NAMES = ("bird", "cat", "dog", "a fish")


@pytest.fixture(autouse=True)
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> netcalc.Network:
    """A network whose weights are in `w.safetensors` with notes and in `plain.npz` without, and data."""
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SPEC)
    network = netcalc.Network(netcalc.load("s.yaml"), seed=3)
    write_trained("w.safetensors", Trained(network.parameters(), STATISTICS, NAMES, "Small"))
    network.save("plain.npz")
    rng = np.random.default_rng(0)
    np.savez("d.npz", x=rng.integers(0, 256, (50, 3, 8, 8), np.uint8), y=np.arange(50) % 4)
    return network


def scores_of(network: netcalc.Network, statistics: ChannelStatistics | None) -> tuple[Array, Array]:
    with np.load("d.npz") as data:
        x, labels = data["x"] / 255, data["y"]
    if statistics is not None:
        sizes = (1, 3, 1, 1)
        x = (x - np.reshape(statistics.mean, sizes)) / np.reshape(statistics.std, sizes)
    scores = network.forward(x)
    assert isinstance(scores, np.ndarray)
    return scores.astype(np.float64), labels


def evaluated(cli: Cli, *arguments: str) -> Any:
    result = cli("evaluate", "s.yaml", *arguments, "-f", "json")
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


@pytest.mark.parametrize(
    ("weights", "statistics", "normalised"),
    [("w.safetensors", STATISTICS, "file"), ("plain.npz", None, "nothing")],
)
@pytest.mark.parametrize("batch", ["1", "16", "64"])
def test_the_figures(
    cli: Cli,
    trained: netcalc.Network,
    weights: str,
    statistics: ChannelStatistics | None,
    normalised: str,
    batch: str,
) -> None:
    scores, labels = scores_of(trained, statistics)
    predicted = scores.argmax(axis=1)
    found = evaluated(cli, "--weights", weights, "--data", "d.npz", "--batch", batch)
    assert found["normalised_by"] == normalised
    assert (found["samples"], found["labels"], found["top5"]) == (50, 50, None)
    assert found["accuracy"] == np.mean(predicted == labels)
    log_sums = np.log(np.exp(scores).sum(axis=1))
    assert found["loss"] == pytest.approx(np.mean(log_sums - scores[np.arange(50), labels]), rel=1e-5)
    counted = [[int(np.sum((labels == a) & (predicted == b))) for b in range(4)] for a in range(4)]
    assert found["confusion"] == counted
    for number, one in enumerate(found["classes"]):
        assert one["class"] == (NAMES[number] if normalised == "file" else str(number))
        hits = counted[number][number]
        columns = [row[number] for row in counted]
        assert (one["labels"], one["predicted"], one["correct"]) == (sum(counted[number]), sum(columns), hits)
        precision = hits / sum(columns) if sum(columns) else None
        recall = hits / sum(counted[number])
        assert (one["precision"], one["recall"]) == (precision, recall)
        if precision and recall:
            assert one["f1"] == pytest.approx(2 / (1 / precision + 1 / recall))
        wrong = [0 if other == number else count for other, count in enumerate(counted[number])]
        assert one["confused"] == max(wrong)


def test_what_it_says_of_the_normalisation(cli: Cli, trained: netcalc.Network) -> None:
    with_notes = cli("evaluate", "s.yaml", "--weights", "w.safetensors", "--data", "d.npz").out
    assert "normalised by the mean and deviation that w.safetensors holds" in " ".join(with_notes.split())
    without = cli("evaluate", "s.yaml", "--weights", "plain.npz", "--data", "d.npz").out
    assert "plain.npz holds no mean and deviation: samples are not normalised." in " ".join(without.split())
    Path("s.yaml").write_text(SPEC + "preprocess: {mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3]}\n")
    of_spec = evaluated(cli, "--weights", "plain.npz", "--data", "d.npz")
    assert of_spec["normalised_by"] == "spec"
    assert of_spec["loss"] == evaluated(cli, "--weights", "w.safetensors", "--data", "d.npz")["loss"]
    write_trained("raw.npz", Trained(trained.parameters(), network="Small"))  # trained as they were
    assert evaluated(cli, "--weights", "raw.npz", "--data", "d.npz")["normalised_by"] == "nothing"


def test_classes_of_a_folder_are_matched_by_name(cli: Cli, trained: netcalc.Network) -> None:
    pictures = write_classes(Path("photos"), ("a fish", "dog"), each=3, size=8)
    x = (pictures / 255 - np.reshape(STATISTICS.mean, (1, 3, 1, 1))) / np.reshape(
        STATISTICS.std, (1, 3, 1, 1)
    )
    scores = trained.forward(x)
    assert isinstance(scores, np.ndarray)
    found = evaluated(cli, "--weights", "w.safetensors", "--data", "photos")
    labels = np.array([3, 3, 3, 2, 2, 2])
    assert found["accuracy"] == np.mean(scores.argmax(axis=1) == labels)
    assert [sum(row) for row in found["confusion"]] == [0, 0, 3, 3]
    write_classes(Path("others"), ("dgo", "cat"), each=1, size=8)
    refused = cli("evaluate", "s.yaml", "--weights", "w.safetensors", "--data", "others")
    assert refused.code == 2
    assert "error[E942]: others has the class 'dgo', which is none of the 4 that Small" in refused.err
    assert "did you mean dog?" in refused.err


def test_pictures_are_brought_to_the_inputs_size(cli: Cli) -> None:
    write_classes(Path("photos"), NAMES, each=1, size=12)
    assert evaluated(cli, "--weights", "w.safetensors", "--data", "photos")["samples"] == 4


def test_a_loss_has_the_options_of_training(cli: Cli) -> None:
    spec = "name: Small\ninput: [5, 8]\nlayers: [{linear: 3}]\n"
    Path("s.yaml").write_text(spec)
    network = netcalc.Network(netcalc.load("s.yaml"), seed=1)
    network.save("plain.npz")
    rng = np.random.default_rng(0)
    x, y = rng.random((20, 5, 8), np.float32), rng.integers(0, 3, (20, 5))
    y[::2, 1:] = -100
    np.savez("d.npz", x=x, y=y)
    weights = [0.5, 1, 2]
    options = ("--weights", "plain.npz", "--data", "d.npz", "--loss")
    found = evaluated(cli, *options, "cross_entropy:ignored=-100,weights=[0.5,1,2],label_smoothing=0.1")
    assert found["loss_function"] == "cross_entropy:ignored=-100,weights=[0.5,1,2],label_smoothing=0.1"
    assert found["labels"] == np.sum(y >= 0) == 60
    loss = CrossEntropy(ignored=-100, weights=weights, label_smoothing=0.1)
    assert found["loss"] == pytest.approx(loss(np.asarray(network.forward(x)), y)[0], rel=1e-5)
    refused = cli("evaluate", "s.yaml", *options, "cross_entropy:ignore=-100")
    assert refused.code == 2
    assert "has no option 'ignore'; did you mean ignored?" in " ".join(refused.err.replace("│", " ").split())


@pytest.mark.parametrize(("ending", "is_said"), [("softmax", True), ("log_softmax", False), ("relu", False)])
def test_cross_entropy_of_probabilities_is_said(cli: Cli, ending: str, is_said: bool) -> None:
    Path("s.yaml").write_text(SPEC.replace("{linear: $classes}", f"{{linear: $classes}}, {ending}"))
    use = ("--weights", "plain.npz", "--data", "d.npz")
    assert ("loss_of_probabilities" in evaluated(cli, *use)) == is_said
    words = f"{ending}1 gives probabilities, which cross_entropy takes for scores"
    assert (words in " ".join(cli("evaluate", "s.yaml", *use).out.split())) == is_said
    assert ("gives probabilities" in cli("evaluate", "s.yaml", *use, "-f", "markdown").out) == is_said
    assert "gives probabilities" not in cli("evaluate", "s.yaml", *use, "--loss", "hinge").out


def test_tables_have_a_row_a_class(cli: Cli) -> None:
    arguments = ("evaluate", "s.yaml", "--weights", "w.safetensors", "--data", "d.npz")
    rows = list(csv.DictReader(io.StringIO(cli(*arguments, "-f", "csv").out)))
    assert [row["class"] for row in rows] == list(NAMES)
    found = evaluated(cli, *arguments[2:])
    for row, one in zip(rows, found["classes"], strict=True):
        assert int(row["correct"]) == one["correct"]
        assert row["recall"] == str(one["recall"])
    assert "| 3 | a fish |" in cli(*arguments, "-f", "markdown").out


@pytest.mark.parametrize(("classes", "rows"), [(10, 10), (100, 0)])
def test_many_classes_are_folded_to_the_most_confused(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, classes: int, rows: int
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    graph = netcalc.load("s.yaml", args={"classes": classes})
    netcalc.Network(graph).save("many.npz")
    np.savez("m.npz", x=np.random.default_rng(0).random((200, 3, 8, 8)), y=np.arange(200) % classes)
    arguments = (
        "evaluate",
        "s.yaml",
        "--weights",
        "many.npz",
        "--data",
        "m.npz",
        "--set",
        f"classes={classes}",
    )
    shown = cli(*arguments)
    assert shown.code == 0
    assert max(map(len, shown.out.splitlines())) <= 80
    assert ("predicted as\nlabel" in shown.out) == (rows > 0)
    assert ("confused most often" in shown.out) == (rows == 0)
    assert ("The 10 classes of the lowest F1, of 100" in shown.out) == (rows == 0)
    every = cli(*arguments, "--all").out
    figures = every[every.index("precision") :].splitlines()[1:]
    assert len([line for line in figures if line.split()[0].isdecimal()]) == classes
    assert cli(*arguments, "--all", "-f", "json").code == 2


@pytest.mark.parametrize("loss", ["mse", "l1", "huber"])
def test_numbers(cli: Cli, trained: netcalc.Network, loss: str) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.random((20, 3, 8, 8), np.float32), rng.random((20, 4), np.float32)
    np.savez("r.npz", x=x, y=y)
    found = evaluated(cli, "--weights", "plain.npz", "--data", "r.npz", "--loss", loss)
    error = trained.forward(x) - y  # type: ignore[operator]
    small = np.minimum(np.abs(error), 1)
    mean = {"mse": error**2, "l1": np.abs(error), "huber": small * (np.abs(error) - small / 2)}[loss].mean()
    assert found["loss"] == pytest.approx(mean, rel=1e-5)
    assert (found["accuracy"], "confusion" in found) == (None, False)
    shown = cli("evaluate", "s.yaml", "--weights", "plain.npz", "--data", "r.npz")
    assert f"mse {(error**2).mean():.4g}  ·  20 samples" in shown.out


def test_tokens(cli: Cli) -> None:
    Path("gpt.yaml").write_text(
        "input: [4]\nlayers: [{embedding: {entries: 256, width: 8}}, {linear: 256}]\n"
    )
    netcalc.Network(netcalc.load("gpt.yaml")).save("gpt.npz")
    Path("t.txt").write_text("to be or not to be, that is")
    result = cli("evaluate", "gpt.yaml", "--weights", "gpt.npz", "--data", "t.txt", "-f", "json")
    found = json.loads(result.out)
    assert (found["samples"], found["labels"]) == (6, 24)
    assert found["perplexity"] == pytest.approx(np.exp(found["loss"]))
    assert found["classes"][32]["class"] == "space"
    shown = cli("evaluate", "gpt.yaml", "--weights", "gpt.npz", "--data", "t.txt").out
    assert f"perplexity {found['perplexity']:.4g}" in shown
    assert "normalised" not in shown


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_picture(cli: Cli, ending: str) -> None:
    arguments = (
        "evaluate",
        "s.yaml",
        "--weights",
        "w.safetensors",
        "--data",
        "d.npz",
        "--plot",
        f"c.{ending}",
    )
    drawn = cli(*arguments)
    assert (drawn.code, drawn.err.strip()) == (0, f"drawn into c.{ending}")
    content = Path(f"c.{ending}").read_bytes()
    if ending == "svg":
        assert all(name.encode() in content for name in NAMES)
        cli(*arguments)
        assert Path("c.svg").read_bytes() == content
    else:
        assert content.startswith(b"\x89PNG")


@pytest.mark.parametrize("end", ["", " of the lower order"])
def test_long_names_stay_apart_in_the_picture(cli: Cli, end: str) -> None:
    Path("s.yaml").write_text(SPEC.replace("classes: 4", "classes: 30"))
    network = netcalc.Network(netcalc.load("s.yaml"), seed=3)
    names = tuple(f"a rather long class name number {number}{end}" for number in range(30))
    write_trained("n.npz", Trained(network.parameters(), None, names))
    assert cli("evaluate", "s.yaml", "--weights", "n.npz", "--data", "d.npz", "--plot", "c.svg").code == 0
    texts = re.findall(
        r">\s*([^<>]*…[^<>]*)</text>", Path("c.svg").read_text()
    )  # twice each: a row and a column
    assert len(texts) == 60
    assert len({*texts}) == 30


def test_the_picture_has_whatever_names_there_are(cli: Cli, trained: netcalc.Network) -> None:
    names = ("$x_1$", "第二", "a\x1b[31m_b", "long " * 20)
    write_trained("n.npz", Trained(trained.parameters(), None, names))
    arguments = ("evaluate", "s.yaml", "--weights", "n.npz", "--data", "d.npz", "--plot", "c.svg")
    assert cli(*arguments).code == 0
    content = Path("c.svg").read_text()
    assert "第二" in content
    assert "\x1b" not in content


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--weights no.npz --data d.npz", "there is no weight file no.npz"),
        ("--weights plain.npz --data no", "there is no data file no"),
        ("--weights plain.npz --data d.npz --part test", "d.npz has no parts"),
        (
            "--weights plain.npz --data d.npz --loss mse",
            "has 1 number (1), the output linear1 has 4 = help: whole numbers are",
        ),
        (
            "--weights plain.npz --data c.npz",
            "c.npz is an array of 1, not the number of a class = help: store the",
        ),
        ("--weights plain.npz --data r.npz --loss bce", "r.npz cannot be evaluated: targets are 0 to 1, not"),
        ("--weights plain.npz --data r.npz --loss hinge", "classes have whole numbers"),
        ("--weights plain.npz --data r.npz --plot c.png", "no confusions are counted for these labels"),
        ("--weights plain.npz --data d.npz --plot c.jpg", "a plot's file ends in"),
        ("--weights plain.npz --data f.npz", "labels of f.npz are float64, that of sample 0 is 1; classes"),
        ("--weights plain.npz --data d.npz --plot plain.npz", "a plot's file ends in"),
        ("--weights plain.npz --data s.yaml", "holds tokens"),
        ("--weights plain.npz --data d.npz --set classes=3", "holds the weights of another network"),
        ("--data d.npz", "Missing option '--weights'"),
    ],
)
def test_what_is_refused(cli: Cli, arguments: str, words: str) -> None:
    np.savez("r.npz", x=np.zeros((5, 3, 8, 8), "f4"), y=np.full((5, 4), 1.5))
    np.savez("f.npz", x=np.zeros((5, 3, 8, 8), "f4"), y=np.ones(5))
    np.savez("c.npz", x=np.zeros((5, 3, 8, 8), "f4"), y=np.ones((5, 1), int))
    refused = cli("evaluate", "s.yaml", *arguments.split())
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.replace("│", " ").split())
    assert not Path("c.png").exists()
