"""Which rows of a sweep are looked at: those that meet a condition, those that no other row beats."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, NoReturn

from netcalc.analysis.sweep import FIGURES, Row, Sweep
from netcalc.diagnostics import Diagnostic, Source, Span, SpecError, nearest
from netcalc.spec import Evaluated, Expression, ExpressionFault, UnknownNameFault, evaluate
from netcalc.spec.expressions import CONSTANTS, FUNCTIONS, parse_expression


class Condition(NamedTuple):
    """An expression over the columns of a row, such as `params < 5e6 and width >= 0.5`."""

    expression: Expression
    source: Source

    def meets(self, row: Row) -> bool:
        """Whether a row meets it; one that failed does not. Raises SpecError where it cannot be told."""
        if row["error"] is not None:
            return False
        try:
            value = evaluate(self.expression, row)
        except ExpressionFault as fault:
            _fail(self.source, fault)
        if not isinstance(value, bool):
            end = len(self.source.text)
            _fail(self.source, ExpressionFault("a condition is true or false", 0, end, "write params < 5e6"))
        return value


def read_condition(text: str, columns: Sequence[str]) -> Condition:
    """The condition of a text; raises SpecError where it is none or names what is no column."""
    source = Source("--where", text)
    try:
        expression = parse_expression(text)
    except ExpressionFault as fault:
        _fail(source, fault)
    for name in sorted(expression.names - {*columns, *CONSTANTS, *FUNCTIONS}):
        match = nearest(name, columns)
        help = f"did you mean {match}?" if match else f"there are {', '.join(columns)}"
        start = text.find(name)
        _fail(source, UnknownNameFault(f"there is no column {name!r}", start, start + len(name), help))
    return Condition(expression, source)


class Objective(NamedTuple):
    """A column that is to be small, or large."""

    column: str
    largest: bool = False


def numeric_columns(sweep: Sweep) -> list[str]:
    """The columns that hold a number in every row that did not fail."""
    settings = [axis.column for axis in sweep.axes if all(map(_is_number, axis.values))]
    return [*settings, *FIGURES]


def number(row: Row, column: str) -> float:
    """The value of a numeric column in a row that did not fail."""
    value = row[column]
    assert isinstance(value, int | float)
    return value


def read_objectives(text: str, columns: Sequence[str]) -> list[Objective]:
    """The objectives of a text such as `macs,width:max` or `macs,-width`.

    Raises ValueError for a name that is not among `columns`.
    """
    objectives = []
    for part in map(str.strip, text.split(",")):
        name, colon, way = part.partition(":")
        column = name.removeprefix("-")
        require_column(column, columns)
        if colon and (way not in ("min", "max") or column != name):
            raise ValueError(f"{part!r} is no objective; write {column}, {column}:max or -{column}.")
        objectives.append(Objective(column, way == "max" or column != name))
    return objectives


def require_column(name: str, columns: Sequence[str]) -> None:
    """Raise ValueError unless a name is among those of the columns of numbers."""
    if name not in columns:
        match = nearest(name, columns)
        hint = f"did you mean {match}?" if match else f"there are {', '.join(columns)}."
        raise ValueError(f"there is no column of numbers {name!r}; {hint}")


def pareto_front(rows: Iterable[Row], objectives: Sequence[Objective]) -> list[Row]:
    """The rows that no other beats: is better than in one objective, and no worse in all the others.

    Best in the first objective first; rows that failed are left out, equals are all kept.
    """
    ranked = [(_costs(row, objectives), row) for row in rows if row["error"] is None]
    ranked.sort(key=lambda entry: entry[0])
    front: dict[tuple[float, ...], list[Row]] = {}
    for costs, row in ranked:  # what beats a row stands before it
        if costs in front or not any(_at_most(other, costs) for other in front):
            front.setdefault(costs, []).append(row)
    return [row for equals in front.values() for row in equals]


def _costs(row: Row, objectives: Sequence[Objective]) -> tuple[float, ...]:
    return tuple(-number(row, column) if largest else number(row, column) for column, largest in objectives)


def _at_most(first: Sequence[float], second: Sequence[float]) -> bool:
    return all(one <= other for one, other in zip(first, second, strict=True))


def _is_number(value: Evaluated) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fail(source: Source, fault: ExpressionFault) -> NoReturn:
    start, end = fault.start, min(max(fault.end, fault.start + 1), len(source.text))
    code = "E302" if isinstance(fault, UnknownNameFault) else "E303"
    raise SpecError([Diagnostic(code, fault.message, Span(source, start, end), help=fault.help)])
