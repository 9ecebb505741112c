"""Random networks from a seed, of every kind of layer: the one generator for all rooms.

A network grows from its inputs, a layer or a chain at a time, on tensors that are there: convolutions
with what is fused into them, joins, branches, blocks, shared and frozen layers, layers of any kind with
any options. One layer is planted: a case of the laws, of each kind in turn. What a reader wants of it:

    random_graph(seed)      the graph
    random_spec(seed)       the same as plain data, which `text` writes as YAML
    wired_graph(seed, …)    a few layers of some kinds on vectors, wired at random
    layer_graph(seed, kind) one layer of a kind with any options, after what sets its input's layout
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import yaml

from netcalc.diagnostics import NetcalcError
from netcalc.graph import Graph
from netcalc.layers import LAYERS, Layer
from netcalc.tensor import TensorType

from cases import frozen
from helpers import graph_of
from random_layers import Drawing, Drawn, small_cases

Spec = dict[str, Any]
"""A spec as plain data: inputs, blocks, layers, outputs."""

IMAGES = ((3, 9, 12), (8, 7, 9), (8, 12, 12), (1, 11, 8), (4, 10, 7), (12, 6, 5), (2, 17, 9))
OTHERS = ((4, 9), (6, 5), (10,), (2, 4, 5, 6), (5, 8))
"""C,W or T,D, vectors, and C,D,H,W."""
FAMILIES = {
    layer.family: [kind for kind in LAYERS if LAYERS[kind].family == layer.family]
    for layer in LAYERS.values()
}
PARAMETRIC = tuple(
    kind for kind, layer in LAYERS.items()
    if layer.params is not Layer.params and layer.arity[0] == 1 and layer.family != "embedding"
)  # fmt: skip
"""Kinds whose parameters another layer can share."""
CHAINED = ("conv", "conv", "conv", "conv", "depthwise_conv", "linear", "linear", "conv_transpose")


@cache
def random_graph(seed: int) -> Graph:
    """The network of a seed."""
    return graph_of(text(random_spec(seed)))


def wired_graph(seed: int, kinds: Sequence[str], most: int) -> Graph:
    """A network of two layers to `most`, each reading any of the last tensors."""
    return graph_of(text(Growth(seed, 0).wired(kinds, most)))


def layer_graph(seed: int, kind: str) -> Graph:
    """A network of one layer of a kind, which may come after a convolution."""
    for attempt in range(100):
        growth = Growth(seed, attempt)
        if growth.has_layer(kind):
            return graph_of(text(growth.whole()))
    raise AssertionError(f"no {kind} fits from seed {seed}")


def random_spec(seed: int) -> Spec:
    """The spec of a seed's network: the first that is valid of those that it leads to."""
    for attempt in range(100):
        spec = Growth(seed, attempt).spec()
        try:
            graph_of(text(spec))
        except NetcalcError:
            continue
        return spec
    raise AssertionError(f"no valid network from seed {seed}")


def text(spec: Spec) -> str:
    """A spec as YAML, an item on a line."""
    lines = [f"inputs: {_flow(spec['inputs'])}"]
    if spec["blocks"]:
        lines += [
            "blocks:",
            *(line for name, items in spec["blocks"].items() for line in _listed(name, items)),
        ]
    lines += [*_listed("layers", spec["layers"], ""), f"outputs: {_flow(spec['outputs'])}"]
    return "\n".join(lines) + "\n"


def _listed(key: str, items: list[Any], indent: str = "  ") -> Iterator[str]:
    yield f"{indent}{key}:"
    yield from (f"{indent}  - {_flow(item)}" for item in items)


def _flow(value: Any) -> str:
    return (
        str(yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6))
        .strip()
        .removesuffix("\n...")
    )


class Growth:
    """A network while it grows: its tensors by name, and the items that make them."""

    def __init__(self, seed: int, attempt: int) -> None:
        self.seed = seed
        self.draw = Drawing(seed * 100 + attempt)
        self.types: dict[str, TensorType] = {}
        self.tokens: set[str] = set()
        """Tensors of token numbers, which only an embedding reads."""
        self.dead: set[str] = set()
        """Tensors that nothing reads and no output shows."""
        self.items: list[Any] = []
        self.blocks: dict[str, list[Any]] = {}
        self.inputs: dict[str, list[int]] = {}
        self.readers: dict[str, int] = {}
        cases = small_cases()
        kind = list(cases)[seed % len(cases)]
        self.planted = cases[kind][seed // len(cases) % len(cases[kind])]

    def spec(self) -> Spec:
        """Grow it whole."""
        draw = self.draw
        for number, shape in enumerate(self.planted.inputs):
            self._input(f"in{number}", shape)
        if self.planted.kind == "embedding":
            self.tokens.add("in0")
        if draw.chance(0.7):
            self._input("image", draw.pick(*IMAGES))
        if draw.chance(0.2):
            self._input("other", draw.pick(*OTHERS))
        before, after = draw.pick(0, 1, 2), draw.pick(2, 3, 4, 5)
        for _ in range(before):
            self._grow()
        self._plant()
        kind = list(LAYERS)[self.seed % len(LAYERS)]
        any(self._layer(kind, name) for name in reversed(self._readable()))
        for _ in range(after):
            self._grow()
        return self.whole()

    def whole(self) -> Spec:
        """What has grown."""
        return {
            "inputs": self.inputs, "blocks": self.blocks, "layers": self.items, "outputs": self._outputs(),
        }  # fmt: skip

    def has_layer(self, kind: str) -> bool:
        """Grow one layer of a kind on an image or another tensor; whether one was found that fits."""
        draw = self.draw
        self._input("image", draw.pick(*IMAGES, *OTHERS))
        if draw.chance(0.5):
            drawn = draw.layer(draw.pick("conv", "linear"), self.types["image"])
            self._add(drawn, ["image"]) if drawn else None
        return self._layer(kind, self._readable()[-1])

    def wired(self, kinds: Sequence[str], most: int) -> Spec:
        """Grow a few layers on one or two vectors."""
        draw = self.draw
        for name in ("a", "b")[: draw.pick(1, 1, 2)]:
            self._input(name, (int(draw.rng.integers(1, 10)),))
        count = draw.rng.integers(2, most + 1)
        while len(self.items) < count:
            self._layer(draw.pick(*kinds), draw.pick(*self._readable()[-4:]))
        *made, last = (next(iter(item.values()))["name"] for item in self.items)
        outputs = [draw.pick(*made), last] if draw.chance(0.5) else [last]
        return {"inputs": self.inputs, "blocks": {}, "layers": self.items, "outputs": outputs}

    def _input(self, name: str, shape: tuple[int, ...]) -> None:
        self.inputs[name] = list(shape)
        self.types[name] = TensorType(shape)

    def _plant(self) -> None:
        """The case of the laws, on tensors of the shapes that it reads: the latest that there are."""
        names = []
        for shape in self.planted.inputs:
            fitting = [name for name in self._readable(TensorType(shape)) if name not in names]
            names.append(fitting[-1] if self.planted.kind != "embedding" else "in0")
        options = {name: _plain(value) for name, value in self.planted.options.items()}
        types = tuple(self.types[name] for name in names)
        self._add(Drawn(self.planted.kind, options, self.planted.layer.infer(types)), names)

    def _grow(self) -> None:
        name = self._tensor()
        if name is None:
            return
        step = self.draw.pick(*("chain",) * 4, *("any",) * 4, *("join", "shared") * 2, *("nested",) * 3)
        {
            "chain": self._chain, "any": self._any, "join": self._join, "shared": self._shared, "nested": self._nested,
        }[step](name)  # fmt: skip

    def _readable(self, type: TensorType | None = None) -> list[str]:
        """The tensors that layers may read, all or those of a type."""
        left_out = self.tokens | self.dead
        return [name for name in self.types if name not in left_out and type in (None, self.types[name])]

    def _tensor(self) -> str | None:
        """A tensor to go on from, most often one of the last."""
        names = [name for name in self._readable() if self.types[name].shape]
        if not names:
            return None
        from_inputs = [name for name in names if name in self.inputs]
        return str(
            self.draw.pick(*self.draw.pick(names[-2:], names[-2:], names[-2:], names, from_inputs or names))
        )

    def _add(self, drawn: Drawn, reads: list[str], **keys: Any) -> str:
        """Add an item that reads tensors by name."""
        name = f"{drawn.kind}_{len(self.items)}"
        source = reads[0] if len(reads) == 1 else list(reads)
        if drawn.kind in PARAMETRIC and "share" not in keys and self.draw.chance(0.2):
            keys["trainable"] = False
        self.items.append({drawn.kind: {"name": name, "from": source, **keys, **drawn.options}})
        self.types[name] = drawn.output
        for read in reads:
            self.readers[read] = self.readers.get(read, 0) + 1
        return name

    def _chain(self, name: str) -> None:
        """A convolution or linear layer, and what is fused into it."""
        draw, smaller = self.draw, None
        if draw.chance(0.2):  # a tensor to be added that is broadcast
            axis = int(draw.rng.integers(len(self.types[name].shape)))
            reduced = draw.layer("reduce", self.types[name], axes=[axis], keep=True)
            smaller = self._add(reduced, [name]) if reduced else None
        keeping = smaller is not None or draw.chance(0.4)
        drawn = draw.layer(draw.pick(*CHAINED), self.types[name], keeping=keeping)
        if drawn is None:
            return
        name = self._add(drawn, [name])
        shares = {"batchnorm": 0.5, "add": 0.4, "activation": 0.7, "pooling": 0.3}
        for step in (step for step, share in shares.items() if draw.chance(share)):
            if step == "add":
                name = self._join(name, ("add",), smaller)
                continue
            kind = draw.pick(*FAMILIES.get(step, [step]))
            following = draw.layer(kind, self.types[name])
            name = self._add(following, [name]) if following else name

    def _any(self, name: str) -> None:
        """A layer of any kind."""
        kinds = (self.draw.pick(*self.draw.pick(*FAMILIES.values())) for _ in range(4))
        any(self._layer(kind, name) for kind in kinds)

    def _layer(self, kind: str, name: str) -> bool:
        """A layer of a kind on a tensor, and on others where it reads several; whether one was found."""
        least, most = LAYERS[kind].arity
        count = self.draw.rng.integers(least, (most or 3) + 1)
        reads = [name, *(str(self.draw.pick(*self._readable())) for _ in range(count - 1))]
        if kind == "embedding" or not (drawn := self.draw.layer(kind, *(self.types[read] for read in reads))):
            return False
        self._add(drawn, reads)
        return True

    def _join(
        self,
        name: str,
        kinds: tuple[str, ...] = ("add", "multiply", "concat", "concat"),
        other: str | None = None,
    ) -> str:
        """A join with tensors of one shape, or one that is given, in any order; now and then with itself."""
        draw, others = self.draw, self._readable(self.types[name])
        reads = (
            [name, *(str(draw.pick(*others)) for _ in range(draw.pick(1, 1, 2)))]
            if other is None
            else [name, other]
        )
        if draw.chance(0.3):
            reads.reverse()
        kind, rank = draw.pick(*kinds), len(self.types[name].shape)
        fixed = {"axis": int(draw.rng.integers(-rank, rank))} if kind == "concat" else {}
        drawn = draw.layer(kind, *(self.types[read] for read in reads), **fixed)
        return self._add(drawn, reads) if drawn else name

    def _shared(self, name: str) -> None:
        """A layer that uses another's parameters; now and then nothing else is made of one of them."""
        draw = self.draw
        if draw.chance(0.4) and (drawn := draw.layer(draw.pick(*CHAINED, *PARAMETRIC), self.types[name])):
            self._add(drawn, [name])
        for item in reversed(self.items):
            ((kind, body),) = item.items()
            if kind not in PARAMETRIC or "share" in body or not isinstance(body["from"], str):
                continue
            given = self.types[body["from"]]
            options = {key: value for key, value in body.items() if key not in ("name", "from", "trainable")}
            if draw.chance(0.3):  # the owner's bias, or its weight too, is not for this one
                options |= {key: False for key in ("affine", "bias") if key in LAYERS[kind].options}
            layer = LAYERS[kind]((given,), **{key: frozen(value) for key, value in options.items()})
            if layer.params((given,)):
                drawn = Drawn(kind, options, layer.infer((given,)))
                second = self._add(drawn, [str(draw.pick(*self._readable(given)))], share=body["name"])
                unread = [each for each in (body["name"], second) if each not in self.readers]
                self.dead.update([draw.pick(*unread)] if draw.chance(0.6) else ())
                return

    def _nested(self, name: str) -> None:
        """A residual, parallel branches, or a block that is used twice."""
        draw, type = self.draw, self.types[name]
        step = draw.pick("residual", "parallel", "block")
        if step == "block":
            self._block(name)
            return
        bodies = [self._body(type, depth=1) for _ in range(draw.pick(2, 2, 3))]
        if step == "residual":
            shortcut = {"shortcut": bodies[1]} if draw.chance(0.5) else {}
            self._add(Drawn("residual", {"main": bodies[0] or ["relu"], **shortcut}, type), [name])
            return
        join = draw.pick("add", "multiply", "concat")
        options = {"join": join, "branches": {f"b{number}": body for number, body in enumerate(bodies)}}
        shape = list(type.shape)
        if join == "concat":
            options["axis"] = axis = int(draw.rng.integers(len(shape)))
            shape[axis] *= len(bodies)
        self._add(Drawn("parallel", options, TensorType(tuple(shape))), [name])

    def _block(self, name: str) -> None:
        """A block that is used once or twice, the second time with parameters of its own or the first one's."""
        block, draw = f"b{len(self.blocks)}", self.draw
        main = draw.layer(draw.pick(*CHAINED), self.types[name], keeping=True)
        first = [{main.kind: main.options}] if main else []
        self.blocks[f"{block}(act)"] = [*first, *self._body(self.types[name], depth=1), "$act"]
        body: dict[str, Any] = {"act": draw.pick("relu", "identity", "gelu")}
        if draw.chance(0.3):
            body["repeat"] = 2
        made = self._add(Drawn(block, body, self.types[name]), [name])
        if draw.chance(0.6):
            options = {"share": made} if "repeat" not in body and draw.chance(0.7) else body
            self._add(Drawn(block, options, self.types[name]), [draw.pick(name, made)])

    def _body(self, type: TensorType, depth: int) -> list[Any]:
        """Items that read one another and keep the shape."""
        items: list[Any] = []
        for _ in range(self.draw.pick(0, 1, 2, 3)):
            if depth < 3 and self.draw.chance(0.2):
                items.append({"residual": {"main": self._body(type, depth + 1) or ["tanh"]}})
                continue
            kind = self.draw.pick(*CHAINED, *LAYERS)
            drawn = None if kind == "embedding" else self.draw.layer(kind, type, keeping=True)
            if drawn is not None:
                items.append({kind: drawn.options} if drawn.options else kind)
        return items

    def _outputs(self) -> list[str]:
        """The last, most of the others that nobody reads, and some that are read."""
        names = [next(iter(item.values()))["name"] for item in self.items]
        *made, last = (name for name in names if name not in self.dead)
        shares = (0.2 if name in self.readers else 0.7 for name in made)
        return [name for name, share in zip(made, shares, strict=True) if self.draw.chance(share)] + [last]


def _plain(value: Any) -> Any:
    return list(map(_plain, value)) if isinstance(value, tuple) else value
