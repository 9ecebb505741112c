"""netcalc compare: two networks or more side by side, and what differs between two."""

from collections.abc import Iterable
from typing import Annotated, Literal

import typer

from netcalc import __version__
from netcalc.analysis import analyze
from netcalc.analysis.comparison import Comparison, compare
from netcalc.cli.common import BatchOption, ConventionOption, DtypeOption, load_graph, terminal, write

Format = Literal["rich", "json", "markdown"]


def command(
    specs: Annotated[
        list[str],
        typer.Argument(metavar="SPEC SPEC...", help="YAML files or bundled architectures, two or more."),
    ],
    format: Annotated[Format, typer.Option("--format", "-f", help="How the comparison is written.")] = "rich",
    diff: Annotated[
        bool, typer.Option("--diff", help="Of two: which layers came, went or changed, and what that costs.")
    ] = False,
    convention: ConventionOption = "lecture",
    batch: BatchOption = 1,
    dtype: DtypeOption = "float32",
) -> None:
    """Totals side by side and their ratios to the first; with --diff the difference, layer by layer.

    netcalc compare alexnet vgg16-lecture
    netcalc compare resnet18 resnet34 --diff
    """
    _check(specs, diff)
    reports = [analyze(load_graph(spec), batch, dtype, convention) for spec in specs]
    comparison = compare(reports, specs)
    if format != "rich":
        write(_chunks(comparison, format, diff))
        return
    out = terminal()
    if diff:
        from netcalc.render.comparison.difference import difference_lines

        out.write(difference_lines(comparison, out.width))
    else:
        from netcalc.render.comparison.text import comparison_lines

        out.write(comparison_lines(comparison, out.width))


def _chunks(comparison: Comparison, format: Format, diff: bool) -> Iterable[str]:
    if format == "json":
        from netcalc.render.comparison.json import difference_json_chunks, json_chunks

        return (difference_json_chunks if diff else json_chunks)(comparison, __version__)
    from netcalc.render.comparison.markdown import difference_markdown_chunks, markdown_chunks

    return (difference_markdown_chunks if diff else markdown_chunks)(comparison)


def _check(specs: list[str], diff: bool) -> None:
    if len(specs) < 2:
        raise typer.BadParameter("a comparison needs two specs or more, here is one.", param_hint="SPEC")
    if specs.count("-") > 1:
        raise typer.BadParameter("standard input can be read once.", param_hint="SPEC")
    if diff and len(specs) != 2:
        message = f"a difference lies between two specs, here are {len(specs)}."
        raise typer.BadParameter(message, param_hint="--diff")
