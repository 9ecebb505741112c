"""docs/python.md: each program prints what stands below it. As a script, this writes what they print."""

import re
from contextlib import redirect_stdout
from io import StringIO

from helpers import TESTS

PAGE = TESTS.parent / "docs" / "python.md"
PROGRAM = re.compile(r"^```python\n(.*?)```\n\n```text\n(.*?)```$", re.MULTILINE | re.DOTALL)


def printed(text: str) -> str:
    """The page with what its programs print, in one namespace."""
    namespace: dict[str, object] = {"__name__": "__main__"}

    def run(match: re.Match[str]) -> str:
        with redirect_stdout(StringIO()) as stream:
            exec(compile(match[1], "docs/python.md", "exec"), namespace)
        shown = "\n".join(line.rstrip() for line in stream.getvalue().rstrip().splitlines())
        return f"```python\n{match[1]}```\n\n```text\n{shown}\n```"

    return PROGRAM.sub(run, text)


def test_the_page_prints_what_it_shows() -> None:
    text = PAGE.read_text()
    assert text.count("```python") == len(PROGRAM.findall(text)) > 9
    assert printed(text) == text


if __name__ == "__main__":
    PAGE.write_text(printed(PAGE.read_text()))
