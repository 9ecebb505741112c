"""Networks side by side: each measure of all of them with bars, as the lecture draws AlexNet and VGG-16."""

from collections.abc import Iterator

from netcalc.analysis.comparison import Comparison
from netcalc.render.bars import draw_bar
from netcalc.render.comparison.words import format_measure, label_width, network_lines, ratios
from netcalc.render.escaping import visible
from netcalc.render.layout import Heading, Segment, TableLayout, cut_end, paragraph
from netcalc.render.table.lines import TableView
from netcalc.render.table.words import conditions_in_words

_COLOURS = {"bytes": "blue", "params": "magenta"}
_GREEN = "green"
_LEAST_BAR, _LONGEST_BAR = 4, 50
_LEAST_LABEL = 8


def comparison_lines(comparison: Comparison, width: int | None) -> Iterator[list[Segment]]:
    """The networks, then a group of bars for each measure, then what was counted how."""
    yield from network_lines(comparison, width)
    measures = comparison.measures
    shown = [
        [format_measure(comparison, measure, value) for value in comparison.values(measure)]
        for measure in measures
    ]
    times = [ratios(comparison, measure) for measure in measures]
    digits = max(len(text) for texts in shown for text in texts)
    factor = max(len(text) for texts in times for text in texts)
    label = label_width(comparison, width)
    if width is not None:
        label = min(label, max(_LEAST_LABEL, width - digits - factor - _LEAST_BAR - 8))
    labels = [cut_end(visible(member.label), label) for member in comparison.members]
    bar = (
        _LONGEST_BAR
        if width is None
        else max(_LEAST_BAR, min(width - label - digits - factor - 8, _LONGEST_BAR))
    )
    headings = [Heading("", "", left=True), Heading("", ""), Heading("", ""), Heading("", "", left=True)]
    layout = TableLayout(headings, [label, digits, factor, bar], [2, 2, 2, 2])
    for measure, texts, factors in zip(measures, shown, times, strict=True):
        yield []
        yield [(measure.words, "bold")]
        values = comparison.values(measure)
        colour = _COLOURS.get(measure.unit or measure.name, _GREEN)
        for name, text, times_text, value in zip(labels, texts, factors, values, strict=True):
            drawn = draw_bar(value, max(*values, 1), bar)
            yield layout.line([(name, "cyan"), (text, ""), (times_text, "bold"), (drawn, colour)])
    yield []
    words = conditions_in_words(comparison.members[0].report, TableView())
    for text in (f"x: times {labels[0]}", words):
        yield from paragraph(text, "dim", width)
