"""Trained files: what goes in comes out, every reader of weights takes them, and hostile ones are refused."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

import netcalc
from netcalc.backend.weights import read_notes
from netcalc.diagnostics import ExecutionError
from netcalc.train.data import ChannelStatistics
from netcalc.train.trained import Trained, read_trained, write_trained

SPEC = """\
input: [3, 4, 4]
layers:
  - conv: {filters: 2, kernel: 3}
  - batchnorm
  - flatten
  - linear: 3
"""
STATISTICS = ChannelStatistics((0.1, 1 / 3, -2e-300), (1e-17, 2.0, 1 + 2**-52))
NAMES = ("cat", "第二", 'a "quoted"\n\x1b[31m name \udcff')
every_format = pytest.mark.parametrize("ending", ["npz", "safetensors"])


def network_of(dtype: str = "float32", seed: int = 1) -> netcalc.Network:
    network = netcalc.Network(netcalc.load(SPEC), seed, dtype)
    for array in network.parameters().values():
        array += np.random.default_rng(seed).normal(size=array.shape).astype(array.dtype)
    return network


def trained_of(network: netcalc.Network, **changed: Any) -> Trained:
    whole = Trained(network.parameters(), STATISTICS, NAMES, "Små", 256)
    return whole._replace(**changed)


@every_format
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_what_goes_in_comes_out(tmp_path: Path, ending: str, dtype: str) -> None:
    path, network = tmp_path / f"w.{ending}", network_of(dtype)
    write_trained(path, trained_of(network))
    found = read_trained(path, network_of(dtype, seed=2))
    assert found._replace(weights={}) == trained_of(network, weights={})
    assert found.weights.keys() == network.parameters().keys()
    for name, array in network.parameters().items():
        assert found.weights[name].dtype == array.dtype
        np.testing.assert_array_equal(found.weights[name], array)


@every_format
def test_bfloat16(tmp_path: Path, ending: str) -> None:
    path, network = tmp_path / f"w.{ending}", netcalc.Network(netcalc.load(SPEC), 1, "bfloat16")
    write_trained(path, trained_of(network), bfloat16=True)
    for name, array in read_trained(path, network).weights.items():
        np.testing.assert_array_equal(array, network.parameters()[name])


@every_format
def test_every_reader_of_weights_takes_it(tmp_path: Path, ending: str) -> None:
    path, network = tmp_path / f"w.{ending}", network_of()
    write_trained(path, trained_of(network))
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 4))
    other = network_of(seed=5)
    other.load(path)
    np.testing.assert_array_equal(other.forward(x), network.forward(x))
    if ending == "npz":
        with np.load(path) as arrays:
            other.load(dict(arrays))
            assert json.loads(str(arrays["@mean"])) == list(STATISTICS.mean)
    else:
        with safe_open(path, framework="np") as file:
            assert json.loads(file.metadata()["netcalc.classes"]) == list(NAMES)


@every_format
def test_weights_without_notes(tmp_path: Path, ending: str) -> None:
    path, network = tmp_path / f"w.{ending}", network_of()
    network.save(path)
    assert read_trained(path, network)[1:] == Trained({})[1:]
    write_trained(path, Trained(network.parameters()))
    assert read_notes(path) == {}


def test_notes_survive_folding(tmp_path: Path, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SPEC)
    write_trained("w.npz", trained_of(network_of()))
    assert cli("fold", "s.yaml", "--weights", "w.npz", "-o", "f.safetensors").code == 0
    assert read_notes("f.safetensors") == read_notes("w.npz")
    folded = netcalc.Network(netcalc.load("f.yaml"))
    assert read_trained("f.safetensors", folded).statistics == STATISTICS


@pytest.mark.parametrize(
    ("note", "text", "words"),
    [
        ("mean", "[1, 2", "the note 'mean' of .* is not a list of numbers"),
        ("mean", "[]", "is not a list of numbers"),
        ("mean", "3", "is not a list of numbers"),
        ("mean", "[1, NaN, 2]", "is not a list of numbers"),
        ("mean", "[1, 1e999, 2]", "is not a list of numbers"),
        ("mean", f"[1, 2, {10**400}]", "is not a list of numbers"),
        ("mean", f"[1, 2, {'1' * 5000}]", "is not a list of numbers"),
        ("mean", "[true, 1, 2]", "is not a list of numbers"),
        ("mean", "[" * 100_000, "is not a list of numbers"),
        ("mean", "[1, 2]", "have 2 and 3 values, not one each a channel"),
        ("std", "[1, 0, 2]", "'std' .* holds 0; a deviation is above 0"),
        ("std", "[1, 1e-320, 2]", "a deviation is above 0"),
        ("mean", "[1, 1e39, 2]", "is not a list of numbers"),
        ("std", None, "have 3 and 0 values"),
        ("classes", '{"a": 1}', "is not a list of names"),
        ("classes", "[1, 2]", "is not a list of names"),
        ("classes", "[]", "is not a list of names"),
        ("network", "3", "is not a text"),
        ("resize", "0", "is not a number of pixels from 1 to 65,536"),
        ("resize", "true", "is not a number of pixels"),
        ("resize", "2.5", "is not a number of pixels"),
    ],
)
@every_format
def test_notes_that_say_nothing_sound(
    tmp_path: Path, ending: str, note: str, text: str | None, words: str
) -> None:
    from netcalc.backend.weights import write_weights

    path, network = tmp_path / f"w.{ending}", network_of()
    notes = {"mean": "[1, 2, 3]", "std": "[1, 2, 3]"} | ({} if text is None else {note: text})
    if text is None:
        del notes[note]
    write_weights(path, network.parameters(), notes=notes)
    with pytest.raises(ExecutionError, match=words) as caught:
        read_trained(path, network)
    assert caught.value.diagnostics[0].code == "E940"
    network.load(path)  # the weights are sound


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"statistics": ChannelStatistics((0.5,), (1.0,))},
            "normalises 1 channel, the input of .* is 3x4x4",
        ),
        ({"classes": ("a", "b", "c", "d")}, "names 4 classes, the output linear1 of .* has 3 scores"),
    ],
)
def test_notes_of_another_network(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    path, network = tmp_path / "w.npz", network_of()
    write_trained(path, trained_of(network, **changed))
    with pytest.raises(ExecutionError, match=words) as caught:
        read_trained(path, network)
    assert caught.value.diagnostics[0].code == "E941"


def refused(path: Path, words: str, code: str = "E906") -> None:
    with pytest.raises(ExecutionError, match=words) as caught:
        read_trained(path, network_of())
    assert caught.value.diagnostics[0].code == code


def test_a_note_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    for value in (np.zeros(3), np.array(["a", "b"]), np.array([[0.5]])):
        np.savez(path, **network_of().parameters(), **{"@mean": value})  # type: ignore[arg-type]
        refused(path, "@mean is no text")
    np.savez(path, **{"@mean": np.array({}, object)}, allow_pickle=True)  # type: ignore[arg-type]
    refused(path, "@mean.npy holds pickled objects")


def test_notes_larger_than_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcalc.backend.weights._MOST_NOTES", 1000)
    write_trained(tmp_path / "w.npz", trained_of(network_of()))
    refused(tmp_path / "w.npz", "its notes are larger than 1,000 bytes")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ('{"netcalc.mean": 3}', "invalid type"),
        ('["netcalc.mean"]', "invalid type"),
        ('{"netcalc.mean": "[1, 2, 3]", "netcalc.mean": "[4, 5, 6]"}', "netcalc.mean is in it twice"),
    ],
)
def test_metadata_of_another_form(tmp_path: Path, metadata: str, words: str) -> None:
    path = tmp_path / "w.safetensors"
    header = ('{"__metadata__": ' + metadata + "}").encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    refused(path, words)


@every_format
def test_files_that_are_cut_off(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"w.{ending}"
    write_trained(path, trained_of(network_of()))
    whole = path.read_bytes()
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        refused(path, "weight file")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError, match=r"does not end in \.npz or \.safetensors"):
        write_trained(tmp_path / "w.txt", trained_of(network_of()))
    with pytest.raises(ExecutionError, match="cannot be written"):
        write_trained(tmp_path / "no" / "w.npz", trained_of(network_of()))
    assert not [*tmp_path.iterdir()]
