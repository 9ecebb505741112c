"""Numbers as tables show them: rounded as the lectures round, and never a silent zero."""

from collections.abc import Iterable

from netcalc.tensor import Shape


def scaled(value: int, unit: int) -> str:
    """`value` in units of `unit`: whole from 10 up, two digits below, `0` for nothing at all."""
    if value * 2 >= unit * 19:
        return f"{(value * 2 + unit) // (unit * 2):,}"
    if value == 0 or value % unit == 0:
        return str(value // unit)
    tenths = (value * 20 + unit) // (unit * 2)
    if tenths >= 10:
        return f"{tenths // 10}.{tenths % 10}".removesuffix(".0")
    return (
        f"{float(f'{value / unit:.1e}'):.10f}".rstrip("0") if value / unit >= 1e-9 else f"{value / unit:.1e}"
    )


def exact(value: int) -> str:
    """Every digit, in groups of three."""
    return f"{value:,}"


def with_unit(value: int, units: tuple[tuple[int, str], ...]) -> str:
    """`value` in the largest unit that it reaches, with two decimals."""
    for size, name in units:
        if value >= size:
            return f"{value / size:,.2f} {name}"
    return f"{value:,} {units[-1][1]}"


def sizes(shape: Iterable[int]) -> str:
    """Spatial sizes: one number where all are equal, else all of them."""
    listed = tuple(shape)
    return str(listed[0]) if len(set(listed)) == 1 else "x".join(map(str, listed))


def shape(listed: Shape) -> str:
    """A shape with its multiplication signs."""
    return "x".join(map(str, listed)) or "scalar"


def percent(part: int, whole: int) -> str:
    """A share in whole percent; `<1%` rather than nothing."""
    if part == 0 or whole == 0:
        return ""
    share = (part * 200 + whole) // (whole * 2)
    return f"{share}%" if share else "<1%"
