"""netcalc init on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Cli = Callable[..., Any]

SPEC = """
name: Small
input: [4, 6, 6]
args: {f: relu}
layers:
  - conv: {filters: 8, kernel: 3}
  - batchnorm
  - $f
  - flatten
  - linear: {units: 5, init: lecun}
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SPEC)
    return "small.yaml"


def document(result: Any) -> dict[str, Any]:
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def test_what_is_shown(cli: Cli, small: str) -> None:
    shown = cli("init", small, "--scheme", "he", "--batch", "8", "--seed", "3").out
    assert shown.startswith("Small  ·  init he  ·  on random  ·  batch 8, float32  ·  seed 3\n")
    assert "conv1 + batchnorm + relu" in shown
    assert "\nlinear1  " in shown
    assert "he keeps the scale. The activations' deviation goes from" in " ".join(shown.split())
    assert set("▁▂▃▄▅▆▇█") & set(shown)
    assert "saturated" not in shown
    assert " dead " in shown
    assert "saturated" in cli("init", small, "--set", "f=tanh").out


def test_the_json_has_what_is_shown(cli: Cli, small: str) -> None:
    found = document(cli("init", small, "--format", "json", "--fix", "--dtype", "float64"))
    assert (found["name"], found["init"], found["batch"], found["dtype"]) == (
        "Small",
        "pytorch",
        16,
        "float64",
    )
    first, last = found["layers"]
    assert (first["layer"], first["then"]) == ("conv1", ["batchnorm1", "relu1"])
    assert first["output_shape"] == [8, 4, 4]
    assert found["ratio"] == pytest.approx(last["std"] / first["std"])
    assert found["gradient_ratio"] == pytest.approx(first["gradient_std"] / last["gradient_std"])
    assert len(first["histogram"]) == 40
    tried = {row["init"]: row for row in found["candidates"]}
    assert [*tried] == ["pytorch", "he", "xavier", "lecun", "orthogonal", "lsuv"]
    assert tried["pytorch"]["ratio"] == found["ratio"]
    assert tried[found["proposal"]]["verdict"] == "keeps"


def test_no_backward_takes_no_gradients(cli: Cli, small: str) -> None:
    found = document(cli("init", small, "--no-backward", "--format", "json"))
    assert found["gradient_ratio"] is None
    assert {row["gradient_std"] for row in found["layers"]} == {None}
    assert "gradient" not in cli("init", small, "--no-backward").out


def test_the_proposal_is_a_line_of_the_spec(cli: Cli, tmp_path: Path) -> None:
    plain = tmp_path / "plain.yaml"
    layers = "  - linear: 128\n  - relu\n" * 6
    plain.write_text(f"input: [128]\nlayers:\n{layers}")
    assert "collapses" in cli("init", str(plain)).out
    line = cli("init", str(plain), "--fix").out.splitlines()[-1]
    assert line == "init: he"
    fixed = tmp_path / "fixed.yaml"
    fixed.write_text(f"input: [128]\n{line}\nlayers:\n{layers}")
    assert document(cli("init", str(fixed), "--format", "json"))["verdict"] == "keeps"


def test_a_scheme_takes_the_place_of_the_spec_s_own_at_the_top_alone(cli: Cli, small: str) -> None:
    stated = SPEC.replace("args:", "init: he\nargs:")
    Path(small).write_text(stated)
    assert document(cli("init", small, "--format", "json"))["init"] == "he"
    shown = document(cli("init", small, "--scheme", "zeros", "--format", "json"))
    assert [row["std"] > 0 for row in shown["layers"]] == [False, False]
    Path(small).write_text(stated.replace("- batchnorm", "- batchnorm: {init: pytorch}"))
    assert document(cli("init", small, "--scheme", "zeros", "--format", "json"))["init"] == "zeros"


def test_a_batch_of_a_file(cli: Cli, small: str) -> None:
    np.save("x.npy", 5 * np.random.default_rng(0).standard_normal((7, 4, 6, 6)).astype(np.float32))
    found = document(cli("init", small, "--input", "x.npy", "--format", "json"))
    assert (found["batch"], found["data"]) == (7, "x.npy")
    scaled = document(
        cli("init", small, "--input", "x.npy", "--scheme", "lsuv", "--format", "json", "--set", "f=identity")
    )
    assert scaled["layers"][0]["std"] == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("ending", ["svg", "png", "PDF"])
def test_the_histograms_are_drawn(cli: Cli, small: str, ending: str) -> None:
    result = cli("init", small, "--plot", f"h.{ending}")
    assert result.code == 0
    assert result.err == f"drawn into h.{ending}\n"
    drawn = Path(f"h.{ending}").read_bytes()
    if ending == "svg":
        assert b"conv1 + batchnorm + relu" in drawn
        cli("init", small, "--plot", "again.svg")
        assert Path("again.svg").read_bytes() == drawn
    assert [*Path().glob("*.part")] == []


def test_a_grid_that_is_not_full_has_no_empty_frame(cli: Cli, tmp_path: Path) -> None:
    spec = tmp_path / "deep.yaml"
    spec.write_text("input: [4]\nlayers:\n  - linear: {units: 4, repeat: 8}\n")
    plot = tmp_path / "h.svg"
    assert cli("init", str(spec), "--plot", str(plot)).code == 0
    assert plot.read_bytes().count(b'id="axes_') == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scheme", "kaiming"], "there is no initialisation 'kaiming'; did you mean he?"),
        (["--scheme", "normal"], "normal has a standard deviation above 0"),
        (["--plot", "h.gif"], "a plot's file ends in .png, .svg, .pdf, unlike h.gif."),
        (["--plot", "nowhere/h.png"], "there is no folder nowhere."),
        (["--plot", "h.svg", "-o", "h.svg"], "h.svg is another file of this command"),
        (["--input", "x.npy", "--batch", "3"], "the samples are those of the files"),
    ],
)
def test_what_is_refused(cli: Cli, small: str, arguments: list[str], message: str) -> None:
    result = cli("init", small, *arguments)
    assert result.code == 2
    assert message in " ".join(result.err.replace("│", " ").split())
    assert [*Path().glob("h.*")] == []


def test_a_network_that_is_not_initialised(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text("input: [1, 4, 4]\nlayers:\n  - maxpool: 2\n")
    result = cli("init", str(path))
    assert result.code == 2
    assert "pool has no layer that is initialised" in result.err


@pytest.mark.parametrize("option", [["--scheme", "he"], ["--fix"]])
def test_a_scheme_that_no_layer_follows(cli: Cli, tmp_path: Path, option: list[str]) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("input: [4]\nlayers:\n  - linear: {units: 3, init: xavier}\n")
    result = cli("init", str(path), *option)
    assert result.code == 2
    assert "no layer of own has parameters that he draws" in " ".join(result.err.replace("│", " ").split())


def test_without_matplotlib(cli: Cli, small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcalc.render.figures.is_available", lambda: False)
    result = cli("init", small, "--plot", "h.png")
    assert result.code == 2
    assert "a plot needs matplotlib" in result.err
