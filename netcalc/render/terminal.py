"""Writing to a terminal, a pipe or a file: colours only where they show, characters that can be shown."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from netcalc.render.escaping import visible
from netcalc.render.layout import Segment

_ASCII = str.maketrans("─│├┤└█▉▊▋▌▍▎▏▓▒░▲·•…▁▂▃▄▅▆▇", "-|+++####||||@+.^-o~.:-=+*%")


class Terminal:
    """Where lines of styled segments go."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.shows_unicode = _encodes(console, "─█▏·…")
        self.styled = console.color_system is not None and not console.no_color

    @property
    def width(self) -> int | None:
        """Columns to fit into: a terminal's, or COLUMNS; None in a pipe or a file, which takes any width."""
        console = self.console
        if console.is_terminal or "COLUMNS" in console._environ:
            return console.width
        return None

    def write(self, lines: Iterable[Sequence[Segment]]) -> None:
        """Write lines, one by one."""
        for segments in lines:
            if self.styled:
                text = Text.assemble(*((self._shown(text), style) for text, style in segments))
                self.console.print(text, no_wrap=True, overflow="ignore", crop=False, highlight=False)
            else:
                self.console.file.write(self._shown("".join(text for text, _ in segments)).rstrip() + "\n")

    def _shown(self, text: str) -> str:
        text = visible(text)
        if self.shows_unicode:
            return text
        from netcalc.render.braille_ascii import BRAILLE_ASCII  # the few terminals without Unicode need it

        return text.translate(_ASCII).translate(BRAILLE_ASCII)


def _encodes(console: Console, text: str) -> bool:
    try:
        text.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
