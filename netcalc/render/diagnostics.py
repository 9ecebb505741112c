"""Diagnostics in a terminal: the source line, carets below the place, and what to type instead."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from netcalc.diagnostics import Diagnostic, Note, Severity, Span
from netcalc.render.escaping import visible
from netcalc.render.layout import PAGE, Segment, cut_end, cut_start, hanging

MAX_SHOWN = 50
_MOST_PLACES = 8
"""How many places of one mistake are listed."""
_NARROWEST = 20
"""The least width of an excerpt, however narrow the terminal."""
_MOST_USE = 50
"""Columns of a line that used a block, where no terminal has fewer."""
SEVERITY_COLOURS: dict[Severity, str] = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def diagnostic_lines(diagnostics: Sequence[Diagnostic], width: int | None = None) -> Iterator[list[Segment]]:
    """Every diagnostic as a block of lines, and how many there are."""
    for diagnostic in _folded(diagnostics[:MAX_SHOWN]):
        yield from block_lines(diagnostic, width)
        yield []
    yield [(counted(diagnostics), "bold")]


def _folded(diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Each mistake once, with a note of the other places where it is made."""
    alike: dict[object, list[Diagnostic]] = {}
    for number, diagnostic in enumerate(diagnostics):
        key = (diagnostic.code, diagnostic.message, diagnostic.help, diagnostic.severity)
        is_plain = diagnostic.span is not None and diagnostic.span.via is None and not diagnostic.notes
        alike.setdefault(key if is_plain else number, []).append(diagnostic)
    for first, *others in alike.values():
        places = [other.span.source.position(other.span.start) for other in others if other.span is not None]
        if places:
            where = ", ".join(f"{line}:{column}" for line, column in places[:_MOST_PLACES])
            more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
            yield first._replace(notes=(Note(f"the same at {where}{more}"),))
        else:
            yield first


def counted(diagnostics: Sequence[Diagnostic]) -> str:
    """`1 error, 2 warnings`, and how many of them are beyond those that are shown."""
    numbers = Counter(diagnostic.severity for diagnostic in diagnostics)
    words = [
        f"{numbers[word]} {word}{'s' if numbers[word] > 1 else ''}"
        for word in SEVERITY_COLOURS
        if numbers[word]
    ]
    hidden = len(diagnostics) - MAX_SHOWN
    return ", ".join([*words, f"{hidden} of them not shown"] if hidden > 0 else words)


def block_lines(diagnostic: Diagnostic, width: int | None = None) -> Iterator[list[Segment]]:
    """A diagnostic as lines that fit a width where one is given."""
    colour = SEVERITY_COLOURS[diagnostic.severity]
    head = f"{diagnostic.severity}[{diagnostic.code}]"
    yield from _labelled((head, colour), diagnostic.message, "bold", width)
    margin = "  "
    if diagnostic.span is not None:
        line, _ = diagnostic.span.source.position(diagnostic.span.start)
        margin = " " * (len(str(line)) + 1)
        yield from _excerpt(diagnostic.span, colour, margin, width)
    for note in diagnostic.notes:
        where = f" ({note.span})" if note.span is not None else ""
        yield from _labelled((f"{margin}= note", "bold"), note.text + where, "", width)
    if diagnostic.help is not None:
        yield from _labelled((f"{margin}= help", "bold green"), diagnostic.help, "", width)


def _labelled(head: Segment, text: str, style: str, width: int | None) -> Iterator[list[Segment]]:
    """A head and its text, which goes on below itself where a terminal is narrow; a pipe gets one line."""
    if width is None:
        yield [head, (f": {text}", style)]
        return
    yield from hanging([head, (": ", style)], text, style, width)


def _excerpt(span: Span, colour: str, margin: str, width: int | None) -> Iterator[list[Segment]]:
    """The line of a span with carets below it, then the places where the blocks around it were used."""
    room = PAGE if width is None else max(_NARROWEST, width - len(margin) - 2)
    if not span.source.text:
        yield _place(f"{margin[:-1]}--> ", span.source.name, width)
        return
    number, column = span.source.position(span.start)
    yield _place(f"{margin[:-1]}--> ", str(span), width)
    before, marked, after = _window(
        span.source.line(number), column - 1, max(1, span.end - span.start), min(room, PAGE)
    )
    yield [(f"{margin}|", "blue")]
    yield [(f"{number} | ", "blue"), (before + marked + after, "")]
    yield [(f"{margin}| ", "blue"), (" " * cell_len(before) + "^" * max(1, cell_len(marked)), colour)]
    for place in _uses(span):
        number, _ = place.source.position(place.start)
        text = _on_one_line(place.source.line(number)).strip()
        head, where = f"{margin}= used at", f" {visible(str(place))}: "
        left = _MOST_USE if width is None else width - len(head) - cell_len(where)
        if left >= _NARROWEST or width is None:
            yield [(head, "bold"), (where + cut_end(text, left), "")]
        else:
            yield _place(f"{head} ", str(place), width, "bold")


def _place(head: str, place: str, width: int | None, style: str = "blue") -> list[Segment]:
    """A file with line and column; the folders of a long path are cut."""
    text = visible(place)
    return [
        (head, style),
        (text if width is None else cut_start(text, max(_NARROWEST, width - len(head))), ""),
    ]


def _window(line: str, start: int, length: int, room: int) -> tuple[str, str, str]:
    """What of a source line is shown: before the carets, above them, and after them.

    A line that is too long is cut on both sides, so that the carets are a third from the left.
    """
    before, marked, after = (
        _on_one_line(part) for part in (line[:start], line[start : start + length], line[start + length :])
    )
    if cell_len(before + marked + after) <= room:
        return before, marked, after
    if cell_len(marked) > room - 1:
        marked, after = cut_end(marked, room - 1), ""
    free = room - cell_len(marked)
    ahead = min(cell_len(before), max(free // 3, free - cell_len(after)))
    before = cut_start(before, ahead)
    return before, marked, cut_end(after, free - cell_len(before))


def _uses(span: Span) -> list[Span]:
    """Where the blocks around a place were used, from the inside out; the middle of many is left out."""
    places = []
    while span.via is not None:
        span = span.via
        places.append(span)
    return places if len(places) <= 4 else [*places[:2], *places[-2:]]


def _on_one_line(text: str) -> str:
    """A source line with a tab as one column and other control characters escaped."""
    return visible(text.replace("\t", " "))
