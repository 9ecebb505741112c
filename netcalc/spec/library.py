"""Where specs come from: a path, standard input, or the name of a bundled architecture."""

import os
import re
import sys
from codecs import BOM_UTF8
from typing import NamedTuple, NoReturn

from netcalc.diagnostics import Diagnostic, Source, Span, SpecError, nearest
from netcalc.spec.yaml_reader import MAX_TEXT

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class NamedSpec(NamedTuple):
    """The text that a name stands for, and the variant in it where the name is a variant's."""

    source: Source
    variant: str | None = None


def find_spec(spec: str | os.PathLike[str]) -> NamedSpec:
    """The text that `spec` names: an existing file, a bundled file, or a variant in a bundled one.

    Raises SpecError where there is none, or it cannot be read as UTF-8 text.
    """
    name = os.fspath(spec)
    if "\0" in name:
        _fail(name, "E103", "a path cannot hold a NUL character")
    if os.path.exists(name):
        return NamedSpec(_decode(name, _read(name), os.path.dirname(os.path.abspath(name))))
    bundled = name.removesuffix(".yml").removesuffix(".yaml")
    if bundled in bundled_files():
        return NamedSpec(_open_bundled(bundled), bundled if bundled in variant_names(bundled) else None)
    for family in bundled_files():
        if bundled in variant_names(family):
            return NamedSpec(_open_bundled(family), bundled)
    match = nearest(os.path.basename(bundled), bundled_names())
    help = f"did you mean {match}?" if match else "netcalc list shows the bundled ones"
    if ": " in name or "{" in name:
        help = "a text of YAML has a line break, or begins with {"
    return _fail(name, "E103", f"there is no file {name!r} and no bundled architecture of that name", help)


def find_given(spec: str) -> NamedSpec:
    """The text that a word of the command line names: that of `find_spec`, or standard input for `-`."""
    return NamedSpec(standard_input()) if spec == "-" else find_spec(spec)


def open_source(spec: str | os.PathLike[str]) -> Source:
    """The text that `spec` names."""
    return find_spec(spec).source


def open_table(path: str, what: str, help: str) -> Source:
    """The text of a file that is no spec, which `what` names in messages."""
    if "\0" in path or os.path.isdir(path) or not os.path.exists(path):
        wrong = f"{path!r} is a directory" if os.path.isdir(path) else f"there is no file {path!r}"
        _fail(path, "E103", f"{wrong}; {what} is a YAML file", help)
    source = _decode(path, _read(path), os.path.dirname(os.path.abspath(path)))
    if not source.text.strip():
        _fail(path, "E104", f"{what} is empty", help)
    return source


def open_beside(source: Source, name: str) -> Source:
    """A file in the folder of a source, or below it; raises SpecError for any other place."""
    if source.folder is None:
        _fail(name, "E206", "a spec from standard input or a string has no folder to include from")
    folder = os.path.realpath(source.folder)
    path = os.path.realpath(os.path.join(folder, name)) if "\0" not in name else ""
    if os.path.isabs(name) or not path.startswith(folder.rstrip(os.sep) + os.sep):
        _fail(name, "E206", f"{name!r} is not in the folder of this spec", "name a file beside it")
    if not os.path.exists(path):
        _fail(name, "E206", f"there is no file {name!r} beside this spec")
    return _decode(name, _read(path), os.path.dirname(path))


def bundled_files() -> list[str]:
    """The names of the bundled files, sorted: a family or a single architecture each."""
    files = os.listdir(_folder())
    return sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml"))


def variant_names(bundled: str) -> list[str]:
    """The variants of a bundled file, in order, found without reading it as YAML."""
    text = _open_bundled(bundled).text
    section = re.search(r"^variants:\r?\n((?:[ #].*\n|\r?\n)*)", text, re.MULTILINE)
    return re.findall(r"^  ([\w.-]+):", section[1], re.MULTILINE) if section else []


def bundled_names() -> list[str]:
    """The names of all bundled architectures: files without variants, and every variant."""
    return [name for file in bundled_files() for name in variant_names(file) or [file]]


def _open_bundled(name: str) -> Source:
    path = os.path.join(_folder(), f"{name}.yaml")
    return _decode(os.path.basename(path), _read(path), _folder())


def _folder() -> str:
    """`architectures/` of the installed package, or of the checkout it is run from."""
    installed = os.path.join(_PACKAGE, "architectures")
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(_PACKAGE), "architectures")


def _read(path: str) -> bytes:
    if os.path.isdir(path):
        _fail(path, "E103", "this is a directory, not a spec", "name a .yaml file in it")
    try:
        with open(path, "rb") as file:
            return file.read(MAX_TEXT * 4 + 1)
    except OSError as error:
        _fail(path, "E103", f"the file cannot be read: {(error.strerror or str(error)).lower()}")


def standard_input() -> Source:
    """The text of standard input."""
    try:
        return _decode("<stdin>", sys.stdin.buffer.read(MAX_TEXT * 4))
    except OSError as error:
        return _fail("-", "E103", f"standard input cannot be read: {(error.strerror or str(error)).lower()}")


def _decode(name: str, data: bytes, folder: str | None = None) -> Source:
    data = data.removeprefix(BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        readable = Source(name, before + "�")
        span = Span(readable, len(before), len(before) + 1)
        message = f"this is not UTF-8 text: byte {data[error.start]:#04x} cannot be read"
        raise SpecError([Diagnostic("E102", message, span, help="save the file as UTF-8")]) from None
    return Source(name, text, folder)


def _fail(name: str, code: str, message: str, help: str | None = None) -> NoReturn:
    raise SpecError([Diagnostic(code, message, Span(Source(name, ""), 0, 0), help=help)])
