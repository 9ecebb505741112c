"""Escapes of control characters, so that a terminal shows a text and does not obey it."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of control and format characters, surrogates, and breaks of lines and paragraphs."""


def visible(text: str) -> str:
    r"""A text with its control and format characters as escapes: `\x1b`, `\n`, `\u202e`."""
    if text.isprintable():
        return text
    from unicodedata import category  # imported here: few texts need it

    return "".join(
        char.encode("unicode_escape").decode() if category(char) in _UNSEEN else char for char in text
    )
