"""The pages that stand outside docs/, and links to files that are not pages."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
OUTSIDE = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>(?!https?://|#)[^)]*)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside docs/, with links that lead from docs/."""
    for outside, name in OUTSIDE.items():
        text = (ROOT / outside).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=re.sub(r"\]\(docs/", "](", text)))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Write a link to a file that is no page as the file's path: the site has no sources."""
    outside = page.file.src_uri in OUTSIDE.values()

    def link(match: re.Match[str]) -> str:
        path, _, anchor = match["target"].partition("#")
        if not path or files.get_file_from_path(path):
            return match[0]
        name = OUTSIDE.get(path.removeprefix("../"))
        if name:
            return f"[{match['text']}]({name}{'#' + anchor if anchor else ''})"
        place = (ROOT if outside else ROOT / "docs") / path
        if not place.resolve().exists():
            return match[0]  # mkdocs says that it leads nowhere
        shown = place.resolve().relative_to(ROOT).as_posix()
        return match["text"] if shown in match["text"] else f"{match['text']} (`{shown}`)"

    return LINK.sub(link, markdown)
