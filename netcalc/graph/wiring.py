"""Tensors by name, and what an item reads: names resolve from the inside out."""

from itertools import chain

from netcalc.diagnostics import Diagnostic, format_value, nearest
from netcalc.graph.evaluation import Environment, value_of
from netcalc.graph.problems import ElaborationProblems
from netcalc.graph.scope import Instance, Scope, TensorRef
from netcalc.spec import UNKNOWN, Evaluated, Item, Unknown, Value, YamlSequence
from netcalc.spec.items import OTHER_ITEM_KEYS

_PREVIOUS = ("previous", "prev", "last", "above", "x")
"""What the item above is called elsewhere."""


class Tensors:
    """Every tensor that can be read so far, by full name; a block's name is its output's too."""

    def __init__(self, inputs: list[TensorRef], problems: ElaborationProblems) -> None:
        self._inputs = inputs
        self._refs = {ref.name: ref for ref in inputs}
        self._aliases: set[str] = set()
        self.problems = problems

    def __contains__(self, full_name: str) -> bool:
        return full_name in self._refs

    def is_taken(self, full_name: str) -> bool:
        """Whether a tensor has the name; an alias does not count."""
        return full_name in self._refs and full_name not in self._aliases

    def __getitem__(self, full_name: str) -> TensorRef:
        return self._refs[full_name]

    def add(self, full_name: str, ref: TensorRef) -> None:
        """Register a tensor under a name that is still free."""
        if full_name in self._aliases:
            self._aliases.remove(full_name)
            self._refs[full_name] = ref
        else:
            self._refs.setdefault(full_name, ref)

    def add_alias(self, full_name: str, ref: TensorRef) -> None:
        """Make an omitted layer's name an alias of its input, unless another layer takes the name."""
        if full_name not in self._refs:
            self._aliases.add(full_name)
            self._refs[full_name] = ref

    def is_free(self, name: str, scope: Scope) -> bool:
        """Whether an automatic name is unused in a scope."""
        return name not in scope.declared and scope.full(name) not in self._refs

    def read_by(self, instance: Instance) -> list[TensorRef | None]:
        """What an instance reads; None for a tensor that a mistake keeps from being known."""
        sources = instance.item.value("from")
        if sources is None:
            is_named = any(OTHER_ITEM_KEYS.get(option.key) == "from" for option in instance.item.options)
            if instance.scope.previous is None and len(self._inputs) > 1 and not is_named:
                self._report_choice(instance)
            return [instance.scope.previous]
        parts = sources.items if isinstance(sources, YamlSequence) else (sources,)
        self.problems.spend(len(parts), sources.span)
        return [self.look_up(part, instance.scope, instance.names, instance.full_name) for part in parts]

    def read_one(self, instance: Instance, what: str) -> TensorRef | None:
        """The one tensor that a block or branches read; `what` names them in a message."""
        reads = self.read_by(instance)
        if len(reads) == 1:
            return reads[0]
        message = f"{what} reads 1 input, here {len(reads)}"
        self.problems.report("E505", message, instance.item.span)
        return None

    def look_up(
        self, value: Value, scope: Scope, names: Environment, reader: str | None = None
    ) -> TensorRef | None:
        """The tensor that a value names; None where there is none, with the reason in `problems`."""
        full_name = self.resolve(value, scope, names, reader)
        return None if full_name is None else self._refs[full_name]

    def resolve(
        self, value: Value, scope: Scope, names: Environment, reader: str | None = None
    ) -> str | None:
        """The full name that a value refers to; None where there is none, with the reason in `problems`."""
        name = value_of(value, names, self.problems)
        if isinstance(name, Unknown):
            return None
        if not isinstance(name, str):
            message = (
                f"here stands the name of a layer or an input, or a list of them, not {format_value(name)}"
            )
            help = _above(scope) if isinstance(name, int) and name < 0 else None
            self.problems.report("E404", message, value.span, help=help)
            return None
        found = self._find(name, scope)
        if found is None:
            self.problems.add(self._missing(name, value, scope, reader))
        return found

    def incoming(self, item: Item, scope: Scope, names: Environment) -> dict[str, Evaluated | Unknown]:
        """The names that describe the first tensor that an item reads, for its expressions."""
        return shape_names(self.peek_first(item, scope, names))

    def peek_only(self, item: Item, scope: Scope, names: Environment) -> TensorRef | None:
        """The tensor that an item reads, where it is one and known; nothing is reported."""
        sources = item.value("from")
        if isinstance(sources, YamlSequence) and len(sources.items) != 1:
            return None
        return self.peek_first(item, scope, names)

    def peek_first(self, item: Item, scope: Scope, names: Environment) -> TensorRef | None:
        """The first tensor that an item reads, where it is known; nothing is reported."""
        sources = item.value("from")
        if sources is None:
            return scope.previous
        first = sources.items[:1] if isinstance(sources, YamlSequence) else (sources,)
        found = next(
            (self._find(str(value_of(part, names, ElaborationProblems())), scope) for part in first), None
        )
        return None if found is None else self._refs[found]

    def _report_choice(self, instance: Instance) -> None:
        choices = ", ".join(ref.name for ref in self._inputs)
        message = f"the spec has {len(self._inputs)} inputs: say which one is read"
        help = f"write from: with one or more of {choices}"
        self.problems.report("E506", message, instance.item.span, help=help)

    def _find(self, name: str, scope: Scope) -> str | None:
        for around in scope.outward():
            if (full := around.full(name)) in self._refs:
                return full
        return None

    def _missing(self, name: str, value: Value, scope: Scope, reader: str | None) -> Diagnostic:
        if scope.full(name) == reader:
            return Diagnostic("E503", f"{name} reads itself: a network has no cycles", value.span)
        if any(name in around.declared for around in scope.outward()):
            message = f"{name} stands further down: a layer reads only what is above it"
            return Diagnostic("E502", message, value.span, help="move it above, or read another layer")
        declared = chain.from_iterable(around.declared for around in scope.outward())
        match = nearest(name, chain(declared, self._refs))
        help = f"did you mean {match}?" if match else "give the layer a name: and use that"
        if name in _PREVIOUS:
            help = _above(scope) or help
        return Diagnostic("E501", f"there is no layer or input {name!r}", value.span, help=help)


def _above(scope: Scope) -> str | None:
    """How the item above is named."""
    if scope.previous is None:
        return None
    return f"layers are read by name: the one above is {scope.previous.name.rpartition('.')[2]}"


def shape_names(ref: TensorRef | None) -> dict[str, Evaluated | Unknown]:
    """`in_channels` and `in_shape` of a tensor."""
    if ref is None or ref.type is None:
        return {"in_channels": UNKNOWN, "in_shape": UNKNOWN}
    shape = ref.type.shape
    return {"in_channels": shape[0] if shape else 1, "in_shape": shape}
