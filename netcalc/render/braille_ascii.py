"""Braille characters in ASCII: by the height of their dots."""

_ROWS = (0x01 | 0x08, 0x02 | 0x10, 0x04 | 0x20, 0x40 | 0x80)


def _ascii(bits: int) -> str:
    rows = [row for row, dots in enumerate(_ROWS) if bits & dots]
    if len(rows) > 2:
        return "|"
    return "'--.."[round(sum(rows) / len(rows))] if rows else " "


BRAILLE_ASCII = {0x2800 + bits: _ascii(bits) for bits in range(256)}
"""For str.translate."""
