"""The fenced blocks of a page: how they are read, and whether an output is what a page shows of it."""

import re
from typing import NamedTuple

FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?"
    r"^```(?P<language>[^\s`]*)(?P<options>[^\n`]*)\n(?P<body>(?:(?!```).*\n)*)```$",
    re.MULTILINE,
)


class Block(NamedTuple):
    """A fenced block of a page. `start` and `end` are those of its body in the text."""

    line: int
    language: str
    title: str
    reason: str
    body: str
    start: int
    end: int


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for match in FENCE.finditer(text):
        title = re.fullmatch(r' title="([^"]+)"', match["options"])
        if match["options"].strip() and not title:
            raise ValueError(f"a block has the unknown option{match['options']}")
        line = text.count("\n", 0, match.start("language")) + 1
        found.append(
            Block(
                line,
                match["language"],
                title[1] if title else "",
                match["reason"] or "",
                match["body"],
                match.start("body"),
                match.end("body"),
            )
        )
    return found


def matches(shown: str, printed: str) -> bool:
    """Whether an output is what a page shows of it."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
        for line in shown.splitlines()
    )
    return re.fullmatch(pattern, printed) is not None


def tidy(printed: str) -> str:
    """An output without spaces at the ends of its lines and empty lines around it."""
    lines = [line.rstrip() for line in printed.splitlines()]
    return re.sub(r"\A\n+|\n+\Z", "", "\n".join(lines)) + "\n" if any(lines) else ""


def follows(before: Block, after: Block, text: str) -> bool:
    """Whether a block of plain text shows what the program right above it prints."""
    between = text[before.end : after.start].removeprefix("```")
    return before.language == "python" and after.language == "text" and between.strip() == "```text"
