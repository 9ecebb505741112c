"""Facts about layers are asked of the layer: no other room lists kinds or families of layers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import netcalc
from netcalc.layers import LAYERS

ROOT = Path(netcalc.__file__).parent
KINDS = {*LAYERS, *(layer.family for layer in LAYERS.values())}
CLASSES = {layer.__name__ for layer in LAYERS.values()}
REGISTRIES = ("backend/kernels/", "lint/rules.py")
"""A kernel may choose among the kernels of other layers: a gate's function, a cell's activation."""


def sources() -> Iterator[str]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(("layers/", *REGISTRIES)):
            yield name


def lists(tree: ast.AST) -> Iterator[str]:
    """Every place of a module that lists kinds, or compares a layer's kind with a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            parts = node.keys if isinstance(node, ast.Dict) else node.elts
            names = [part.value for part in parts if isinstance(part, ast.Constant)]
            classes = [part.id for part in parts if isinstance(part, ast.Name) and part.id in CLASSES]
            is_list = len(names) == len(parts) > 1 and {*names} <= KINDS
            if is_list or len(classes) > 1:
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            of_kind = any(isinstance(side, ast.Attribute) and side.attr == "kind" for side in sides)
            if of_kind and any(isinstance(side, ast.Constant) and side.value in LAYERS for side in sides):
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.MatchValue) and getattr(node.value, "value", None) in KINDS:
            yield f"line {node.lineno}: case {ast.unparse(node.value)}"


@pytest.mark.parametrize("name", list(sources()))
def test_no_room_lists_kinds_of_layers(name: str) -> None:
    assert list(lists(ast.parse((ROOT / name).read_text()))) == []


@pytest.mark.parametrize(
    "text",
    [
        'x in ("conv", "linear")',
        'x = {"add": 1, "subtract": 2}',
        'layer.kind == "relu"',
        'match kind:\n    case "relu" | "relu6": pass',
        "isinstance(layer, (Conv, Linear))",
    ],
)
def test_a_list_is_found(text: str) -> None:
    assert list(lists(ast.parse(text)))
