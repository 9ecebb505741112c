"""Symbolic integers: integers that carry the expression they were computed by.

A layer's rules are plain integer arithmetic, so evaluating them on symbolic integers gives each figure with
its formula. Comparisons, `min` and `max` are those of int: the formula is that of the branch taken.
"""

from typing import Any, NamedTuple, Union


class Atom(NamedTuple):
    """A symbol: a named quantity and its value."""

    name: str
    value: int


class Operation(NamedTuple):
    """A binary operation on terms: +, -, *, // or `ceil`, the division that rounds up."""

    operator: str
    left: "Term"
    right: "Term"


Term = Union[int, Atom, Operation]  # noqa: UP007 (a recursive alias needs the quoted form)

_PRECEDENCE = {"+": 1, "-": 1, "*": 2}


class SymbolicInt(int):
    """An int with the term it was computed by."""

    term: Term

    def __new__(cls, value: int, term: Term) -> "SymbolicInt":
        number = super().__new__(cls, value)
        number.term = term
        return number

    @classmethod
    def named(cls, name: str, value: int) -> "SymbolicInt":
        """A symbol, such as an option or the size of an input."""
        return cls(value, Atom(name, value))

    def __add__(self, other: Any) -> Any:
        return _symbolic(int.__add__(self, other), "+", self, other)

    def __radd__(self, other: Any) -> Any:
        return _symbolic(int.__radd__(self, other), "+", other, self)

    def __sub__(self, other: Any) -> Any:
        return _symbolic(int.__sub__(self, other), "-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _symbolic(int.__rsub__(self, other), "-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _symbolic(int.__mul__(self, other), "*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _symbolic(int.__rmul__(self, other), "*", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _symbolic(int.__floordiv__(self, other), "//", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _symbolic(int.__rfloordiv__(self, other), "//", other, self)

    def __neg__(self) -> "SymbolicInt":
        match self.term:
            case Operation("//", Operation("-", 0, dividend), divisor):
                return SymbolicInt(-int(self), Operation("ceil", dividend, divisor))  # -(-a // b)
        return SymbolicInt(-int(self), Operation("-", 0, self.term))


def term_of(number: int) -> Term:
    """The term of a symbolic integer; a plain integer is its own term."""
    return number.term if isinstance(number, SymbolicInt) else number


def formula(term: Term) -> str:
    """The term with names: `floor((H - kernel + 2*pad) / stride) + 1`."""
    return _format(term, numbers=False)


def numbers(term: Term) -> str:
    """The term with values in place of names; an exact division is written without floor."""
    return _format(term, numbers=True)


def value(term: Term) -> int:
    """The value of the term."""
    match term:
        case int():
            return term
        case Atom():
            return term.value
        case Operation(operator, left, right):
            a, b = value(left), value(right)
            results = {"+": a + b, "-": a - b, "*": a * b}
            if operator in results:
                return results[operator]
            return -(-a // b) if operator == "ceil" else a // b


def divisions(term: Term) -> list[tuple[int, int, str]]:
    """The inexact divisions in the term: dividend, divisor, and whether they round up or down."""
    if not isinstance(term, Operation):
        return []
    inner = divisions(term.left) + divisions(term.right)
    if term.operator in ("//", "ceil") and value(term.left) % value(term.right):
        inner.append((value(term.left), value(term.right), "up" if term.operator == "ceil" else "down"))
    return inner


def _symbolic(result: Any, operator: str, left: Any, right: Any) -> Any:
    if result is NotImplemented:
        return result
    term = _simplified(operator, term_of(left), term_of(right))
    return int(result) if isinstance(term, int) else SymbolicInt(result, term)


def _simplified(operator: str, left: Term, right: Term) -> Term:
    """An operation without neutral elements: x*1 and x + 0 are x, (x - 1) + 1 is x, x + x is 2*x."""
    match operator, left, right:
        case "*", 1, _:
            return right
        case "*" | "//", _, 1:
            return left
        case "*", 0, _:
            return 0
        case "*", _, 0:
            return 0
        case "+", 0, _:
            return right
        case "+" | "-", _, 0:
            return left
        case "+", Operation("-", inner, same), _ if same == right:
            return inner
        case "+", Atom(), Atom() if left == right:
            return Operation("*", 2, left)
    return Operation(operator, left, right)


def _format(term: Term, numbers: bool, above: int = 0, on_right: bool = False) -> str:
    match term:
        case int():
            return str(int(term))
        case Atom():
            return str(term.value) if numbers else term.name
        case Operation("//" | "ceil" as operator, left, right):
            exact = numbers and value(left) % value(right) == 0
            quotient = f"{_format(left, numbers, 2)} / {_format(right, numbers, 2, on_right=True)}"
            if exact:
                return f"({quotient})" if above > 1 or on_right else quotient
            return f"{'ceil' if operator == 'ceil' else 'floor'}({quotient})"
        case Operation(operator, left, right):
            own = _PRECEDENCE[operator]
            spaced = "*" if operator == "*" else f" {operator} "
            after = operator == "-"
            text = f"{_format(left, numbers, own)}{spaced}{_format(right, numbers, own, after)}"
            return f"({text})" if own < above or (own == above and on_right) else text
