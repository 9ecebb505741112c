"""What `netcalc predict` shows: the best classes of each sample, or how tokens continue."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from netcalc import __version__
from netcalc.graph import Graph
from netcalc.render.escaping import visible
from netcalc.render.evaluation.words import percent, prepared_in_words
from netcalc.render.execution.run import Scored, classes_lines, finite
from netcalc.render.json import JsonRows, json_document
from netcalc.render.layout import WHOLE_NAME, Heading, Segment, cut_middle, paragraph, title_lines
from netcalc.render.result import Result
from netcalc.render.tabular import Table, TableColumn
from netcalc.render.text_table import TextColumn, text_table

if TYPE_CHECKING:
    from netcalc.train.continuation import NextToken
    from netcalc.train.prediction import Prediction

_FIRST = 20
"""Samples of a data set that are shown in a terminal."""
_LEAST_NAME, _OTHERS = 10, 38
"""The least width of a class's name, and what a sample and a probability take beside two of them."""


_LEAST_SAMPLE = 18
"""The least width of a sample's file."""


class PredictionConditions(NamedTuple):
    """What is predicted, and how."""

    weights: str
    data: str
    """The data set with its part, empty for pictures."""
    batch: int
    dtype: str
    normalised_by: str
    """`file`, `spec` or `nothing`."""


class PredictionResult(Result):
    """The classes of samples; `names` are those of the classes, by their numbers."""

    def __init__(
        self,
        graph: Graph,
        conditions: PredictionConditions,
        predictions: "Sequence[Prediction]",
        names: Sequence[str],
        show_all: bool = False,
    ) -> None:
        self.graph = graph
        self.conditions = conditions
        self.predictions = predictions
        self.names = names
        self._show_all = show_all

    def lines(self, width: int | None) -> Iterator[Sequence[Segment]]:
        """The classes of each picture with bars, or one line a sample of a data set."""
        yield from title_lines((self.graph.name, "bold"), self._facts, width)
        yield from paragraph(self._prepared, "", width)
        yield []
        if not self.conditions.data:
            samples = [[Scored(self.names[k], p) for k, p in one.best] for one in self.predictions]
            yield from classes_lines(samples, [one.sample for one in self.predictions], width)
            return
        shown = self.predictions if self._show_all else self.predictions[:_FIRST]
        yield from text_table(self._columns(shown, width), width, _LEAST_SAMPLE)
        if len(shown) < len(self.predictions):
            yield []
            text = f"The first {len(shown)} of {len(self.predictions):,} samples; --all shows every one."
            yield from paragraph(text, "", width)

    def json_chunks(self) -> Iterator[str]:
        """The samples, a line each; what is not finite is null."""
        conditions = self.conditions
        members: dict[str, Any] = {
            "netcalc": __version__,
            "name": self.graph.name,
            "weights": conditions.weights,
            "data": conditions.data or None,
            "normalised_by": conditions.normalised_by,
            "batch": conditions.batch,
            "dtype": conditions.dtype,
            "samples": JsonRows(map(self._sample_dict, self.predictions)),
        }
        return json_document(members)

    def table(self) -> Table:
        """A row for each class that is shown of a sample."""
        columns = (
            TableColumn("sample", "sample", left=True),
            *([TableColumn("label", "label", left=True)] if self.conditions.data else []),
            TableColumn("class", "class", left=True),
            TableColumn("number", "number"),
            TableColumn("probability", "probability", percent),
        )
        rows = [
            (one.sample, *self._label(one), self.names[number], number, finite(probability))
            for one in self.predictions
            for number, probability in one.best
        ]
        return Table(columns, rows, title=self.graph.name, notes=["; ".join(self._facts), self._prepared])

    @property
    def _facts(self) -> list[str]:
        weights, data, batch, dtype, _ = self.conditions
        return [*([data] if data else []), weights, f"batch {batch}, {dtype}"]

    @property
    def _prepared(self) -> str:
        return prepared_in_words(self.conditions.normalised_by, self.conditions.weights)

    def _label(self, one: "Prediction") -> tuple[str | None, ...]:
        if not self.conditions.data:
            return ()
        return (None if one.label is None else self.names[one.label],)

    def _columns(self, shown: "Sequence[Prediction]", width: int | None) -> list[TextColumn]:
        best = [one.best[0] for one in shown]
        room = WHOLE_NAME if width is None else max(_LEAST_NAME, (width - _OTHERS) // 2)
        names = [cut_middle(visible(name), room) for name in self.names]
        labels = ["" if one.label is None else names[one.label] for one in shown]
        others = [", ".join(f"{self.names[k]} {percent(p)}" for k, p in one.best[1:]) for one in shown]
        styles = ["green" if one.label in (None, one.best[0][0]) else "bold red" for one in shown]
        columns = [
            TextColumn(Heading("", "sample", left=True), [one.sample for one in shown], "cyan"),
            TextColumn(Heading("", "label", left=True), labels),
            TextColumn(Heading("", "predicted", left=True), [names[k] for k, _ in best], styles),
            TextColumn(Heading("", "probability"), [percent(p) for _, p in best]),
        ]
        if any(others):
            columns.append(TextColumn(Heading("", "then", left=True), others, "dim", drop=1, wraps=True))
        return columns

    def _sample_dict(self, one: "Prediction") -> dict[str, Any]:
        classes = [
            {"class": self.names[number], "number": number, "probability": finite(probability)}
            for number, probability in one.best
        ]
        label = {"label": self._label(one)[0]} if self.conditions.data else {}
        return {"sample": one.sample, **label, "classes": classes}


class ContinuationResult(Result):
    """A row of tokens, and those that follow; `text` is what bytes read as."""

    def __init__(
        self,
        graph: Graph,
        conditions: PredictionConditions,
        prompt: Sequence[int],
        following: "Sequence[NextToken]",
        is_text: bool,
    ) -> None:
        self.graph = graph
        self.conditions = conditions
        self.prompt = prompt
        self.following = following
        self._is_text = is_text

    def lines(self, width: int | None) -> Iterator[Sequence[Segment]]:
        """The tokens that follow, as text where they are bytes."""
        facts = [self.conditions.weights, f"{self.conditions.dtype}, greedy"]
        yield from title_lines((self.graph.name, "bold"), facts, width)
        yield []
        for line in self._text().split("\n"):
            yield from paragraph(line, "", width)

    def json_chunks(self) -> Iterator[str]:
        """The tokens with their probabilities, a line each."""
        members: dict[str, Any] = {
            "netcalc": __version__,
            "name": self.graph.name,
            "weights": self.conditions.weights,
            "dtype": self.conditions.dtype,
            "prompt": list(self.prompt),
        }
        if self._is_text:
            members["text"] = self._text()
        members["tokens"] = JsonRows(
            {"token": one.token, "probability": finite(one.probability)} for one in self.following
        )
        return json_document(members)

    def table(self) -> Table:
        """A row a token."""
        columns = (TableColumn("token", "token"), TableColumn("probability", "probability", percent))
        rows = [(one.token, finite(one.probability)) for one in self.following]
        return Table(columns, rows, title=self.graph.name, notes=[f"after {self._text(self.prompt)}"])

    def _text(self, tokens: Sequence[int] | None = None) -> str:
        """Tokens, the prompt and what follows unless given, as text or as numbers."""
        row = [*self.prompt, *(one.token for one in self.following)] if tokens is None else tokens
        if self._is_text:
            return bytes(row).decode("utf-8", "replace")
        return ", ".join(map(str, row))
