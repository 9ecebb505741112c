"""Values of a spec to plain values; each mistake is reported once, not again where its value is used."""

from collections.abc import Mapping

from netcalc.diagnostics import Span, format_value
from netcalc.graph.problems import ElaborationProblems
from netcalc.spec import (
    UNKNOWN,
    Evaluated,
    Expression,
    ExpressionFault,
    Unknown,
    UnknownNameFault,
    Value,
    YamlMapping,
    YamlScalar,
    evaluate_counting,
)
from netcalc.spec.problems import expression_problem

Environment = Mapping[str, Evaluated | Unknown]


def value_of(value: Value, names: Environment, problems: ElaborationProblems) -> Evaluated | Unknown:
    """The plain value of a value of the spec; UNKNOWN where it is wrong, with the reason in `problems`."""
    if isinstance(value, YamlScalar):
        if isinstance(value.value, Expression):
            return expression_value(value.value, value.span, names, problems)
        return value.value
    if isinstance(value, YamlMapping):
        problems.report("E404", "a mapping does not belong here", value.span)
        return UNKNOWN
    items: list[Evaluated] = []
    problems.spend(len(value.items), value.span)
    for item in value.items:
        evaluated = value_of(item, names, problems)
        if isinstance(evaluated, Unknown):
            return UNKNOWN
        items.append(evaluated)
    return tuple(items)


def whole_number(
    value: Evaluated | Unknown, what: str, at_least: int, span: Span, problems: ElaborationProblems
) -> int | None:
    """`value` as a whole number; None where it is none, with the reason in `problems`."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        message = f"{what} is a whole number from {at_least} up, not {format_value(value)}"
        problems.report("E404", message, span)
        return None
    return value


def expression_value(
    expression: Expression, span: Span, names: Environment, problems: ElaborationProblems
) -> Evaluated | Unknown:
    """The value of an expression; UNKNOWN where it is wrong, with the reason in `problems`."""
    if any(isinstance(names.get(name), Unknown) for name in expression.names):
        return UNKNOWN
    try:
        found, work = evaluate_counting(expression, names)  # type: ignore[arg-type]  # none of its names is
        problems.spend(work, span)
        return found
    except ExpressionFault as fault:
        code = "E302" if isinstance(fault, UnknownNameFault) else "E303"
        problems.add(expression_problem(fault, code, span, expression.text))
        return UNKNOWN
