"""Integers that remember how they came about.

A layer's rules are plain integer arithmetic, so running them on traced integers gives each figure
with its formula: the explanation cannot drift from the rule, since it is the rule.
"""

from typing import Any, NamedTuple, Union


class Atom(NamedTuple):
    """A named quantity."""

    name: str
    value: int


class Operation(NamedTuple):
    """An operation on terms: + - * // or the division that rounds up."""

    operator: str
    left: "Term"
    right: "Term"


Term = Union[int, Atom, Operation]  # noqa: UP007 (a recursive alias needs the quoted form)

_PRECEDENCE = {"+": 1, "-": 1, "*": 2}


class Symbolic(int):
    """An int with the term it was computed by."""

    term: Term

    def __new__(cls, value: int, term: Term) -> "Symbolic":
        traced = super().__new__(cls, value)
        traced.term = term
        return traced

    @classmethod
    def named(cls, name: str, value: int) -> "Symbolic":
        """A quantity of its own, such as an option or an input's size."""
        return cls(value, Atom(name, value))

    def __add__(self, other: Any) -> Any:
        return _traced(int.__add__(self, other), "+", self, other)

    def __radd__(self, other: Any) -> Any:
        return _traced(int.__radd__(self, other), "+", other, self)

    def __sub__(self, other: Any) -> Any:
        return _traced(int.__sub__(self, other), "-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _traced(int.__rsub__(self, other), "-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _traced(int.__mul__(self, other), "*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _traced(int.__rmul__(self, other), "*", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _traced(int.__floordiv__(self, other), "//", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _traced(int.__rfloordiv__(self, other), "//", other, self)

    def __neg__(self) -> "Symbolic":
        match self.term:
            case Operation("//", Operation("-", 0, dividend), divisor):
                return Symbolic(-int(self), Operation("ceil", dividend, divisor))  # -(-a // b)
        return Symbolic(-int(self), Operation("-", 0, self.term))


def term_of(number: int) -> Term:
    """The term of a traced integer; a plain one is its own."""
    return number.term if isinstance(number, Symbolic) else number


def formula(term: Term) -> str:
    """The term in names: `floor((H - kernel + 2*pad) / stride) + 1`."""
    return _written(term, numbers=False)


def numbers(term: Term) -> str:
    """The term with the numbers put in; a division that leaves no rest is written without floor."""
    return _written(term, numbers=True)


def value(term: Term) -> int:
    """What the term comes to."""
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
    """The divisions in the term that leave a rest: dividend, divisor, and which way they round."""
    if not isinstance(term, Operation):
        return []
    inner = divisions(term.left) + divisions(term.right)
    if term.operator in ("//", "ceil") and value(term.left) % value(term.right):
        inner.append((value(term.left), value(term.right), "up" if term.operator == "ceil" else "down"))
    return inner


def _traced(result: Any, operator: str, left: Any, right: Any) -> Any:
    if result is NotImplemented:
        return result
    term = _simplified(operator, term_of(left), term_of(right))
    return int(result) if isinstance(term, int) else Symbolic(result, term)


def _simplified(operator: str, left: Term, right: Term) -> Term:
    """An operation without what says nothing: x*1, x + 0, (x - 1) + 1; x + x is 2*x."""
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


def _written(term: Term, numbers: bool, above: int = 0, on_right: bool = False) -> str:
    match term:
        case int():
            return str(int(term))
        case Atom():
            return str(term.value) if numbers else term.name
        case Operation("//" | "ceil" as operator, left, right):
            exact = numbers and value(left) % value(right) == 0
            quotient = f"{_written(left, numbers, 2)} / {_written(right, numbers, 2, on_right=True)}"
            if exact:
                return f"({quotient})" if above > 1 or on_right else quotient
            return f"{'ceil' if operator == 'ceil' else 'floor'}({quotient})"
        case Operation(operator, left, right):
            own = _PRECEDENCE[operator]
            spaced = "*" if operator == "*" else f" {operator} "
            after = operator == "-"
            text = f"{_written(left, numbers, own)}{spaced}{_written(right, numbers, own, after)}"
            return f"({text})" if own < above or (own == above and on_right) else text
