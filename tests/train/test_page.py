"""docs/optimisers.md names every loss, optimiser and schedule, with all options and their defaults."""

from typing import Any

import pytest

from netcalc.train.configurable import Configurable
from netcalc.train.losses import LOSSES
from netcalc.train.optimisers import OPTIMISERS
from netcalc.train.schedules import SCHEDULES

from helpers import TESTS

PAGE = (TESTS.parent / "docs" / "optimisers.md").read_text()
SECTIONS: dict[str, dict[str, type[Any]]] = {
    "Losses": LOSSES,
    "Optimisers": OPTIMISERS,
    "Schedules": SCHEDULES,
}


def shown(default: object) -> str:
    """A default as the page shows it."""
    if isinstance(default, float):
        return f"{default:g}"
    return {None: "none", True: "true", False: "false"}.get(default, str(default))  # type: ignore[call-overload]


def options_of(cell: str, first: str) -> str:
    """A cell with its reference to the first row of the table put in."""
    without = "the same without `decoupled`"
    if cell.startswith(without):
        first = first.replace(", `decoupled` false", "")
    return cell.replace(without, first).replace("the same", first)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_table_is_the_registry(section: str) -> None:
    lines = PAGE.split(f"## {section}\n")[1].split("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    registry: dict[str, type[Configurable]] = SECTIONS[section]
    assert [row[0].strip("`") for row in rows] == list(registry)
    for (_, _, cell), configurable in zip(rows, registry.values(), strict=True):
        pairs = dict(pair.split(" ") for pair in filter(None, options_of(cell, rows[0][2]).split(", ")))
        defaults = {f"`{name}`": shown(option.default) for name, option in configurable.options.items()}
        assert pairs == defaults
