"""Every code block of the documents is run, and prints what the page shows."""

import re
import subprocess
from pathlib import Path
from shutil import which

import pytest

from blocks import blocks_of, matches
from pages import ELSEWHERE, PAGES, ROOT, Session, reader

TEXTS = {page: (ROOT / page).read_text() for page in PAGES}
RUN_HERE = [page for page in PAGES if page not in ELSEWHERE]
MOST_NOT_RUN = 12


@pytest.mark.parametrize("page", RUN_HERE)
def test_a_page_shows_what_happens(page: str, tmp_path: Path) -> None:
    with reader(page, tmp_path):
        differences = Session().follow(TEXTS[page])
    assert not differences, "\n\n".join(f"{page}:{each.line}: {each.message}" for each in differences)


def test_the_paper_compiles(tmp_path: Path) -> None:
    if which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    with reader("docs/paper.md", tmp_path):
        Session().follow(TEXTS["docs/paper.md"])
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("page", PAGES)
def test_no_fence_is_overlooked(page: str) -> None:
    assert len(re.findall(r"^\s*(?:```|~~~)", TEXTS[page], re.MULTILINE)) == 2 * len(blocks_of(TEXTS[page]))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page: str) -> None:
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", TEXTS[page], flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", ELSEWHERE)
def test_a_page_that_is_tested_elsewhere_is_tested_there(page: str) -> None:
    elsewhere = ELSEWHERE[page]
    assert page.rpartition("/")[2] in (ROOT / elsewhere.test).read_text()
    languages = {block.language for block in blocks_of(TEXTS[page]) if not block.reason}
    assert languages == elsewhere.languages


def test_few_blocks_are_not_run_and_each_has_a_reason() -> None:
    reasons = [block.reason for page in PAGES for block in blocks_of(TEXTS[page]) if block.reason]
    assert 0 < len(reasons) <= MOST_NOT_RUN
    marks = sum(text.count("<!-- not run") for text in TEXTS.values())
    assert marks == len(reasons), "a mark stands above no block"


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("one\n", "one\n", True),
        ("one\n", "two\n", False),
        ("one\n", "one\ntwo\n", False),
        ("one\n...\nthree\n", "one\ntwo\ntwo\nthree\n", True),
        ("one\n...\n", "two\none\n", False),
        ("took ... s\n", "took 1.25 s\n", True),
        ("took ... s\n", "took 1.25 s\nin all\n", False),
        ("", "one\n", False),
    ],
)
def test_what_an_output_may_leave_out(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) == same


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```\nnetcalc list\n```\n", "a block in no language"),
        ("```ruby\nputs 1\n```\n", "a block in ruby"),
        ("```text\nnothing above\n```\n", "a block in text"),
        ("```sh\nmake coffee\n```\n", "no way to run 'make coffee'"),
        ("```sh\nnetcalc table nosuch\n```\n", "ends with 2"),
        ("```console\nnetcalc list\n```\n", "a console block begins with"),
        ("```console\n$ netcalc table nosuch\n```\n", "ends with 2"),
        ("```console\n$ netcalc --version\nnetcalc none\n```\n", "prints\nnetcalc "),
        ("```yaml\ninput: [3, 8, 8]\nlayers: [rely]\n```\n", "E4"),
        ('```yaml title="no.yaml"\na: [1\n```\n', "ParserError"),
        ("```python\nprint(1)\n```\n", "no text block below it"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "is shown with\n2"),
        ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
    ],
)
def test_what_a_page_may_not_show(text: str, message: str, tmp_path: Path) -> None:
    with reader("", tmp_path):
        found = Session().follow(text)
    assert any(message in each.message for each in found), found


def test_a_page_is_followed_in_one_folder_and_one_namespace(tmp_path: Path) -> None:
    text = (
        '```yaml title="specs/a.yaml"\ninput: [4]\nlayers: [relu]\n```\n'
        "```sh\nnetcalc table specs/a.yaml --format json > a.json   # kept\n```\n"
        "```python\nimport json\n```\n"
        '```python title="show.py"\nfrom pathlib import Path\n\nprint(Path("a.json").read_text()[0])\n```\n'
        "```console\n$ python show.py\n{\n$ netcalc table none.yaml\nerror...\n...\n$ echo $?\n2\n```\n"
        '```python\nfrom pathlib import Path\n\nprint(json.loads(Path("a.json").read_text())["batch"])\n```\n\n```text\n1\n```\n'
        "<!-- not run: no shell has it -->\n```sh\nmake coffee\n```\n"
    )
    with reader("", tmp_path):
        assert Session().follow(text) == []
