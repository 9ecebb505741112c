"""Every error code is in the table, and its example raises that code alone."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import netcalc
from netcalc.backend.network import KERNELS
from netcalc.errors import ERRORS
from netcalc.render.reference.errors import error_lines

from helpers import TESTS

PACKAGE = TESTS.parent / "netcalc"
CODE = re.compile(r"\bE[0-9]{3}\b")


def codes_in(folder: Path) -> Iterator[str]:
    """The error codes that the sources of a folder name, those of the table left out."""
    for path in folder.rglob("*.py"):
        if PACKAGE / "errors" not in path.parents:
            yield from CODE.findall(re.sub(r'"""(.|\n)*?"""', "", path.read_text()))


def test_the_table_has_every_code_that_the_sources_raise() -> None:
    assert set(ERRORS) == set(codes_in(PACKAGE))


def test_codes_are_in_order() -> None:
    assert list(ERRORS) == sorted(ERRORS)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Prepares the folder that an example runs in, and what it says must be the case."""
    monkeypatch.chdir(tmp_path)

    def prepare(code: str) -> None:
        error = ERRORS[code]
        Path("example.yaml").write_text(error.spec)
        Image.new("RGB", (8, 8)).save("picture.png")
        match error.condition:
            case "the kernel of relu is removed":
                monkeypatch.delitem(KERNELS, "relu")
            case "Pillow is not installed":
                monkeypatch.setitem(sys.modules, "PIL", None)
            case "the processes are killed":
                monkeypatch.setattr("netcalc.api.executors._prepare", os.abort)
            case other:
                assert not other

    return prepare


COMMANDS = [code for code, error in ERRORS.items() if not error.program]
PROGRAMS = [code for code, error in ERRORS.items() if error.program]


@pytest.mark.parametrize("code", COMMANDS)
def test_the_command_of_an_example_raises_its_code(
    code: str, example: Callable[[str], None], cli: Callable[..., Any]
) -> None:
    example(code)
    result = cli(*shlex.split(ERRORS[code].command)[1:])
    found = re.findall(r"^(error|warning)\[(E[0-9]{3})\]", result.out + result.err, re.MULTILINE)
    assert set(found) == {(ERRORS[code].severity, code)}


@pytest.mark.parametrize("code", PROGRAMS)
def test_the_program_of_an_example_raises_its_code(code: str, example: Callable[[str], None]) -> None:
    example(code)
    with pytest.raises(netcalc.NetcalcError, match=code) as caught:
        exec(ERRORS[code].program, {})
    assert {problem.code for problem in caught.value.diagnostics} == {code}


@pytest.mark.parametrize("code", ERRORS)
def test_a_code_is_explained(code: str, cli: Callable[..., Any]) -> None:
    error = ERRORS[code]
    shown = cli("rules", code).out
    assert shown.startswith(f"{code}  {error.severity}\n")
    assert error.meaning in " ".join(shown.split())
    assert all(line.strip() in shown for line in error.spec.splitlines())
    assert error.meaning.endswith(".")
    assert error.cure.endswith(".")
    assert all(len("".join(text for text, _ in line)) <= 100 for line in error_lines(error, 100))


def test_a_misspelt_code_gets_the_nearest(cli: Callable[..., Any]) -> None:
    result = cli("rules", "E6O1")
    assert result.code == 2
    assert "there is no error 'E6O1'; did you mean E601?" in " ".join(result.err.replace("│", "").split())


def test_a_table_does_not_load_the_table_of_errors() -> None:
    program = (
        "import sys; from netcalc.cli.app import run; run(['table', 'alexnet']); run(['table', 'nothing']); "
        "assert 'netcalc.errors' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
