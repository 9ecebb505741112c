"""Where specs come from: a path, standard input, or the name of a bundled architecture."""

import os
import sys
from typing import NoReturn

from netcalc.diagnostics import Diagnostic, Source, Span, SpecError, nearest
from netcalc.spec.yaml_reader import MAX_TEXT

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SUFFIXES = (".yaml", ".yml")


def open_source(spec: str | os.PathLike[str]) -> Source:
    """The text that `spec` names; an existing file wins over a bundled architecture.

    Raises SpecError where there is none, or it cannot be read as UTF-8 text.
    """
    name = os.fspath(spec)
    if name == "-":
        return _decode("<stdin>", sys.stdin.buffer.read(MAX_TEXT * 4))
    if "\0" in name:
        _fail(name, "E103", "a path cannot hold a NUL character")
    if os.path.exists(name):
        return _decode(name, _read(name))
    bundled = bundled_path(name)
    if bundled is None:
        match = nearest(os.path.basename(name).removesuffix(".yaml"), bundled_names())
        _fail(name, "E103", f"there is no file {name!r} and no bundled architecture of that name",
              f"did you mean {match}?" if match else "netcalc list shows the bundled ones")  # fmt: skip
    return _decode(os.path.basename(bundled), _read(bundled))


def bundled_names() -> list[str]:
    """The names of the bundled architectures, sorted."""
    files = os.listdir(_folder())
    return sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml"))


def bundled_path(name: str) -> str | None:
    """The file of a bundled architecture, named with or without `.yaml`."""
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    path = os.path.join(_folder(), f"{name}.yaml")
    return path if os.path.basename(name) == name and os.path.isfile(path) else None


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


def _decode(name: str, data: bytes) -> Source:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        readable = Source(name, before + "�")
        span = Span(readable, len(before), len(before) + 1)
        message = f"this is not UTF-8 text: byte {data[error.start]:#04x} cannot be read"
        raise SpecError([Diagnostic("E102", message, span, help="save the file as UTF-8")]) from None
    return Source(name, text)


def _fail(name: str, code: str, message: str, help: str | None = None) -> NoReturn:
    raise SpecError([Diagnostic(code, message, Span(Source(name, ""), 0, 0), help=help)])
