"""The distribution: what the wheel and the sdist hold, and that each runs in an environment without the checkout."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.message import Message
from email.parser import BytesParser
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

import netcalc

from helpers import TESTS

ROOT = TESTS.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DEPENDENCIES = {
    "hatchling",
    "hatch_fancy_pypi_readme",
    "pip",
    "numpy",
    "typer",
    "rich",
    "yaml",
    "safetensors",
    "threadpoolctl",
}
INSTALLS = re.compile(
    r"\b(?:pip|pipx|uv tool|uv pip) install [^`\n&|#]*?\bnetcalc(?P<name>-nn)?\b(?:\[(?P<extra>\w+)\])?"
)


class Distribution(NamedTuple):
    """The built files, the paths in each without the folder at the front, and the metadata."""

    wheel: Path
    sdist: Path
    in_wheel: set[str]
    in_sdist: set[str]
    metadata: Message


def run(*command: object, cwd: Path) -> str:
    """What a command prints; the checkout is not on its path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    """An sdist of the checkout, and a wheel of the sdist."""
    for name in ("hatchling", "hatch_fancy_pypi_readme", "pip"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed; pip install '.[test]' has what the build needs")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    run(
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        folder,
        cwd=folder / sdist.name.removesuffix(".tar.gz"),
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {*archive.namelist()}
        (path,) = (name for name in in_wheel if name.endswith(".dist-info/METADATA"))
        metadata = BytesParser().parsebytes(archive.read(path))
    return Distribution(wheel, sdist, in_wheel, in_sdist, metadata)


def test_the_wheel_holds_the_package_and_the_architectures_alone(built: Distribution) -> None:
    expected = {f"netcalc/{path}" for path in files(ROOT / "netcalc")}
    expected |= {f"netcalc/architectures/{path}" for path in files(ROOT / "architectures")}
    info = f"netcalc_nn-{netcalc.__version__}.dist-info"
    expected |= {
        f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    }
    assert built.in_wheel == expected
    assert {
        "netcalc/py.typed",
        "netcalc/architectures/alexnet.yaml",
        "netcalc/analysis/devices.yaml",
    } < expected


def test_the_sdist_holds_the_tests_and_the_documents(built: Distribution) -> None:
    expected = {
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "pyproject.toml",
        "PKG-INFO",
        ".ci/run",
    }
    for folder in ("netcalc", "architectures", "docs", "tests", "benchmarks"):
        expected |= {f"{folder}/{path}" for path in files(ROOT / folder)}
    assert expected <= built.in_sdist
    assert not {path for path in built.in_sdist if re.search(r"__pycache__|\.pyc$|^\.venv|^\.git/", path)}


def files(folder: Path) -> set[str]:
    """The files below a folder, but for what Python and the tools leave there."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not re.search(r"__pycache__|/\.[a-z]+_cache/|/\.hypothesis/", path.as_posix())
    }


def test_the_metadata(built: Distribution) -> None:
    metadata = built.metadata
    assert (metadata["Name"], metadata["Version"]) == ("netcalc-nn", netcalc.__version__)
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Author"] in (ROOT / "LICENSE").read_text(encoding="utf-8")
    versions = {text.rpartition(" ")[2] for text in metadata.get_all("Classifier", []) if ":: 3." in text}
    assert versions == {"3.11", "3.12", "3.13", "3.14"}


def test_the_page_on_the_index_has_no_link_that_leads_nowhere(built: Distribution) -> None:
    """Links to files are paths in the sdist, which has them."""
    page = str(built.metadata.get_payload())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"(?<!!)\[[^\]]*\]\((?!https?://|#)([^)]*)\)", readme)
    assert len(linked) > 10
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", page) == []
    for path in linked:
        assert f"(`{path}`)" in page
        assert any(name == path or name.startswith(f"{path}/") for name in built.in_sdist), path


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_it_runs_in_an_empty_environment(built: Distribution, kind: str, tmp_path: Path) -> None:
    """Without a network: what it depends on is read from where the tests have it."""
    environment = tmp_path / "environment"
    venv.create(environment)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    (packages,) = environment.glob("Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(sorted(folders_of(DEPENDENCIES))))
    install = ("install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed")
    run(
        scripts / "python",
        "-m",
        "pip",
        *install,
        built.wheel if kind == "wheel" else built.sdist,
        cwd=tmp_path,
    )
    place = run(scripts / "python", "-c", "import netcalc; print(netcalc.__file__)", cwd=tmp_path)
    assert Path(place.strip()).is_relative_to(environment)
    assert run(scripts / "netcalc", "--version", cwd=tmp_path) == f"netcalc {netcalc.__version__}\n"
    assert "61,100,840 params, 716,767,232 multiply-adds" in run(
        scripts / "netcalc", "table", "alexnet", cwd=tmp_path
    )
    assert "11,689,512 params" in run(
        scripts / "netcalc", "table", "resnet18", cwd=tmp_path
    )  # a block of a folder


def folders_of(modules: set[str]) -> set[str]:
    """The folders that modules are imported from."""
    found = {name: find_spec(name) for name in modules}
    return {
        str(Path(spec.origin).parent.parent) for spec in found.values() if spec is not None and spec.origin
    }


def test_every_installation_that_is_written_down_installs_netcalc() -> None:
    """By the distribution's name, with extras that it has; netcalc on the package index is another project."""
    paths = [
        *(ROOT / "netcalc").rglob("*.py"),
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / ".ci" / "run",
    ]
    paths += [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    named = {path: [*INSTALLS.finditer(path.read_text(encoding="utf-8"))] for path in paths}
    found = [(path.name, match) for path, matches in named.items() for match in matches]
    assert len(found) > 5
    for name, match in found:
        assert match["name"] == "-nn", (name, match[0])
        assert match["extra"] is None or match["extra"] in {*PROJECT["optional-dependencies"], "{extra"}, (
            name,
            match[0],
        )
