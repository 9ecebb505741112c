"""The scope of an item: visible names, the incoming tensor, the enclosing block."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

from netcalc.diagnostics import Span
from netcalc.graph.evaluation import Environment, value_of
from netcalc.graph.model import Ignored
from netcalc.graph.problems import ElaborationProblems
from netcalc.graph.rows import Row
from netcalc.spec import Item
from netcalc.tensor import TensorType


class TensorRef(NamedTuple):
    """A tensor by its full name; `type` None where a mistake keeps it from being known."""

    name: str
    type: TensorType | None
    span: Span


class Scope:
    """A list of items that is elaborated: the top level, an instance of a block, or a branch."""

    def __init__(
        self,
        path: tuple[str, ...],
        names: Environment,
        previous: TensorRef | None,
        parent: "Scope | None" = None,
        block: str = "",
        declared: frozenset[str] = frozenset(),
        ignored: tuple[Ignored, ...] = (),
        trainable: bool = True,
        used_at: Span | None = None,
        init: str = "",
    ) -> None:
        self.path = path
        self.names = names
        """The variables of expressions: the file's arguments, and the block's own."""
        self.previous = previous
        """What an item without `from:` reads."""
        self.parent = parent
        self.block = block
        """The block of which this is an instance."""
        self.declared = declared
        """The names given in the text of these items; automatic names avoid them."""
        self.ignored = ignored
        """The design rules silenced for these items and all in them."""
        self.trainable = trainable
        """Whether the parameters in these items are trained, unless an item says otherwise."""
        self.used_at = used_at
        """Where the innermost block around it was used."""
        self.init = init
        """How the parameters in these items begin, unless an item or nothing says otherwise."""
        self._counts: dict[str, Iterator[int]] = {}

    def full(self, name: str) -> str:
        """The full name of what is called `name` here."""
        return ".".join((*self.path, name)) if self.path else name

    def outward(self) -> "Iterator[Scope]":
        """This scope and those around it, from the inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def numbered(self, kind: str, start: int = 1) -> Iterator[str]:
        """`conv1`, `conv2`, ... from where the last call for this kind stopped."""
        numbers = self._counts.setdefault(kind, count(start))
        return (f"{kind}{number}" for number in numbers)


class Instance(NamedTuple):
    """One instance of an item: its variables, its kind and its name."""

    item: Item
    scope: Scope
    names: Environment
    kind: str
    path: tuple[str, ...]
    name: str
    """Empty for unnamed branches: the layer that joins them is named by its kind."""
    row: Row = {}  # noqa: RUF012 (never changed)
    """The values of `repeat` and `each` for this instance: options, where the kind has them."""
    ignored: tuple[Ignored, ...] = ()
    """The design rules silenced for it, here or around it."""
    trainable: bool = True
    """Whether its parameters are trained."""
    rows: int = 1
    """The number of instances of its item."""
    init: str = ""
    """The initialisation that is stated for it, here or around it."""

    @property
    def full_name(self) -> str:
        return ".".join((*self.path, self.name)) if self.path else self.name

    @property
    def label(self) -> str:
        """How messages name it."""
        return self.name or self.kind

    def unknown_output(self) -> TensorRef:
        """Its output where a mistake keeps the type from being known."""
        return TensorRef(self.full_name, None, self.item.span)

    def inner_scope(
        self,
        items: Sequence[Item],
        path: tuple[str, ...],
        start: TensorRef | None,
        names: Environment,
        block: str = "",
    ) -> Scope:
        """The scope of the items inside it: those of a block or a branch, which first read `start`."""
        around = self.scope.used_at
        used_at = self.item.span._replace(via=around) if block else around
        declared = declared_names(items, names)
        return Scope(
            path, names, start, self.scope, block, declared, self.ignored, self.trainable, used_at, self.init
        )


def declared_names(items: Iterable[Item], names: Environment) -> frozenset[str]:
    """The names that items are given, where they can be known before anything is read."""
    unreported = ElaborationProblems()
    values = (item.value("name") for item in items)
    given = (value_of(value, names, unreported) for value in values if value is not None)
    return frozenset(name for name in given if isinstance(name, str))
