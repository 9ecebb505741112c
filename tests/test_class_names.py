"""Class names are unique, so that a name says which class is meant wherever it stands."""

import ast
from collections.abc import Iterator
from pathlib import Path

import netcalc
from netcalc.layers import LAYERS, Layer

PACKAGE = Path(netcalc.__file__).parent

ENGINES = ("backend.plan.", "backend.step.")
"""Operations of the engines share the name of the layer that they run."""


def class_modules() -> dict[str, list[str]]:
    """The modules that define each class name, without `netcalc.`."""
    modules: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for name in class_names(path):
            modules.setdefault(name, []).append(module)
    return modules


def class_names(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def layer_classes() -> set[str]:
    """The names of all layers and of the classes that they derive from."""
    bases = {base for layer in LAYERS.values() for base in layer.__mro__ if issubclass(base, Layer)}
    return {base.__name__ for base in bases}


def is_layer_and_operation(name: str, modules: list[str]) -> bool:
    """Whether a name is that of a layer, and otherwise of at most one operation of each engine."""
    engines = [module.split(".")[1] for module in modules if module.startswith(ENGINES)]
    layers = [module for module in modules if module.startswith("layers.")]
    is_layer = name in layer_classes() and len(layers) == 1
    return is_layer and len(engines) == len({*engines}) == len(modules) - 1


def test_no_two_classes_have_one_name() -> None:
    shared = {name: modules for name, modules in class_modules().items() if len(modules) > 1}
    assert not {
        name: modules for name, modules in shared.items() if not is_layer_and_operation(name, modules)
    }
