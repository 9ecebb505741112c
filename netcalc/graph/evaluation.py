"""Values of a spec to plain values, with every mistake reported once and never again downstream."""

from collections.abc import Mapping as Names

from netcalc.diagnostics import Diagnostic, Span, written
from netcalc.graph.problems import Problems
from netcalc.spec import (
    UNKNOWN,
    Evaluated,
    Expression,
    ExpressionFault,
    Mapping,
    Scalar,
    Unknown,
    Value,
    evaluate_counting,
)
from netcalc.spec.yaml_reader import expression_problem

Environment = Names[str, Evaluated | Unknown]


def value_of(value: Value, names: Environment, problems: Problems) -> Evaluated | Unknown:
    """What a value of the spec comes to; UNKNOWN where it is wrong, with the reason in `problems`."""
    if isinstance(value, Scalar):
        if isinstance(value.value, Expression):
            return expression_value(value.value, value.span, names, problems)
        return value.value
    if isinstance(value, Mapping):
        problems.append(Diagnostic("E404", "a mapping does not belong here", value.span))
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
    value: Evaluated | Unknown, what: str, at_least: int, span: Span, problems: Problems
) -> int | None:
    """`value` as a whole number; None where it is none, with the reason in `problems`."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        message = f"{what} is a whole number from {at_least} up, not {written(value)}"
        problems.append(Diagnostic("E404", message, span))
        return None
    return value


def expression_value(
    expression: Expression, span: Span, names: Environment, problems: Problems
) -> Evaluated | Unknown:
    """What an expression comes to; UNKNOWN where it is wrong, with the reason in `problems`."""
    if any(isinstance(names.get(name), Unknown) for name in expression.names):
        return UNKNOWN
    try:
        found, work = evaluate_counting(expression, names)  # type: ignore[arg-type]  # none of its names is
        problems.spend(work, span)
        return found
    except ExpressionFault as fault:
        code = "E302" if fault.message.startswith("there is no") else "E303"
        problems.append(expression_problem(fault, code, span, expression.text))
        return UNKNOWN
