"""The site: it is built from the pages without a warning, and no page loads anything from elsewhere."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from pages import PAGES, ROOT

CONFIG = ROOT / "docs" / "site" / "mkdocs.yml"
LOADED = re.compile(r"<(?:link|script|img|iframe)\b[^>]*?\b(?:href|src)=\"?(?P<target>[^\s\">]+)")
LINKED = re.compile(r"<a\b[^>]*?\bhref=\"(?P<target>[^\"]*)\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    for module in ("mkdocs", "material"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed; pip install '.[docs]' has what the site needs")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(CONFIG), "-d", str(folder)],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    names = {"index" if page == "README.md" else Path(page).stem for page in PAGES}
    assert {path.stem for path in site.glob("*.html")} == {*names, "404"}


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    found = [match["target"] for path in site.glob("*.html") for match in LOADED.finditer(path.read_text())]
    assert len(found) > 50
    assert [target for target in found if re.match(r"(?:https?:)?//", target)] == []
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert re.findall(r"url\(['\"]?(?:https?:)?//", styles) == []


def test_every_link_leads_to_a_file(site: Path) -> None:
    for path in site.glob("*.html"):
        for match in LINKED.finditer(path.read_text()):
            target = match["target"].partition("#")[0]
            if not target or re.match(r"https?:", target) or path.stem == "404":
                continue
            assert (site / target).exists(), f"{path.name} links to {target}"


def test_a_link_to_a_source_is_its_path(site: Path) -> None:
    assert "tests/first_specs" in (site / "language.html").read_text()
    assert 'href="../' not in (site / "language.html").read_text()
