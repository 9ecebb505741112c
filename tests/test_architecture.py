"""docs/architecture.md: the paths that it names are there, and its recipes work in a copy of the package."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import TESTS

ROOT = TESTS.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()
BLOCKS = re.findall(r"^```(?:python|yaml)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_path_is_there() -> None:
    text, _, _ = PAGE.partition("## Recipes")
    named = set(re.findall(r"`([\w/]+\.(?:py|yaml))`", text + PAGE[PAGE.index("## Where is") :]))
    folders = (
        ROOT,
        ROOT / "netcalc",
        *(ROOT / "netcalc" / "backend" / part for part in ("", "plan", "step")),
    )
    missing = {path for path in named if not any((folder / path).exists() for folder in folders)}
    assert len(named) > 20
    assert missing == set()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with every recipe followed as it is printed."""
    root = tmp_path_factory.mktemp("recipes")
    for path in (ROOT / "netcalc").rglob("*.py"):
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (root / "architectures").symlink_to(ROOT / "architectures")
    for block in BLOCKS:
        for place, body in re.findall(
            r"^# (\S+\.py)\n(.*?)(?=^# \S+\.py\n|\Z)", block, re.MULTILINE | re.DOTALL
        ):
            path = root / "netcalc" / place
            path.write_text((path.read_text() if path.exists() else "") + "\n\n" + body)
    insert(
        root, "layers/__init__.py", '        "scale": ', '        "cube": "arithmetic.Cube",\n', before=True
    )
    insert(
        root, "backend/kernels/__init__.py", '    "scale": ', '    "cube": arithmetic.cube,\n', before=True
    )
    insert(root, "backend/kernels/arithmetic.py", "from netcalc.layers.arithmetic import ", "Cube, ")
    insert(
        root,
        "lint/rules.py",
        "from netcalc.lint.rule import Rule\n",
        "from netcalc.lint.wide_layer import WideLayer\n",
    )
    insert(root, "lint/rules.py", "        UnfilledMultiples,\n", "        WideLayer,\n")
    insert(root, "cli/app.py", '    "table", ', '"count", ')
    insert(root, "cli/common.py", 'Literal["rich", ', '"tsv", ')
    insert(root, "cli/output.py", "ENDINGS = {", '".tsv": "tsv", ')
    insert(root, "render/result.py", "WRITERS = {", '"tsv": "netcalc.render.tsv:tsv_chunks", ')
    return root


def insert(root: Path, place: str, beside: str, text: str, before: bool = False) -> None:
    """Insert a text beside another one in a file of the copy."""
    path = root / "netcalc" / place
    source = path.read_text()
    assert beside in source, f"{place} has no {beside!r} any more"
    path.write_text(source.replace(beside, text + beside if before else beside + text, 1))


def netcalc(root: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "netcalc", *arguments]
    done = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_layer(copy: Path) -> None:
    (copy / "cubes.yaml").write_text(
        "input: [8, 4, 4]\nlayers:\n  - cube: 2\n  - flatten\n  - linear: 3\n  - cube\n"
    )
    assert "cube1" in netcalc(copy, "table", "cubes.yaml", "--all")
    assert "fails" not in netcalc(copy, "gradcheck", "cubes.yaml")
    assert "third power" in netcalc(copy, "layers", "cube")
    assert "cube" in netcalc(copy, "run", "cubes.yaml", "--verify")


def test_the_rule(copy: Path) -> None:
    (copy / "wide.yaml").write_text("input: [8]\nlayers:\n  - linear: 200000\n")
    assert "linear1 has 200,000 units" in netcalc(copy, "check", "wide.yaml", "--notes")
    assert "No task has so many classes" in netcalc(copy, "rules", "N505")


def test_the_command(copy: Path) -> None:
    assert netcalc(copy, "count", "alexnet") == "61,100,840\n"


def test_the_format(copy: Path) -> None:
    netcalc(copy, "memory", "lenet5", "-o", "memory.tsv")
    first, second, *_ = (copy / "memory.tsv").read_text().splitlines()
    assert (first.split("\t")[0], second.split("\t")[0]) == ("layer", "conv1")
    assert netcalc(copy, "count", "lenet5", "-f", "tsv").splitlines() == ["name\tparams", "LeNet-5\t1256080"]


def test_the_architecture(copy: Path) -> None:
    (copy / "tiny.yaml").write_text(BLOCKS[-1])
    assert "as expected: params 7,850, macs 7,840" in netcalc(copy, "check", "tiny.yaml")
