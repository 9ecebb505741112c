"""Features of inner layers: equal to the layers' outputs, a data set of their own, whole or not at all."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.diagnostics import ExecutionError
from netcalc.train.applying import applied
from netcalc.train.batches import Batches
from netcalc.train.data import ArrayData, ChannelStatistics, open_data, require_fit
from netcalc.train.features import part_of, write_features
from netcalc.train.trained import Trained, write_trained

Cli = Callable[..., Any]
SPEC = """\
name: Small
input: [3, 8, 8]
layers:
  - conv: {name: stem, filters: 6, kernel: 3, pad: 1, init: he}
  - batchnorm
  - relu
  - residual:
      main:
        - conv: {name: inner, filters: 6, kernel: 3, pad: 1}
        - relu
  - maxpool: 2
  - conv: {name: again, filters: 6, kernel: 3, pad: 1, share: main.inner}
  - dropout: 0.5
  - flatten
  - linear: {name: head, units: 4}
"""
STATISTICS = ChannelStatistics((0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
LAYERS = (
    "stem",
    "batchnorm1",
    "relu1",
    "main.inner",
    "add1",
    "maxpool1",
    "again",
    "dropout1",
    "flatten1",
    "head",
)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SPEC)
    network = netcalc.Network(netcalc.load("s.yaml"), seed=3)
    write_trained("w.npz", Trained(network.parameters(), STATISTICS))
    np.savez("d.npz", x=pictures(21), y=np.arange(21) % 4)


def pictures(count: int) -> np.ndarray[Any, np.dtype[Any]]:
    return np.random.default_rng(0).integers(0, 256, (count, 3, 8, 8), np.uint8)


def layers_of(dtype: str = "float32") -> dict[str, Any]:
    network = netcalc.Network(netcalc.load("s.yaml"), seed=3, dtype=dtype)
    network.load("w.npz")
    x = (pictures(21) / 255 - np.reshape(STATISTICS.mean, (1, 3, 1, 1))) / np.reshape(
        STATISTICS.std, (1, 3, 1, 1)
    )
    found = network.forward(x, gradients=False, capture=LAYERS)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("size", [1, 8, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_every_layer_at_once(size: int, dtype: str) -> None:
    use = applied(netcalc.Network(netcalc.load("s.yaml"), dtype=dtype), "w.npz")
    written = write_features(use, open_data("d.npz"), LAYERS, "f.npz", size)
    expected = layers_of(dtype)
    with np.load("f.npz") as found:
        assert {*found} == {*LAYERS, "y"} == written.keys()
        np.testing.assert_array_equal(found["y"], np.arange(21) % 4)
        for name in LAYERS:
            assert (found[name].shape, found[name].dtype) == (expected[name].shape, dtype)
            assert written[name] == (found[name].shape, found[name].dtype)
            tolerance = {"float16": 3e-3, "float32": 1e-4, "float64": 1e-12}[dtype]
            np.testing.assert_allclose(found[name], expected[name], tolerance, tolerance)


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_alone_runs_what_it_needs(layer: str) -> None:
    network = netcalc.Network(netcalc.load("s.yaml"))
    part = part_of(network, [layer])
    assert (len(part.graph.nodes) < len(network.graph.nodes)) == (layer != "head")
    use = applied(network, "w.npz")
    write_features(use, open_data("d.npz"), [layer], "f.npz", 8)
    with np.load("f.npz") as found:
        assert {*found} == {"x", "y"}
        np.testing.assert_allclose(found["x"], layers_of()[layer], 1e-4, 1e-4)


def test_a_layer_that_shares_the_parameters_of_one_it_does_not_read() -> None:
    spec = "input: [4]\nlayers: [{linear: {name: a, units: 3}}, {linear: {name: b, units: 3, from: input, share: a}}]\n"
    network = netcalc.Network(netcalc.load(spec), seed=2)
    x = np.random.default_rng(0).random((5, 4), np.float32)
    data = ArrayData("data", {"x": x}, np.zeros(5, int))
    write_features(applied(network, None), data, ["b"], "f.npz", 2)
    with np.load("f.npz") as found:
        np.testing.assert_allclose(found["x"], network.forward(x), rtol=1e-5)  # type: ignore[arg-type]


def test_a_linear_classifier_is_trained_on_them(cli: Cli) -> None:
    """Two classes that one pixel tells apart."""
    from netcalc.train.losses import CrossEntropy
    from netcalc.train.optimisers import Adam

    x, y = pictures(120), np.arange(120) % 2
    x[:, 0, 2:6, 2:6] = np.where(y, 250, 5)[:, None, None]
    np.savez("d.npz", x=x, y=y)
    arguments = ("--weights", "w.npz", "--features", "maxpool1", "--data", "d.npz", "-o", "features.npz")
    result = cli("run", "s.yaml", *arguments)
    assert (result.code, result.err) == (0, "")
    assert "features.npz: x holds maxpool1, 120x6x4x4 float32, 45.00 KiB" in result.out
    data = open_data("features.npz")
    graph = netcalc.load("input: [6, 4, 4]\nlayers: [flatten, {linear: 2}]\n")
    require_fit(data, graph)
    head = netcalc.Network(graph)
    optimiser, loss = Adam(head, lr=0.01), CrossEntropy()
    for epoch in range(10):
        for batch in Batches(data, 40).epoch(epoch):
            _, dy = loss(head.forward(batch.inputs["x"]), batch.labels)  # type: ignore[arg-type]
            optimiser.step(head.backward(dy).params)
    scores = head.forward(data.batch(np.arange(120)).inputs["x"])
    assert isinstance(scores, np.ndarray)
    assert np.mean(scores.argmax(axis=1) == y) > 0.95


def test_written_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    use = applied(netcalc.Network(netcalc.load("s.yaml")), "w.npz")
    data = open_data("d.npz")
    Path("f.npz").write_bytes(b"as it was")
    before = sorted(Path().iterdir())

    def stops(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_features(use, data, ["stem", "head"], "f.npz", 8, stops)

    def is_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("netcalc.train.features.shutil.copyfileobj", is_full)
        with pytest.raises(ExecutionError, match=r"f\.npz cannot be written: No space left on device"):
            write_features(use, data, ["stem"], "f.npz", 8)
    assert Path("f.npz").read_bytes() == b"as it was"
    assert sorted(Path().iterdir()) == before
    with pytest.raises(ExecutionError, match="cannot be written"):
        write_features(use, data, ["stem"], "no/f.npz", 8)


def test_they_may_be_larger_than_memory() -> None:
    use = applied(netcalc.Network(netcalc.load("input: [16]\nlayers: [{linear: 2048}, relu]\n")), None)
    data = ArrayData("data", {"x": np.zeros((800, 16), "f4")}, np.zeros(800, int))
    tracemalloc.start()
    write_features(use, data, ["linear1", "relu1"], "f.npz", 32)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = Path("f.npz").stat().st_size
    assert size > 13_000_000
    assert peak < size / 2


def test_a_layer_that_has_the_labels_name() -> None:
    use = applied(
        netcalc.Network(netcalc.load("input: [4]\nlayers: [{linear: {name: y, units: 2}}, relu]\n")), None
    )
    data = ArrayData("data", {"x": np.ones((3, 4), "f4")}, np.arange(3))
    assert write_features(use, data, ["y"], "f.npz", 8).keys() == {"x", "y"}
    with pytest.raises(ExecutionError, match="a layer is called 'y', which the labels are"):
        write_features(use, data, ["y", "relu1"], "f.npz", 8)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--features stem -o f.npz", "give --data."),
        ("--features stem --data d.npz", "features go into an .npz; give one."),
        ("--features stem --data d.npz -o f.csv", "features go into an .npz; give one."),
        ("--features stem --features stem --data d.npz -o f.npz", "a layer is given twice."),
        ("--features stme --data d.npz -o f.npz", "has no layer 'stme' to take features of"),
        ("--features input --data d.npz -o f.npz", "has no layer 'input' to take features of"),
        ("--features stem --data d.npz -o d.npz", "d.npz is what the command reads"),
        ("--features stem --data d.npz -o f.npz --trace", "--features does without it"),
        ("--features stem --data d.npz -o f.npz --training", "--features does without it"),
        ("--features stem --data d.npz -o f.npz --verify", "--features does without it"),
        ("--features stem --data d.npz -o f.npz --input x.npy", "--features does without it"),
        ("--features stem --data d.npz -o f.npz --mean 0.5", "--features does without it"),
        ("--features stem --data d.npz -o f.npz --format json", "--features does without it"),
        ("--features stem --data no -o f.npz", "there is no data file no"),
        ("--data d.npz", "it is for --features LAYER."),
        ("--part test", "it is for --features LAYER."),
        ("--data-format npz", "it is for --features LAYER."),
    ],
)
def test_what_is_refused(cli: Cli, arguments: str, words: str) -> None:
    refused = cli("run", "s.yaml", "--weights", "w.npz", *arguments.split())
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.replace("│", " ").split())
    assert not Path("f.npz").exists()
