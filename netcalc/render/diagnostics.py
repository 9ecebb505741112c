"""Diagnostics in a terminal: the source line, carets below the place, and what to type instead."""

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.cells import cell_len

from netcalc.diagnostics import Diagnostic, Note, Severity, Span
from netcalc.render.escaping import visible
from netcalc.render.layout import Segment

MAX_SHOWN = 50
_MOST_PLACES = 8
"""How many places of one mistake are listed."""
_LONGEST_LINE = 100
_NARROWEST = 20
"""The least width of a text, however narrow the terminal."""
SEVERITY_COLOURS: dict[Severity, str] = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def diagnostic_lines(diagnostics: Sequence[Diagnostic]) -> Iterator[list[Segment]]:
    """Every diagnostic as a block of lines, and how many there are."""
    for diagnostic in _folded(diagnostics[:MAX_SHOWN]):
        yield from block_lines(diagnostic)
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
    """A diagnostic as lines, its texts wrapped to a width where one is given."""
    colour = SEVERITY_COLOURS[diagnostic.severity]
    head = f"{diagnostic.severity}[{diagnostic.code}]"
    yield from _wrapped((head, colour), diagnostic.message, "bold", width)
    margin = "  "
    if diagnostic.span is not None:
        line, _ = diagnostic.span.source.position(diagnostic.span.start)
        margin = " " * (len(str(line)) + 1)
        yield from _excerpt(diagnostic.span, colour, margin)
    for note in diagnostic.notes:
        where = f" ({note.span})" if note.span is not None else ""
        yield from _wrapped((f"{margin}= note", "bold"), note.text + where, "", width)
    if diagnostic.help is not None:
        yield from _wrapped((f"{margin}= help", "bold green"), diagnostic.help, "", width)


def _wrapped(head: Segment, text: str, style: str, width: int | None) -> Iterator[list[Segment]]:
    """A head and its text, which goes on below itself where the line is full."""
    indent = len(head[0]) + 2
    shown = visible(text)
    first, *others = (
        [shown]
        if width is None
        else wrap(shown, max(_NARROWEST, width - indent), break_on_hyphens=False) or [""]
    )
    yield [head, (f": {first}", style)]
    for line in others:
        yield [(" " * indent, ""), (line, style)]


def _excerpt(span: Span, colour: str, margin: str) -> Iterator[list[Segment]]:
    """The line of a span with carets below it, then the places where the blocks around it were used."""
    if not span.source.text:
        yield [(f"{margin[:-1]}--> ", "blue"), (visible(span.source.name), "")]
        return
    number, column = span.source.position(span.start)
    yield [(f"{margin[:-1]}--> ", "blue"), (visible(str(span)), "")]
    text = span.source.line(number)
    cut = max(0, column - 1 - _LONGEST_LINE // 2) if len(text) > _LONGEST_LINE else 0
    window = text[cut : cut + _LONGEST_LINE]
    before = column - 1 - cut
    marked = window[before : before + max(1, span.end - span.start)]
    yield [(f"{margin}|", "blue")]
    yield [(f"{number} | ", "blue"), (_on_one_line(window), "")]
    carets = " " * cell_len(_on_one_line(window[:before])) + "^" * max(1, cell_len(_on_one_line(marked)))
    yield [(f"{margin}| ", "blue"), (carets, colour)]
    for place in _uses(span):
        number, _ = place.source.position(place.start)
        text = _on_one_line(place.source.line(number)).strip()
        shown = text if len(text) <= _LONGEST_LINE // 2 else f"{text[: _LONGEST_LINE // 2]}..."
        yield [(f"{margin}= used at", "bold"), (f" {visible(str(place))}: {shown}", "")]


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
