"""The reference of layers, made from their declarations: for a terminal and as Markdown."""

import inspect
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from netcalc.diagnostics import format_value
from netcalc.layers import LAYERS, Layer
from netcalc.layers.options import Option
from netcalc.layers.window_options import Sizes
from netcalc.render.layout import Heading, Segment, hanging, page_width, paragraph
from netcalc.render.text_table import TextColumn, text_table
from netcalc.spec import ITEM_KEYS

_SHORT_KIND = 18
"""The column of kinds on a narrow terminal."""
_LEAST_SUMMARY = 50
"""The least width of summaries beside the longest kind."""


class OptionLine(NamedTuple):
    """An option as the reference shows it."""

    name: str
    values: str
    default: str
    doc: str
    torch: str


def index_lines(width: int | None) -> Iterator[list[Segment]]:
    """Every kind with its first sentence, by family; long kinds on a line of their own where it is narrow."""
    longest = max(map(len, LAYERS))
    at = longest if page_width(width) - longest >= _LEAST_SUMMARY else _SHORT_KIND
    for family, members in groupby(LAYERS.values(), key=lambda layer: layer.family):
        yield [(family, "bold")]
        for layer in members:
            yield from hanging([(f"  {layer.kind:{at}}  ", "cyan")], summary(layer), "", width, at + 4)
        yield []
    general = f"{_general_keys('')} go with every layer"
    yield from paragraph(f"netcalc layers KIND tells its options and rules; {general}", "dim", width)


def layer_lines(layer: type[Layer], width: int | None) -> Iterator[list[Segment]]:
    """One kind: what it computes, its options, an example."""
    body, example = description(layer)
    yield [(layer.kind, "bold cyan"), (f"  {layer.family}", "dim")]
    for part in body.split("\n\n"):
        yield []
        yield from paragraph(" ".join(part.split()), "", width)
    options = option_lines(layer)
    if options:
        yield []
        yield from _options_table(options, width)
    short = short_form(layer)
    if short is not None:
        yield []
        yield from hanging([("short    ", "bold")], short, "", width)
    yield []
    yield from hanging([("example  ", "bold")], example, "", width)


def _options_table(options: Sequence[OptionLine], width: int | None) -> Iterator[list[Segment]]:
    """Two rows an option: what it means, and which values it takes."""
    rows: list[tuple[str, str, str, str]] = []
    for line in options:
        rows += [(line.name, line.default, line.doc, line.torch), ("", "", line.values, "")]
    names, defaults, meanings, torch = zip(*rows, strict=True)
    columns = (
        TextColumn(Heading("", "option", left=True), names, "cyan"),
        TextColumn(Heading("", "default", left=True), defaults),
        TextColumn(Heading("", "meaning", left=True), meanings, ["", "dim"] * len(options), wraps=True),
        TextColumn(Heading("", "PyTorch", left=True), torch, "dim", drop=1),
    )
    yield from text_table(columns, page_width(width))


def markdown_chunks() -> Iterator[str]:
    """The whole reference as a Markdown page."""
    yield "# Layers\n\n"
    yield "Made by `netcalc layers --format markdown`. Shapes leave the batch axis out. "
    yield f"{_general_keys('`')} go with every layer.\n"
    for family, members in groupby(LAYERS.values(), key=lambda layer: layer.family):
        yield f"\n## {family.capitalize()}\n"
        for layer in members:
            yield from markdown_layer(layer)


def option_lines(layer: type[Layer]) -> list[OptionLine]:
    """The options of a kind, in the order of their declaration, the required ones first."""
    listed = sorted(layer.options.items(), key=lambda item: not item[1].required)
    return [
        OptionLine(name, option.words, _default(option), option.doc, option.torch or "")
        for name, option in listed
    ]


def summary(layer: type[Layer]) -> str:
    """The first sentence of its description."""
    return description(layer)[0].split("\n\n")[0].replace("\n", " ")


def short_form(layer: type[Layer]) -> str | None:
    """How the main option is given alone, where a kind has one."""
    if layer.main is None:
        return None
    return f"{layer.kind}: VALUE is short for {layer.kind}: {{{layer.main}: VALUE}}"


def _general_keys(quote: str) -> str:
    *keys, last = (f"{quote}{key}:{quote}" for key in ITEM_KEYS)
    return f"{', '.join(keys)} and {last}"


def description(layer: type[Layer]) -> tuple[str, str]:
    """The description, and the example that closes it."""
    body, _, example = inspect.cleandoc(layer.__doc__ or "").partition("\n\nExample: ")
    return body, example.replace("`", "")


def _default(option: Option[Any]) -> str:
    if option.required:
        return "required"
    if isinstance(option, Sizes) and option.like:
        return f"as {option.like}"
    if isinstance(option.default, float):
        return f"{option.default:g}"
    return "none" if option.default is None else format_value(option.default).strip("'")


def markdown_layer(layer: type[Layer]) -> Iterator[str]:
    """The section of one kind, below a blank line."""
    body, example = description(layer)
    yield f"\n### {layer.kind}\n\n{body}\n\n"
    options = option_lines(layer)
    if options:
        yield "| option | values | default | meaning | PyTorch |\n| :-- | :-- | :-- | :-- | :-- |\n"
        for line in options:
            torch = f"`{line.torch}`" if line.torch else ""
            yield f"| `{line.name}` | {line.values} | {line.default} | {line.doc} | {torch} |\n"
        yield "\n"
    if layer.main is not None:
        yield f"`{layer.kind}: VALUE` is short for `{layer.kind}: {{{layer.main}: VALUE}}`.\n\n"
    item, _, shapes = example.partition(" on ")
    yield f"```yaml\n- {item}    # on {shapes}\n```\n"
