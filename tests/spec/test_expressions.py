"""The expression language: what it computes, what it refuses, and that it never runs Python."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcalc.spec.evaluator import evaluate
from netcalc.spec.expressions import FUNCTIONS, Evaluated, ExpressionFault, parse_expression

NAMES: dict[str, Any] = {
    "width": 0.5,
    "n": 3,
    "depths": (2, 3, 4),
    "mode": "same",
    "deep": True,
    "in_channels": 64,
}


def run(text: str) -> Evaluated:
    return evaluate(parse_expression(text), NAMES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("round(64 * width)", 32), ("n // 2", 1), ("-n % 5", 2), ("2 ** n", 8), ("n / 2", 1.5), ("+n", 3),
        ("depths[0] + depths[-1]", 6), ("len(depths)", 3), ("sum(depths)", 9), ("max(depths)", 4),
        ("min(n, 2)", 2), ("ceil(7 / 2)", 4), ("floor(7 / 2)", 3), ("int(2.9)", 2),
        ("64 if deep else 32", 64), ("n > 1 and width < 1", True), ("n == 3 or n / 0 > 1", True),
        ("not deep", False), ("1 < n <= 3", True), ("3 < n <= 3", False), ("mode == 'same'", True),
        ("mode + 'r'", "samer"), ("[n] * 2 + [1]", (3, 3, 1)), ("[1, [2, n]]", (1, (2, 3))),
        ("true and deep", True), ("null", None), ("make_divisible(37, 8)", 40),
        ("make_divisible(17.5, 8)", 16), ("make_divisible(3, 8)", 8), ("make_divisible(18, 8, 8)", 24),
        (" n ", 3), ("n\n+ 1", 4),
    ],
)  # fmt: skip
def test_value(text: str, value: object) -> None:
    result = run(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "message", "start", "end"),
    [
        ("widht * 2", "no argument 'widht'", 0, 5),
        ("1 + rond(n)", "no function 'rond'", 4, 8),
        ("1 + n / 0", "division by zero", 4, 9),
        ("é + width", "no argument 'é'", 0, 1),
        ("'é' + nn", "no argument 'nn'", 6, 8),
        ("9 ** 99", "exponent", 0, 7),
        ("9 ** 40", "beyond the limit", 0, 7),
        ("2.0 ** 64 * 1e300 * 1e300", "not a finite number", 0, 17),
        ("(-8) ** 0.5", "not a real number", 0, 11),
        ("depths[3]", "outside a list of 3", 0, 9),
        ("depths[deep]", "cannot index", 0, 12),
        ("mode * 2", "do not go together", 0, 8),
        ("deep + 1", "do not go together", 0, 8),
        ("n and deep", "a condition is true or false", 0, 1),
        ("1 if n else 2", "a condition is true or false", 5, 6),
        ("max(mode, 1)", "cannot compute max", 0, 12),
        ("max()", "cannot compute max of nothing", 0, 5),
        ("[1] * 100000", "repeated a whole number of times", 0, 12),
        ("mode < 1", "cannot compute", 0, 8),
        ("-mode", "a sign needs a number", 0, 5),
    ],
)
def test_fault_and_its_place(text: str, message: str, start: int, end: int) -> None:
    with pytest.raises(ExpressionFault, match=message) as caught:
        run(text)
    assert (caught.value.start, caught.value.end) == (start, end)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('ls')", "mode.__class__", "(lambda: 1)()", "[x for x in depths]", "{1: 2}",
        "{1, 2}", "f'{n}'", "b'x'", "1j", "...", "n := 3", "*depths", "max(*depths)", "max(depths, key=len)",
        "depths[0:2]", "n & 1", "n << 3", "~n", "n is 3", "2 in depths", "await n", "(yield)", "len", "max(max)",
        "n; n", "n = 3", "import os", "print(1)", "eval('1')", "(" * 300 + ")" * 300, "-" * 900 + "1",
        "+".join("1" * 400), "1" * 1001, "\0", "'" , "1 +", "0777", "1if deep else 2 x", "9" * 30, "1e999", "",
        "  ", "\ud800",
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(ExpressionFault, match=r"."):
        run(text)


ATOMS = st.sampled_from(
    [
        "n",
        "width",
        "depths",
        "mode",
        "deep",
        "in_channels",
        "0",
        "1",
        "2.5",
        "'x'",
        "[]",
        "true",
        "null",
        "zz",
    ]
)
OPERATORS = st.sampled_from(
    [
        " + ",
        " - ",
        " * ",
        " / ",
        " // ",
        " % ",
        " ** ",
        " < ",
        " == ",
        " and ",
        " or ",
        " if n > 1 else ",
        "[",
        "]",
    ]
)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Text that is nearly always an expression, with the odd slip."""
    text = draw(ATOMS)
    for _ in range(draw(st.integers(0, 6))):
        wrap = draw(
            st.sampled_from(
                ["({})", "{}", "-{}", "not {}", "[{}, n]", "{}[0]", *(f"{name}({{}})" for name in FUNCTIONS)]
            )
        )
        text = wrap.format(text) + draw(OPERATORS) + draw(ATOMS)
    return text


@settings(max_examples=3000, deadline=None)
@given(
    st.one_of(
        expressions(),
        st.text(max_size=60),
        st.text(alphabet="n()[]+-*/%,.<>=! 0123456789ijk'\"", max_size=40),
    )
)
def test_any_text_gives_a_value_or_a_located_fault(text: str) -> None:
    try:
        value = run(text)
    except ExpressionFault as fault:
        assert fault.message
        assert 0 <= fault.start <= len(text)
        assert fault.start < fault.end <= max(len(text), 1)
        return
    assert isinstance(value, bool | int | float | str | tuple | None)
