"""netcalc list: the bundled architectures."""

from netcalc.analysis import analyze
from netcalc.cli.common import load_graph, terminal


def command() -> None:
    """The bundled architectures, with their parameters and multiply-adds."""
    from netcalc.render.zoo import zoo_lines
    from netcalc.spec import bundled_names

    reports = ((name, analyze(load_graph(name, None, None))) for name in bundled_names())
    terminal().write(zoo_lines(list(reports)))
