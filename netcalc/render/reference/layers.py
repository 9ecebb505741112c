"""The reference of layers, made from their declarations: for a terminal and as Markdown."""

import inspect
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap
from typing import Any, NamedTuple

from netcalc.diagnostics import format_value
from netcalc.layers import LAYERS, Layer
from netcalc.layers.options import Option
from netcalc.layers.window_options import Sizes
from netcalc.render.layout import Heading, Segment, lay_out
from netcalc.spec import ITEM_KEYS


class OptionLine(NamedTuple):
    """An option as the reference shows it."""

    name: str
    values: str
    default: str
    doc: str
    torch: str


def index_lines() -> Iterator[list[Segment]]:
    """Every kind with its first sentence, by family."""
    width = max(map(len, LAYERS))
    for family, members in groupby(LAYERS.values(), key=lambda layer: layer.family):
        yield [(family, "bold")]
        for layer in members:
            yield [(f"  {layer.kind:{width}}  ", "cyan"), (summary(layer), "")]
        yield []
    general = f"{_general_keys('')} go with every layer"
    yield [(f"netcalc layers KIND tells its options and rules; {general}", "dim")]


def layer_lines(layer: type[Layer], width: int | None) -> Iterator[list[Segment]]:
    """One kind: what it computes, its options, an example."""
    body, example = description(layer)
    yield [(layer.kind, "bold cyan"), (f"  {layer.family}", "dim")]
    for paragraph in body.split("\n\n"):
        yield []
        yield from ([(line, "")] for line in wrap(" ".join(paragraph.split()), min(width or 100, 100)))
    options = option_lines(layer)
    if options:
        yield []
        headings = [Heading("", text, left=True) for text in ("option", "default", "meaning", "PyTorch")]
        rows = [(line.name, line.default, line.doc, line.torch) for line in options]
        layout = lay_out(headings, rows, None)
        yield from layout.heading_lines()
        for row, line in zip(rows, options, strict=True):
            yield layout.line([(row[0], "cyan"), (row[1], ""), (row[2], ""), (row[3], "dim")])
            yield [(" " * (layout.widths[0] + layout.gaps[1]) + line.values, "dim")]
    short = short_form(layer)
    if short is not None:
        yield []
        yield [("short    ", "bold"), (short, "")]
    yield []
    yield [("example  ", "bold"), (example, "")]


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
