"""Every condition of the design rules is held by a case: each is broken in turn, and a case must turn red.

A comparison is loosened, tightened and turned round; a part of an `and` or `or` is dropped, or the two
swapped; an `if` is always or never taken; `not` is dropped, `any` and `all` are swapped; a whole number that stands in a comparison or has
a name of its own is one more or less.
"""

import ast
import copy
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from netcalc.lint import RULES, Net, Rule

from rule_cases import cases, findings

SHARED = ("net", "axes", "windows", "fields", "linear_maps")
OPPOSITE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
Change = Callable[[Any], Any]


def changes(node: ast.AST) -> Iterator[Change]:
    """What can be done to a node; each gives the node that stands in its place."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            yield from (
                lambda n, at=at, new=new: _set_operator(n, at, new) for new in OPPOSITE[type(operator)]
            )
        for at, part in enumerate(node.comparators):
            if isinstance(part, ast.Constant) and type(part.value) is int:
                yield from (lambda n, at=at, by=by: _shift(n, n.comparators[at], by) for by in (1, -1))
    elif isinstance(node, ast.BoolOp):
        yield from (lambda n, at=at: _without(n, at) for at in range(len(node.values)))
        yield lambda n: _set(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And())
    elif isinstance(node, ast.If | ast.IfExp):
        yield from (lambda n, value=value: _set(n, "test", ast.Constant(value)) for value in (True, False))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield lambda n: n.operand
    elif isinstance(node, ast.Name) and node.id in ("any", "all"):
        yield lambda n: _set(n, "id", "all" if n.id == "any" else "any")
    elif (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and type(node.value.value) is int
    ):
        yield from (lambda n, by=by: _shift(n, n.value, by) for by in (1, -1))


def _set_operator(node: ast.Compare, at: int, new: type[ast.cmpop]) -> ast.Compare:
    node.ops[at] = new()
    return node


def _without(node: ast.BoolOp, at: int) -> ast.expr:
    del node.values[at]
    return node if len(node.values) > 1 else node.values[0]


def _shift(node: ast.AST, constant: Any, by: int) -> ast.AST:
    constant.value += by
    return node


def _set(node: ast.AST, field: str, value: Any) -> ast.AST:
    setattr(node, field, value)
    return node


class _Replace(ast.NodeTransformer):
    """Changes the node of a number, counted in the order of the walk."""

    def __init__(self, number: int, change: Change) -> None:
        self.left = number
        self.change = change

    def visit(self, node: ast.AST) -> Any:
        self.left -= 1
        return self.change(node) if self.left == -1 else self.generic_visit(node)


class _Collect(ast.NodeVisitor):
    """The nodes in the order in which _Replace meets them."""

    def __init__(self) -> None:
        self.nodes: list[ast.AST] = []

    def visit(self, node: ast.AST) -> None:
        self.nodes.append(node)
        self.generic_visit(node)


def mutants(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """Every changed copy of a module, with where and what was changed."""
    collected = _Collect()
    collected.visit(tree)
    for number, node in enumerate(collected.nodes):
        for which, change in enumerate(changes(node)):
            mutant = _Replace(number, change).visit(copy.deepcopy(tree))
            yield (
                f"line {node.lineno}, {ast.unparse(node).splitlines()[0]}, change {which}",
                ast.fix_missing_locations(mutant),
            )


def executed(name: str, tree: ast.Module) -> ModuleType:
    """A module of its own from a tree."""
    module = ModuleType(name)
    exec(compile(tree, f"<{name}>", "exec"), vars(module))
    return module


def parsed(name: str) -> ast.Module:
    return ast.parse(Path(importlib.import_module(name).__file__ or "").read_text())


@pytest.fixture(scope="module")
def truth() -> dict[str, list[Any]]:
    return {code: outcome(rule, code) for code, rule in RULES.items()}


def outcome(rule: type[Rule], code: str, net: type[Net] = Net) -> list[Any]:
    """What a rule finds in each of its cases."""
    return [findings(rule, case.spec, case.batch, net) for case in cases(code)]


def differs(rule: type[Rule], code: str, truth: dict[str, list[Any]], net: type[Net] = Net) -> bool:
    try:
        return outcome(rule, code, net) != truth[code]
    except Exception:  # a rule that breaks down is caught as well
        return True


@pytest.mark.parametrize("code", RULES)
def test_conditions_of_a_rule(code: str, truth: dict[str, list[Any]]) -> None:
    rule = RULES[code]
    survivors, count = [], 0
    for change, tree in mutants(parsed(rule.__module__)):
        count += 1
        mutant = getattr(executed(rule.__module__, tree), rule.__name__)
        if not differs(mutant, code, truth):
            survivors.append(change)
    assert survivors == []
    assert count > 0


@pytest.mark.parametrize("shared", SHARED)
def test_conditions_that_rules_share(
    shared: str, truth: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"netcalc.lint.{shared}"
    sources = {code: parsed(rule.__module__) for code, rule in RULES.items()}
    survivors, count = [], 0
    for change, tree in mutants(parsed(name)):
        count += 1
        module = executed(name, tree)
        monkeypatch.setitem(sys.modules, name, module)
        if not any(
            differs(
                getattr(executed(rule.__module__, sources[code]), rule.__name__),
                code,
                truth,
                getattr(module, "Net", Net),
            )
            for code, rule in RULES.items()
        ):
            survivors.append(change)
        monkeypatch.undo()
    assert survivors == []
    assert count > 0
