"""Writes netcalc/cli/completions.json again: every command with its arguments and options, for completion."""

from pathlib import Path

from netcalc.cli.completion import TABLE
from netcalc.cli.completion_table import table_text

if __name__ == "__main__":
    Path(TABLE).write_text(table_text(), encoding="utf-8")
