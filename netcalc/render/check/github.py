"""What a check found, as the commands by which GitHub Actions annotates a change.

Format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from collections.abc import Iterator, Sequence

from netcalc.diagnostics import Diagnostic
from netcalc.lint import RULES
from netcalc.render.check.checked import Checked, place
from netcalc.render.escaping import visible

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
_KEYS = {"file": "file", "line": "line", "column": "col", "end_line": "endLine", "end_column": "endColumn"}


def annotations(checked: Sequence[Checked], notes: bool) -> Iterator[str]:
    """A line for each finding and each mistake; notes where they are wanted."""
    for one in checked:
        for diagnostic in one.diagnostics:
            if notes or diagnostic.severity != "note":
                yield _annotation(diagnostic)


def _annotation(diagnostic: Diagnostic) -> str:
    rule = RULES.get(diagnostic.code)
    title = f"{diagnostic.code} {rule.name}" if rule else diagnostic.code
    where = {_KEYS[key]: str(value) for key, value in place(diagnostic.span).items()}
    settings = ",".join(f"{key}={_property(value)}" for key, value in {**where, "title": title}.items())
    texts = [diagnostic.message, *(note.text for note in diagnostic.notes), *filter(None, [diagnostic.help])]
    message = _escaped("\n".join(map(visible, texts)))
    return f"::{_COMMANDS[diagnostic.severity]} {settings}::{message}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(visible(text)).replace(":", "%3A").replace(",", "%2C")
