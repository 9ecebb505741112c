"""netcalc.check: is the design sound, and has it the figures that it should have."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from netcalc import lint
from netcalc.analysis.report import require_batch
from netcalc.api.load import Argument, Asked, Inputs, Model, asked_of, graph_of, name_of
from netcalc.diagnostics import ArgumentError, NetcalcError, flag, names
from netcalc.graph import Graph, elaborate
from netcalc.lint import RULES, Verdict, idle_settings, likely_rule
from netcalc.render.check.checked import Checked
from netcalc.render.check.result import CheckResult


def check(
    *models: Model,
    ignore: str | Iterable[str] = (),
    batch: int = 32,
    notes: bool = False,
    input: Inputs | None = None,
    variant: str | None = None,
    args: Mapping[str, Argument] | None = None,
) -> CheckResult:
    """Design rules, and the figures that a spec expects and limits.

    Mistakes in a spec are findings too. `ignore` has codes of rules to leave out, `batch` is the samples
    in a step of training, `notes` shows advice as well. Expected figures are compared where nothing is set
    from outside. `input`, `variant` and `args` are those of `load`, and apply to every spec.

        >>> found = netcalc.check("alexnet")
        >>> found.ok, [each.message for each in found.findings if each.severity == "warning"]
        (True, ['fc6 holds 37,752,832 of 61,100,840 parameters'])

    Raises ValueError for a rule that does not exist and an argument out of range.
    """
    if not models:
        raise ArgumentError("models", "a check needs a spec or more, here is none.")
    batch, notes = require_batch(batch), flag("notes", notes)
    left_out = rule_codes(names("ignore", ignore))
    checked = []
    for model in models:
        if isinstance(model, Graph):
            graph = graph_of(model, input, variant, args)
            checked.append(Checked(graph.name, lint.check(graph, batch, left_out)))
        else:
            asked = partial(asked_of, model, input, variant, args)
            checked.append(checked_spec(name_of(model), asked, batch, left_out))
    return CheckResult(tuple(checked), notes)


def checked_spec(
    name: str,
    asked: Callable[[], Asked],
    batch: int,
    ignore: Collection[str],
    within: AbstractContextManager[object] | None = None,
) -> Checked:
    """The verdict of a spec, or the mistakes in it; `asked` reads it, `within` may add to the mistakes."""
    try:
        with within or nullcontext():
            return Checked(name, _verdict(asked(), batch, ignore))
    except NetcalcError as error:
        return Checked(name, None, error.diagnostics)


def _verdict(asked: Asked, batch: int, ignore: Collection[str]) -> Verdict:
    graph = elaborate(*asked)
    verdict = lint.check(graph, batch, ignore, asked.is_as_written)
    return verdict._replace(settings=tuple(idle_settings(*asked, graph)))


def rule_codes(listed: Iterable[str]) -> frozenset[str]:
    """The codes of texts such as `N101,N501`; raises ArgumentError where there is no such rule."""
    codes = frozenset(code.strip() for text in listed for code in text.split(","))
    for code in sorted(codes):
        if code not in RULES:
            raise ArgumentError("ignore", f"there is no rule {code!r}; {likely_rule(code)}")
    return codes
