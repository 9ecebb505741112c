"""Sweeps: the figures of many variants of one network, over a grid of arguments and input sizes.

A Sweep can be pickled and sent to other processes and machines: it holds the parsed spec with its includes,
and the settings as texts. Chunks of variants are submitted to an executor of `concurrent.futures`, a bounded
number at a time, and rows come back in the order of the grid.
"""

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from math import prod
from operator import methodcaller
from random import Random

from netcalc.analysis.input_sizes import channel_axes, with_channels
from netcalc.analysis.report import Report, analyze
from netcalc.analysis.sweep_axes import (
    Given,
    SweepAxis,
    Varied,
    check_inputs,
    input_override,
    plain_setting,
    read_axis,
    setting_of,
    size_of,
)
from netcalc.diagnostics import Diagnostic, GraphError, NetcalcError, SpecError
from netcalc.graph import elaborate
from netcalc.graph.header import unknown_settings
from netcalc.spec import Evaluated, Setting, Spec
from netcalc.tensor import FrozenDict

VariantRow = Mapping[str, Evaluated]
"""The settings, figures and error of a variant, by column."""

FIGURES: dict[str, Callable[[Report], int]] = {
    "layers": lambda report: len(report.rows),
    "params": lambda report: report.totals.params,
    "macs": lambda report: report.totals.macs,
    "flops": lambda report: report.totals.flops,
    "output_bytes": lambda report: report.totals.output_bytes,
    "param_bytes": lambda report: report.totals.param_bytes,
}
"""The figures of a variant by column; null where the variant fails."""

CONDITIONS = ("sweep", "batch", "dtype", "convention")
"""The columns that are equal in all rows of a sweep."""

RESERVED = (*CONDITIONS, *FIGURES, "error")
"""Columns whose names an argument cannot have."""

MAX_VARIANTS = 10_000_000


@dataclass(frozen=True)
class Sweep:
    """The definition of a sweep."""

    spec: bytes
    """The spec, pickled."""
    name: str
    axes: tuple[SweepAxis, ...]
    inputs: tuple[str, ...]
    """The shapes of inputs that do not vary, in the syntax of `--input`."""
    batch: int
    dtype: str
    convention: str
    digest: str
    """A hash of the spec and the conditions, which identifies the rows of this sweep."""
    fixed: tuple[Setting, ...] = ()
    """The arguments that do not vary."""

    @property
    def size(self) -> int:
        """The number of variants in the grid."""
        return prod(len(axis.values) for axis in self.axes)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a row, in order."""
        return (*(axis.column for axis in self.axes), *FIGURES, "error")

    @property
    def conditions(self) -> VariantRow:
        """The columns that are equal in all rows, with their values."""
        return FrozenDict(
            zip(CONDITIONS, (self.digest, self.batch, self.dtype, self.convention), strict=True)
        )

    def settings(self, index: int) -> VariantRow:
        """The settings of a variant by column; the last axis varies fastest."""
        chosen = zip(self.axes, self._places(index), strict=True)
        return {axis.column: axis.values[place] for axis, place in chosen}

    def given(self, index: int) -> list[tuple[SweepAxis, Given]]:
        """What varies of a variant, as it was given."""
        return [(axis, axis.given[place]) for axis, place in zip(self.axes, self._places(index), strict=True)]

    def _places(self, index: int) -> list[int]:
        places = []
        for axis in reversed(self.axes):
            index, place = divmod(index, len(axis.values))
            places.append(place)
        return places[::-1]


def plan(
    spec: Spec,
    varied: Iterable[str | Varied],
    inputs: Sequence[str] = (),
    settings: Sequence[Setting] = (),
    *,
    batch: int = 1,
    dtype: str = "float32",
    convention: str = "lecture",
    version: str = "",
) -> Sweep:
    """A sweep over `varied`, texts such as `width=0.25,0.5` or `input=128,224`, with other `settings` fixed.

    `version` is that of netcalc; it enters the digest, since another version may give other figures.

    Raises SpecError where the spec has mistakes, or no such argument or input.
    """
    if spec.problems:
        raise SpecError(spec.problems)
    if unknown := [*unknown_settings(spec, settings)]:
        raise GraphError(unknown)
    axes = [read_axis(spec, each, RESERVED) for each in varied]
    check_inputs(spec, axes, [input_override(spec, text) for text in inputs])
    texts = sorted({spec.source.text, *(block.span.source.text for block in spec.blocks.values())})
    places = [value.span[1:3] for value in (*(e.value for e in spec.args), *(i.shape for i in spec.inputs))]
    identity: tuple[object, ...] = (version, spec.name, texts, places, [*inputs], batch, dtype, convention)
    identity += (*((each.name, plain_setting(each.value, "")) for each in settings),)
    digest = sha256(repr(identity).encode(errors="replace")).hexdigest()[:12]
    conditions = (batch, dtype, convention, digest)
    return Sweep(pickle.dumps(spec), spec.name, tuple(axes), tuple(inputs), *conditions, tuple(settings))


def chosen_variants(sweep: Sweep, sample: int | None = None, seed: int = 0) -> Sequence[int]:
    """The indices of the variants to count, ascending: the whole grid, or a seeded sample of it.

    Raises ValueError for more than MAX_VARIANTS variants.
    """
    count = sweep.size if sample is None else min(sample, sweep.size)
    if count > MAX_VARIANTS or sweep.size >= 2**63:
        raise ValueError(f"{count:,} variants of {sweep.size:,} are too many; {MAX_VARIANTS:,} is the limit")
    if count == sweep.size:
        return range(count)
    return sorted(Random(seed).sample(range(sweep.size), count))


def sweep_rows(
    sweep: Sweep,
    indices: Iterable[int],
    executor: Executor,
    chunk: int = 1,
    in_flight: int = 1,
    result: Callable[[Future[list[VariantRow]]], list[VariantRow]] = methodcaller("result"),
) -> Iterator[VariantRow]:
    """The rows of some variants, in order; up to `in_flight` chunks are submitted at a time.

    `result` waits for a chunk; a caller whose executor can lose workers passes one with a timeout.
    """
    pending: deque[Future[list[VariantRow]]] = deque()
    remaining = iter(indices)
    while some := tuple(islice(remaining, chunk)):
        pending.append(executor.submit(count_variants, sweep, some))
        if len(pending) >= in_flight:
            yield from result(pending.popleft())
    while pending:
        yield from result(pending.popleft())


def count_variants(sweep: Sweep, indices: Sequence[int]) -> list[VariantRow]:
    """The rows of a chunk of variants; a failed variant has an error in place of figures."""
    spec = _read(sweep.spec)
    return [{**sweep.settings(index), **_figures(spec, sweep, index)} for index in indices]


def _figures(spec: Spec, sweep: Sweep, index: int) -> VariantRow:
    chosen = sweep.given(index)
    try:
        settings = [*sweep.fixed, *(setting_of(given) for axis, given in chosen if not axis.is_input)]
        overrides = [input_override(spec, text) for text in sweep.inputs]
        overrides += [size_of(spec, given) for axis, given in chosen if axis.is_input]
        overrides = with_channels(spec, settings, overrides, _channel_axes(sweep.spec, sweep.fixed))
        graph = elaborate(spec, settings, overrides)
    except NetcalcError as error:
        return {**dict.fromkeys(FIGURES), "error": _format_error(error.diagnostics)}
    except MemoryError:
        return {**dict.fromkeys(FIGURES), "error": "E109: there is not enough memory for this variant"}
    report = analyze(graph, sweep.batch, sweep.dtype, sweep.convention)
    return {**{name: count(report) for name, count in FIGURES.items()}, "error": None}


def _format_error(diagnostics: Sequence[Diagnostic]) -> str:
    first = diagnostics[0]
    place = f"{first.span}: " if first.span else ""
    more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
    return f"{first.code}: {place}{first.message}{more}"


@lru_cache(maxsize=8)
def _channel_axes(pickled: bytes, settings: tuple[Setting, ...]) -> dict[str, int]:
    """Those of the spec with what is fixed: one number for an input's size keeps them."""
    return channel_axes(_read(pickled), settings)


@lru_cache(maxsize=8)
def _read(pickled: bytes) -> Spec:
    spec: Spec = pickle.loads(pickled)
    return spec
