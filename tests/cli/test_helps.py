"""What a help says to type works when it is typed; what an option cannot act on is refused."""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]

SPECS = {
    "words": """
input: [20]
args: {hidden: 16}
layers:
  - embedding: {entries: 100, width: 8}
  - lstm: $hidden
""",
    "volume": """
input: [1, 8, 8, 8]
args: {depths: [2, 2], act: "relu", wide: $(4 * 2)}
layers:
  - conv: {filters: "$(depths[0] * wide)", kernel: 3}
  - $act
""",
    "pair": """
inputs: {image: [3, 32, 32], aux: [4, 32, 32]}
args: {w: 8}
layers:
  - concat: {from: [image, aux]}
  - conv: {filters: $w, kernel: 3}
""",
}


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in SPECS.items():
        Path(f"{name}.yaml").write_text(text)


def squeezed(text: str) -> str:
    """A message without the frame that it stands in."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(
    "given", ["1x", "0", "-4", "x=", "=3", "99999999999999999999", "nothing=16", "a=4,b=4"]
)
def test_the_help_for_a_size_can_be_typed(cli: Cli, spec: str, given: str) -> None:
    refused = cli("table", f"{spec}.yaml", "--input", given)
    help = re.search(r"help: write (--input .*)", refused.err)
    assert (refused.code, refused.out) == (2, "")
    assert help
    assert cli("table", f"{spec}.yaml", *shlex.split(help[1])).out == cli("table", f"{spec}.yaml").out


@pytest.mark.parametrize(
    ("spec", "given"),
    [("words", "hidden"), ("words", "hidden="), ("words", "other"), ("volume", "depths="), ("volume", "act="),
     ("volume", "wide="), ("volume", "wide={a: 1}")],
)  # fmt: skip
@pytest.mark.parametrize("command", ["table", "sweep"])
def test_the_help_for_a_setting_can_be_typed(cli: Cli, spec: str, given: str, command: str) -> None:
    refused = cli(command, f"{spec}.yaml", "--set", given)
    help = re.search(r"help: write (--set .*)", refused.err)
    assert (refused.code, refused.out) == (2, "")
    assert help
    assert given.partition("=")[0] in (re.split("[ '=]+", help[1])[1], "other")
    assert cli(command, f"{spec}.yaml", *shlex.split(help[1])).code == 0


def test_sizes_of_a_sweep_are_helped_as_it_takes_them(cli: Cli) -> None:
    refused = cli("sweep", "pair.yaml", "--set", "aux=a,8")
    assert "help: write --set aux=4x32x32" in refused.err
    assert "help: write --input image=3x32x32 --input aux=4x32x32" in cli(
        "sweep", "pair.yaml", "--set", "w=4", "--input", "8"
    ).err  # fmt: skip


def test_what_is_too_large_is_called_so(cli: Cli) -> None:
    for given in ("99999999999999999999", "image=3x4000000000x4000000000"):
        refused = cli("table", "pair.yaml", "--input", given)
        assert "error[E602]: the input has more elements than 64 bits can count\n --> --input" in refused.err


def test_a_spec_without_arguments_says_so(cli: Cli) -> None:
    assert "help: the spec has no arguments" in cli("table", "lenet5", "--set", "w").err


@pytest.mark.parametrize(
    "arguments",
    ["table lenet5 --only ", "table lenet5 --columns=", "memory lenet5 --fit ", "run lenet5 --mean ",
     "compare lenet5 lenet5 --variant=", "table lenet5 -o "],
)  # fmt: skip
def test_an_empty_value_is_refused(cli: Cli, arguments: str) -> None:
    refused = cli(*arguments.split(" "))
    assert (refused.code, refused.out) == (2, "")
    assert "its value is empty; leave the option out" in squeezed(refused.err)


@pytest.mark.parametrize("arguments", ["--variant big", "--set w=4"])
def test_an_option_for_every_spec_names_the_one_that_it_does_not_suit(cli: Cli, arguments: str) -> None:
    for command, at in (("compare", "err"), ("check", "err")):
        refused = cli(command, "pair.yaml", "words.yaml", *arguments.split())
        assert refused.code == 2
        assert "note: asked of " in getattr(refused, at)
    assert "asked of" not in cli("check", "words.yaml", *arguments.split()).err


def test_what_varies_and_is_not_read_is_refused(cli: Cli) -> None:
    Path("s.yaml").write_text(SPECS["words"].replace("hidden: 16", "hidden: 16, idle: 1"))
    refused = cli("sweep", "s.yaml", "--set", "idle=1,2,3", "--set", "hidden=4,8", "--set", "input=4,8")
    assert (refused.code, refused.out, refused.err.count("E804")) == (2, "", 1)
    assert "idle changes nothing" in refused.err
    assert (
        cli("sweep", "s.yaml", "--set", "idle=1", "--set", "hidden=4,8").code == 0
    )  # it repeats the default


def test_a_file_that_a_spec_includes_is_not_written_over(cli: Cli) -> None:
    Path("part.yaml").write_text("blocks:\n  unit:\n    - relu\n")
    for include in ("part.yaml", "[part.yaml]"):
        Path("s.yaml").write_text(f"input: [3, 8, 8]\ninclude: {include}\nlayers:\n  - unit\n")
        refused = cli("table", "s.yaml", "-o", "part.yaml")
        assert (refused.code, refused.out) == (2, "")
        assert "part.yaml is what the command reads" in squeezed(refused.err)
    assert cli("table", "words.yaml", "-o", "part.yaml").code == 0


def test_gradients_of_parameters_are_plain_numbers_in_csv(cli: Cli) -> None:
    rows = csv.DictReader(io.StringIO(cli("run", "words.yaml", "--backward", "-f", "csv").out))
    layers = json.loads(cli("run", "words.yaml", "--backward", "-f", "json").out)["backward"]
    norms = {layer["layer"]: layer["param_norms"] for layer in layers}
    for row in rows:
        found = {
            name.removesuffix("_norm"): float(text) for name, text in row.items() if "_norm" in name and text
        }
        assert found == norms[row["layer"]]


@pytest.mark.parametrize("given", ["[3, 64, 64]", "3,64,64", "3X64X64", "3 64 64", "(3, 64, 64)"])
def test_sizes_that_are_written_otherwise(given: str, cli: Cli) -> None:
    assert "= help: write --input 3x64x64\n" in cli("table", "resnet18", "--input", given).err
    named = cli("table", "resnet18", "--input", f"input={given}").err
    assert "= help: write --input input=3x64x64\n" in named


def test_a_long_name_is_explained_within_the_terminal(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = "a_block_whose_name_is_far_longer_than_a_terminal_of_sixty_columns"
    path = tmp_path / "long.yaml"
    path.write_text(f"input: [3]\nblocks: {{b: [linear: 2]}}\nlayers:\n  - b: {{name: {block}}}\n")
    cli("table", str(path))
    monkeypatch.setenv("COLUMNS", "60")
    shown = cli("explain", str(path), f"{block}.linear1").out
    assert max(map(len, shown.splitlines())) <= 60
    assert "linear1" in shown
