"""What `netcalc evaluate` shows: loss and accuracy, each class, and which are confused."""

from collections.abc import Iterator, Sequence
from math import exp
from typing import TYPE_CHECKING, Any, NamedTuple

from netcalc import __version__
from netcalc.diagnostics import counted
from netcalc.graph import Graph
from netcalc.render.evaluation.matrix import matrix_lines
from netcalc.render.evaluation.text import class_lines, confused_lines
from netcalc.render.evaluation.words import percent, prepared_in_words
from netcalc.render.execution.run import finite, three_digits
from netcalc.render.json import JsonRows, json_document
from netcalc.render.layout import Segment, paragraph, title_lines
from netcalc.render.result import Result
from netcalc.render.tabular import Table, TableColumn

if TYPE_CHECKING:
    from netcalc.train.confusion import ClassFigures, Confused
    from netcalc.train.evaluation import Evaluation

_CLASSES = (
    TableColumn("number", "class"),
    TableColumn("class", "name", left=True),
    TableColumn("labels", "labels", "{:,}".format),
    TableColumn("predicted", "predicted", "{:,}".format),
    TableColumn("correct", "correct", "{:,}".format),
    *(TableColumn(name, name, percent) for name in ("precision", "recall", "f1")),
    TableColumn("confused_with", "confused with", left=True),
    TableColumn("confused", "times", "{:,}".format),
)


class Conditions(NamedTuple):
    """What was evaluated, and how."""

    weights: str
    data: str
    """The data set, with its part."""
    is_tokens: bool
    batch: int
    dtype: str
    loss: str
    normalised_by: str
    """`file`, `spec` or `nothing`."""
    of_probabilities: bool = False
    """Whether the loss is one of scores, and the output is what a softmax gives."""


class EvaluationResult(Result):
    """The loss, the accuracy, the figures of every class, and the confusions."""

    def __init__(
        self,
        graph: Graph,
        conditions: Conditions,
        evaluation: "Evaluation",
        names: Sequence[str] = (),
        classes: "Sequence[ClassFigures]" = (),
        pairs: "Sequence[Confused]" = (),
        show_all: bool = False,
    ) -> None:
        self.graph = graph
        self.conditions = conditions
        self.evaluation = evaluation
        self.names = names
        """Of the classes, by their numbers."""
        self.classes = classes
        self.pairs = pairs
        self._show_all = show_all

    def lines(self, width: int | None) -> Iterator[Sequence[Segment]]:
        """The conditions, the figures of all samples, the matrix or its largest confusions, the classes."""
        conditions = self.conditions
        facts = [conditions.data, conditions.weights, f"batch {conditions.batch}, {conditions.dtype}"]
        yield from title_lines((self.graph.name, "bold"), facts, width)
        for words in self._remarks:
            yield from paragraph(words, "", width)
        yield []
        first, *others = self._figures
        yield from title_lines((first, "bold"), others, width)
        confusion = self.evaluation.confusion
        if confusion is None:
            return
        yield []
        matrix = [*matrix_lines(self.names, confusion, width)]
        yield from matrix or confused_lines(self.pairs, self.names, self.classes, width)
        yield []
        yield from class_lines(self.classes, self.names, width, self._show_all)

    def json_chunks(self) -> Iterator[str]:
        """The figures, a class a line, and the matrix, a row a line; what is not finite is null."""
        conditions, found = self.conditions, self.evaluation
        members: dict[str, Any] = {
            "netcalc": __version__,
            "name": self.graph.name,
            "weights": conditions.weights,
            "data": conditions.data,
            "normalised_by": conditions.normalised_by,
            "batch": conditions.batch,
            "dtype": conditions.dtype,
            "output": found.output,
            "samples": found.samples,
            "labels": found.labels,
            "loss_function": conditions.loss,
            "loss": finite(found.loss),
            **({"loss_of_probabilities": True} if conditions.of_probabilities else {}),
            "accuracy": found.accuracy,
            "top5": found.top5,
        }
        if conditions.is_tokens:
            members["perplexity"] = finite(self._perplexity)
        if found.confusion is not None:
            members["classes"] = JsonRows(self._class_dict(one) for one in self.classes)
            members["confusion"] = JsonRows(row.tolist() for row in found.confusion)
        return json_document(members)

    def table(self) -> Table:
        """A row a class, or one of all samples where there are no classes, or too many."""
        found, conditions = self.evaluation, self.conditions
        notes = [
            "; ".join([conditions.data, conditions.weights, *self._figures]),
            *self._remarks,
        ]
        if found.confusion is None:
            columns = (
                TableColumn("samples", "samples", "{:,}".format),
                TableColumn("loss", f"{conditions.loss} loss", three_digits),
                TableColumn("accuracy", "accuracy", percent),
                TableColumn("top5", "top-5", percent),
            )
            row = (found.samples, found.loss, found.accuracy, found.top5)
            return Table(columns, [row], title=self.graph.name, notes=notes)
        rows = [self._row(one) for one in self.classes]
        return Table(_CLASSES, rows, title=self.graph.name, notes=notes)

    @property
    def _remarks(self) -> Iterator[str]:
        """How samples were prepared, and what the loss takes the output for."""
        conditions, output = self.conditions, self.evaluation.output
        if not conditions.is_tokens:
            yield prepared_in_words(conditions.normalised_by, conditions.weights)
        if conditions.of_probabilities:
            yield (
                f"{output} gives probabilities, which cross_entropy takes for scores, as in training: it is "
                "not the mean of -log p. Leave the softmax out for that."
            )

    @property
    def _perplexity(self) -> float:
        return exp(min(self.evaluation.loss, 700))

    @property
    def _figures(self) -> list[str]:
        """The figures of all samples in words, the first one first."""
        found, conditions = self.evaluation, self.conditions
        loss = f"{conditions.loss} {found.loss:.4g}"
        if conditions.is_tokens:
            loss += f", perplexity {self._perplexity:.4g}"
        if found.accuracy is None:
            return [loss, counted(found.samples, "sample")]
        correct = round(found.accuracy * found.labels)
        facts = [f"accuracy {percent(found.accuracy)}", f"{correct:,} of {found.labels:,}"]
        facts += [f"top-5 {percent(found.top5)}"] if found.top5 is not None else []
        others = [name for name in self.graph.outputs if name != found.output]
        return [*facts, loss, *([f"output {found.output}"] if others else [])]

    def _row(self, one: "ClassFigures") -> tuple[object, ...]:
        other = None if one.confused_with is None else self.names[one.confused_with]
        shares = (one.precision, one.recall, one.f1)
        counts = (one.labels, one.predicted, one.correct)
        return (one.number, self.names[one.number], *counts, *shares, other, one.confused)

    def _class_dict(self, one: "ClassFigures") -> dict[str, Any]:
        columns = (column.name for column in _CLASSES)
        return dict(zip(columns, self._row(one), strict=True))
