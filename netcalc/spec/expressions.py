"""The expression language of specs: `$name` and `$(round(64 * width))`.

Python's own parser reads the text, since the language is a subset of Python's expressions; nothing
is ever compiled or run as Python. What is not in the tables below is refused.
"""

import ast
import operator
import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from keyword import iskeyword
from math import ceil, floor, isfinite
from typing import NamedTuple, NoReturn

from netcalc.diagnostics import nearest
from netcalc.spec.scalars import MAX_INTEGER

Evaluated = None | bool | int | float | str | tuple["Evaluated", ...]
"""What an expression gives; a list is a tuple, so that every value is immutable."""

MAX_EXPRESSION_LENGTH = 1_000
MAX_EXPRESSION_DEPTH = 40


class Expression(NamedTuple):
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


class UnknownNameFault(ExpressionFault):
    """A name that stands for nothing: no argument, no function, no column."""


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

ARITHMETIC: dict[type[ast.operator], Callable[..., Evaluated]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], Callable[..., bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_WORDS = ("and", "or", "not", "if", "else")
"""The words of the language that are no names."""
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


def _reason(text: str, error: SyntaxError) -> str:
    if not text.strip():
        return "it is empty"
    if "$" in text:
        return "inside $( ) names stand without $"
    message = error.msg.split(". Perhaps")[0].split(". Maybe")[0]
    for word in re.findall(r"[A-Za-z_]+", text):
        if iskeyword(word) and word not in _WORDS:
            return f"the word {word} is reserved"
    return "the syntax is invalid" if message == "invalid syntax" else message


def _check(expression: Expression, node: ast.expr, depth: int) -> None:
    if depth > MAX_EXPRESSION_DEPTH:
        fail_at(expression, node, f"an expression may nest {MAX_EXPRESSION_DEPTH} deep, not more")
    if not isinstance(node, _ALLOWED):
        fail_at(expression, node, f"{_construct(node)} is not part of the expression language")
    if isinstance(node, ast.Constant):
        _check_constant(expression, node)
    elif (isinstance(node, ast.BinOp) and type(node.op) not in ARITHMETIC) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert)
    ):
        fail_at(expression, node, "this operator is not part of the expression language")
    elif isinstance(node, ast.Compare) and not all(type(op) in COMPARISONS for op in node.ops):
        fail_at(expression, node, "this comparison is not part of the expression language")
    elif isinstance(node, ast.Call):
        _check_call(expression, node)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not (isinstance(node, ast.Call) and child is node.func):
            _check(expression, child, depth + 1)


def _check_constant(expression: Expression, node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        fail_at(expression, node, "the integer is beyond the limit of 2^53 - 1")
    if isinstance(value, float) and not isfinite(value):
        fail_at(expression, node, "the number is not finite")
    if not isinstance(value, bool | int | float | str | None):
        fail_at(expression, node, f"a {type(value).__name__} is not part of the expression language")


def _check_call(expression: Expression, node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name):
        fail_at(expression, node, "only the functions of the expression language can be called")
    if node.func.id not in FUNCTIONS:
        match = nearest(node.func.id, FUNCTIONS)
        help = f"did you mean {match}?" if match else f"there are {', '.join(FUNCTIONS)}"
        fail_at(expression, node.func, f"there is no function {node.func.id!r}", help, UnknownNameFault)
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        fail_at(expression, node, "arguments are given one by one, without names or stars")


def _construct(node: ast.expr) -> str:
    words = {
        "Attribute": "an attribute", "Lambda": "a lambda", "Dict": "a dict", "Set": "a set",
        "NamedExpr": "an assignment", "JoinedStr": "a formatted string", "Slice": "a slice",
    }  # fmt: skip
    return words.get(type(node).__name__, "this construct")


def fail_at(
    expression: Expression,
    node: ast.expr,
    message: str,
    help: str | None = None,
    fault: type[ExpressionFault] = ExpressionFault,
) -> NoReturn:
    """Raise a fault at a node; the parser counts columns in UTF-8 bytes of the stripped text."""
    text = expression.text
    leading = len(text) - len(text.lstrip(" \t\n"))
    encoded = text[leading:].encode()
    start = leading + len(encoded[: node.col_offset].decode(errors="replace"))
    end = leading + len(encoded[: node.end_col_offset].decode(errors="replace"))
    raise fault(message, start, max(end, start + 1), help)
