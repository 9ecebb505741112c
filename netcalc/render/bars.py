"""Bars of block characters."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def draw_bar(value: int, largest: int, width: int) -> str:
    """A bar in eighths of a character, `width` characters for the largest; only 0 has none."""
    if value == 0:
        return ""
    eighths = max(1, value * width * 8 // largest)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
