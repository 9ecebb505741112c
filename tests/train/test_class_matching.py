"""Which class of a trained file each class of a data set is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.diagnostics import ExecutionError
from netcalc.train.applying import applied, batches_for
from netcalc.train.data import open_data
from netcalc.train.trained import Trained, write_trained

from data_files import write_classes

Cli = Callable[..., Any]
NUMBERS = tuple(map(str, range(12)))
IN_TEXT_ORDER = tuple(sorted(NUMBERS))


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def given_labels(classes: tuple[str, ...], names: tuple[str, ...], scores: int = 12) -> list[int]:
    """The labels that a folder with a picture of each class gets from a file that has names."""
    write_classes(Path("data"), classes, each=1, size=4)
    return labels_of("data", names, scores)


def labels_of(data: str, names: tuple[str, ...], scores: int = 12) -> list[int]:
    network = netcalc.Network(netcalc.load(f"input: [3, 4, 4]\nlayers: [flatten, {{linear: {scores}}}]\n"))
    write_trained("w.npz", Trained(network.parameters(), classes=names))
    labels = [batch.labels for batch in batches_for(applied(network, "w.npz"), open_data(data), 5)]
    return [int(label) for label in np.concatenate(labels)]


@pytest.mark.parametrize(
    ("classes", "names", "labels"),
    [
        (("2", "3", "4"), NUMBERS, [2, 3, 4]),
        (("2", "3", "4"), (), [2, 3, 4]),
        (("2", "3", "4"), NUMBERS[:5], [2, 3, 4]),
        (("0", "1", "2"), NUMBERS, [0, 1, 2]),
        (("0", "1", "2"), IN_TEXT_ORDER, [0, 1, 4]),
        (("10", "2", "9"), IN_TEXT_ORDER, [2, 4, 11]),
        (IN_TEXT_ORDER, NUMBERS, [0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9]),
        (IN_TEXT_ORDER, IN_TEXT_ORDER, [*range(12)]),
        (("cat", "dog"), ("ant", "bee", "cat", "dog"), [2, 3]),
        (("a", "b", "a c"), ("a", "a c", "b", "a"), [0, 1, 2]),
    ],
)
def test_a_folders_classes(classes: tuple[str, ...], names: tuple[str, ...], labels: list[int]) -> None:
    assert given_labels(classes, names) == labels


@pytest.mark.parametrize(
    ("classes", "names", "words"),
    [
        (
            ("2", "12"),
            NUMBERS,
            "the class '12', which is no number of the 12 classes of .*, which have no names",
        ),
        (("cat", "dog"), (), "the class 'cat', which is no number of the 12 classes of"),
        (("2", "cat"), NUMBERS, "the class 'cat', which is no number of the 12 classes"),
        (("1", "12"), IN_TEXT_ORDER, "the class '12', which is none of the 12 that"),
        (("0", "1"), ("1", "2", "3"), "the class '0', which is none of the 3 that"),
        (("2", "3"), ("cat", "dog", "owl", "bee"), "the class '2', which is none of the 4 that"),
        (("0", "1"), ("cat", "dog", "owl"), "the class '0', which is none of the 3 that"),
        (("a", "b", "c"), ("0", "1", "2"), "the class 'a', which is no number of the 12 classes"),
        (("a", "b"), ("b", "a", "b"), "the class 'b', which is the name of 2 classes of"),
    ],
)
def test_classes_that_are_none_of_the_files(
    classes: tuple[str, ...], names: tuple[str, ...], words: str
) -> None:
    with pytest.raises(ExecutionError, match=words):
        given_labels(classes, names)


@pytest.mark.parametrize(
    ("own", "names", "labels"),
    [
        ([2, 11], NUMBERS, [2, 11]),
        ([2, 11], (), [2, 11]),
        ([2, 11], IN_TEXT_ORDER, [4, 3]),
        ([1, 3], ("1", "2", "3"), [0, 2]),  # 0 is no label here, so that it is no class either
        ([0, 2], ("cat", "dog", "owl"), [0, 2]),
    ],
)
def test_labels_that_are_numbers(own: list[int], names: tuple[str, ...], labels: list[int]) -> None:
    np.savez("d.npz", x=np.zeros((len(own), 3, 4, 4), "f4"), y=own)
    assert labels_of("d.npz", names) == labels


def test_as_many_names_as_there_are_scores_are_those_of_a_file_without_names() -> None:
    assert given_labels(("a", "b", "c"), (), scores=3) == [0, 1, 2]


def test_whole_numbers_of_a_regression_are_no_classes() -> None:
    np.savez("d.npz", x=np.zeros((2, 3, 4, 4), "f4"), y=[7, 90])
    assert labels_of("d.npz", (), scores=1) == [7, 90]


def test_commands_name_them(cli: Cli) -> None:
    """A test folder that lacks classes 0 and 1: what is predicted, and what is counted for which class."""
    Path("s.yaml").write_text("input: [3, 4, 4]\nlayers: [flatten, {linear: 5}]\n")
    network = netcalc.Network(netcalc.load("s.yaml"))
    write_trained("w.npz", Trained(network.parameters(), classes=NUMBERS[:5]))
    write_classes(Path("photos"), ("2", "3", "4"), each=2, size=4)
    use = ("s.yaml", "--weights", "w.npz", "--data", "photos", "-f", "csv")
    rows = cli("predict", *use, "--top", "1").out.splitlines()
    assert [row.split(",")[1] for row in rows[1:]] == ["2", "2", "3", "3", "4", "4"]
    counts = [row.split(",")[:3] for row in cli("evaluate", *use).out.splitlines() if row[:1].isdigit()]
    assert counts == [["0", "0", "0"], ["1", "1", "0"], ["2", "2", "2"], ["3", "3", "2"], ["4", "4", "2"]]


def test_features_of_a_network_without_names_keep_the_labels(cli: Cli) -> None:
    Path("s.yaml").write_text("input: [3, 4, 4]\nlayers: [flatten, {linear: 5}]\n")
    netcalc.Network(netcalc.load("s.yaml")).save("plain.npz")
    write_classes(Path("photos"), ("cat", "dog"), each=2, size=4)
    arguments = ("--weights", "plain.npz", "--features", "flatten1", "--data", "photos", "-o", "f.npz")
    assert cli("run", "s.yaml", *arguments).code == 0
    with np.load("f.npz") as found:
        assert found["y"].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("units", "loss", "labels"), [(1, "mse", [7, 90, 3, 3]), (3, "cross_entropy:ignored=255", [2, 255, 0, 1])]
)
def test_labels_beyond_the_scores_are_no_classes_of_a_trained_file(
    cli: Cli, units: int, loss: str, labels: list[int]
) -> None:
    """Whole numbers of a regression, and labels that are ignored: what was trained is evaluated."""
    Path("s.yaml").write_text(f"input: [3, 4, 4]\nlayers: [flatten, {{linear: {units}}}]\n")
    np.savez("d.npz", x=np.random.default_rng(0).random((4, 3, 4, 4), "f4"), y=labels)
    options = ("--data", "d.npz", "--loss", loss)
    assert cli("train", "s.yaml", *options, "--epochs", "1", "--validation", "0", "-o", "run").code == 0
    result = cli("evaluate", "s.yaml", "--weights", "run/weights.safetensors", *options)
    assert (result.code, result.err) == (0, "")
