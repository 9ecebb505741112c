"""netcalc predict: classes of pictures and samples, continued tokens, and what is refused."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import netcalc
from netcalc.train.data import ChannelStatistics
from netcalc.train.trained import Trained, write_trained

from data_files import write_classes

Cli = Callable[..., Any]
Array = np.ndarray[Any, np.dtype[Any]]

SPEC = """\
name: Small
input: [3, 8, 8]
layers: [{conv: {filters: 6, kernel: 3}}, relu, flatten, {linear: 4}]
"""
STATISTICS = ChannelStatistics((0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
NAMES = ("bird", "cat", "dog", "a fish")
GPT = """\
name: Letters
input: [8]
layers:
  - embedding: {entries: 256, width: 16}
  - residual: {main: [{multi_head_attention: {heads: 2, causal: true}}]}
  - linear: 256
"""


@pytest.fixture(autouse=True)
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> netcalc.Network:
    """A network whose weights are in `w.safetensors`, and a folder of pictures."""
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SPEC)
    network = netcalc.Network(netcalc.load("s.yaml"), seed=3)
    write_trained("w.safetensors", Trained(network.parameters(), STATISTICS, NAMES, "Small"))
    write_classes(Path("photos"), ("cat", "dog"), each=12, size=8)
    return network


def probabilities(network: netcalc.Network, pictures: Array) -> Array:
    sizes = (1, 3, 1, 1)
    x = (pictures / 255 - np.reshape(STATISTICS.mean, sizes)) / np.reshape(STATISTICS.std, sizes)
    scores = network.forward(x)
    assert isinstance(scores, np.ndarray)
    exponentials: Array = np.exp(scores.astype(np.float64))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def predicted(cli: Cli, *arguments: str) -> Any:
    result = cli("predict", "s.yaml", "--weights", "w.safetensors", *arguments, "-f", "json")
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


def picture(path: str) -> Array:
    return np.asarray(Image.open(path)).transpose(2, 0, 1)


@pytest.mark.parametrize("batch", ["1", "2", "64"])
def test_pictures(cli: Cli, trained: netcalc.Network, batch: str) -> None:
    paths = [f"photos/{name}.png" for name in ("cat/0", "dog/14", "cat/7")]
    expected = probabilities(trained, np.stack([picture(path) for path in paths]))
    found = predicted(cli, *paths, "--top", "3", "--batch", batch)
    assert [sample["sample"] for sample in found["samples"]] == paths
    for sample, row in zip(found["samples"], expected, strict=True):
        best = np.argsort(-row)[:3]
        assert [one["number"] for one in sample["classes"]] == best.tolist()
        assert [one["class"] for one in sample["classes"]] == [NAMES[k] for k in best]
        assert [one["probability"] for one in sample["classes"]] == pytest.approx(row[best], rel=1e-4)


def test_a_folder_and_its_pictures_are_predicted_alike(cli: Cli) -> None:
    of_data = predicted(cli, "--data", "photos")
    paths = [sample["sample"] for sample in of_data["samples"]]
    assert sorted(paths) == sorted(map(str, Path("photos").rglob("*.png")))
    assert {sample["label"] for sample in of_data["samples"]} == {"cat", "dog"}
    of_pictures = predicted(cli, *paths)
    for one, other in zip(of_data["samples"], of_pictures["samples"], strict=True):
        assert one["classes"][0]["class"] == other["classes"][0]["class"]
        probability = pytest.approx(other["classes"][0]["probability"], rel=1e-4)
        assert one["classes"][0]["probability"] == probability


def test_samples_are_counted_and_shown_in_part(cli: Cli) -> None:
    arguments = ("predict", "s.yaml", "--weights", "w.safetensors", "--data", "photos")
    assert len(predicted(cli, *arguments[4:], "--samples", "5", "--batch", "2")["samples"]) == 5
    shown = cli(*arguments).out
    assert "The first 20 of 24 samples; --all shows every one." in shown
    assert shown.count("photos/") == 20
    assert cli(*arguments, "--all").out.count("photos/") == 24
    rows = list(csv.DictReader(io.StringIO(cli(*arguments, "--top", "2", "-f", "csv").out)))
    assert len(rows) == 48
    assert rows[0]["label"] == "cat"


def test_run_prepares_and_names_as_predict_does(cli: Cli) -> None:
    of_run = json.loads(
        cli("run", "s.yaml", "--weights", "w.safetensors", "--input", "photos/cat/0.png", "-f", "json").out
    )
    (sample,) = predicted(cli, "photos/cat/0.png")["samples"]
    assert [one["name"] for one in of_run["classes"][0]["classes"]] == [
        one["class"] for one in sample["classes"]
    ]
    assert of_run["classes"][0]["classes"][0]["probability"] == pytest.approx(
        sample["classes"][0]["probability"], rel=1e-4
    )


def continued(cli: Cli, *arguments: str) -> Any:
    result = cli("predict", "gpt.yaml", "--weights", "gpt.npz", *arguments, "-f", "json")
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


@pytest.mark.parametrize("prompt", ["Once", "a prompt that is longer than the network reads", "é"])
def test_tokens_are_continued_greedily(cli: Cli, prompt: str) -> None:
    Path("gpt.yaml").write_text(GPT)
    network = netcalc.Network(netcalc.load("gpt.yaml"), seed=1)
    network.save("gpt.npz")
    found = continued(cli, "--prompt", prompt, "--tokens", "12")
    row = [*prompt.encode()]
    assert found["prompt"] == row
    for one in found["tokens"]:
        window = row[-8:]
        short = netcalc.Network(netcalc.load("gpt.yaml", input=(len(window),)))
        short.load("gpt.npz")
        scores = short.forward(np.array([window]))
        assert isinstance(scores, np.ndarray)
        assert one["token"] == scores[0, -1].argmax()
        row.append(one["token"])
    assert len(found["tokens"]) == 12
    assert found["text"] == bytes(row).decode("utf-8", "replace")


def test_tokens_of_other_vocabularies_are_numbers(cli: Cli) -> None:
    Path("gpt.yaml").write_text(GPT.replace("256", "40"))
    netcalc.Network(netcalc.load("gpt.yaml"), seed=1).save("gpt.npz")
    found = continued(cli, "--prompt", "5, 17,2", "--tokens", "3")
    assert found["prompt"] == [5, 17, 2]
    assert "text" not in found
    shown = cli("predict", "gpt.yaml", "--weights", "gpt.npz", "--prompt", "5,17,2", "--tokens", "3").out
    numbers = [5, 17, 2, *(one["token"] for one in found["tokens"])]
    assert ", ".join(map(str, numbers)) in shown
    for prompt, words in (("hey", "is no list of tokens"), ("5,40", "there is no token 40")):
        refused = cli("predict", "gpt.yaml", "--weights", "gpt.npz", "--prompt", prompt)
        assert (refused.code, refused.out) == (2, "")
        assert words in " ".join(refused.err.replace("│", " ").split())


def test_a_network_that_reads_ahead_continues_nothing(cli: Cli) -> None:
    Path("gpt.yaml").write_text(GPT.replace("causal: true", "causal: false"))
    netcalc.Network(netcalc.load("gpt.yaml"), seed=1).save("gpt.npz")
    refused = cli("predict", "gpt.yaml", "--weights", "gpt.npz", "--prompt", "Once")
    assert (refused.code, refused.out) == (2, "")
    assert "error[E944]: Letters reads tokens ahead" in refused.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "give pictures, --data or --prompt."),
        ("a.png --data photos", "give pictures, --data or --prompt, not IMAGE and --data."),
        ("photos/cat/0.png --samples 3", "it is for a data set; give --data."),
        ("photos/cat/0.png --all", "it is for a data set; give --data."),
        ("photos/cat/0.png --part test", "it is for a data set; give --data."),
        ("photos/cat/0.png --tokens 3", "it is for a prompt; give --prompt."),
        ("--prompt hey --top 2", "of each token the best one follows."),
        ("--data photos --all -f csv", "csv has every sample; leave it out."),
        ("no.png", "there is no picture no.png"),
        ("photos/cat/0.png s.yaml", "s.yaml cannot be read as a picture"),
        ("--prompt hey", "Small continues no tokens"),
        ("--data no", "there is no data file no"),
        ("photos", "photos cannot be read as a picture"),
    ],
)
def test_what_is_refused(cli: Cli, arguments: str, words: str) -> None:
    refused = cli("predict", "s.yaml", "--weights", "w.safetensors", *arguments.split())
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.replace("│", " ").split())


def test_outputs_that_are_no_scores_of_classes(cli: Cli) -> None:
    Path("s.yaml").write_text("input: [3, 8, 8]\nlayers: [{conv: {filters: 6, kernel: 3}}]\n")
    netcalc.Network(netcalc.load("s.yaml")).save("w.npz")
    refused = cli("predict", "s.yaml", "--weights", "w.npz", "photos/cat/0.png")
    assert (refused.code, refused.out) == (2, "")
    assert "error[E944]: the output conv1 of" in refused.err
