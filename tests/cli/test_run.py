"""The command `run`: what goes in, what is shown, what is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import netcalc
from netcalc.backend import InferencePlan, Network, TrainingStep, random_inputs
from netcalc.backend.errors import refuse
from netcalc.cli.app import run

from helpers import graph_of

NET = """
name: small
input: [3, 8, 8]
preprocess: {resize: 10, mean: 0.5, std: 0.5}
layers:
  - conv: {filters: 4, kernel: 3}
  - relu
  - global_avgpool
  - linear: {units: 5}
"""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(NET)
    return str(path)


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    for name, colour in (("red", (255, 0, 0)), ("grey", (128, 128, 128))):
        Image.new("RGB", (12, 20), colour).save(tmp_path / f"{name}.png")
    return [str(tmp_path / "red.png"), str(tmp_path / "grey.png")]


def lines(cli: Callable[..., Any], *arguments: str) -> list[str]:
    result = cli(*arguments)
    assert (result.code, result.err) == (0, "")
    return str(result.out).splitlines()


def test_random_input_gives_the_outputs_moments(cli: Callable[..., Any], spec: str) -> None:
    out = lines(cli, "run", spec, "--batch", "3", "--seed", "2")
    assert out[0] == "small  ·  on random  ·  batch 3, float32  ·  random weights (seed 2)"
    assert out[2].split() == ["output", "shape", "mean", "std", "min", "max", "zeros"]
    assert out[3].split()[:2] == ["linear1", "3x5"]
    assert lines(cli, "run", spec, "--batch", "3", "--seed", "2") == out


def test_outputs_and_gradients_are_written_by_name(
    cli: Callable[..., Any], spec: str, tmp_path: Path
) -> None:
    network = Network(graph_of(NET), seed=3)
    network.save(tmp_path / "w.npz")
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)
    dy = np.random.default_rng(1).standard_normal((2, 5)).astype(np.float32)
    np.savez(tmp_path / "x.npz", input=x)
    np.save(tmp_path / "dy.npy", dy)
    lines(cli, "run", spec, "--weights", str(tmp_path / "w.npz"), "--input", str(tmp_path / "x.npz"), "--backward",
          "--upstream", str(tmp_path / "dy.npy"), "-o", str(tmp_path / "o.npz"))  # fmt: skip
    written = dict(np.load(tmp_path / "o.npz"))
    expected = {"linear1": network.forward(x)}
    grads = network.backward(dy)
    expected |= {f"grad.{name}": array for name, array in (grads.params | grads.inputs).items()}  # type: ignore[operator]
    assert set(written) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(written[name], array)


@pytest.fixture
def engine_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the engines, one for each run of theirs."""
    runs: list[str] = []
    for engine in (InferencePlan, TrainingStep):

        def counted(self: Any, x: Any, run: Any = engine.run) -> Any:
            runs.append(type(self).__name__)
            return run(self, x)

        monkeypatch.setattr(engine, "run", counted)
    return runs


def outputs(cli: Callable[..., Any], path: Path, *arguments: str) -> dict[str, Any]:
    lines(cli, "run", *arguments, "-o", str(path))
    return dict(np.load(path))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["inference", "training"])
def test_a_run_takes_the_engine_and_with_reference_the_kernels(
    cli: Callable[..., Any], tmp_path: Path, engine_runs: list[str], dtype: str, mode: str
) -> None:
    options = ["resnet18", "--input", "3x32x32", "--batch", "3", "--dtype", dtype]
    options += ["--training"] if mode == "training" else []
    found = outputs(cli, tmp_path / "found.npz", *options)
    assert engine_runs == [{"inference": "InferencePlan", "training": "TrainingStep"}[mode]]
    plain = outputs(cli, tmp_path / "plain.npz", *options, "--reference")
    assert len(engine_runs) == 1
    network = Network(netcalc.load("resnet18", input=(3, 32, 32)), seed=0, dtype=dtype)
    expected = network.run(random_inputs(network.graph, 3, 0, dtype), training=mode == "training").outputs
    assert found.keys() == plain.keys() == expected.keys()
    for name, y in expected.items():
        assert found[name].dtype == plain[name].dtype == y.dtype
        np.testing.assert_array_equal(plain[name], y)
        np.testing.assert_allclose(found[name], y, rtol=0, atol=1e-4 * np.abs(y).max())


def test_the_engine_and_the_kernels_give_the_same_classes(
    cli: Callable[..., Any], pictures: list[str], engine_runs: list[str]
) -> None:
    arguments = ("run", "resnet18", "--input", *pictures[:1], "--top", "3")
    found, plain = lines(cli, *arguments), lines(cli, *arguments, "--reference")
    assert engine_runs == ["InferencePlan"]
    assert [line.split()[:2] for line in found[2:]] == [line.split()[:2] for line in plain[2:]]
    shares = [[float(line.split("%")[0].split()[-1]) for line in out[2:]] for out in (found, plain)]
    np.testing.assert_allclose(*shares, atol=0.011)


@pytest.mark.parametrize("option", ["--trace", "--backward", "--verify", "--reference"])
def test_what_looks_at_layers_runs_the_kernels(
    cli: Callable[..., Any], spec: str, engine_runs: list[str], option: str
) -> None:
    lines(cli, "run", spec, option)
    assert engine_runs == []


def test_what_an_engine_refuses_runs_the_kernels(
    cli: Callable[..., Any],
    spec: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine_runs: list[str],
) -> None:
    for mode in ([], ["--training"]):
        half = [outputs(cli, tmp_path / "o.npz", spec, "--dtype", "float16", *mode, *more)["linear1"]
                for more in ([], ["--reference"])]  # fmt: skip
        np.testing.assert_array_equal(*half)
    assert engine_runs == []
    plain = outputs(cli, tmp_path / "o.npz", spec, "--reference")["linear1"]
    monkeypatch.setattr("netcalc.backend.dispatch._LEAST_MACS", 0)
    monkeypatch.setattr(
        "netcalc.backend.plan.inference.require_memory", lambda *_: refuse("E904", "too large")
    )
    np.testing.assert_array_equal(outputs(cli, tmp_path / "o.npz", spec)["linear1"], plain)


def test_a_training_that_an_engine_gives_up_draws_the_same_numbers(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.yaml").write_text("input: [40]\nlayers:\n  - dropout\n  - linear: {units: 5}\n")
    arguments = (str(tmp_path / "net.yaml"), "--training")
    plain = outputs(cli, tmp_path / "o.npz", *arguments, "--reference")["linear1"]

    def gives_up(self: TrainingStep, _: Any) -> None:
        self.network.next_draw()
        refuse("E904", "too large")

    monkeypatch.setattr("netcalc.backend.dispatch._LEAST_MACS", 0)
    monkeypatch.setattr(TrainingStep, "run", gives_up)
    np.testing.assert_array_equal(outputs(cli, tmp_path / "o.npz", *arguments)["linear1"], plain)


def test_small_layers_run_the_kernels(
    cli: Callable[..., Any], tmp_path: Path, engine_runs: list[str]
) -> None:
    (tmp_path / "deep.yaml").write_text("input: [64]\nlayers:\n  - linear: {units: 64, repeat: 50}\n")
    lines(cli, "run", str(tmp_path / "deep.yaml"))
    assert engine_runs == []


@pytest.mark.parametrize("number", [np.nan, np.inf, 3e38])
def test_numbers_that_are_not_finite_run_the_kernels(
    cli: Callable[..., Any], tmp_path: Path, number: float
) -> None:
    """In the input or, at 3e38, in the output: the plan's tiles would spread them."""
    spec = tmp_path / "net.yaml"
    spec.write_text("input: [8, 20, 20]\nlayers:\n  - conv: {filters: 16, kernel: 3, pad: 1, repeat: 2}\n")
    x = np.zeros((1, 8, 20, 20), np.float32)
    x[0, 1, 7, 9] = number
    np.save(tmp_path / "x.npy", x)
    arguments = (str(spec), "--input", str(tmp_path / "x.npy"))
    found, plain = (outputs(cli, tmp_path / "o.npz", *arguments, *more) for more in ([], ["--reference"]))
    for name, y in plain.items():
        np.testing.assert_array_equal(np.isfinite(found[name]), np.isfinite(y))


def test_one_sample_needs_no_batch(cli: Callable[..., Any], spec: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((3, 8, 8)))
    assert "batch 1" in lines(cli, "run", spec, "--input", f"input={tmp_path / 'x.npy'}")[0]


def test_a_picture_gives_the_best_classes(
    cli: Callable[..., Any], spec: str, pictures: list[str], tmp_path: Path
) -> None:
    (tmp_path / "names.txt").write_text("ant\nbee\ncat\ndog\nelk\n")
    out = lines(
        cli, "run", spec, "--input", pictures[0], "--labels", str(tmp_path / "names.txt"), "--top", "3"
    )
    assert out[0].startswith("small  ·  on red.png  ·  batch 1")
    names = [line.split()[0] for line in out[2:]]
    assert len(names) == 3
    assert set(names) < {"ant", "bee", "cat", "dog", "elk"}
    shares = [float(line.split()[1].rstrip("%")) for line in out[2:]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) < 100
    every = lines(cli, "run", spec, "--input", pictures[0], "--top", "9")
    assert sum(float(line.split("%")[0].split()[-1]) for line in every[2:]) == pytest.approx(100, abs=0.05)
    assert every[2].startswith("class ")


def test_several_pictures_are_a_batch(cli: Callable[..., Any], spec: str, pictures: list[str]) -> None:
    out = lines(cli, "run", spec, "--input", pictures[0], "--input", pictures[1])
    assert "on red.png, grey.png" in out[0]
    assert "batch 2" in out[0]
    assert [line for line in out if line.endswith(".png")] == pictures


def test_the_options_change_what_a_picture_becomes(cli: Callable[..., Any], tmp_path: Path) -> None:
    Image.new("RGB", (9, 9), (255, 255, 255)).save(tmp_path / "white.png")
    (tmp_path / "id.yaml").write_text("input: [3, 8, 8]\nlayers: [identity]\n")
    for options, value in (
        ([], 1.0),
        (["--mean", "0.5"], 0.5),
        (["--mean", "0.5,0.5,0.5", "--std", "0.25"], 2.0),
    ):
        lines(
            cli,
            "run",
            str(tmp_path / "id.yaml"),
            "--input",
            str(tmp_path / "white.png"),
            *options,
            "-o",
            str(tmp_path / "o.npz"),
        )
        (array,) = np.load(tmp_path / "o.npz").values()
        assert (array == np.float32(value)).all()


def test_labels_must_be_as_many_as_classes(cli: Callable[..., Any], spec: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("ant\nbee\n")
    result = cli("run", spec, "--labels", str(tmp_path / "names.txt"))
    assert result.code == 2
    assert "there are 2 names for the 5 classes" in " ".join(result.err.split())


@pytest.mark.parametrize("width", [80, 100, 160])
def test_traces_fit_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(["run", "resnet18", "--input", "3x32x32", "--trace", "--backward"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert max(map(len, out)) <= width
    assert any("stage4.1.main.conv_bn2.conv1" in line for line in out) == (width > 80)


def test_a_trace_has_a_line_a_layer_there_and_back(cli: Callable[..., Any], spec: str) -> None:
    out = lines(cli, "run", spec, "--trace", "--backward")
    names = [line.split()[0] for line in out if line]
    layers = ["conv1", "relu1", "global_avgpool1", "linear1"]
    assert [name for name in names if name in layers] == [*layers, *layers[::-1]]
    assert "local" in "".join(out)


def test_vanishing_and_exploding_gradients_are_marked(cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "deep.yaml").write_text(
        "input: [4]\nlayers:\n  - {linear: {units: 4, repeat: 3, name: fc}}\n"
    )
    for scale, word in ((1e-3, "vanishing"), (1e3, "exploding")):
        arrays = {
            f"fc.{n}.{p}": np.eye(4) * scale if p == "weight" else np.zeros(4)
            for n in range(3)
            for p in ("weight", "bias")
        }
        np.savez(tmp_path / "w.npz", **arrays)  # type: ignore[arg-type]
        out = lines(
            cli, "run", str(tmp_path / "deep.yaml"), "--weights", str(tmp_path / "w.npz"), "--backward"
        )
        assert [line.split()[0] for line in out if line.endswith(word)] == ["fc.0"]


def test_networks_of_tokens_and_of_several_inputs_run(cli: Callable[..., Any]) -> None:
    small = ("--set", "width=24", "--set", "depth=2", "--set", "vocabulary=50", "--set", "length=8")
    assert "1x8x50" in "".join(lines(cli, "run", "gpt2", "--set", "heads=2", *small))
    assert "1x8x50" in "".join(lines(cli, "run", "transformer", "--set", "heads=2", *small))


def test_labels_are_for_scores_of_classes(cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("ant\nbee\ncat\n")
    (tmp_path / "map.yaml").write_text("input: [3, 8, 8]\nlayers: [{conv: {filters: 3, kernel: 3}}]\n")
    result = cli("run", str(tmp_path / "map.yaml"), "--labels", str(tmp_path / "names.txt"))
    assert (result.code, result.out) == (2, "")
    assert "the output is no row of scores of classes" in " ".join(result.err.replace("│", "").split())
