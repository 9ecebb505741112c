"""Where an item stands: the names it sees, the tensor that comes in, the block around it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from netcalc.diagnostics import Span
from netcalc.graph.evaluation import Environment, value_of
from netcalc.graph.expansion import Row
from netcalc.graph.model import Ignored
from netcalc.graph.problems import Problems
from netcalc.spec import Item
from netcalc.tensor import TensorType


class Handle(NamedTuple):
    """A tensor by its full name; `type` None where a mistake keeps it from being known."""

    name: str
    type: TensorType | None
    span: Span


@dataclass(slots=True)
class Scope:
    """The body that is being walked: the top level, a use of a block, or a branch."""

    path: tuple[str, ...]
    names: Environment
    """What expressions see: the file's arguments, and the block's own."""
    previous: Handle | None
    """What an item without `from:` reads."""
    parent: "Scope | None" = None
    block: str = ""
    """The block that this is a use of."""
    declared: frozenset[str] = frozenset()
    """The names that stand in the text of this body, so that an automatic one never takes them."""
    ignored: tuple[Ignored, ...] = ()
    """The design rules silenced for this body and all in it."""
    trainable: bool = True
    """Whether the parameters in this body are trained, unless an item says otherwise."""
    used_at: Span | None = None
    """Where the innermost block around it was used."""
    counts: dict[str, Iterator[int]] = field(default_factory=dict)

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
        """`conv1`, `conv2`, ... where the last call for this kind left off."""
        numbers = self.counts.setdefault(kind, count(start))
        return (f"{kind}{number}" for number in numbers)


class Use(NamedTuple):
    """One use of an item: what it sees, its kind, and its name."""

    item: Item
    scope: Scope
    names: Environment
    kind: str
    path: tuple[str, ...]
    name: str
    """Empty for branches that were given none: what joins them is named by its kind."""
    row: Row = {}  # noqa: RUF012 (never changed)
    """What `repeat` and `each` give this use: options, where the kind has them."""
    ignored: tuple[Ignored, ...] = ()
    """The design rules silenced for it, here or around it."""
    trainable: bool = True
    """Whether its parameters are trained."""
    rows: int = 1
    """How often its item is used."""

    @property
    def full_name(self) -> str:
        return ".".join((*self.path, self.name)) if self.path else self.name


def declared_names(items: Iterable[Item], names: Environment) -> frozenset[str]:
    """The names that items are given, where they can be known before anything is read."""
    ignored = Problems()
    given = (value_of(value, names, ignored) for item in items if (value := item.value("name")) is not None)
    return frozenset(name for name in given if isinstance(name, str))
