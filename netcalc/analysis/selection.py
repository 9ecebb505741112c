"""Selection of rows of a sweep: by a condition, or the Pareto front of several objectives."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, NoReturn

from netcalc.analysis.sweep import FIGURES, Sweep, VariantRow
from netcalc.diagnostics import Diagnostic, Source, Span, SpecError, nearest
from netcalc.spec import Expression, ExpressionFault, UnknownNameFault, evaluate
from netcalc.spec.evaluator import is_number
from netcalc.spec.expressions import CONSTANTS, FUNCTIONS, parse_expression


class Condition(NamedTuple):
    """An expression over the columns of a row, such as `params < 5e6 and width >= 0.5`."""

    expression: Expression
    source: Source

    def meets(self, row: VariantRow) -> bool:
        """Whether a row meets it; a failed row does not. Raises SpecError where it cannot be evaluated."""
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
    """The condition of a text; raises SpecError for invalid syntax and unknown columns."""
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
    """A column to minimise, or to maximise."""

    column: str
    maximise: bool = False


def numeric_columns(sweep: Sweep) -> list[str]:
    """The columns that hold a number in every row without an error."""
    settings = [axis.column for axis in sweep.axes if all(map(is_number, axis.values))]
    return [*settings, *FIGURES]


def number(row: VariantRow, column: str) -> float:
    """The value of a numeric column in a row without an error."""
    value = row[column]
    assert isinstance(value, int | float)
    return value


def read_objectives(text: str, columns: Sequence[str]) -> list[Objective]:
    """The objectives of a text such as `macs,width:max` or `macs,-width`.

    Raises ValueError for a name that is not among `columns`.
    """
    objectives = []
    for part in map(str.strip, text.split(",")):
        name, colon, direction = part.partition(":")
        column = name.removeprefix("-")
        require_column(column, columns)
        if colon and (direction not in ("min", "max") or column != name):
            raise ValueError(f"{part!r} is no objective; write {column}, {column}:max or -{column}.")
        objectives.append(Objective(column, direction == "max" or column != name))
    return objectives


def require_column(name: str, columns: Sequence[str]) -> None:
    """Raise ValueError unless a name is that of a numeric column."""
    if name not in columns:
        match = nearest(name, columns)
        hint = f"did you mean {match}?" if match else f"there are {', '.join(columns)}."
        raise ValueError(f"there is no column of numbers {name!r}; {hint}")


def pareto_front(rows: Iterable[VariantRow], objectives: Sequence[Objective]) -> list[VariantRow]:
    """The Pareto front: the rows that no other row dominates.

    Sorted by the first objective. Rows with an error are left out, equal rows are all in.
    """
    ranked = [(_costs(row, objectives), row) for row in rows if row["error"] is None]
    ranked.sort(key=lambda entry: entry[0])
    front: dict[tuple[float, ...], list[VariantRow]] = {}
    for costs, row in ranked:  # a row that dominates another stands before it
        if costs in front or not any(_dominates(other, costs) for other in front):
            front.setdefault(costs, []).append(row)
    return [row for equals in front.values() for row in equals]


def _costs(row: VariantRow, objectives: Sequence[Objective]) -> tuple[float, ...]:
    return tuple(-number(row, column) if maximise else number(row, column) for column, maximise in objectives)


def _dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    return all(one <= other for one, other in zip(first, second, strict=True))


def _fail(source: Source, fault: ExpressionFault) -> NoReturn:
    start, end = fault.start, min(max(fault.end, fault.start + 1), len(source.text))
    code = "E302" if isinstance(fault, UnknownNameFault) else "E303"
    raise SpecError([Diagnostic(code, fault.message, Span(source, start, end), help=fault.help)])
