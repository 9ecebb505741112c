"""`repeat` and `each` to rows: the values that each instance of an item sees."""

from collections.abc import Sequence

from netcalc.graph.evaluation import Environment, value_of, whole_number
from netcalc.graph.problems import ElaborationProblems
from netcalc.spec import ITEM_KEYS, UNKNOWN, Evaluated, Item, Unknown, Value, YamlEntry, YamlMapping
from netcalc.spec.expressions import RESERVED

MAX_LAYERS = 30_000
"""The most layers that a spec may expand to beyond those it lists.

Omitted items and empty blocks are counted too.
"""

Row = dict[str, Evaluated]
"""The variables of one instance of `repeat` or `each`, such as `index`."""


def rows(item: Item, names: Environment, problems: ElaborationProblems) -> Sequence[Row] | None:
    """A row for each instance of an item; None where `repeat` or `each` is wrong."""
    each, repeat = item.value("each"), item.value("repeat")
    if each is not None and repeat is not None:
        help = "put one of them around a block or a residual"
        problems.report("E404", "each: and repeat: do not go together", repeat.span, help=help)
        return None
    if each is not None:
        found = _each(each, names, problems)
    elif repeat is not None:
        found = _repeat(repeat, names, problems)
    else:
        return ({},)
    return None if found is None else [{**row, "index": index} for index, row in enumerate(found)]


def row_names(item: Item) -> dict[str, Unknown]:
    """The names that a row gives, for an item whose `repeat` or `each` is wrong."""
    each = item.value("each")
    keys = [entry.key for entry in each.entries] if isinstance(each, YamlMapping) else []
    return dict.fromkeys(["index", *" ".join(keys).split()], UNKNOWN)


def _repeat(repeat: Value, names: Environment, problems: ElaborationProblems) -> Sequence[Row] | None:
    times = whole_number(value_of(repeat, names, problems), "repeat", 0, repeat.span, problems)
    if times is not None and times > MAX_LAYERS:
        message = f"repeat: {times:,} is beyond the limit of {MAX_LAYERS:,} layers"
        problems.report("E603", message, repeat.span)
        return None
    return None if times is None else [{}] * times


def _each(each: Value, names: Environment, problems: ElaborationProblems) -> Sequence[Row] | None:
    """Rows from equally long lists, or from a list of rows under several names at once."""
    if not isinstance(each, YamlMapping) or not each.entries:
        help = "write each: {filters: [64, 128]}, or each: {filters stride: [[64, 1], [128, 2]]}"
        problems.report("E404", "each: is a mapping of lists", each.span, help=help)
        return None
    columns: dict[str, Sequence[Row]] = {}
    for entry in each.entries:
        wrong = [key for key in entry.key.split() if key in RESERVED or key in ITEM_KEYS]
        if wrong or not entry.key.strip():
            reason = (
                "it goes with every item"
                if wrong and wrong[0] in ITEM_KEYS
                else "the expression language has it"
            )
            message = f"each: cannot give {wrong[0]!r}: {reason}" if wrong else "each: names nothing here"
            advice = "give it another name and use that in an expression" if wrong else None
            problems.report("E404", message, entry.key_span, help=advice)
            return None
        column = _column(entry, names, problems)
        if column is None:
            return None
        columns[entry.key] = column
    if len({len(column) for column in columns.values()}) > 1:
        counts = ", ".join(f"{name} has {len(column)}" for name, column in columns.items())
        message = f"the lists of each: are equally long, here {counts}"
        problems.report("E404", message, each.span)
        return None
    return [
        {name: value for part in parts for name, value in part.items()}
        for parts in zip(*columns.values(), strict=True)
    ]


def _column(entry: YamlEntry, names: Environment, problems: ElaborationProblems) -> Sequence[Row] | None:
    values = value_of(entry.value, names, problems)
    if isinstance(values, Unknown):
        return None
    if not isinstance(values, tuple):
        problems.report("E404", f"each: {entry.key} is a list", entry.value.span)
        return None
    if len(values) > MAX_LAYERS:
        message = f"each: {len(values):,} rows are beyond the limit of {MAX_LAYERS:,} layers"
        problems.report("E603", message, entry.value.span)
        return None
    keys = entry.key.split()
    if len(keys) == 1:
        return [{entry.key: value} for value in values]
    found: list[Row] = []
    for number, row in enumerate(values, 1):
        if not isinstance(row, tuple) or len(row) != len(keys):
            message = f"row {number} of each: does not give {len(keys)} values for {', '.join(keys)}"
            problems.report("E404", message, entry.value.span)
            return None
        found.append(dict(zip(keys, row, strict=True)))
    return found
