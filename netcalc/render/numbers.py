"""Numbers as tables show them: rounded as in the lectures, and 0 only where the value is 0."""

from collections.abc import Callable, Iterable

BYTE_UNITS = ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"), (1, "bytes"))
_LECTURE_UNITS = ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB"), (1, "bytes"))


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
        if value >= size > 1:
            return f"{value / size:,.2f} {name}"
    return f"{value:,} {units[-1][1]}"


def byte_units(convention: str) -> tuple[tuple[int, str], ...]:
    """The lecture prints KB and MB for 1024 and 1024^2 bytes; elsewhere they are KiB and MiB."""
    return _LECTURE_UNITS if convention == "lecture" else BYTE_UNITS


def byte_size(value: int) -> str:
    """Bytes in the largest unit that they reach: `1.50 GiB`."""
    return with_unit(value, BYTE_UNITS)


def mebibytes(value: int) -> str:
    """Bytes in units of 1024^2: two decimals, or two digits of a small number."""
    size = value / 1024**2
    return f"{size:,.2f}" if size >= 0.1 or value == 0 else f"{float(f'{size:.1e}'):.10f}".rstrip("0")


def sizes(shape: Iterable[int]) -> str:
    """Spatial sizes: one number where all are equal, else all of them."""
    listed = tuple(shape)
    return str(listed[0]) if len(set(listed)) == 1 else "x".join(map(str, listed))


def percent(part: int, whole: int) -> str:
    """A share in whole percent; only nothing is empty, and only the whole is `100%`."""
    if part == 0 or whole == 0:
        return ""
    share = (part * 200 + whole) // (whole * 2)
    if share == 100 and part < whole:
        return ">99%"
    return f"{share}%" if share else "<1%"


def share(part: int, whole: int) -> str:
    """A share in percent with one digit; only nothing is empty, and only the whole is `100`."""
    if part == 0 or whole == 0:
        return ""
    tenths = (part * 2000 + whole) // (whole * 2)
    if part == whole or 0 < tenths < 1000:
        return "100" if part == whole else f"{tenths // 10}.{tenths % 10}"
    return "<0.1" if tenths == 0 else ">99.9"


def percentage(part: int, whole: int) -> float | None:
    """A share in percent with six digits; None where there is no whole."""
    return float(f"{100 * part / whole:.6g}") if whole else None


def format_option(value: object) -> str:
    """An option's value: one number where all axes and sides are alike."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        parts = [
            format_option(part) if not isinstance(part, tuple) else "+".join(map(str, part)) for part in value
        ]
        sides = [part.split("+")[0] if len(set(part.split("+"))) == 1 else part for part in parts]
        return sides[0] if len(set(sides)) == 1 else "x".join(sides)
    return f"{value:g}" if isinstance(value, float) else str(value)


def signed(value: int, show: Callable[[int], str]) -> str:
    """A difference as `show` shows its size, with its sign; `0` for none."""
    return f"{'-' if value < 0 else '+'}{show(abs(value))}" if value else "0"


def ratio(value: int, base: int) -> str:
    """How many times `base`, as the lecture prints it: 25x, 19.0x, 2.3x; below one, 0.44x."""
    if base == 0:
        return ""
    if value >= 20 * base:
        return f"{(value * 2 + base) // (base * 2):,}x"
    tenths = (value * 20 + base) // (base * 2)
    if tenths >= 10 or value == 0:
        return f"{tenths // 10}.{tenths % 10}x" if value else "0x"
    return f"{value / base:.2g}x"
