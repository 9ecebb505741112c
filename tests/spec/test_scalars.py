"""Plain scalars are read by YAML 1.2, not 1.1."""

import pytest

from netcalc.spec.scalars import MAX_INTEGER, ScalarFault, resolve_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5), ("1E5", 1e5), (".5", 0.5), ("1.", 1.0), ("-3", -3), ("+3", 3), ("007", 7),
        ("0o17", 15), ("0x1F", 31), ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("1_000", "1_000"),
        ("12:30:45", "12:30:45"), ("2024-01-01", "2024-01-01"), ("0b11", "0b11"), ("1e", "1e"), ("-", "-"),
        ("3x3", "3x3"), ("relu", "relu"), ("<<", "<<"), (str(MAX_INTEGER), MAX_INTEGER),
    ],
)  # fmt: skip
def test_value(text: str, value: object) -> None:
    resolved = resolve_plain(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.inf", ".nan", ".NaN", "1e999", str(MAX_INTEGER + 1), "9" * 5000])
def test_numbers_beyond_the_limits(text: str) -> None:
    with pytest.raises(ScalarFault, match=r"finite|beyond the limit"):
        resolve_plain(text)
