"""What `netcalc init` shows: the statistics of an initialisation, and of those that were tried beside it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from netcalc import __version__
from netcalc.graph import Graph
from netcalc.render.execution.run import finite, share, three_digits
from netcalc.render.initialisation.text import candidate_lines, stage_lines
from netcalc.render.initialisation.words import stage_name, verdict_in_words
from netcalc.render.json import JsonRows, json_document
from netcalc.render.layout import Segment, paragraph, title_lines
from netcalc.render.result import Result
from netcalc.render.table.json import inputs_list
from netcalc.render.tabular import Table, TableColumn

if TYPE_CHECKING:
    from netcalc.train.candidates import Candidate
    from netcalc.train.statistics import Signals, StageStatistics

_COLUMNS = (
    TableColumn("layer", "layer", left=True),
    *(TableColumn(name, name, three_digits) for name in ("mean", "std", "min", "max")),
    *(TableColumn(name, name, share) for name in ("zeros", "saturated", "dead")),
    TableColumn("gradient_std", "gradient std", three_digits),
    TableColumn("nan", "NaN"),
    TableColumn("inf", "Inf"),
)


class InitConditions(NamedTuple):
    """How the statistics were taken."""

    init: str
    """The initialisation of layers that state none themselves."""
    inputs: str
    """What the batch holds."""
    batch: int
    seed: int
    dtype: str


class InitResult(Result):
    """The statistics of each stage, the verdict, and with --fix those of other initialisations."""

    def __init__(
        self,
        graph: Graph,
        conditions: InitConditions,
        signals: "Signals",
        candidates: "Sequence[Candidate]" = (),
        proposal: "Candidate | None" = None,
    ) -> None:
        self.graph = graph
        self.conditions = conditions
        self.signals = signals
        self.candidates = candidates
        self.proposal = proposal

    @property
    def verdict(self) -> str:
        """`keeps`, `collapses`, `saturates` or `explodes`."""
        return self.signals.verdict

    @property
    def advice(self) -> str:
        """What to put into the spec, where other initialisations were tried."""
        if not self.candidates:
            return ""
        if self.proposal is None:
            return "None of these keeps the scale; a norm after each layer would."
        ratio = three_digits(self.proposal.signals.ratio)
        return f"{self.proposal.init} keeps a ratio of {ratio}. At the top of the spec:"

    def lines(self, width: int | None) -> Iterator[Sequence[Segment]]:
        """The conditions, a line a stage, the verdict, and what --fix found."""
        yield from title_lines((self.graph.name, "bold"), self._facts(), width)
        yield []
        yield from stage_lines(self.signals, width)
        yield []
        yield from paragraph(verdict_in_words(self.signals, self.conditions.init), "", width)
        if self.candidates:
            yield []
            yield from candidate_lines(self.candidates, width)
            yield []
            yield from paragraph(self.advice, "", width)
            if self.proposal is not None:
                yield []
                yield [(f"init: {self.proposal.init}", "bold")]

    def json_chunks(self) -> Iterator[str]:
        """The stages, a line each; what is not finite is null."""
        signals = self.signals
        members: dict[str, Any] = {
            "netcalc": __version__,
            "name": self.graph.name,
            "init": self.conditions.init,
            "batch": self.conditions.batch,
            "dtype": self.conditions.dtype,
            "seed": self.conditions.seed,
            "inputs": inputs_list(self.graph),
            "data": self.conditions.inputs,
            "verdict": signals.verdict,
            "ratio": finite(signals.ratio),
            "gradient_ratio": finite(signals.gradient_ratio),
            "saturated": signals.saturated,
            "range": list(signals.range),
            "layers": JsonRows(map(_stage_dict, signals.stages)),
        }
        if self.candidates:
            members["candidates"] = JsonRows(map(_candidate_dict, self.candidates))
            members["proposal"] = None if self.proposal is None else self.proposal.init
        return json_document(members)

    def table(self) -> Table:
        """A row a stage."""
        rows = [_row(stage) for stage in self.signals.stages]
        notes = ["; ".join(self._facts()), verdict_in_words(self.signals, self.conditions.init)]
        if self.candidates:
            fix = "" if self.proposal is None else f" init: {self.proposal.init}"
            notes.append(f"{self.advice}{fix}")
        return Table(_COLUMNS, rows, title=self.graph.name, notes=notes)

    def _facts(self) -> list[str]:
        init, inputs, batch, seed, dtype = self.conditions
        return [f"init {init}", f"on {inputs}", f"batch {batch}, {dtype}", f"seed {seed}"]


def _row(row: "StageStatistics") -> tuple[object, ...]:
    *moments, nans, infs = row.moments
    return (stage_name(row.stage), *moments, row.saturated, row.dead, row.gradient, nans, infs)


def _stage_dict(row: "StageStatistics") -> dict[str, Any]:
    stage = row.stage
    return {
        "layer": stage.node.full_name,
        "then": [node.full_name for node in stage.then],
        "output_shape": row.shape,
        **{name: finite(value) for name, value in row.moments._asdict().items()},
        "saturated": row.saturated,
        "dead": row.dead,
        "gradient_std": finite(row.gradient),
        "histogram": row.histogram,
    }


def _candidate_dict(candidate: "Candidate") -> dict[str, Any]:
    signals = candidate.signals
    return {
        "init": candidate.init,
        "first_std": finite(signals.stages[0].moments.std),
        "last_std": finite(signals.stages[-1].moments.std),
        "ratio": finite(signals.ratio),
        "saturated": signals.saturated,
        "verdict": signals.verdict,
    }
