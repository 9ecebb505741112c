"""What an error code is: its meaning, its smallest example, and its cure."""

from typing import NamedTuple

from netcalc.diagnostics import Severity


class ErrorCode(NamedTuple):
    """An error code. The example is a spec, a command or a program; it raises this code and no other."""

    code: str
    meaning: str
    cure: str
    spec: str = ""
    """The text of `example.yaml`, where the command or the program reads it."""
    command: str = "netcalc table example.yaml"
    program: str = ""
    """Python, in place of the command."""
    condition: str = ""
    """What else must be the case."""
    severity: Severity = "error"
