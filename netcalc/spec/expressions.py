"""The expression language of specs: `$name` and `$(round(64 * width))`.

Python's own parser reads the text, since the language is a subset of Python's expressions; nothing
is ever compiled or run as Python. What is not in the tables below is refused.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor, isfinite
from typing import NoReturn

from netcalc.diagnostics import nearest
from netcalc.spec.scalars import MAX_INTEGER, describe_plain

Evaluated = None | bool | int | float | str | tuple["Evaluated", ...]
"""What an expression gives; a list is a tuple, so that every value is immutable."""

MAX_EXPRESSION_LENGTH = 1_000
MAX_EXPRESSION_DEPTH = 40
MAX_LIST_LENGTH = 10_000
_ITEMS_A_STEP = 32
"""So many items of a list are handled in the time of one step."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; `text` is what stands after the dollar sign, without parentheses."""

    text: str
    tree: ast.expr
    names: frozenset[str]
    """The names it refers to."""


class ExpressionFault(ValueError):
    """A fact about an expression that is wrong, at characters `start` to `end` of its text."""

    def __init__(self, message: str, start: int, end: int, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.start, self.end, self.help = message, start, end, help


def make_divisible(value: float, divisor: int, minimum: int | None = None) -> int:
    """The multiple of `divisor` nearest to `value`, not more than 10% below it (MobileNet's rule)."""
    multiple = max(divisor if minimum is None else minimum, int(value + divisor / 2) // divisor * divisor)
    return multiple + divisor if multiple < 0.9 * value else multiple


FUNCTIONS: dict[str, Callable[..., Evaluated]] = {
    "min": min, "max": max, "sum": sum, "len": len, "int": int, "round": round,
    "ceil": ceil, "floor": floor, "make_divisible": make_divisible,
}  # fmt: skip
CONSTANTS: dict[str, Evaluated] = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None,
}  # fmt: skip
RESERVED = frozenset({"in_channels", "in_shape", "index", *CONSTANTS, *FUNCTIONS})
"""The names that expressions see everywhere; no argument may have them."""

_ARITHMETIC: dict[type[ast.operator], Callable[..., Evaluated]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], Callable[..., bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_ALLOWED = (
    ast.Name, ast.Constant, ast.List, ast.Tuple, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.IfExp, ast.Call, ast.Subscript,
)  # fmt: skip


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Read the text of an expression; raises ExpressionFault where it is none."""
    if len(text) > MAX_EXPRESSION_LENGTH:
        limit = f"an expression is limited to {MAX_EXPRESSION_LENGTH} characters"
        raise ExpressionFault(f"{limit}, this one has {len(text)}", 0, len(text))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser's advice to Python programmers
            tree = ast.parse(text.replace("\n", " ").strip(" \t"), mode="eval").body
    except SyntaxError as error:
        leading = len(text) - len(text.lstrip(" \t"))
        start = min(leading + max((error.offset or 1) - 1, 0), max(len(text) - 1, 0))
        raise ExpressionFault(f"not an expression: {_reason(text, error)}", start, start + 1) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionFault("not an expression", 0, len(text)) from None
    names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    expression = Expression(text, tree, names)
    _check(expression, tree, 0)
    return expression


@dataclass(slots=True)
class _Run:
    """One evaluation; `work` counts its steps."""

    expression: Expression
    names: Mapping[str, Evaluated]
    work: int = 0


def evaluate(expression: Expression, names: Mapping[str, Evaluated]) -> Evaluated:
    """The value of an expression under `names`; raises ExpressionFault where it has none."""
    return evaluate_counting(expression, names)[0]


def evaluate_counting(expression: Expression, names: Mapping[str, Evaluated]) -> tuple[Evaluated, int]:
    """The value of an expression, and the steps that it took."""
    run = _Run(expression, names)
    return _evaluate(expression.tree, run), run.work


def _reason(text: str, error: SyntaxError) -> str:
    if not text.strip():
        return "it is empty"
    message = error.msg.split(". Perhaps")[0].split(". Maybe")[0]
    return "the syntax is invalid" if message == "invalid syntax" else message


def _check(expression: Expression, node: ast.expr, depth: int) -> None:
    if depth > MAX_EXPRESSION_DEPTH:
        _fail(expression, node, f"an expression may nest {MAX_EXPRESSION_DEPTH} deep, not more")
    if not isinstance(node, _ALLOWED):
        _fail(expression, node, f"{_construct(node)} is not part of the expression language")
    if isinstance(node, ast.Constant):
        _check_constant(expression, node)
    elif (isinstance(node, ast.BinOp) and type(node.op) not in _ARITHMETIC) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert)
    ):
        _fail(expression, node, "this operator is not part of the expression language")
    elif isinstance(node, ast.Compare) and not all(type(op) in _COMPARISONS for op in node.ops):
        _fail(expression, node, "this comparison is not part of the expression language")
    elif isinstance(node, ast.Call):
        _check_call(expression, node)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not (isinstance(node, ast.Call) and child is node.func):
            _check(expression, child, depth + 1)


def _check_constant(expression: Expression, node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        _fail(expression, node, "the integer is beyond the limit of 2^53 - 1")
    if isinstance(value, float) and not isfinite(value):
        _fail(expression, node, "the number is not finite")
    if not isinstance(value, bool | int | float | str | None):
        _fail(expression, node, f"a {type(value).__name__} is not part of the expression language")


def _check_call(expression: Expression, node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name):
        _fail(expression, node, "only the functions of the expression language can be called")
    if node.func.id not in FUNCTIONS:
        match = nearest(node.func.id, FUNCTIONS)
        help = f"did you mean {match}?" if match else f"there are {', '.join(FUNCTIONS)}"
        _fail(expression, node.func, f"there is no function {node.func.id!r}", help)
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        _fail(expression, node, "arguments are given one by one, without names or stars")


def _construct(node: ast.expr) -> str:
    words = {
        "Attribute": "an attribute", "Lambda": "a lambda", "Dict": "a dict", "Set": "a set",
        "NamedExpr": "an assignment", "JoinedStr": "a formatted string", "Slice": "a slice",
    }  # fmt: skip
    return words.get(type(node).__name__, "this construct")


def _evaluate(node: ast.expr, run: _Run) -> Evaluated:
    run.work += 1
    match node:
        case ast.Constant():
            return node.value  # type: ignore[return-value]  # _check_constant has seen it
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
            raise AssertionError(node)  # _check has refused everything else


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
        help = f"known here: {', '.join(sorted(run.names))}"
    return _fail(run.expression, node, f"there is no argument {node.id!r}", help)


def _arithmetic(node: ast.BinOp, left: Evaluated, right: Evaluated, run: _Run) -> Evaluated:
    numbers = _is_number(left) and _is_number(right)
    joined = isinstance(node.op, ast.Add) and type(left) is type(right) and isinstance(left, str | tuple)
    repeated = isinstance(node.op, ast.Mult) and isinstance(left, tuple) and _is_number(right)
    if not (numbers or joined or repeated):
        kinds = f"{describe_plain(left)} and {describe_plain(right)}"
        _fail(run.expression, node, f"cannot compute {ast.unparse(node)}: {kinds} do not go together")
    if repeated and (not isinstance(right, int) or size_of(left) * right > MAX_LIST_LENGTH):
        _fail(run.expression, node, f"a list is repeated a whole number of times, to {MAX_LIST_LENGTH} items")
    if isinstance(node.op, ast.Pow) and abs(right) > 64:  # type: ignore[arg-type]
        _fail(run.expression, node, "an exponent lies between -64 and 64")
    return _guarded(node, run, None, _ARITHMETIC[type(node.op)], left, right)


def _unary(node: ast.UnaryOp, operand: Evaluated, run: _Run) -> Evaluated:
    if isinstance(node.op, ast.Not):
        if isinstance(operand, bool):
            return not operand
        _fail(run.expression, node, f"not needs true or false, this is {describe_plain(operand)}")
    if not _is_number(operand):
        _fail(run.expression, node, f"a sign needs a number, this is {describe_plain(operand)}")
    return -operand if isinstance(node.op, ast.USub) else operand  # type: ignore[operator]


def _truth(node: ast.expr, run: _Run) -> bool:
    value = _evaluate(node, run)
    if not isinstance(value, bool):
        help = f"write {ast.unparse(node)} != 0" if _is_number(value) else None
        _fail(run.expression, node, f"a condition is true or false, this is {describe_plain(value)}", help)
    return value


def _decide(node: ast.BoolOp, run: _Run) -> bool:
    """`and` and `or`, which look no further than they need to."""
    truths = (_truth(part, run) for part in node.values)
    return any(truths) if isinstance(node.op, ast.Or) else all(truths)


def _compare(node: ast.Compare, run: _Run) -> bool:
    left = _evaluate(node.left, run)
    for comparison, part in zip(node.ops, node.comparators, strict=True):
        right = _evaluate(part, run)
        compare = _COMPARISONS[type(comparison)]
        if not _guarded(node, run, None, compare, left, right):
            return False
        left = right
    return True


def _index(node: ast.Subscript, run: _Run) -> Evaluated:
    items = _evaluate(node.value, run)
    index = _evaluate(node.slice, run)
    if not isinstance(items, tuple) or isinstance(index, bool) or not isinstance(index, int):
        _fail(run.expression, node, f"cannot index {describe_plain(items)} with {describe_plain(index)}")
    if not -len(items) <= index < len(items):
        _fail(run.expression, node, f"index {index} is outside a list of {len(items)}")
    return items[index]


def _guarded(
    node: ast.expr, run: _Run, what: str | None, function: Callable[..., Evaluated], *values: Evaluated
) -> Evaluated:
    """Apply a function, with every failure and every value beyond the limits as a located fault."""
    try:
        result = function(*values)
    except ZeroDivisionError:
        _fail(run.expression, node, f"division by zero in {ast.unparse(node)}")
    except (TypeError, ValueError, OverflowError):
        kinds = ", ".join(map(describe_plain, values)) or "nothing"
        _fail(run.expression, node, f"cannot compute {what or ast.unparse(node)} of {kinds}")
    if isinstance(result, complex):
        _fail(run.expression, node, f"{ast.unparse(node)} is not a real number")
    if isinstance(result, int) and abs(result) > MAX_INTEGER:
        _fail(run.expression, node, f"{ast.unparse(node)} is beyond the limit of 2^53 - 1")
    if isinstance(result, float) and not isfinite(result):
        _fail(run.expression, node, f"{ast.unparse(node)} is not a finite number")
    return _bounded(node, run, result)


def _bounded(node: ast.expr, run: _Run, value: Evaluated) -> Evaluated:
    """A value that is not too long, the lists inside it counted too."""
    if isinstance(value, str | tuple):
        size = len(value) if isinstance(value, str) else size_of(value)
        run.work += size // _ITEMS_A_STEP
        if size > MAX_LIST_LENGTH:
            _fail(run.expression, node, f"{ast.unparse(node)} is longer than {MAX_LIST_LENGTH}")
    return value


def size_of(value: Evaluated) -> int:
    """How many values stand in a list, those of the lists inside it counted; a plain value is 1."""
    if not isinstance(value, tuple):
        return 1
    return len(value) + sum(size_of(item) for item in value if isinstance(item, tuple))


def _is_number(value: Evaluated) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fail(expression: Expression, node: ast.expr, message: str, help: str | None = None) -> NoReturn:
    """Raise a fault at a node; the parser counts columns in UTF-8 bytes of the stripped text."""
    text = expression.text
    leading = len(text) - len(text.lstrip(" \t\n"))
    encoded = text[leading:].encode()
    start = leading + len(encoded[: node.col_offset].decode(errors="replace"))
    end = leading + len(encoded[: node.end_col_offset].decode(errors="replace"))
    raise ExpressionFault(message, start, max(end, start + 1), help)
