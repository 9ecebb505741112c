"""Texts and tables as lines: every width, gap and cut to the column."""

import pytest
from rich.cells import cell_len

from netcalc.render.labels import COUNTED, is_counted, short_label
from netcalc.render.layout import (
    Heading,
    Segment,
    cut_end,
    cut_middle,
    cut_start,
    hanging,
    lay_out,
    not_shown,
    page_width,
    paragraph,
    title_lines,
    wrapped,
)
from netcalc.render.table.text import table_lines
from netcalc.render.text_table import TextColumn, text_table

from helpers import report_of
from screens import FILES


def plain(lines: object) -> list[str]:
    """Lines of segments as texts, without the spaces at their ends."""
    return ["".join(text for text, _ in line).rstrip() for line in lines]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("one two", 7, ["one two"]),
        ("one two", 6, ["one", "two"]),
        ("one  two", 8, ["one  two"]),
        ("one  two", 4, ["one", "two"]),
        ("one\ntwo\tthree", 20, ["one two three"]),
        ("longer than five", 5, ["longe", "r", "than", "five"]),
        ("tenletters and", 10, ["tenletters", "and"]),
        ("multiply-adds too", 14, ["multiply-adds", "too"]),
        ("takes 2.28 MB of it", 12, ["takes", "2.28 MB of", "it"]),
        ("batch 1, float32", 8, ["batch 1,", "float32"]),
        ("it is KB = 1024 bytes", 14, ["it is", "KB = 1024 byte", "s"]),
        ("it is KB = 1024 bytes", 16, ["it is", "KB = 1024 bytes"]),
        ("日本 日本語", 9, ["日本", "日本語"]),
        ("日本 日本語", 11, ["日本 日本語"]),
        ("\x1b[2J x", 8, ["\\x1b[2J", "x"]),
    ],
)
def test_texts_wrap_between_words(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width) == lines


def test_texts_take_a_page_at_most() -> None:
    assert [page_width(width) for width in (None, 60, 100, 101, 220)] == [100, 60, 100, 100, 100]
    text = " ".join(["word"] * 60)
    for width, longest in ((None, 99), (60, 59), (220, 99)):
        assert max(map(len, plain(paragraph(text, "", width)))) == longest
    assert plain(paragraph("one two", "", 5, indent="  ")) == ["  one", "  two"]
    assert list(paragraph("one", "dim", 9)) == [[("one", "dim")]]
    assert plain(not_shown(["a", "b"], 60)) == ["not shown at 60 columns: a, b"]


def test_a_text_beside_its_head() -> None:
    head: list[Segment] = [("head: ", "bold")]
    assert plain(hanging(head, "one two three four five", "", 26)) == [
        "head: one two three four",
        "      five",
    ]
    assert plain(hanging(head, "one", "dim", None)) == ["head: one"]
    narrow = plain(hanging(head, "one two three four x six", "", 10))
    assert narrow == ["head: one two three four x", "      six"], "a text has 20 columns"
    below = plain(hanging([("a head that is long", "")], "one two three four five six", "", 24, indent=4))
    assert below == ["a head that is long", "    one two three four", "    five six"]
    beside = plain(hanging([("    ", "")], "one two three four five", "", 24, indent=4))
    assert beside == ["    one two three four", "    five"]
    assert plain(hanging([("日: ", "")], "one two three four five", "", 24)) == [
        "日: one two three four",
        "    five",
    ]


def test_a_title_with_facts() -> None:
    title, facts = ("AlexNet", "bold"), ["input 3x4", "batch 1"]
    whole = "AlexNet  ·  input 3x4  ·  batch 1"
    assert plain(title_lines(title, facts, None)) == [whole]
    assert plain(title_lines(title, facts, len(whole))) == [whole]
    assert plain(title_lines(title, facts, len(whole) - 1)) == ["AlexNet  ·  input 3x4", "  ·  batch 1"]
    assert plain(title_lines(title, facts, 20)) == ["AlexNet", "  ·  input 3x4", "  ·  batch 1"]
    assert plain(title_lines(title, ["one two three", "four"], 16)) == [
        "AlexNet",
        "  ·  one two",
        "     three",
        "  ·  four",
    ]
    assert plain(title_lines(title, ["one two four"], 16)) == ["AlexNet", "  ·  one two", "     four"]
    assert plain(title_lines(("a long name", ""), ["b"], 6)) == ["a long", "name", "  ·  b"]
    assert plain(title_lines(("a\n", ""), ["b\x1b"], None)) == ["a\\n  ·  b\\x1b"]
    assert next(iter(title_lines(title, facts, None)))[0] == ("AlexNet", "bold")


@pytest.mark.parametrize(
    ("text", "width", "middle", "start", "end"),
    [
        ("abcdefghij", 10, "abcdefghij", "abcdefghij", "abcdefghij"),
        ("abcdefghij", 9, "abc…fghij", "…cdefghij", "abcdefgh…"),
        ("abcdefghij", 6, "ab…hij", "…fghij", "abcde…"),
        ("stage1.0.main.conv1", 12, "stag…n.conv1", "….main.conv1", "stage1.0.ma…"),
        ("stage1.0.main.conv1", 17, "stage1…main.conv1", "…ge1.0.main.conv1", "stage1.0.main.co…"),
        ("a b c d", 5, "a…c d", "… c d", "a b…"),
        ("日本語日本語", 7, "日…本語", "…日本語", "日本語…"),
    ],
)  # fmt: skip
def test_what_is_too_long_is_cut(text: str, width: int, middle: str, start: str, end: str) -> None:
    assert (cut_middle(text, width), cut_start(text, width), cut_end(text, width)) == (middle, start, end)


@pytest.mark.parametrize("text", ["abcdefghijklmnopqrstuvwxyz", "日本語" * 9, "a日b本c語" * 5, "a.b" * 9])
def test_a_cut_text_is_no_wider(text: str) -> None:
    for cut in (cut_middle, cut_start, cut_end):
        for width in range(4, cell_len(text) + 2):
            shown = cut(text, width)
            assert cell_len(shown) <= width
            assert (shown == text) == (cell_len(text) <= width)
            assert cell_len(shown) >= min(width, cell_len(text)) - 3


@pytest.mark.parametrize(
    ("room", "label"),
    [
        (40, "stage.main.conv1 + batchnorm + relu"),
        (35, "stage.main.conv1 + batchnorm + relu"),
        (34, "stage.main.conv1 + 2"),
        (20, "stage.main.conv1 + 2"),
        (16, "stag…n.conv1 + 2"),
    ],
)
def test_labels_of_several_kinds(room: int, label: str) -> None:
    assert short_label("stage.main.conv1", ["batchnorm", "relu"], room) == label


@pytest.mark.parametrize(
    ("name", "room", "label"),
    [
        ("stage.main.conv1", 23, "stage.main.conv1 + relu"),
        ("stage.main.conv1", 22, "stage…ain.conv1 + relu"),
        ("stage.main.conv1", 19, "stag…n.conv1 + relu"),
        ("stage.main.conv1", 18, "stage…in.conv1 + 1"),
        ("conv", 11, "conv + relu"),
        ("conv", 10, "conv + 1"),
        ("日本語", 13, "日本語 + relu"),
        ("日本語", 12, "日本語 + 1"),
        ("conv", 4, "… + 1"),
    ],
)
def test_labels_of_one_kind(name: str, room: int, label: str) -> None:
    assert short_label(name, ["relu"], room) == label


def test_labels_with_a_number_are_explained() -> None:
    assert short_label("conv1", [], 5) == "conv1"
    assert short_label("conv1", [], 4) == "c…v1"
    assert [is_counted(label) for label in ("conv1 + 2", "conv1 + relu", "conv1", "2", "conv + 1")] == [
        True, False, False, False, True,
    ]  # fmt: skip


HEADINGS = [
    Heading("", "layer", left=True), Heading("size", "C"), Heading("size", "H/W"), Heading("", "memory\n(KB)"),
    Heading("", "kind", left=True),
]  # fmt: skip
ROWS = [["conv1 + relu", "64", "56", "784", "conv"], ["fc", "1000", "", "3.9", "linear"]]


def shown(width: int | None, **options: int) -> list[str]:
    layout = lay_out(HEADINGS, ROWS, width, **options)
    assert cell_len(layout.rule()[0][0]) == layout.width
    assert width is None or layout.width <= width
    return [*plain(layout.heading_lines()), *plain(map(layout.named_line, ROWS))]


WIDE = """\
                  size     memory
layer             C  H/W     (KB)  kind
conv1 + relu     64   56      784  conv
fc             1000           3.9  linear"""

CLOSER = """\
                size    memory
layer            C H/W    (KB) kind
conv1 + relu    64  56     784 conv
fc            1000         3.9 linear"""

CLOSEST = """\
               size   memory
layer           C H/W   (KB) kind
conv1 + relu   64  56    784 conv
fc           1000        3.9 linear"""

CUT = """\
           size   memory
layer       C H/W   (KB) kind
co…relu    64  56    784 conv
fc       1000        3.9 linear"""


@pytest.mark.parametrize(
    ("width", "table"),
    [(None, WIDE), (41, WIDE), (40, CLOSER), (37, CLOSER), (36, CLOSEST), (35, CLOSEST), (31, CUT)],
)
def test_gaps_shrink_before_names(width: int | None, table: str) -> None:
    assert shown(width, least_name=8) == table.splitlines()


def test_names_are_cut_down_to_a_least_width() -> None:
    assert [lay_out(HEADINGS, ROWS, width, least_name=8).widths[0] for width in (35, 34, 32, 31, 30, 1)] == [
        12, 11, 9, 8, 8, 8,
    ]  # fmt: skip
    long = [["n" * 40, "1"]]
    assert lay_out([Heading("", "layer"), Heading("", "n")], long, 20).widths[0] == 24
    assert lay_out([Heading("", "layer"), Heading("", "n")], [["short", "1"]], 3).widths[0] == 5


def test_a_group_is_as_wide_as_its_name() -> None:
    headings = [
        Heading("", "a", left=True),
        Heading("output size", "C"),
        Heading("output size", "H"),
        Heading("in", "C"),
    ]
    rows = [["x", "1", "2", "3"]]
    layout = lay_out(headings, rows, None)
    assert (layout.widths, layout.gaps) == ([1, 8, 1, 2], [0, 3, 2, 3])
    assert plain(layout.heading_lines()) == ["    output size   in", "a          C  H    C"]
    assert plain([layout.line([("x", "")] * 4)]) == ["x          x  x    x"]
    assert plain(lay_out([Heading("", "a\nb"), Heading("g", "c")], [["1", "2"]], None).heading_lines()) == [
        "a   g",
        "b   c",
    ]
    assert plain(lay_out([Heading("", "a\nb\nd"), Heading("g", "c")], [["1", "2"]], None).heading_lines()) == [
        "a", "b   g", "d   c",
    ]  # fmt: skip


def test_cells_are_escaped_and_measured_as_a_terminal_shows_them() -> None:
    layout = lay_out(
        [Heading("", "名", left=True), Heading("", "n")], [["日本語", "\x1b"], ["ab", "1"]], None
    )
    assert layout.widths == [6, 4]
    assert plain([layout.line([("日本語", ""), ("\x1b", "")]), layout.line([("ab", ""), ("1", "")])]) == [
        "日本語  \\x1b", "ab         1",
    ]  # fmt: skip
    assert layout.named_line(["a", "1"]) == [("a", "cyan"), (" " * 5, ""), (" " * 5, ""), ("1", "")]
    assert layout.named_line(["a", "1"], "red")[0] == ("a", "red")
    assert next(layout.heading_lines())[0][1] == "bold"


COLUMNS = [
    TextColumn(Heading("", "layer", left=True), ["first.layer.of.all", "second"], "cyan"),
    TextColumn(Heading("", "kept", left=True), ["one, two and three", "four"], ["red", ""]),
    TextColumn(Heading("group", "b"), ["12", "3"], drop=2),
    TextColumn(Heading("", "", left=True), ["██", "█"], "green", drop=1),
    TextColumn(Heading("", "the\nsize"), ["1,234", "5"], drop=3),
]

WRAPPING = [
    TextColumn(Heading("", "layer", left=True), ["first.layer.of.all", "second"]),
    TextColumn(
        Heading("", "what it is for", left=True),
        ["one two three four five six seven eight nine ten eleven", "four"],
        ["red", "dim"],
        wraps=True,
    ),
    TextColumn(Heading("", "n"), ["12", "3"]),
]


def fitted(columns: list[TextColumn], width: int | None, least_name: int = 12) -> str:
    lines = plain(text_table(columns, width, least_name))
    assert width is None or max(map(cell_len, lines)) <= width
    return "\n".join(lines)


WHOLE = """\
                                         group         the
layer               kept                     b        size
first.layer.of.all  one, two and three      12   ██  1,234
second              four                     3   █       5"""

CLOSE = """\
                                       group       the
layer              kept                    b      size
first.layer.of.all one, two and three     12  ██ 1,234
second             four                    3  █      5"""

WITHOUT_BARS = """\
                                  group   the
layer          kept                   b  size
first…r.of.all one, two and three    12 1,234
second         four                   3     5"""

WITHOUT_FIGURES = """\
layer       kept
firs…of.all one, two and three
second      four
not shown at 30 columns: group
b, the size"""

ONE_LINE = """\
layer               what it is for                                            n
first.layer.of.all  one two three four five six seven eight nine ten eleven  12
second              four                                                      3"""

TWO_LINES = """\
layer               what it is for                      n
first.layer.of.all  one two three four five six seven  12
                    eight nine ten eleven
second              four                                3"""

NAMES_CUT = """\
layer           what it is for               n
first…er.of.all one two three four five six 12
                seven eight nine ten eleven
second          four                         3"""

NAMES_KEPT = """\
layer              what it is for               n
first.layer.of.all one two three four five six 12
                   seven eight nine ten eleven
second             four                         3"""

TEXT_CUT = """\
layer        what it is for        n
firs…of.all  one two three four   12
             five six seven eight
             nine ten eleven
second       four                  3"""

BOTH_CUT = """\
layer    what it is for        n
fi…f.all one two three four   12
         five six seven eight
         nine ten eleven
second   four                  3"""


@pytest.mark.parametrize(
    ("columns", "width", "table"),
    [
        (COLUMNS, None, WHOLE), (COLUMNS, 58, WHOLE), (COLUMNS, 57, CLOSE), (COLUMNS, 45, WITHOUT_BARS),
        (COLUMNS, 30, WITHOUT_FIGURES),
        (WRAPPING, None, ONE_LINE), (WRAPPING, 81, ONE_LINE), (WRAPPING, 60, TWO_LINES), (WRAPPING, 50, NAMES_KEPT),
(WRAPPING, 46, NAMES_CUT),
        (WRAPPING, 36, TEXT_CUT), (WRAPPING, 32, BOTH_CUT),
    ],
)  # fmt: skip
def test_a_table_of_texts_fits(columns: list[TextColumn], width: int | None, table: str) -> None:
    assert fitted(columns, width) == table


def test_columns_go_one_by_one_and_are_named() -> None:
    headings = {width: fitted(COLUMNS, width).splitlines() for width in range(60, 27, -1)}
    last = {"bar": 46, "group b": 43, "size": 37}
    assert [width for width in headings if "██" in "".join(headings[width])][-1] == last["bar"]
    assert [width for width in headings if "12" in "".join(headings[width])][-1] == last["group b"]
    assert [width for width in headings if "1,234" in "".join(headings[width])][-1] == last["size"]
    assert "not shown at 42 columns: group b" in headings[42]
    assert not any("not shown" in line for width in (46, 45, 43) for line in headings[width])


def test_styles_of_cells() -> None:
    lines = list(text_table(WRAPPING, 60))
    assert [style for text, style in lines[1] if text.strip()] == ["", "red", ""]
    assert [style for text, style in lines[2] if text.strip()] == ["red"]
    assert [style for text, style in lines[3] if text.strip()] == ["", "dim", ""]
    ruled = list(text_table(COLUMNS, None, ruled=True))
    assert ruled[2] == [("─" * 58, "dim")]
    assert ("first.layer.of.all", "cyan") in ruled[3]


def test_labels_are_shortened_in_their_own_way() -> None:
    def labels(room: int) -> list[str]:
        return [short_label("first.layer", ["batchnorm", "relu"], room), "pool"]

    columns = [TextColumn(Heading("", "layer"), labels(99), shortened=labels), *WRAPPING[2:]]
    assert fitted(columns, 34).splitlines()[1:] == [
        "first.layer + batchnorm + relu  12",
        "                          pool   3",
    ]
    assert fitted(columns, 32).splitlines()[1:] == [
        "first.layer + 2  12",
        "           pool   3",
        *plain(paragraph(COUNTED, "", 32)),
    ]
    assert fitted(columns, 14).splitlines()[1] == "fi…ayer + 2 12"


LABELS = {
    93: (32, "reads, input H/W"), 92: (39, "reads, input H/W, filters"), 84: (37, "reads, input C, input H/W, filters"),
    71: (24, "reads, input C, input H/W, filters"), 70: (27, "reads, input C, input H/W, filters, pad"),
    66: (30, "reads, input C, input H/W, filters, stride, pad"), 60: (24, "reads, input C, input H/W, filters, stride, pad"),
    59: (30, "reads, input C, input H/W, filters, kernel, stride, pad"),
}  # fmt: skip


@pytest.mark.parametrize("width", LABELS)
def test_columns_go_before_labels_get_too_short(width: int) -> None:
    listed = list(table_lines(report_of(FILES["long.yaml"]), width=width))
    longest, hidden = LABELS[width]
    assert max(cell_len(text) for line in listed for text, style in line if style == "cyan") == longest
    assert " ".join(plain(not_shown(hidden.split(", "), width))) in " ".join(plain(listed))


def test_labels_are_no_shorter_than_they_may_be() -> None:
    rooms: list[int] = []

    def labels(room: int) -> list[str]:
        rooms.append(room)
        return ["x", "y"]

    columns = [TextColumn(Heading("", "layer"), ["first.layer", "b"], shortened=labels), *COLUMNS[1:2]]
    list(text_table(columns, 12))
    assert rooms == [8]
    for width, longest in ((44, 15), (43, 14), (40, 24)):  # below, the table goes on below itself
        listed = list(table_lines(report_of(FILES["long.yaml"]), width=width))
        assert max(cell_len(text) for line in listed for text, style in line if style == "cyan") == longest
