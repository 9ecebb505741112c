"""An item to its instances: `repeat`, `each`, `when` and the other keys that go with every item."""

from collections import ChainMap
from collections.abc import Iterator

from netcalc.graph.evaluation import Environment, expression_value, value_of
from netcalc.graph.limits import ignored
from netcalc.graph.model import Ignored
from netcalc.graph.naming import Namer
from netcalc.graph.problems import ElaborationProblems
from netcalc.graph.rows import MAX_LAYERS, Row, row_names, rows
from netcalc.graph.scope import Instance, Scope, TensorRef
from netcalc.graph.sharing import Sharing
from netcalc.graph.wiring import Tensors
from netcalc.layers.options import truth_help
from netcalc.spec import Evaluated, Expression, Item, Spec, Unknown

MAX_DEPTH = 30
"""The deepest nesting of blocks and branches."""

_NO_ROW: Row = {}


class Expander:
    """Gives the instances of items, and limits their number."""

    def __init__(
        self, spec: Spec, tensors: Tensors, namer: Namer, sharing: Sharing, problems: ElaborationProblems
    ) -> None:
        self.spec = spec
        self.tensors = tensors
        self.namer = namer
        self.sharing = sharing
        self.problems = problems
        self._counted = 0
        self._most = MAX_LAYERS + len(spec.items)

    def instances(self, item: Item, scope: Scope) -> Iterator[Instance]:
        """The instances of an item, one at a time: each may read what the one before it gives."""
        names = self._names(item, scope)
        found = rows(item, names, self.problems)
        base = self.namer.given(item, scope)
        self.count(1 if found is None else max(len(found), 1), item, scope)
        if found is None:
            self._leave_unknown(item, scope, base, {**names, **row_names(item)})
            return
        stacked = item.value("repeat") is not None or item.value("each") is not None
        is_there = False
        for number, row in enumerate(found):
            self.problems.spend(1, item.span)
            names = self._names(item, scope, row)
            wanted = self._is_wanted(item, names)
            if wanted is False:
                continue
            kind = self._kind(item, names)
            if wanted is None or kind is None:
                is_there = True
                self._leave_unknown(item, scope, base, names)
                continue
            if kind in self.spec.blocks:
                self._check_depth(item, scope)
            if base is not None and not is_there and self.namer.is_taken(item, base, scope):
                base = None
            is_there = True
            before, read = self._counted, self.tensors.peek_first(item, scope, names)
            yield self._instance(item, scope, names, kind, base, row, len(found))
            if read is not None and scope.previous is not None and read.type == scope.previous.type:
                self._look_ahead(item, scope, row, (self._counted - before) * (len(found) - 1 - number))
        if base is not None and is_there and stacked and scope.previous is not None:
            self.tensors.add(scope.full(base), scope.previous)
            self.sharing.remember_stack(scope.full(base), len(found))
        elif base is not None and not is_there:
            self._add_alias(item, base, scope)

    def count(self, instances: int, item: Item, scope: Scope) -> None:
        """Count instances of an item before any of them is made; raises TooMuchError beyond the limit."""
        self._counted += instances
        if self._counted > self._most:
            message = f"the spec expands to more than {MAX_LAYERS:,} layers beyond those it lists"
            self.problems.stop("E603", message, item.span._replace(via=scope.used_at))
        self.problems.spend(instances, item.span)

    def _instance(
        self,
        item: Item,
        scope: Scope,
        names: Environment,
        kind: str,
        base: str | None,
        row: Row,
        rows: int,
    ) -> Instance:
        path, name = scope.path, base
        if base is not None and row:
            path, name = (*path, base), str(row["index"])
        self.namer.check_length(path, name or "", item)
        name = name or self.namer.automatic(item, kind, scope)
        silenced = self._silenced(item, scope, names)
        is_trained, init = self._is_trained(item, scope, names), self._init(item, scope, names)
        return Instance(item, scope, names, kind, path, name, row, silenced, is_trained, rows, init)

    def _look_ahead(self, item: Item, scope: Scope, row: Row, expected: int) -> None:
        """Stop in the middle of a stack that is going to exceed the limit.

        Where an instance reads and gives the same type, the others expand to as many layers as it did,
        unless they differ by their row.
        """
        if self._counted + expected > self._most and row.keys() <= {"index"} and "index" not in item.names:
            self.count(expected, item, scope)

    def _names(self, item: Item, scope: Scope, row: Row = _NO_ROW) -> Environment:
        """What the expressions of an item see, for one of its instances."""
        own: dict[str, Evaluated | Unknown] = dict(row)
        names = ChainMap(own, scope.names)  # type: ignore[arg-type]  # only the first of them is written to
        own.update(self.tensors.incoming(item, scope, names))
        return names

    def _silenced(self, item: Item, scope: Scope, names: Environment) -> tuple[Ignored, ...]:
        """The design rules silenced by an item and by what is around it."""
        value = item.value("ignore")
        return scope.ignored if value is None else (*scope.ignored, *ignored(value, names, self.problems))

    def _is_trained(self, item: Item, scope: Scope, names: Environment) -> bool:
        """The value of `trainable`, here or around it."""
        value = item.value("trainable")
        found = scope.trainable if value is None else value_of(value, names, self.problems)
        if value is not None and not isinstance(found, bool | Unknown):
            self.problems.report("E404", "trainable: is true or false", value.span, help=truth_help(found))
        return found is not False

    def _init(self, item: Item, scope: Scope, names: Environment) -> str:
        """The value of `init`, here or around it."""
        value = item.value("init")
        if value is None:
            return scope.init
        from netcalc.graph.initialisation import scheme_of  # few specs have one

        return scheme_of(value, names, self.problems)

    def _is_wanted(self, item: Item, names: Environment) -> bool | None:
        """The value of `when`; None where it cannot be known."""
        when = item.value("when")
        if when is None:
            return True
        wanted = value_of(when, names, self.problems)
        if isinstance(wanted, bool):
            return wanted
        if not isinstance(wanted, Unknown):
            self.problems.report("E404", "when: is true or false", when.span, help=truth_help(wanted))
        return None

    def _kind(self, item: Item, names: Environment) -> str | None:
        """The kind of an item, which an expression may choose; None where it cannot be known."""
        if not isinstance(item.kind, Expression):
            return item.kind
        kind = expression_value(item.kind, item.span, names, self.problems)
        if isinstance(kind, str):
            return kind
        if not isinstance(kind, Unknown):
            self.problems.report("E401", "a kind is the name of a layer or a block", item.span)
        return None

    def _check_depth(self, item: Item, scope: Scope) -> None:
        if len(scope.path) > MAX_DEPTH:
            chain = " in ".join(dict.fromkeys(around.block for around in scope.outward() if around.block))
            message = f"blocks stand more than {MAX_DEPTH} deep in one another: {chain}"
            help = "a block that uses itself needs a when: that ends it"
            self.problems.stop("E604", message, item.span._replace(via=scope.used_at), help)

    def _add_alias(self, item: Item, name: str, scope: Scope) -> None:
        """Make the name of an omitted item an alias of the one tensor that it would have read."""
        read = self.tensors.peek_only(item, scope, self._names(item, scope))
        if read is not None:
            self.tensors.add_alias(scope.full(name), read)

    def _leave_unknown(self, item: Item, scope: Scope, name: str | None, names: Environment) -> None:
        """Let an item that cannot be expanded give an output of unknown type.

        Its inputs are looked up nevertheless: an unknown name in `from:` is a mistake of its own.
        """
        self.problems.unknown_at = item.span
        if not self.tensors.read_by(Instance(item, scope, names, "", scope.path, name or "")):
            self.problems.report("E505", "this reads 1 input or more, here 0", item.span)
        scope.previous = TensorRef(name or "", None, item.span)
        if name is not None:
            self.tensors.add(scope.full(name), scope.previous)
