"""netcalc.sweep: many variants of one network."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from netcalc import __version__
from netcalc.analysis.conventions import ConventionName
from netcalc.analysis.report import require_batch, require_convention, require_dtype
from netcalc.analysis.selection import (
    Condition,
    Objective,
    numeric_columns,
    pareto_front,
    read_condition,
    read_objectives,
)
from netcalc.analysis.sweep import Sweep, VariantRow, chosen_variants, plan, sweep_rows
from netcalc.analysis.sweep_axes import Varied, names_input, plain_setting
from netcalc.api.executors import local_executor
from netcalc.api.load import (
    Argument,
    Inputs,
    Sizes,
    SpecLike,
    asked_of,
    overrides_of,
    setting_of,
    settings_of,
    shape_of,
)
from netcalc.diagnostics import ArgumentError, SpecError, names, require_text, whole_number
from netcalc.graph import Graph
from netcalc.lint.settings import unread_axes, unread_settings
from netcalc.render.sweep.result import SweepResult
from netcalc.spec import InputOverride, Setting, Spec
from netcalc.tensor import DTypeName, FrozenDict, format_shape


def sweep(
    spec: SpecLike,
    varied: Mapping[str, Iterable[Argument | Sizes]],
    /,
    *,
    where: str = "",
    pareto: str | Sequence[str] = "",
    sample: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    batch: int = 1,
    dtype: DTypeName = "float32",
    convention: ConventionName = "lecture",
    input: Inputs | None = None,
    variant: str | None = None,
    args: Mapping[str, Argument] | None = None,
) -> SweepResult:
    """Many variants of a network, a row each: a grid of arguments and input sizes.

    `varied` has the values of each argument, and sizes of "input" or of an input's name. `where` keeps rows
    that meet a condition, `pareto` those that no other beats in all of its columns: -column or column:max
    where more is better. `sample` draws so many variants by `seed`. `jobs` processes count; a script that
    asks for more than one begins with `if __name__ == "__main__":`. `input`, `variant` and `args` are those
    of `load`, and the same in every variant.

        >>> varied = {"width": [0.5, 1], "input": [128, 224]}
        >>> found = netcalc.sweep("mobilenet_v2", varied, where="macs < 1e8")
        >>> [(row["width"], row["input"], row["macs"]) for row in found.rows]
        [(0.5, 128, 32578560), (0.5, 224, 97131840), (1, 128, 99074048)]

    Raises ValueError for an argument out of range, and what `load` raises.
    """
    lists = _lists(varied)
    if isinstance(spec, Graph):
        raise TypeError(f"a sweep needs a spec, {spec.name} is a graph already; give what netcalc.load takes")
    require_text("where", where)
    objectives = ",".join(names("pareto", pareto))
    jobs = whole_number("jobs", jobs, 1, 1024)
    sample = None if sample is None else whole_number("sample", sample, 1)
    seed = whole_number("seed", seed)
    require_sample(sample, seed)
    batch = require_batch(batch)
    require_dtype(dtype)
    require_convention(convention)
    asked, settings = asked_of(spec, None, variant, None), settings_of(args)
    for setting in settings:
        if setting.name in lists:
            raise ArgumentError("args", f"{setting.name} varies; leave it out of args")
    grid = (_varied(asked.spec, name, values) for name, values in lists.items())
    planned = planned_sweep(asked.spec, grid, _inputs(input), batch, dtype, convention, settings)
    indices = chosen_variants(planned, sample, seed)
    choice = RowSelection.of(planned, where, objectives)
    counted = Counter[bool]()
    with local_executor(jobs, len(indices)) as counting:
        help = 'begin the script with `if __name__ == "__main__":`, or count with jobs=1'
        rows = counting.watched(sweep_rows(planned, indices, *counting[:4]), help)
        chosen = list(choice.passing(rows, counted))
    return choice.result(planned, chosen, counted)


def require_sample(sample: int | None, seed: int) -> None:
    """Raise ArgumentError for a seed where no sample is drawn."""
    if seed and sample is None:
        raise ArgumentError("seed", "seed says which sample is drawn; give sample too, or leave seed out.")


def planned_sweep(
    spec: Spec,
    grid: Iterable[str | Varied],
    inputs: Sequence[str],
    batch: int,
    dtype: str,
    convention: str,
    settings: Sequence[Setting] = (),
) -> Sweep:
    """The sweep that a grid asks for, as `width=0.5,1`; SpecError for an argument that nothing reads."""
    planned = plan(
        spec,
        grid,
        inputs,
        settings,
        batch=batch,
        dtype=dtype,
        convention=convention,
        version=__version__,
    )
    if unread := [*unread_axes(spec, planned.axes), *unread_settings(spec, settings)]:
        raise SpecError(unread)
    return planned


class RowSelection(NamedTuple):
    """Which rows are shown; `where` and `pareto` as they were given."""

    where: str
    pareto: str
    condition: Condition | None
    objectives: list[Objective]

    @classmethod
    def of(cls, sweep: Sweep, where: str, pareto: str) -> "RowSelection":
        """What is asked of the columns of a sweep; raises ArgumentError for one that is not there."""
        condition = read_condition(where, sweep.columns[:-1]) if where else None
        try:
            objectives = read_objectives(pareto, numeric_columns(sweep)) if pareto else []
        except ValueError as error:
            raise ArgumentError("pareto", str(error)) from None
        return cls(where, pareto, condition, objectives)

    def passing(self, rows: Iterable[VariantRow], counted: Counter[bool]) -> Iterator[VariantRow]:
        """The rows that meet the condition; `counted` gets how many succeeded, and how many failed."""
        for row in rows:
            counted[row["error"] is None] += 1
            if self.condition is None or self.condition.meets(row):
                yield row

    def result(self, sweep: Sweep, chosen: Sequence[VariantRow], counted: Counter[bool]) -> SweepResult:
        """The rows that pass, or their Pareto front."""
        shown = pareto_front(chosen, self.objectives) if self.objectives else chosen
        return SweepResult(
            sweep, tuple(map(FrozenDict, shown)), counted.total(), counted[False], self.where, self.pareto
        )


def _lists(varied: Mapping[str, Iterable[object]]) -> dict[str, list[object]]:
    """What varies, each as a list."""
    is_mapping = isinstance(varied, Mapping)
    if not is_mapping or not all(_is_several(values) for values in varied.values()):
        raise TypeError(f"what varies is a mapping of lists, as {{'width': [0.5, 1]}}, not {varied!r}")
    lists = {name: list(values) for name, values in varied.items()}
    if not lists or not all(lists.values()):
        raise ValueError("say what varies, as {'width': [0.5, 1]}")
    for name in lists:
        require_text("the name of what varies", name)
    return lists


def _is_several(values: object) -> bool:
    return isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)


def _varied(spec: Spec, name: str, values: Sequence[Any]) -> Varied:
    """The values of an argument, or the sizes of an input."""
    if names_input(spec, name):
        shapes = [shape_of(value) for value in values]
        sizes = [shape[0] if len(shape) == 1 else format_shape(shape) for shape in shapes]
        return Varied(name, [InputOverride(name, shape) for shape in shapes], sizes)
    settings = [setting_of(name, value) for value in values]
    return Varied(name, settings, [plain_setting(setting.value, "") for setting in settings])


def _inputs(input: Inputs | None) -> list[str]:
    """Sizes as the command line writes them."""
    sizes = [(given.name, format_shape(given.shape)) for given in overrides_of(input)]
    return [text if name is None else f"{name}={text}" for name, text in sizes]
