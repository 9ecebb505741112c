"""Many variants of one network, a row each: a grid of arguments and input sizes, or a sample of it.

A sweep is plain data that travels to other processes and machines: the spec as it was read, with what
it includes, and the settings as texts. Variants are counted in chunks through the interface of
`concurrent.futures`, of which no more than a few are under way, and come back in the grid's order.
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
from typing import NamedTuple, NoReturn

from netcalc.analysis.report import Report, analyze
from netcalc.diagnostics import Diagnostic, NetcalcError, Source, Span, SpecError, nearest
from netcalc.graph import elaborate
from netcalc.graph.header import arguments, inputs
from netcalc.graph.problems import ElaborationProblems
from netcalc.spec import (
    Evaluated,
    Expression,
    InputOverride,
    Setting,
    Spec,
    Unknown,
    Value,
    YamlScalar,
    YamlSequence,
    read_input_override,
    read_setting,
    split_setting,
)
from netcalc.tensor import Shape

Row = Mapping[str, Evaluated]
"""A variant: its settings, its figures and its error, by the names of the columns."""

FIGURES: dict[str, Callable[[Report], int]] = {
    "layers": lambda report: len(report.rows),
    "params": lambda report: report.totals.params,
    "macs": lambda report: report.totals.macs,
    "flops": lambda report: report.totals.flops,
    "output_bytes": lambda report: report.totals.output_bytes,
    "param_bytes": lambda report: report.totals.param_bytes,
}
"""What is counted of a variant, by the name of its column; null where the variant fails."""

CONDITIONS = ("sweep", "batch", "dtype", "convention")
"""What the rows of a sweep have in common."""

MAX_VARIANTS = 10_000_000


class Axis(NamedTuple):
    """What varies: an argument, or the size of an input; each value as a text and as a plain value."""

    column: str
    name: str
    is_input: bool
    texts: tuple[str, ...]
    values: tuple[Evaluated, ...]


@dataclass(frozen=True)
class Sweep:
    """Everything that the rows depend on."""

    spec: bytes
    """The spec, pickled."""
    name: str
    axes: tuple[Axis, ...]
    inputs: tuple[str, ...]
    """The shapes of inputs that do not vary, as `--input` takes them."""
    batch: int
    dtype: str
    convention: str
    digest: str
    """Tells the rows of this spec under these conditions from others."""

    @property
    def size(self) -> int:
        """How many variants the whole grid has."""
        return prod(len(axis.values) for axis in self.axes)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in a row, in order."""
        return (*(axis.column for axis in self.axes), *FIGURES, "error")

    @property
    def conditions(self) -> Row:
        """What all rows have in common."""
        return dict(zip(CONDITIONS, (self.digest, self.batch, self.dtype, self.convention), strict=True))

    def settings(self, index: int) -> Row:
        """What is set in a variant, by column; the last axis varies fastest."""
        chosen = zip(self.axes, self._places(index), strict=True)
        return {axis.column: axis.values[place] for axis, place in chosen}

    def texts(self, index: int) -> list[tuple[Axis, str]]:
        """What is set in a variant, as it was written."""
        return [(axis, axis.texts[place]) for axis, place in zip(self.axes, self._places(index), strict=True)]

    def _places(self, index: int) -> list[int]:
        places = []
        for axis in reversed(self.axes):
            index, place = divmod(index, len(axis.values))
            places.append(place)
        return places[::-1]


def plan(
    spec: Spec,
    varied: Sequence[str],
    inputs: Sequence[str] = (),
    *,
    batch: int = 1,
    dtype: str = "float32",
    convention: str = "lecture",
    version: str = "",
) -> Sweep:
    """A sweep over `varied`, texts such as `width=0.25,0.5` or `input=128,224`.

    `version` is that of netcalc, whose figures another version may not repeat.

    Raises SpecError where the spec cannot be read, or has no such argument or input.
    """
    if spec.problems:
        raise SpecError(spec.problems)
    axes = [_axis(spec, text) for text in varied]
    _check(spec, axes, [_override(spec, text) for text in inputs])
    texts = sorted({spec.source.text, *(block.span.source.text for block in spec.blocks.values())})
    places = [value.span[1:3] for value in (*(e.value for e in spec.args), *(i.shape for i in spec.inputs))]
    told = (version, spec.name, texts, places, [*inputs], batch, dtype, convention)
    digest = sha256(repr(told).encode(errors="replace")).hexdigest()[:12]
    return Sweep(pickle.dumps(spec), spec.name, tuple(axes), tuple(inputs), batch, dtype, convention, digest)


def chosen_variants(sweep: Sweep, sample: int | None = None, seed: int = 0) -> Sequence[int]:
    """The numbers of the variants to count, rising: all of the grid, or a seeded sample of it.

    Raises ValueError where they are more than MAX_VARIANTS.
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
    result: Callable[[Future[list[Row]]], list[Row]] = methodcaller("result"),
) -> Iterator[Row]:
    """The rows of some variants, in their order; up to `in_flight` chunks are counted at a time.

    `result` waits for a chunk, which an executor that can lose its workers may refuse to do for ever.
    """
    pending: deque[Future[list[Row]]] = deque()
    remaining = iter(indices)
    while some := tuple(islice(remaining, chunk)):
        pending.append(executor.submit(count_variants, sweep, some))
        if len(pending) >= in_flight:
            yield from result(pending.popleft())
    while pending:
        yield from result(pending.popleft())


def count_variants(sweep: Sweep, indices: Sequence[int]) -> list[Row]:
    """The rows of a chunk of variants; one that fails has its error in place of figures."""
    spec = _read(sweep.spec)
    return [{**sweep.settings(index), **_figures(spec, sweep, index)} for index in indices]


def _figures(spec: Spec, sweep: Sweep, index: int) -> Row:
    chosen = sweep.texts(index)
    try:
        settings = [_setting(text) for axis, text in chosen if not axis.is_input]
        overrides = [_override(spec, text) for text in sweep.inputs]
        overrides += [_size(spec, settings, text) for axis, text in chosen if axis.is_input]
        graph = elaborate(spec, settings, overrides)
    except NetcalcError as error:
        return {**dict.fromkeys(FIGURES), "error": _in_words(error.diagnostics)}
    except MemoryError:
        return {**dict.fromkeys(FIGURES), "error": "E109: there is not enough memory for this variant"}
    report = analyze(graph, sweep.batch, sweep.dtype, sweep.convention)
    return {**{name: count(report) for name, count in FIGURES.items()}, "error": None}


def _in_words(diagnostics: Sequence[Diagnostic]) -> str:
    first = diagnostics[0]
    place = f"{first.span}: " if first.span else ""
    more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
    return f"{first.code}: {place}{first.message}{more}"


@lru_cache(maxsize=8)
def _read(pickled: bytes) -> Spec:
    spec: Spec = pickle.loads(pickled)
    return spec


_setting = lru_cache(maxsize=4096)(read_setting)


# what varies


def _axis(spec: Spec, text: str) -> Axis:
    """What a text such as `width=0.25,0.5` varies."""
    texts = split_setting(text)
    settings = [_setting(part) for part in texts]
    name = settings[0].name
    args, declared = [entry.key for entry in spec.args], [given.name for given in spec.inputs]
    if name not in args and name not in declared and not (name == "input" and len(declared) == 1):
        match = nearest(name, [*args, *declared])
        help = f"did you mean {match}?" if match else f"what can vary: {', '.join([*args, *declared])}"
        _fail(text, f"the spec has no argument {name!r} and no input of that name", help)
    is_input = name not in args
    if is_input:
        for part in texts:
            read_input_override(part, "--set")
    values = tuple(_plain(setting.value, part) for setting, part in zip(settings, texts, strict=True))
    for number, value in enumerate(values):
        if any(value == other and type(value) is type(other) for other in values[:number]):
            _fail(text, f"{name} has the value {value} twice", "write each value once")
    column = name
    while column in (*CONDITIONS, *FIGURES, "error"):
        column = f"arg_{column}"
    own_name = name if name in (*args, *declared) else declared[0]
    return Axis(column, own_name, is_input, tuple(texts), values)


def _check(spec: Spec, axes: Sequence[Axis], fixed: Sequence[InputOverride]) -> None:
    """Refuse the size of an input that is not there, and what is set twice."""
    declared = [given.name for given in spec.inputs]
    for given in fixed:
        if given.name not in declared:
            message = f"the spec has no input {given.name!r}" if given.name else "the spec has several inputs"
            raise SpecError(
                [Diagnostic("E701", message, given.span, help=f"name one of {', '.join(declared)}")]
            )
    names = {given.name for given in fixed}
    for axis in axes:
        if axis.name in names:
            text = axis.texts[0]
            _fail(text, f"{axis.name} is set twice", f"give all its values at once: {text},...")
        names.add(axis.name)


def _override(spec: Spec, text: str) -> InputOverride:
    """An input's shape as `--input` takes it; of the only input where it names none."""
    override = read_input_override(text)
    if override.name is None and len(spec.inputs) == 1:
        return override._replace(name=spec.inputs[0].name)
    return override


def _size(spec: Spec, settings: Sequence[Setting], text: str) -> InputOverride:
    """An input's shape; a bare number keeps the channels and sets every spatial size."""
    name, shape, span = read_input_override(text, "--set")
    if name == "input" and len(spec.inputs) == 1:
        name = spec.inputs[0].name
    if len(shape) == 1:
        problems = ElaborationProblems()  # elaboration finds them again
        declared = inputs(spec, (), arguments(spec, settings, problems), problems)
        own: Shape = next((given.type.shape for given in declared if given.name == name and given.type), ())
        shape = own[:1] + shape * (len(own) - 1) if len(own) > 1 else shape
    return InputOverride(name, shape, span)


def _plain(value: Value | Evaluated, text: str) -> Evaluated:
    """A setting's value in a row; what only the spec can evaluate stays as it is written."""
    if isinstance(value, YamlScalar):
        plain = value.value
        if isinstance(plain, Expression):
            return f"$({plain.text})"
        return text if isinstance(plain, Unknown) else plain
    if isinstance(value, YamlSequence):
        return tuple(_plain(item, text) for item in value.items)
    return text.partition("=")[2]


def _fail(text: str, message: str, help: str) -> NoReturn:
    source = Source("--set", text)
    raise SpecError([Diagnostic("E701", message, Span(source, 0, len(text)), help=help)])
