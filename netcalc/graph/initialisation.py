"""`init`: how the parameters of an item begin, or of the whole network."""

from collections.abc import Iterable

from netcalc.diagnostics import format_value
from netcalc.graph.evaluation import Environment, value_of
from netcalc.graph.model import Node
from netcalc.graph.problems import ElaborationProblems
from netcalc.layers import LayerError, ParamSpec
from netcalc.layers.initialisation import SCHEMES, draws, read_scheme
from netcalc.spec import Unknown, Value


def scheme_of(value: Value, names: Environment, problems: ElaborationProblems) -> str:
    """The scheme that a value names; empty where it names none, with the reason in `problems`."""
    text = value_of(value, names, problems)
    if isinstance(text, Unknown):
        return ""
    if not isinstance(text, str):
        help = f"there are {', '.join(SCHEMES)}"
        message = f"init: is the name of an initialisation, not {format_value(text)}"
        problems.report("E404", message, value.span, help=help)
        return ""
    try:
        return str(read_scheme(text))
    except LayerError as error:
        problems.report("E404", error.message, value.span, help=error.help)
        return ""


def has_a_say(scheme: str, params: Iterable[ParamSpec]) -> bool:
    """Whether a scheme changes how any of a layer's parameters begins."""
    return draws(read_scheme(scheme), params)


def follows(node: Node, scheme: str) -> bool:
    """Whether a layer begins by the scheme at the top of the spec."""
    return not node.init and node.shared is None and has_a_say(scheme, node.params)
