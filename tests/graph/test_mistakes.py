"""Every mistake in `tests/mistakes` gives just the text that stands under it.

Run as a script, this writes the texts anew: read the difference before you commit it.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "mistakes"
MARK = "\n===== what netcalc says =====\n"
CASES = sorted(FOLDER.glob("*.txt"))


def parts(case: Path) -> tuple[str, str]:
    """The spec and the expected text; the mark's first line break is not the spec's."""
    spec, _, expected = case.read_bytes().decode().partition(MARK)
    return spec, expected


def test_there_are_enough() -> None:
    assert len(CASES) >= 100


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_mistake(
    case: Path, cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, expected = parts(case)
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_bytes(spec.encode())
    result = cli("table", "spec.yaml")
    assert result.err == expected
    assert (result.code, result.out) == (2, "")
    assert "error[E" in result.err


def rewrite() -> None:
    """Write what netcalc says now into every case."""
    import contextlib
    import io
    import tempfile

    from netcalc.cli.app import run

    os.environ.update(NO_COLOR="1", COLUMNS="100")
    cases = {case: parts(case)[0] for case in CASES}
    os.chdir(tempfile.mkdtemp())
    for case, spec in cases.items():
        Path("spec.yaml").write_bytes(spec.encode())
        with contextlib.redirect_stderr(io.StringIO()) as err:
            code = run(["table", "spec.yaml"])
        if code != 2:
            sys.exit(f"{case.stem}: exit {code}, not 2")
        case.write_bytes((spec + MARK + err.getvalue()).encode())


if __name__ == "__main__":
    rewrite()
