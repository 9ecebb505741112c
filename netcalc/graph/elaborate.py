"""A Spec to a Graph: items are walked in order with the incoming tensors known.

Each item is expanded, evaluated, bound to a layer, wired to what it reads, and inferred; blocks and
branches are walked the same way in a scope of their own. A mistake makes what depends on it unknown,
and nothing unknown is complained of again: all independent mistakes come out of one run, without
their echoes.
"""

import re
from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from netcalc.diagnostics import Diagnostic, GraphError, Note, Span, SpecError
from netcalc.graph.binding import block_values, layer_type, option_values
from netcalc.graph.branching import CONSTRUCTS, Parallel, Residual, join_of, share_of
from netcalc.graph.building import Builder
from netcalc.graph.evaluation import Environment, expression_value, value_of
from netcalc.graph.expansion import MAX_LAYERS, Row, row_names, rows
from netcalc.graph.header import arguments, expectations, inputs, preprocessing
from netcalc.graph.judging import budget, ignored
from netcalc.graph.model import Graph, Ignored
from netcalc.graph.problems import Problems, TooMuchError
from netcalc.graph.scope import Handle, Scope, Use, declared_names
from netcalc.graph.sharing import Made, Sharing, Values
from netcalc.graph.wiring import Tensors, shape_names
from netcalc.layers import LAYERS
from netcalc.spec import (
    BRANCH_EXAMPLES,
    Block,
    Evaluated,
    Expression,
    InputOverride,
    Item,
    Setting,
    Spec,
    Unknown,
)
from netcalc.spec import Sequence as Listed
from netcalc.spec.items import LAYER_NAME

MAX_DEPTH = 30
"""How deep blocks and branches may stand in one another."""

MAX_NAME = 500
"""How long a layer's full name may be."""

_NO_ROW: Row = {}

_NAME = re.compile(LAYER_NAME)


def elaborate(spec: Spec, settings: Sequence[Setting] = (), overrides: Sequence[InputOverride] = ()) -> Graph:
    """The graph that a spec describes, with arguments and input sizes set from outside.

    Raises SpecError or GraphError with every independent mistake that was found.
    """
    problems = Problems(spec.problems)
    try:
        return _Elaborator(spec, settings, overrides, problems).graph()
    except TooMuchError:
        raise GraphError(_by_place(problems)) from None


class _Elaborator:
    def __init__(
        self,
        spec: Spec,
        settings: Sequence[Setting],
        overrides: Sequence[InputOverride],
        problems: Problems,
    ) -> None:
        self.spec = spec
        self.problems = problems
        self.arguments = arguments(spec, settings, self.problems)
        self.inputs = inputs(spec, overrides, self.arguments, self.problems)
        self.tensors = Tensors(self.problems)
        self.builder = Builder(self.tensors, self.problems)
        self.sharing = Sharing(spec, self.tensors, self.builder, self.problems)
        self.uses = 0
        self.most_uses = MAX_LAYERS + len(spec.items)
        self.branches: dict[tuple[str, ...], int] = {}
        """The number from which on a branch of that name may still be free."""
        self.lost: Span | None = None
        """Where a layer could not be made, the last time."""

    def graph(self) -> Graph:
        handles = [Handle(*given) for given in self.inputs]
        for handle in handles:
            self.tensors.add(handle.name, handle)
        declared = declared_names(self.spec.items, self.arguments)
        top = Scope((), self.arguments, handles[0] if len(handles) == 1 else None, declared=declared)
        self._walk(self.spec.items, top)
        outputs = self._outputs(top)
        expect = expectations(self.spec, self.arguments, self.problems)
        preprocess = preprocessing(self.spec, self.arguments, self.problems)
        limits = budget(self.spec, self.arguments, self.problems)
        silenced = [
            rule for value in self.spec.ignore for rule in ignored(value, self.arguments, self.problems)
        ]
        if self.lost is not None and not self.problems:
            message = "the expressions of this layer ask for what is not known before it is expanded"
            self._report("E302", message, self.lost, "give in_channels or in_shape as an argument instead")
        if not self.builder.nodes and not self.problems and self.spec.items:
            self._report("E202", "no layer is left: each when: is false", self.spec.items[0].span)
        if self.problems:
            raise (SpecError if self.spec.problems else GraphError)(_by_place(self.problems))
        return Graph(
            name=self.spec.name,
            inputs=tuple(given.as_input() for given in self.inputs),
            nodes=tuple(self.builder.nodes.values()),
            outputs=outputs,
            citation=self.spec.citation,
            year=self.spec.year,
            expect=expect,
            preprocess=preprocess,
            expected_at={entry.key: entry.value.span for entry in self.spec.expect},
            budget=limits,
            ignored=tuple(silenced),
        )

    def _walk(self, items: Sequence[Item], scope: Scope) -> None:
        for item in items:
            for use in self._uses(item, scope):
                scope.previous = self._place(use)

    def _place(self, use: Use) -> Handle:
        """What one use of an item gives: a layer's output, a block's, or that of joined branches."""
        share, owner, start = use.item.value("share"), None, len(self.builder.laid)
        is_layer = use.kind not in CONSTRUCTS and use.kind not in self.spec.blocks
        handle = None
        if share is not None:
            owner = self.sharing.owner(use, share, is_layer)
        if share is None or (owner is not None and owner.is_known):
            if use.kind in CONSTRUCTS:
                values, handle = self._branches(use, owner)
            elif use.kind in self.spec.blocks:
                values, handle = self._block(use, self.spec.blocks[use.kind], owner)
            else:
                values, handle = self._layer(use, owner)
            self.sharing.remember(use, values, handle, is_layer, start, owner)
            if handle.type is not None:
                self._settle(use, owner, start)
        handle = handle or _unknown(use)
        if handle.type is None:
            self.lost = use.item.span
        if use.name:
            self.tensors.add(use.full_name, handle)
        return handle

    def _settle(self, use: Use, owner: Made | None, start: int) -> None:
        """See to the parameters of a use whose layers are those from `start` on."""
        share, trainable = use.item.value("share"), use.item.value("trainable")
        if share is not None and owner is not None:
            self.sharing.join(use, owner, start, share.span)
            self.sharing.claim(use, "share", start)
        if trainable is not None:
            self.sharing.claim(use, "trainable", start)
            learned = [name for name in self.builder.laid[start:] if self.builder.has_parameters(name)]
            owners = {self.builder.owner(name) for name in learned}
            if owner is not None or (owners and None not in owners):
                where = owner.name if owner is not None else ", ".join(sorted(filter(None, owners))[:3])
                message = f"whether shared parameters are trained is said once, at {where}"
                self._report("E508", message, trainable.span)
            elif not learned:
                self._report("E404", f"{use.name or use.kind} has no parameters to train", trainable.span)

    # which uses an item has, and their names

    def _uses(self, item: Item, scope: Scope) -> Iterator[Use]:
        found = rows(item, self._names(item, scope), self.problems)
        base = self._given_name(item, scope)
        self._count(1 if found is None else max(len(found), 1), item, scope)
        if found is None:
            self._lose(item, scope, base, {**self._names(item, scope), **row_names(item)})
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
                self._lose(item, scope, base, names)
                continue
            if kind in self.spec.blocks:
                self._check_depth(item, scope)
            if base is not None and not is_there and self._is_taken(item, base, scope):
                base = None
            is_there = True
            before, read = self.uses, self.tensors.first_read(item, scope, names)
            path, name = scope.path, base
            if stacked and base is not None:
                path, name = (*path, base), str(row["index"])
            self._check_length(path, name or "", item)
            yield Use(
                item, scope, names, kind, path, name or self._automatic_name(item, kind, scope), row,
                self._silenced(item, scope, names), self._is_trained(item, scope, names), len(found),
            )  # fmt: skip
            if read is not None and scope.previous is not None and read.type == scope.previous.type:
                self._look_ahead(item, scope, row, (self.uses - before) * (len(found) - 1 - number))
        if base is not None and is_there and stacked and scope.previous is not None:
            self.tensors.add(scope.full(base), scope.previous)
            self.sharing.remember_stack(scope.full(base), len(found))
        elif base is not None and not is_there:
            self._stand_in(item, base, scope)

    def _look_ahead(self, item: Item, scope: Scope, row: Row, expected: int) -> None:
        """Refuse what is left of a stack as soon as it is known to be too much.

        After one that reads and gives the same type, the others hold as much as it did, unless they
        differ by their row.
        """
        if self.uses + expected > self.most_uses and row.keys() <= {"index"} and "index" not in item.names:
            self._count(expected, item, scope)

    def _names(self, item: Item, scope: Scope, row: Row = _NO_ROW) -> Environment:
        """What the expressions of an item see, for one of its uses."""
        own: dict[str, Evaluated | Unknown] = dict(row)
        names = ChainMap(own, scope.names)  # type: ignore[arg-type]  # only the first of them is written to
        own.update(self.tensors.incoming(item, scope, names))
        return names

    def _silenced(self, item: Item, scope: Scope, names: Environment) -> tuple[Ignored, ...]:
        """The design rules silenced by an item and by what is around it."""
        value = item.value("ignore")
        return scope.ignored if value is None else (*scope.ignored, *ignored(value, names, self.problems))

    def _is_trained(self, item: Item, scope: Scope, names: Environment) -> bool:
        """What `trainable` says, here or around it."""
        value = item.value("trainable")
        found = scope.trainable if value is None else value_of(value, names, self.problems)
        if value is not None and not isinstance(found, bool | Unknown):
            self._report("E404", "trainable: is true or false", value.span)
        return found is not False

    def _stand_in(self, item: Item, name: str, scope: Scope) -> None:
        """Let the name of an item that is left out mean the one tensor that it would have read."""
        read = self.tensors.only_read(item, scope, self._names(item, scope))
        if read is not None:
            self.tensors.stand_in(scope.full(name), read)

    def _is_wanted(self, item: Item, names: Environment) -> bool | None:
        """What `when` says; None where it cannot be known."""
        when = item.value("when")
        if when is None:
            return True
        wanted = value_of(when, names, self.problems)
        if isinstance(wanted, bool):
            return wanted
        if not isinstance(wanted, Unknown):
            self._report("E404", "when: is true or false", when.span)
        return None

    def _kind(self, item: Item, names: Environment) -> str | None:
        """The kind of an item, which an expression may choose; None where it cannot be known."""
        if not isinstance(item.kind, Expression):
            return item.kind
        kind = expression_value(item.kind, item.span, names, self.problems)
        if isinstance(kind, str):
            return kind
        if not isinstance(kind, Unknown):
            self._report("E401", "a kind is the name of a layer or a block", item.span)
        return None

    def _count(self, uses: int, item: Item, scope: Scope) -> None:
        """Count the uses of an item before any of them is made; raises TooMuchError beyond the limit."""
        self.uses += uses
        if self.uses > self.most_uses:
            message = f"the spec expands to more than {MAX_LAYERS:,} layers beyond those it lists"
            self.problems.stop(Diagnostic("E603", message, item.span._replace(via=scope.used_at)))
        self.problems.spend(uses, item.span)

    def _check_depth(self, item: Item, scope: Scope) -> None:
        if len(scope.path) > MAX_DEPTH:
            chain = " in ".join(dict.fromkeys(s.block for s in scope.outward() if s.block))
            message = f"blocks stand more than {MAX_DEPTH} deep in one another: {chain}"
            help = "a block that uses itself needs a when: that ends it"
            span = item.span._replace(via=scope.used_at)
            self.problems.stop(Diagnostic("E604", message, span, help=help))

    def _check_length(self, path: tuple[str, ...], name: str, item: Item) -> None:
        if sum(map(len, path)) + len(path) + len(name) > MAX_NAME:
            message = f"a layer's name with the names around it is longer than {MAX_NAME} characters"
            self.problems.stop(Diagnostic("E504", message, item.span))

    def _automatic_name(self, item: Item, kind: str, scope: Scope) -> str:
        """`conv1` or `stage2` by kind and count; a block that an expression chose is just numbered.

        Branches get none: what joins them is named by its own kind.
        """
        if kind in CONSTRUCTS:
            return ""
        if isinstance(item.kind, Expression) and kind in self.spec.blocks:
            return self._free_name(scope.numbered("", start=0), scope)
        return self._free_name(scope.numbered(kind), scope)

    def _free_name(self, candidates: Iterator[str], scope: Scope) -> str:
        return next(name for name in candidates if self.tensors.is_free(name, scope))

    def _given_name(self, item: Item, scope: Scope) -> str | None:
        """The name an item is given; None where it has none, or a wrong one."""
        value = item.value("name")
        name = None if value is None else value_of(value, scope.names, self.problems)
        if value is None or name is None or isinstance(name, Unknown):
            return None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            help = "write letters, digits, - and _; quote a name that reads as a number"
            self._report("E504", "this is no name for a layer", value.span, help)
            return None
        return name

    def _is_taken(self, item: Item, name: str, scope: Scope) -> bool:
        """Whether the name of an item that is there is that of another one, which is reported."""
        value, full_name = item.value("name"), scope.full(name)
        if value is None or not self.tensors.is_taken(full_name):
            return False
        notes = (Note("the name is taken here", self.tensors[full_name].span),)
        self.problems.append(Diagnostic("E504", f"the name {name!r} is taken", value.span, notes))
        return True

    # what a use stands for

    def _layer(self, use: Use, owner: Made | None) -> tuple[Values | None, Handle]:
        layer_class = layer_type(use.kind, use.item.span, self.spec.blocks, self.problems)
        reads = self._reads(use)
        if layer_class is None:
            self.builder.laid.append(use.full_name)
            return None, _unknown(use)
        values = option_values(layer_class, use, _inherited(use, owner), self.problems)
        return values, self.builder.build(use, layer_class, values, reads)

    def _block(self, use: Use, block: Block, owner: Made | None) -> tuple[Values | None, Handle]:
        """A block's items in a scope of their own, which sees its arguments and the file's."""
        handle = self._only_read(use)
        outer = ChainMap(shape_names(handle), self.arguments)
        values = block_values(block, use, outer, _inherited(use, owner), self.problems)
        names = ChainMap(values, self.arguments)
        before = len(self.problems)
        end = self._walk_apart(block.items, use, (*use.path, use.name), handle, names, block.name)
        inside = self.problems[before:]
        self.problems[before:] = [replace(p, span=_used_at(p.span, use.item.span)) for p in inside]
        return values, end

    def _branches(self, use: Use, owner: Made | None) -> tuple[Values | None, Handle]:
        """Each branch in a scope of its own, and the layer that joins what they give."""
        values = option_values(CONSTRUCTS[use.kind], use, _inherited(use, owner), self.problems)
        handle = self._only_read(use)
        if values is None:
            return None, _unknown(use)
        construct = CONSTRUCTS[use.kind](**values)
        bodies, names = use.item.bodies, use.names
        self._count(len(use.item.bodies), use.item, use.scope)
        if owner is not None and not bodies:
            bodies, names = owner.bodies, owner.names
        if isinstance(construct, Residual) and not construct.connect:
            bodies = tuple(body for body in bodies if body.name == "main")
        if not bodies:
            self._report("E403", f"{use.kind} has no branches", use.item.span, BRANCH_EXAMPLES[use.kind])
            return None, _unknown(use)
        outer = (*use.path, use.name) if use.name else use.path
        ends = []
        for number, body in enumerate(bodies):
            start = handle
            if isinstance(construct, Parallel) and construct.split:
                start = self._share(use, handle, number, len(bodies))
            path = (*outer, self._branch_name(body.name, outer))
            ends.append(self._walk_apart(body.items, use, path, start, names))
        if isinstance(construct, Residual) and construct.connect and len(ends) == 1:
            ends.append(handle or _unknown(use))
        if len(ends) == 1:
            return values, ends[0]
        kind, options = join_of(construct)
        name = use.name or self._free_name(use.scope.numbered(kind), use.scope)
        joined = use._replace(kind=kind, name=name)
        end = self.builder.build(joined, LAYERS[kind], options, ends)
        self.tensors.add(joined.full_name, end)
        return values, end

    def _share(self, use: Use, handle: Handle | None, number: int, branches: int) -> Handle:
        """A branch's own share of the channels."""
        if handle is None or handle.type is None:
            return _unknown(use)
        channels = handle.type.shape[0] if handle.type.shape else 1
        if channels % branches:
            if number == 0:
                message = f"{channels} channels cannot be dealt out to {branches} branches"
                self._report("E601", message, use.item.span)
            return _unknown(use)
        name = self._free_name(use.scope.numbered("slice"), use.scope)
        piece = use._replace(kind="slice", path=use.scope.path, name=name)
        share = self.builder.build(piece, LAYERS["slice"], share_of(channels, number, branches), [handle])
        self.tensors.add(piece.full_name, share)
        return share

    def _branch_name(self, name: str, outer: tuple[str, ...]) -> str:
        """A branch's own name, with a number where another one beside it has it already."""
        for number in count(self.branches.get((*outer, name), 1)):
            free = name if number == 1 else f"{name}{number}"
            if ".".join((*outer, free, "input")) not in self.tensors:
                self.branches[*outer, name] = number + 1
                return free
        raise AssertionError("numbers do not end")

    def _walk_apart(
        self,
        items: Sequence[Item],
        use: Use,
        path: tuple[str, ...],
        start: Handle | None,
        names: Environment,
        block: str = "",
    ) -> Handle:
        """What a body gives; nothing in it gives what comes in."""
        around = use.scope.used_at
        used_at = use.item.span._replace(via=around) if block else around
        declared = declared_names(items, names)
        scope = Scope(path, names, start, use.scope, block, declared, use.ignored, use.trainable, used_at)
        known = start or _unknown(use)
        self.tensors.add(scope.full("input"), known)
        self._walk(items, scope)
        return scope.previous or known

    # what a use reads

    def _reads(self, use: Use) -> list[Handle | None]:
        if use.scope.previous is None and use.item.value("from") is None and len(self.inputs) > 1:
            choices = ", ".join(given.name for given in self.inputs)
            message = f"the spec has {len(self.inputs)} inputs: say which one is read"
            self._report("E506", message, use.item.span, f"write from: with one or more of {choices}")
        return self.tensors.read_by(use)

    def _only_read(self, use: Use) -> Handle | None:
        """What a block or branches read, which is one tensor."""
        reads = self._reads(use)
        if len(reads) == 1:
            return reads[0]
        what = use.kind if use.kind in CONSTRUCTS else f"the block {use.kind}"
        self._report("E505", f"{what} reads 1 input, here {len(reads)}", use.item.span)
        return None

    # the whole

    def _outputs(self, top: Scope) -> tuple[str, ...]:
        """The names in `outputs:`, or the last layer's."""
        value = self.spec.outputs
        if value is None:
            return (top.previous.name,) if top.previous and self.builder.nodes else ()
        parts = value.items if isinstance(value, Listed) else (value,)
        if not parts:
            self._report("E507", "outputs: names no layer", value.span)
        found = [name for part in parts if (name := self.tensors.resolve(part, top, self.arguments))]
        there = list(filter(self.tensors.is_taken, found))  # what is left out gives no output of its own
        return tuple(dict.fromkeys(self.tensors[name].name for name in there or found))

    def _lose(self, item: Item, scope: Scope, name: str | None, names: Environment) -> None:
        """Put something unknown where an item's output would be.

        What it reads is looked up all the same: `when: $(in_channels > 1)` is unknown without a word where
        nothing comes in.
        """
        self.lost = item.span
        if not self._reads(Use(item, scope, names, "", scope.path, name or "")):
            self._report("E505", "this reads 1 input or more, here 0", item.span)
        scope.previous = Handle(name or "", None, item.span)
        if name is not None:
            self.tensors.add(scope.full(name), scope.previous)

    def _report(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.problems.append(Diagnostic(code, message, span, help=help))


def _inherited(use: Use, owner: Made | None) -> Values:
    """What a use takes over from the one that it shares with: its options, where they are of one kind."""
    return owner.values if owner is not None and owner.kind == use.kind else {}


def _unknown(use: Use) -> Handle:
    return Handle(use.full_name, None, use.item.span)


def _used_at(span: Span | None, place: Span) -> Span | None:
    """A span with where the outermost block around it was used."""
    if span is None:
        return None
    return span._replace(via=place if span.via is None else _used_at(span.via, place))


def _by_place(problems: Problems) -> list[Diagnostic]:
    """In the order of the text; what is wrong inside a block is told for the first of its uses."""
    first: dict[object, Diagnostic] = {}
    for problem in problems:
        place = problem.span._replace(via=None) if problem.span else None
        first.setdefault((problem.code, problem.message, place), problem)
    return sorted(first.values(), key=lambda problem: problem.span.start if problem.span else 0)
