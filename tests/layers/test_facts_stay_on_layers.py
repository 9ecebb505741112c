"""Facts about layers are asked of the layer: no other room lists kinds or families of layers.

A list is

- kinds or families by name: two or more among whatever else a tuple, list, set or dict holds, one alone
  in it, any in `dict(...)` or `match`, and one that a kind is compared with;
- layer classes: two of which one is a kind, such as `(Conv, Pooling)`, or three of any sort. Two base
  classes, such as `(Convolution, Pooling)`, are not: a new kind of either family joins them by itself.

One class alone, as in `isinstance(layer, Softmax)`, is what a rule about that layer asks. An operation of
an engine says in `fits`, and in the type of its `layer`, which layers it computes, and may name several.

Facts that the type checker does not see are as bad: `layer: Any`, `getattr(layer, "bias")`, `vars(layer)`.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import netcalc
from netcalc.layers import LAYERS, Layer

ROOT = Path(netcalc.__file__).parent
KINDS = {*LAYERS, *(layer.family for layer in LAYERS.values())}
CLASSES = {layer.__name__ for layer in LAYERS.values()}
BASES = {
    base.__name__ for layer in LAYERS.values() for base in layer.__mro__ if issubclass(base, Layer)
} - CLASSES
REGISTRIES = ("backend/kernels/", "backend/step/curves.py", "lint/rules.py")
"""A kernel may choose among the kernels of other layers: a gate's function, a cell's activation."""
ENGINES = ("backend/plan/", "backend/step/")


def sources() -> Iterator[str]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("layers/"):
            yield name


def parsed(name: str) -> ast.Module:
    """A module; without the methods of an engine in which an operation says what it computes."""
    tree = ast.parse((ROOT / name).read_text())
    if name.startswith(ENGINES):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                node.body = [part for part in node.body if not says_what_fits(part)] or [ast.Pass()]
    return tree


def says_what_fits(part: ast.stmt) -> bool:
    is_type = isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == "layer"
    return is_type or getattr(part, "name", "") == "fits"


def lists(tree: ast.AST) -> Iterator[str]:
    """Every place of a module that lists kinds, or compares a layer's kind with a name."""
    classes = (CLASSES | BASES) - operations(tree)
    for node in ast.walk(tree):
        if names_several(node) or compares(node) or joins_classes(node, classes):
            yield f"line {getattr(node, 'lineno', '?')}: {ast.unparse(node)}"


def untyped(tree: ast.AST) -> Iterator[str]:
    """Every place of a module that hides from the type checker what it asks a layer."""
    for node in ast.walk(tree):
        if is_any(node) or asks_by_name(node):
            yield f"line {getattr(node, 'lineno', '?')}: {ast.unparse(node)}"


def names_several(node: ast.AST) -> bool:
    """Whether this holds two names of kinds or more, whatever else it holds."""
    match node:
        case ast.Tuple() | ast.List() | ast.Set() | ast.Dict():
            found = texts(parts(node)) & KINDS
            return len(found) > 1 or len(found) == len(parts(node)) == 1
        case ast.Call(func=ast.Name(id="dict")):
            return bool({keyword.arg for keyword in node.keywords} & KINDS)
        case ast.Match():
            return bool(
                texts(part.value for part in ast.walk(node) if isinstance(part, ast.MatchValue)) & KINDS
            )
    return False


def compares(node: ast.AST) -> bool:
    """Whether this compares something with a kind's name: `kind == "relu"`, `x in ("relu",)`."""
    if not isinstance(node, ast.Compare):
        return False
    for operator, left, right in zip(
        node.ops, (node.left, *node.comparators), node.comparators, strict=False
    ):
        if isinstance(operator, ast.In | ast.NotIn) and texts(parts(right)) & KINDS:
            return True
        if {called(left), called(right)} & {"kind", "family"} and texts((left, right)) & KINDS:
            return True
    return False


def operations(tree: ast.AST) -> set[str]:
    """The operations of an engine that a module imports; some share the name of the layer that they run."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    engines = [one for one in imports if (one.module or "").startswith("netcalc.backend.")]
    return {alias.asname or alias.name for one in engines for alias in one.names}


def joins_classes(node: ast.AST, classes: set[str]) -> bool:
    """Whether this joins two layer classes of which one is a kind, or three."""
    match node:
        case ast.Tuple() | ast.List() | ast.Set() | ast.Dict():
            joined = parts(node)
        case ast.BinOp(op=ast.BitOr()):
            joined = alternatives(node)
        case ast.Match():
            joined = [part.cls for part in ast.walk(node) if isinstance(part, ast.MatchClass)]
        case _:
            return False
    found = [called(part) for part in joined if called(part) in classes]
    return len(found) > (1 if {*found} & CLASSES else 2)


def is_any(node: ast.AST) -> bool:
    """Whether this declares a layer or a node that may be anything."""
    match node:
        case ast.arg(arg="layer" | "node", annotation=ast.expr() as annotation):
            return called(annotation) == "Any"
        case ast.AnnAssign(target=ast.Name(id="layer" | "node") | ast.Attribute(attr="layer" | "node")):
            return called(node.annotation) == "Any"
    return False


def asks_by_name(node: ast.AST) -> bool:
    """Whether this reads a layer's fact or option by its name, which no type checker follows."""
    match node:
        case ast.Call(func=ast.Name(id="vars"), args=[layer]):
            return called(layer) == "layer"
        case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[layer, ast.Constant(), *_]):
            return called(layer) == "layer"
        case ast.Attribute(attr="__dict__"):
            return called(node.value) == "layer"
    return False


def parts(node: ast.AST) -> list[ast.expr]:
    """The elements of a collection that is written out; the keys of a dict."""
    match node:
        case ast.Tuple() | ast.List() | ast.Set():
            return node.elts
        case ast.Dict():
            return [key for key in node.keys if key is not None]
        case ast.Call(func=ast.Name(id="set" | "frozenset" | "tuple" | "list"), args=[given]):
            return parts(given)
    return []


def alternatives(node: ast.expr) -> list[ast.expr]:
    """The classes of a union, `A | B | C`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*alternatives(node.left), *alternatives(node.right)]
    return [node]


def texts(nodes: Iterable[ast.AST]) -> set[object]:
    """The texts among constants."""
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def called(node: ast.AST) -> str:
    """The last part of a dotted name: `Conv` of `convolution.Conv`; empty for anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


@pytest.mark.parametrize("name", [name for name in sources() if not name.startswith(REGISTRIES)])
def test_no_room_lists_kinds_of_layers(name: str) -> None:
    assert list(lists(parsed(name))) == []


@pytest.mark.parametrize("name", list(sources()))
def test_every_room_knows_what_a_layer_is(name: str) -> None:
    assert list(untyped(parsed(name))) == []


@pytest.mark.parametrize(
    "text",
    [
        'x in ("conv", "linear")',
        'x in ("conv",)',
        'ONLY = ("conv",)',
        'ONLY = {"conv"}',
        'x in {"conv"}',
        'x not in frozenset(["conv"])',
        'x = {"conv", "linear", "other"}',
        'x = {"add": 1, "subtract": 2}',
        "x = dict(conv=1, linear=2)",
        "x = dict(conv=1)",
        'layer.kind == "relu"',
        'kind == "relu"',
        '"relu" != kind',
        'layer.family == "attention"',
        'family != "attention"',
        'match kind:\n    case "relu" | "relu6": pass',
        "match layer:\n    case Conv() | Linear(): pass",
        "match layer:\n    case Conv(): pass\n    case linear.Linear(): pass",
        "isinstance(layer, (Conv, Linear))",
        "isinstance(layer, Conv | Linear)",
        "isinstance(layer, (convolution.Conv, linear.Linear))",
        "isinstance(layer, (Convolution, Linear))",
        "isinstance(layer, Convolution | Pooling | Normalisation)",
        "FEATURES = (Convolution, Pooling, Normalisation)",
    ],
)
def test_a_list_is_found(text: str) -> None:
    assert list(lists(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "def cost(layer: Any): pass",
        "def cost(node: typing.Any): pass",
        "layer: Any = node.layer",
        'vars(layer)["bias"]',
        'vars(node.layer)["bias"]',
        'node.layer.__dict__["bias"]',
        'getattr(layer, "bias")',
        'getattr(node.layer, "bias", False)',
        'hasattr(layer, "bias")',
    ],
)
def test_an_untyped_layer_is_found(text: str) -> None:
    assert list(untyped(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "isinstance(layer, Softmax)",
        "isinstance(layer, (Convolution, Pooling))",
        "isinstance(layer, Normalisation | activation.Activation)",
        'x in ("macs", "params")',
        'kind == "mse"',
        "getattr(layer, name)",
        "def cost(layer: Layer): pass",
    ],
)
def test_what_is_no_list_passes(text: str) -> None:
    assert not list(lists(ast.parse(text)))
    assert not list(untyped(ast.parse(text)))
