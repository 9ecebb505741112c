"""What YAML's parser says of a text that is none, in the words of somebody who writes a spec."""

import re

import yaml

from netcalc.diagnostics import Diagnostic, Note, Source, Span
from netcalc.spec.problems import one_character

_UNSPACED = re.compile(r"\s*(?:- )?(?P<key>[A-Za-z_]\w*):(?P<value>[^\s:].*)")
_UNCOLONED = re.compile(r"\s*- (?P<kind>[A-Za-z_]\w*) *\{")
_UNDASHED = re.compile(r"(?P<indent>[ ]*)-[A-Za-z_$]")
_NESTED = re.compile(r"\s*- (?P<kind>[A-Za-z_]\w*): +(?P<options>[A-Za-z_]\w*:.*)")

_HELP = {
    "mapping values are not allowed": "put the options in braces, - conv: {filters: 64, kernel: 3}",
    "expected ',' or": "close it, or write a comma between two options",
    "did not find expected key": "let what belongs together begin at the same column",
    "did not find expected '-'": "let what belongs together begin at the same column",
    "could not find expected ':'": "write a colon after the key, or let the line begin where others do",
}
"""What to do about the parser's commonest messages."""


def syntax_problem(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    """The diagnostic for an error of the parser; of a tab or a missing space it says too little."""
    mark = error.problem_mark or error.context_mark
    at = mark.index if mark else 0
    start = source.text.rfind("\n", 0, at) + 1
    if "\t" in source.text[start : at + 1]:
        tab = source.text.index("\t", start)
        message = "this is not YAML: a tab stands here, and YAML is indented with spaces"
        help = "write two spaces for each level, and set the editor to insert spaces"
        return Diagnostic("E101", message, Span(source, tab, tab + 1), help=help)
    message = (error.problem or error.context or "it cannot be parsed").rstrip(".")
    if message.startswith("mapping values are not allowed") and (found := _colon(source, start)):
        return found
    if found := _dash(source, start):
        return found
    if source.text[at : at + 1] in ("}", "]") and "did not find expected" in message:
        spare = Span(source, *one_character(source, at))
        message = f"this is not YAML: there is a {source.text[at]} too many"
        return Diagnostic("E101", message, spare, help="remove it")
    notes: tuple[Note, ...] = ()
    if error.context and error.context_mark and error.problem:
        notes = (Note(error.context, Span(source, *one_character(source, error.context_mark.index))),)
    help_of = next((help for words, help in _HELP.items() if words in message), None)
    span = Span(source, *one_character(source, at))
    return Diagnostic("E101", f"this is not YAML: {message}", span, notes, help_of)


def missing_space(source: Source, dash: int, code: str) -> Diagnostic:
    """The diagnostic for a dash with its kind right behind it."""
    rest = source.text[dash + 1 :].split("\n", 1)[0].strip()
    message = "a space is missing after the dash"
    span = Span(source, dash, dash + 1)
    return Diagnostic(code, message, span, help=f"write - {rest}")


def _dash(source: Source, start: int) -> Diagnostic | None:
    """What is wrong with the dash of the line that begins at an offset, or of the one before."""
    before = source.text.rfind("\n", 0, max(start - 1, 0)) + 1
    for at in (before, start):
        if undashed := _UNDASHED.match(source.text, at):
            found = missing_space(source, undashed.end("indent"), "E101")
            return found._replace(message=f"this is not YAML: {found.message}")
    return None


def _colon(source: Source, start: int) -> Diagnostic | None:
    """What is wrong with the colon on the line that begins at an offset, or on the one before."""
    text = source.text
    line = text[start : text.find("\n", start) % (len(text) + 1)]
    before = text.rfind("\n", 0, max(start - 1, 0)) + 1
    for at, shown in ((before, text[before : max(start - 1, 0)]), (start, line)):
        if unspaced := _UNSPACED.fullmatch(shown):
            place = Span(source, at + unspaced.start("key"), at + unspaced.start("value"))
            help = f"write {unspaced['key']}: {unspaced['value'].strip()}"
            return Diagnostic(
                "E101", "this is not YAML: a space is missing after the colon", place, help=help
            )
    if uncoloned := _UNCOLONED.match(line):
        place = Span(source, start + uncoloned.start("kind"), start + uncoloned.end("kind"))
        help = f"write - {uncoloned['kind']}: {{...}}"
        return Diagnostic("E101", "this is not YAML: a colon is missing after the kind", place, help=help)
    if nested := _NESTED.fullmatch(line):
        place = Span(source, start + nested.start("options"), start + nested.end("options"))
        help = f"put the options in braces: - {nested['kind']}: {{{nested['options'].strip()}}}"
        return Diagnostic("E101", "this is not YAML: a second key stands on this line", place, help=help)
    return None
