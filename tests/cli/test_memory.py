"""netcalc memory."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


@pytest.mark.parametrize("width", ["80", "100", "160"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("alexnet", "--batch", "128", "--fit", "3GB"),
        ("regnet_x_400mf", "--dtype", "bfloat16", "--optimiser", "adamw", "--checkpoint", "2"),
        ("unet", "--checkpoint", "sqrt", "--batch", "8", "--all"),
        ("lenet5", "--dtype", "int8"),
        ("gpt2", "--batch", "2147483647", "--fit", "1"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_it_fits_the_terminal(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, width: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    result = cli("memory", *arguments)
    assert result.code == 0, result.err
    assert max(map(len, result.out.splitlines())) <= int(width)


TWO_BRANCHES = """
input: [500]
layers:
  - parallel:
      branches:
        wide: [linear: {units: 1000}, linear: {units: 400}]
        narrow: [linear: {units: 10}]
"""


def test_what_it_says(cli: Cli) -> None:
    out = cli("memory", "alexnet", "--batch", "128", "--optimiser", "momentum", "--fit", "3GiB").out
    assert "1.14 GiB at the peak, in the backward of relu5" in out
    assert "2.90 times the forward" in " ".join(out.split())
    assert "the largest batch that fits 3.00 GiB is 643" in out
    assert "momentum state" in out
    assert "no other order of the layers needs less" in out


def test_what_does_not_fit(cli: Cli) -> None:
    assert "not even a batch of 1 fits 1.00 MiB: it needs" in cli("memory", "alexnet", "--fit", "1 MiB").out


def test_another_order(cli: Cli, tmp_path: Path) -> None:
    spec = tmp_path / "two.yaml"
    spec.write_text(TWO_BRANCHES)
    out = " ".join(cli("memory", str(spec)).out.split())
    assert "another order of the layers needs 5.90 KiB of outputs, the least of all" in out


def test_checkpoints(cli: Cli) -> None:
    out = " ".join(cli("memory", "vit_b_16", "--batch", "32", "--checkpoint", "block").out.split())
    assert "checkpoints: 12 parts forgotten and run again" in out
    assert "33% more a step" in out
    assert "no block of more than one layer" in cli("memory", "alexnet", "--checkpoint", "block").out


def test_json(cli: Cli) -> None:
    found = json.loads(cli("memory", "resnet18", "--batch", "4", "--fit", "8GiB", "-f", "json").out)
    training = found["training"]
    assert training["peak_bytes"] == max(step["total"] for step in training["timeline"])
    assert training["peak"] in training["timeline"]
    assert training["kept_bytes"] == sum(
        each["kept_bytes"] for each in (*training["layers"], *training["loss"])
    )
    assert training["backward_macs"] == sum(layer["backward_macs"] for layer in training["layers"])
    assert training["largest_batch"] > 100
    assert len(found["inference"]["best_order"]) == len(training["layers"])
    assert json.loads(cli("memory", "lenet5", "--dtype", "int8", "-f", "json").out)["training"] is None


def test_csv(cli: Cli) -> None:
    rows = list(csv.DictReader(io.StringIO(cli("memory", "alexnet", "--batch", "2", "-f", "csv").out)))
    assert rows[2] == {
        "layer": "pool1",
        "kind": "maxpool",
        "output": "64x27x27",
        "keeps": "input, indices",
        "kept_bytes": str(2 * 64 * 27 * 27 * 8),
        "backward_macs": "0",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fit", "24 apples"), "is no size"),
        (("--fit", "-3GiB"), "is no size"),
        (("--fit", "1e9"), "is no size"),
        (("--checkpoint", "cube"), "is neither none, sqrt, block"),
        (("--checkpoint", "0"), "is neither none, sqrt, block"),
        (("--dtype", "int8", "--fit", "1GiB"), "not trained in int8"),
        (("--dtype", "int8", "--format", "csv"), "not trained in int8"),
        (("--optimiser", "lion"), "lion"),
        (("--batch", "0"), "0"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_arguments(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    result = cli("memory", "alexnet", *arguments)
    assert result.code == 2
    assert message in " ".join(result.err.split())


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("24GiB", 24 * 2**30),
        ("1.5 kb", 1500),
        ("80GB", 80 * 10**9),
        ("7", 7),
        ("0.5MiB", 2**19),
        ("2tib", 2**41),
    ],
)
def test_sizes(cli: Cli, text: str, size: int) -> None:
    found = json.loads(cli("memory", "lenet5", "--fit", text, "-f", "json").out)
    assert found["training"]["limit_bytes"] == size


def test_a_terminal_without_the_characters() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "netcalc", "memory", "alexnet"],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii", "COLUMNS": "80", "PYTHONPATH": ":".join(sys.path)},
    )
    assert b"\\u" not in ran.stdout
    assert ran.stdout.isascii()


def test_numpy_stays_out() -> None:
    program = "import sys; from netcalc.cli.app import run; run(['memory', 'alexnet']); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
