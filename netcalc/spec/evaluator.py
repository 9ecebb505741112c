"""The value of an expression, under limits on its size and on the work of computing it."""

import ast
from collections.abc import Callable, Mapping
from itertools import islice
from math import isfinite

from netcalc.diagnostics import listed, nearest
from netcalc.spec.expressions import (
    ARITHMETIC,
    COMPARISONS,
    CONSTANTS,
    FUNCTIONS,
    Evaluated,
    Expression,
    UnknownNameFault,
    fail_at,
)
from netcalc.spec.scalars import MAX_INTEGER, describe_plain

MAX_LIST_LENGTH = 10_000
_MOST_NAMES = 100
_ITEMS_A_STEP = 32
"""Items of a list that count as one step of work."""


class _Run:
    """One evaluation; `work` counts its steps."""

    def __init__(self, expression: Expression, names: Mapping[str, Evaluated]) -> None:
        self.expression = expression
        self.names = names
        self.work = 0


def evaluate(expression: Expression, names: Mapping[str, Evaluated]) -> Evaluated:
    """The value of an expression under `names`; raises ExpressionFault where it has none."""
    return evaluate_counting(expression, names)[0]


def evaluate_counting(expression: Expression, names: Mapping[str, Evaluated]) -> tuple[Evaluated, int]:
    """The value of an expression, and the steps that it took."""
    run = _Run(expression, names)
    return _evaluate(expression.tree, run), run.work


def _evaluate(node: ast.expr, run: _Run) -> Evaluated:
    run.work += 1
    match node:
        case ast.Constant():
            return node.value  # type: ignore[return-value]  # parse_expression has checked it
        case ast.Name():
            return _look_up(node, run)
        case ast.List() | ast.Tuple():
            return _bounded(node, run, tuple(_evaluate(element, run) for element in node.elts))
        case ast.BinOp():
            left, right = (_evaluate(side, run) for side in (node.left, node.right))
            return _arithmetic(node, left, right, run)
        case ast.UnaryOp():
            return _unary(node, _evaluate(node.operand, run), run)
        case ast.BoolOp():
            return _decide(node, run)
        case ast.Compare():
            return _compare(node, run)
        case ast.IfExp():
            chosen = node.body if _truth(node.test, run) else node.orelse
            return _evaluate(chosen, run)
        case ast.Subscript():
            return _index(node, run)
        case ast.Call():
            arguments = [_evaluate(argument, run) for argument in node.args]
            assert isinstance(node.func, ast.Name)
            return _guarded(node, run, node.func.id, FUNCTIONS[node.func.id], *arguments)
        case _:
            raise AssertionError(node)  # parse_expression refuses everything else


def _look_up(node: ast.Name, run: _Run) -> Evaluated:
    if node.id in run.names:
        value = run.names[node.id]
        run.work += size_of(value) // _ITEMS_A_STEP
        return value
    if node.id in CONSTANTS:
        return CONSTANTS[node.id]
    match = nearest(node.id, run.names)
    help = f"did you mean {match}?" if match else None
    if match is None and run.names:
        help = f"known here: {listed(sorted(islice(run.names, _MOST_NAMES)))}"
    return fail_at(run.expression, node, f"there is no argument {node.id!r}", help, UnknownNameFault)


def _arithmetic(node: ast.BinOp, left: Evaluated, right: Evaluated, run: _Run) -> Evaluated:
    numbers = is_number(left) and is_number(right)
    joined = isinstance(node.op, ast.Add) and type(left) is type(right) and isinstance(left, str | tuple)
    repeated = isinstance(node.op, ast.Mult) and isinstance(left, tuple) and is_number(right)
    if not (numbers or joined or repeated):
        kinds = f"{describe_plain(left)} and {describe_plain(right)}"
        fail_at(run.expression, node, f"cannot compute {ast.unparse(node)}: {kinds} do not go together")
    if repeated and (not isinstance(right, int) or size_of(left) * right > MAX_LIST_LENGTH):
        fail_at(
            run.expression, node, f"a list is repeated a whole number of times, to {MAX_LIST_LENGTH} items"
        )
    if isinstance(node.op, ast.Pow) and abs(right) > 64:  # type: ignore[arg-type]
        fail_at(run.expression, node, "an exponent lies between -64 and 64")
    return _guarded(node, run, None, ARITHMETIC[type(node.op)], left, right)


def _unary(node: ast.UnaryOp, operand: Evaluated, run: _Run) -> Evaluated:
    if isinstance(node.op, ast.Not):
        if isinstance(operand, bool):
            return not operand
        fail_at(run.expression, node, f"not needs true or false, this is {describe_plain(operand)}")
    if not is_number(operand):
        fail_at(run.expression, node, f"a sign needs a number, this is {describe_plain(operand)}")
    return -operand if isinstance(node.op, ast.USub) else operand  # type: ignore[operator]


def _truth(node: ast.expr, run: _Run) -> bool:
    value = _evaluate(node, run)
    if not isinstance(value, bool):
        help = f"write {ast.unparse(node)} != 0" if is_number(value) else None
        fail_at(run.expression, node, f"a condition is true or false, this is {describe_plain(value)}", help)
    return value


def _decide(node: ast.BoolOp, run: _Run) -> bool:
    """`and` and `or`, evaluated from the left up to the operand that decides."""
    truths = (_truth(part, run) for part in node.values)
    return any(truths) if isinstance(node.op, ast.Or) else all(truths)


def _compare(node: ast.Compare, run: _Run) -> bool:
    left = _evaluate(node.left, run)
    for comparison, part in zip(node.ops, node.comparators, strict=True):
        right = _evaluate(part, run)
        compare = COMPARISONS[type(comparison)]
        if not _guarded(node, run, None, compare, left, right):
            return False
        left = right
    return True


def _index(node: ast.Subscript, run: _Run) -> Evaluated:
    items = _evaluate(node.value, run)
    index = _evaluate(node.slice, run)
    if not isinstance(items, tuple) or isinstance(index, bool) or not isinstance(index, int):
        fail_at(run.expression, node, f"cannot index {describe_plain(items)} with {describe_plain(index)}")
    if not -len(items) <= index < len(items):
        fail_at(run.expression, node, f"index {index} is outside a list of {len(items)}")
    return items[index]


def _guarded(
    node: ast.expr, run: _Run, what: str | None, function: Callable[..., Evaluated], *values: Evaluated
) -> Evaluated:
    """Apply a function, with every failure and every value beyond the limits as a located fault."""
    try:
        result = function(*values)
    except ZeroDivisionError:
        fail_at(run.expression, node, f"division by zero in {ast.unparse(node)}")
    except (TypeError, ValueError, OverflowError):
        kinds = ", ".join(map(describe_plain, values)) or "nothing"
        fail_at(run.expression, node, f"cannot compute {what or ast.unparse(node)} of {kinds}")
    if isinstance(result, complex):
        fail_at(run.expression, node, f"{ast.unparse(node)} is not a real number")
    if isinstance(result, int) and abs(result) > MAX_INTEGER:
        fail_at(run.expression, node, f"{ast.unparse(node)} is beyond the limit of 2^53 - 1")
    if isinstance(result, float) and not isfinite(result):
        fail_at(run.expression, node, f"{ast.unparse(node)} is not a finite number")
    return _bounded(node, run, result)


def _bounded(node: ast.expr, run: _Run, value: Evaluated) -> Evaluated:
    """A value that is not too long, the lists inside it counted too."""
    if isinstance(value, str | tuple):
        size = len(value) if isinstance(value, str) else size_of(value)
        run.work += size // _ITEMS_A_STEP
        if size > MAX_LIST_LENGTH:
            fail_at(run.expression, node, f"{ast.unparse(node)} is longer than {MAX_LIST_LENGTH}")
    return value


def size_of(value: Evaluated) -> int:
    """How many values stand in a list, those of the lists inside it counted; a plain value is 1."""
    if not isinstance(value, tuple):
        return 1
    return len(value) + sum(size_of(item) for item in value if isinstance(item, tuple))


def is_number(value: object) -> bool:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
