"""The names of layers, blocks and branches: given or automatic, unique and of limited length."""

import re
from itertools import count

from netcalc.diagnostics import Note
from netcalc.graph.constructs import CONSTRUCTS
from netcalc.graph.evaluation import value_of
from netcalc.graph.problems import ElaborationProblems
from netcalc.graph.scope import Scope
from netcalc.graph.wiring import Tensors
from netcalc.spec import Expression, Item, Spec, Unknown
from netcalc.spec.items import LAYER_NAME

MAX_NAME = 500
"""The most characters of a layer's full name."""


class Namer:
    """Names what is elaborated; every name of a scope is given once."""

    def __init__(self, spec: Spec, tensors: Tensors, problems: ElaborationProblems) -> None:
        self.spec = spec
        self.tensors = tensors
        self.problems = problems
        self._next_branch: dict[tuple[str, ...], int] = {}
        """The lowest number that may be free for a branch of that name."""

    def given(self, item: Item, scope: Scope) -> str | None:
        """The name an item is given; None where it has none, or a wrong one."""
        value = item.value("name")
        name = None if value is None else value_of(value, scope.names, self.problems)
        if value is None or name is None or isinstance(name, Unknown):
            return None
        if not isinstance(name, str) or not re.fullmatch(LAYER_NAME, name):
            help = "write letters, digits, - and _; quote a name that reads as a number"
            self.problems.report("E504", "this is no name for a layer", value.span, help=help)
            return None
        return name

    def is_taken(self, item: Item, name: str, scope: Scope) -> bool:
        """Whether something else has the name of an item already, which is reported."""
        value, full_name = item.value("name"), scope.full(name)
        if value is None or not self.tensors.is_taken(full_name):
            return False
        notes = (Note("the name is taken here", self.tensors[full_name].span),)
        self.problems.report("E504", f"the name {name!r} is taken", value.span, notes=notes)
        return True

    def check_length(self, path: tuple[str, ...], name: str, item: Item) -> None:
        """Stop where a full name is too long."""
        if sum(map(len, path)) + len(path) + len(name) > MAX_NAME:
            message = f"a layer's name with the names around it is longer than {MAX_NAME} characters"
            self.problems.stop("E504", message, item.span)

    def automatic(self, item: Item, kind: str, scope: Scope) -> str:
        """`conv1` or `stage2` by kind and count; a block that an expression chose is only numbered.

        Branches have no name: the layer that joins them is named by its own kind.
        """
        if kind in CONSTRUCTS:
            return ""
        if isinstance(item.kind, Expression) and kind in self.spec.blocks:
            return self.numbered("", scope, start=0)
        return self.numbered(kind, scope)

    def numbered(self, kind: str, scope: Scope, start: int = 1) -> str:
        """The next free name of a kind in a scope."""
        return next(name for name in scope.numbered(kind, start) if self.tensors.is_free(name, scope))

    def branch(self, name: str, outer: tuple[str, ...]) -> str:
        """The name of a branch, with a number where another branch at that path has the name already."""
        for number in count(self._next_branch.get((*outer, name), 1)):
            free = name if number == 1 else f"{name}{number}"
            if ".".join((*outer, free, "input")) not in self.tensors:
                self._next_branch[*outer, name] = number + 1
                return free
        raise AssertionError("numbers do not end")
