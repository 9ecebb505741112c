"""A Spec to a Graph: items are walked in order with the incoming tensors known.

Each item is expanded, evaluated, bound to a layer, wired to what it reads, and inferred. A mistake
makes what depends on it unknown, and nothing unknown is complained of again: all independent
mistakes come out of one run, without their echoes.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from netcalc.diagnostics import Diagnostic, GraphError, Note, Span, SpecError, nearest
from netcalc.graph.binding import layer_type, option_span, option_values
from netcalc.graph.evaluation import Environment, value_of, whole_number
from netcalc.graph.header import arguments, expectations, inputs
from netcalc.graph.model import Graph, Node
from netcalc.layers import Layer, LayerError, ParamSpec
from netcalc.spec import UNKNOWN, Evaluated, InputOverride, Item, Mapping, Setting, Spec, Unknown, Value
from netcalc.spec import Sequence as Listed
from netcalc.tensor import MAX_ELEMENTS, TensorType

MAX_LAYERS = 200_000
"""The most layers a spec may expand to."""

_NAME = re.compile(r"[^\s.,:=\[\]{}$\"']+")


class Handle(NamedTuple):
    """A tensor by its full name; `type` None where a mistake keeps it from being known."""

    name: str
    type: TensorType | None
    span: Span


class Use(NamedTuple):
    """One use of an item: its arguments, and the blocks and the name it gets."""

    item: Item
    names: Environment
    path: tuple[str, ...]
    name: str
    span: Span


def elaborate(spec: Spec, settings: Sequence[Setting] = (), overrides: Sequence[InputOverride] = ()) -> Graph:
    """The graph that a spec describes, with arguments and input sizes set from outside.

    Raises SpecError or GraphError with every independent mistake that was found.
    """
    return _Elaborator(spec, settings, overrides).graph()


class _Elaborator:
    def __init__(self, spec: Spec, settings: Sequence[Setting], overrides: Sequence[InputOverride]) -> None:
        self.spec = spec
        self.problems: list[Diagnostic] = list(spec.problems)
        self.names = arguments(spec, settings, self.problems)
        self.inputs = inputs(spec, overrides, self.names, self.problems)
        self.tensors = {given.name: Handle(*given) for given in self.inputs}
        self.nodes: list[Node] = []
        self.counts: dict[str, Iterator[int]] = {}
        self.given_names = self._given_names()
        self.previous: Handle | None = next(iter(self.tensors.values())) if len(self.tensors) == 1 else None
        self.layers: dict[tuple[object, ...], Layer] = {}
        self.inferred: dict[tuple[object, ...], tuple[TensorType, tuple[ParamSpec, ...]]] = {}
        self.expanded = 0

    def graph(self) -> Graph:
        for item in self.spec.items:
            for use in self._uses(item):
                self._add(use)
        outputs = self._outputs()
        expect = expectations(self.spec, self.names, self.problems)
        assert self.problems or len(self.nodes) == self.expanded, "a layer was lost without a word"
        if self.problems:
            raise (SpecError if self.spec.problems else GraphError)(_by_place(self.problems))
        graph_inputs = tuple(given.as_input() for given in self.inputs)
        nodes = tuple(self.nodes)
        return Graph(self.spec.name, graph_inputs, nodes, outputs, self.spec.citation, expect)

    # expansion

    def _uses(self, item: Item) -> Iterator[Use]:
        """The layers an item stands for: one, none where `when` is false, or a row of them."""
        rows = self._rows(item)
        if rows is None:
            self._fail(item)
            return
        stacked = item.repeat is not None or item.each is not None
        base = self._name(item) if item.name is not None else None
        for index, row in enumerate(rows):
            names = (
                {**self.names, **self._incoming(item), **row, "index": index}
                if stacked or item.when
                else self.names
            )
            if item.when is not None:
                wanted = value_of(item.when, names, self.problems)
                if not isinstance(wanted, bool):
                    self._fail(item)
                    if not isinstance(wanted, Unknown):
                        self._report("E404", "when: is true or false", item.when.span)
                    continue
                if not wanted:
                    continue
            if self._over_limit(item):
                return
            if base is None:
                yield Use(item, names, (), self._automatic_name(item.kind or "layer"), item.span)
            elif stacked:
                yield Use(item, names, (base,), str(index), item.span)
            else:
                yield Use(item, names, (), base, item.span)
        if stacked and base is not None and self.previous is not None:
            self.tensors[base] = self.previous._replace(span=item.span)

    def _rows(self, item: Item) -> Sequence[dict[str, Evaluated]] | None:
        """The arguments that `repeat` and `each` give to each use."""
        if item.each is not None:
            return self._each(item.each)
        if item.repeat is None:
            return ({},)
        names = {**self.names, **self._incoming(item)}
        times = whole_number(
            value_of(item.repeat, names, self.problems), "repeat", 0, item.repeat.span, self.problems
        )
        if times is not None and times > MAX_LAYERS:
            self._report(
                "E603", f"repeat: {times:,} is beyond the limit of {MAX_LAYERS:,} layers", item.repeat.span
            )
            return None
        return None if times is None else [{}] * times

    def _each(self, each: Value) -> Sequence[dict[str, Evaluated]] | None:
        if not isinstance(each, Mapping) or not each.entries:
            self._report("E404", "each: is a mapping of lists", each.span, "write each: {filters: [64, 128]}")
            return None
        columns: dict[str, tuple[Evaluated, ...]] = {}
        for entry in each.entries:
            column = value_of(entry.value, self.names, self.problems)
            if isinstance(column, Unknown):
                return None
            if not isinstance(column, tuple):
                self._report("E404", f"each: {entry.key} is a list", entry.value.span)
                return None
            columns[entry.key] = column
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            told = ", ".join(f"{name} has {len(column)}" for name, column in columns.items())
            self._report("E404", f"the lists of each: are equally long, here {told}", each.span)
            return None
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _over_limit(self, item: Item) -> bool:
        self.expanded += 1
        if self.expanded == MAX_LAYERS + 1:
            self._report("E603", f"the spec expands to more than {MAX_LAYERS:,} layers", item.span)
        return self.expanded > MAX_LAYERS

    # wiring

    def _given_names(self) -> set[str]:
        """Every name that stands in the text, so that an automatic one never takes it."""
        texts = (value_of(item.name, {}, []) for item in self.spec.items if item.name is not None)
        return {text for text in texts if isinstance(text, str)} | set(self.tensors)

    def _automatic_name(self, kind: str) -> str:
        numbers = self.counts.setdefault(kind, count(1))
        return next(name for number in numbers if (name := f"{kind}{number}") not in self.given_names)

    def _name(self, item: Item) -> str | None:
        """The name an item is given; where that is wrong, an automatic one."""
        assert item.name is not None
        name = value_of(item.name, self.names, self.problems)
        if isinstance(name, Unknown):
            return None
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > 200:
            help = "write letters, digits, - and _; quote a name that reads as a number"
            self._report("E504", "this is no name for a layer", item.name.span, help)
            return None
        if name in self.tensors:
            notes = (Note("the name is taken here", self.tensors[name].span),)
            self.problems.append(Diagnostic("E504", f"the name {name!r} is taken", item.name.span, notes))
            return None
        return name

    def _reads(self, use: Use) -> list[Handle | None]:
        """The tensors a layer reads; None for one that a mistake keeps from being known."""
        sources = use.item.sources
        if sources is None:
            if self.previous is None:
                choices = ", ".join(self.tensors)
                help = f"write from: with one or more of {choices}"
                if len(self.tensors) > 1:
                    self._report(
                        "E506",
                        f"the spec has {len(self.tensors)} inputs: say which one is read",
                        use.span,
                        help,
                    )
            return [self.previous]
        parts = sources.items if isinstance(sources, Listed) else (sources,)
        return [self._look_up(part, use) for part in parts]

    def _look_up(self, part: Value, use: Use) -> Handle | None:
        name = value_of(part, use.names, self.problems)
        if isinstance(name, Unknown):
            return None
        if not isinstance(name, str):
            self._report("E404", "from: is the name of a layer or an input, or a list of them", part.span)
            return None
        if name in self.tensors:
            return self.tensors[name]
        if name == use.name:
            self._report("E503", f"{name} reads itself: a network has no cycles", part.span)
        elif name in self.given_names:
            message = f"{name} stands further down: a layer reads only what is above it"
            self._report("E502", message, part.span, "move it above, or read another layer")
        else:
            match = nearest(name, {**self.tensors, **dict.fromkeys(self.given_names)})
            help = f"did you mean {match}?" if match else "give the layer a name: and use that"
            self._report("E501", f"there is no layer or input {name!r}", part.span, help)
        return None

    def _incoming(self, item: Item) -> dict[str, Evaluated | Unknown]:
        """What an expression may ask of the first tensor that an item reads."""
        handle = self.previous
        if item.sources is not None:
            first = item.sources.items[:1] if isinstance(item.sources, Listed) else (item.sources,)
            names = [value_of(part, self.names, []) for part in first]
            handle = self.tensors.get(str(names[0])) if names else None
        if handle is None or handle.type is None:
            return {"in_channels": UNKNOWN, "in_shape": UNKNOWN}
        shape = handle.type.shape
        return {"in_channels": shape[0] if shape else 1, "in_shape": shape}

    # a layer

    def _add(self, use: Use) -> None:
        """Bind, wire and infer one layer, and make its output what comes next."""
        layer_class = layer_type(use.item, self.problems)
        reads = self._reads(use)
        full_name = ".".join((*use.path, use.name))
        node = self._node(use, layer_class, reads) if layer_class else None
        self.previous = Handle(full_name, node.output if node else None, use.span)
        self.tensors[full_name] = self.previous
        if node:
            self.nodes.append(node)

    def _node(self, use: Use, layer_class: type[Layer], reads: list[Handle | None]) -> Node | None:
        names: Environment = {**use.names, **self._incoming(use.item)}
        values = option_values(layer_class, use.item, names, self.problems)
        arity_fits = self._arity_fits(use, layer_class, reads)
        types = tuple(handle.type for handle in reads if handle is not None and handle.type is not None)
        if values is None or not arity_fits or len(types) < len(reads):
            return None
        try:
            key = (layer_class, tuple(len(type.shape) for type in types), *values.items())
            if (layer := self.layers.get(key)) is None:
                layer = self.layers[key] = layer_class(**values).resolved(*types)
            output, params = self._infer(layer, types)
        except LayerError as error:
            self._report_shape(use, error, reads)
            return None
        if self._too_large(use, output, params):
            return None
        sources = tuple(handle.name for handle in reads if handle is not None)
        return Node(use.name, use.path, layer, sources, output, params, use.span)

    def _infer(self, layer: Layer, types: tuple[TensorType, ...]) -> tuple[TensorType, tuple[ParamSpec, ...]]:
        key = (id(layer), types)  # the layer lives in self.layers as long as its id is used here
        if key not in self.inferred:
            self.inferred[key] = (layer.infer(*types), layer.params(*types))
        return self.inferred[key]

    def _arity_fits(self, use: Use, layer_class: type[Layer], reads: list[Handle | None]) -> bool:
        least, most = layer_class.arity
        if len(reads) >= least and (most is None or len(reads) <= most):
            return True
        wanted = f"{least} input{'s' if least > 1 else ''}" + (" or more" if most is None else "")
        message = f"{layer_class.kind} reads {wanted}, here {len(reads)}"
        above = self.previous.name if self.previous else "a"
        help = f"write from: [{above}, ...]" if least > 1 else "join them first with concat or add"
        self._report("E505", message, use.item.sources.span if use.item.sources else use.span, help)
        return False

    def _too_large(self, use: Use, output: TensorType, params: tuple[ParamSpec, ...]) -> bool:
        sizes = {"its output": output.numel, **{f"its {param.name}": param.numel for param in params}}
        for what, numel in sizes.items():
            if numel > MAX_ELEMENTS:
                self._report("E602", f"{what} has more elements than 64 bits can count", use.span)
                return True
        return False

    def _report_shape(self, use: Use, error: LayerError, reads: list[Handle | None]) -> None:
        notes = tuple(
            Note(f"{use.name} reads {handle.type} from {handle.name}", handle.span)
            for handle in reads
            if handle is not None
        )
        span = option_span(use.item, error.option)
        self.problems.append(Diagnostic("E601", error.message, span, notes, error.help))

    # the whole

    def _outputs(self) -> tuple[str, ...]:
        """The names in `outputs:`, or the last layer's."""
        if self.spec.outputs is None:
            return (self.previous.name,) if self.nodes and self.previous else ()
        value = self.spec.outputs
        parts = value.items if isinstance(value, Listed) else (value,)
        if not parts:
            self._report("E507", "outputs: names no layer", value.span)
        use = Use(Item(None, value.span), self.names, (), "", value.span)
        found = (self._look_up(part, use) for part in parts)
        return tuple(dict.fromkeys(handle.name for handle in found if handle is not None))

    def _fail(self, item: Item) -> None:
        """Put something unknown where an item's output would be."""
        self.previous = Handle(item.kind or "", None, item.span)
        name = value_of(item.name, self.names, []) if item.name is not None else None
        if isinstance(name, str):
            self.tensors.setdefault(name, self.previous)

    def _report(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.problems.append(Diagnostic(code, message, span, help=help))


def _by_place(problems: list[Diagnostic]) -> list[Diagnostic]:
    """In the order of the text, each once: an item that is repeated says a thing once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.span.start if problem.span else 0)
