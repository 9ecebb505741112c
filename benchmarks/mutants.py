"""Broken copies of the fast engines, each to be found: `python benchmarks/mutants.py [--count 150]`.

Draws mutants of netcalc/backend/plan and step by a seed: a constant, comparison, condition,
operator or argument is changed, or a statement is dropped. Each runs in a process of its own, against
random graphs first, then the engines' own tests; one that hangs is ended, and counts as found. Prints
the survivors: each is equal in its results, or a gap in the tests.
"""

import argparse
import ast
import copy
import difflib
import importlib.abc
import importlib.util
import io
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "laws")]
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest  # noqa: E402

from plain_runs import PlainRuns  # noqa: E402
from random_graphs import random_graph  # noqa: E402

BACKEND = ROOT / "netcalc" / "backend"
ROOMS = ("plan", "step")
_ALONE = "test_random_graphs.py::test_a_layer_with_any_options_runs_as_on_the_plain_path"
OWN_TESTS = {
    "plan": ("test_convolution.py", "test_plan.py", "test_windows.py", _ALONE),
    "step": ("test_step.py", "test_windows.py", _ALONE),
}
SLOW = "zoo or outlives or every_layer_that_reads or same_bits"
"""Tests that run whole networks of the zoo, or wait: they find what random graphs find, and take a minute."""
OTHER = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sum": "max",
    "add": "subtract",
    "multiply": "add",
}
Change = Callable[[Any], ast.AST]


class Mutant(NamedTuple):
    """A change to one node of a module, counted in the order of a walk."""

    path: Path
    node: int
    which: int

    @property
    def room(self) -> str:
        return self.path.relative_to(BACKEND).parts[0]

    @property
    def module(self) -> str:
        return ".".join(("netcalc", "backend", *self.path.relative_to(BACKEND).with_suffix("").parts))

    def tree(self) -> ast.Module:
        tree = ast.parse(self.path.read_text())
        if self.which < 0:
            return tree
        node = nodes(tree)[self.node]
        changed = [*changes(node)][self.which](copy.copy(node))
        return ast.fix_missing_locations(_Replaced(node, changed).visit(tree))

    def __str__(self) -> str:
        before, after = (
            ast.unparse(tree).splitlines() for tree in (ast.parse(self.path.read_text()), self.tree())
        )
        lines = list(difflib.unified_diff(before, after, n=2, lineterm=""))[3:]
        line = nodes(ast.parse(self.path.read_text()))[self.node].lineno  # type: ignore[attr-defined]
        return "\n".join((f"{self.path.relative_to(ROOT)}:{line}", *lines))


class _Replaced(ast.NodeTransformer):
    def __init__(self, node: ast.AST, changed: ast.AST) -> None:
        self.node, self.changed = node, changed

    def visit(self, node: ast.AST) -> Any:
        return self.changed if node is self.node else self.generic_visit(node)


def nodes(tree: ast.AST) -> list[ast.AST]:
    """The nodes that compute: no docstrings, annotations, imports, messages and representations."""
    found: list[ast.AST] = []

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Raise | ast.Assert | ast.JoinedStr):
            return
        if isinstance(node, ast.FunctionDef) and node.name in ("__repr__", "name"):
            return
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refuse":
            return
        found.append(node)
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_text(child):
                    walk(child)

    walk(tree)
    return found


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def changes(node: ast.AST) -> Iterator[Change]:  # noqa: C901 (a row for each kind of node)
    """What can be done to a node; each gives the one that stands in its place."""
    match node:
        case ast.Compare():
            yield lambda n: _set(n, ops=[OTHER[type(n.ops[0])](), *n.ops[1:]])
            if isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
                yield lambda n: ast.UnaryOp(ast.Not(), n)
        case ast.BoolOp():
            yield lambda n: _set(n, op=OTHER[type(n.op)]())
            for left_out in range(len(node.values)):
                yield lambda n, at=left_out: _joined(n, at)
        case ast.BinOp() if type(node.op) in OTHER:
            yield lambda n: _set(n, op=OTHER[type(n.op)]())
        case ast.AugAssign() if type(node.op) in OTHER:
            yield lambda n: _set(n, op=OTHER[type(n.op)]())
            yield lambda n: ast.Pass()
        case ast.If() | ast.IfExp():
            yield lambda n: _set(n, test=ast.Constant(True))
            yield lambda n: _set(n, test=ast.Constant(False))
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield lambda n: n.operand
        case ast.Constant(value=bool()):
            yield lambda n: ast.Constant(not n.value)
        case ast.Constant(value=int()):
            yield lambda n: ast.Constant(n.value + 1)
            yield lambda n: ast.Constant(n.value - 1)
        case ast.Constant(value=float()):
            yield lambda n: ast.Constant(n.value * 2)
        case ast.Name(id=name) if name in NAMES:
            yield lambda n: _set(n, id=NAMES[n.id])
        case ast.Attribute(attr=name) if name in NAMES:
            yield lambda n: _set(n, attr=NAMES[n.attr])
        case ast.Call(args=[_, _, *_]):
            yield lambda n: _set(n, args=[n.args[1], n.args[0], *n.args[2:]])
        case ast.Expr(value=ast.Call() | ast.YieldFrom() | ast.Yield()):
            yield lambda n: ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load()))) if _yields(n) else ast.Pass()
        case ast.Return(value=ast.AST()):
            yield lambda n: _set(n, value=ast.Constant(None))
        case ast.Slice(lower=ast.AST()):
            yield lambda n: _set(n, lower=None)
        case ast.Slice(upper=ast.AST()):
            yield lambda n: _set(n, upper=None)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield lambda n: ast.Pass()


def _set(node: Any, **fields: Any) -> Any:
    for field, value in fields.items():
        setattr(node, field, value)
    return node


def _joined(node: ast.BoolOp, without: int) -> ast.expr:
    values = [value for at, value in enumerate(node.values) if at != without]
    return values[0] if len(values) == 1 else ast.BoolOp(node.op, values)


def _yields(node: ast.Expr) -> bool:
    return isinstance(node.value, ast.Yield | ast.YieldFrom)


def every_mutant(rooms: list[str], without: list[str]) -> list[Mutant]:
    found = []
    for room in rooms:
        for path in sorted((BACKEND / room).rglob("*.py")):
            if path.stem == "__init__" or path.name in without:
                continue
            for number, node in enumerate(nodes(ast.parse(path.read_text()))):
                found += [Mutant(path, number, which) for which, _ in enumerate(changes(node))]
    return found


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives a mutant's module its changed code."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.mutant.module:
            return None
        return importlib.util.spec_from_file_location(name, self.mutant.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.tree(), str(self.mutant.path), "exec"), vars(module))


def found_by(mutant: Mutant, runs: list[PlainRuns], report: io.TextIOBase, own_tests: bool) -> None:
    """Run the tests on a mutant in this process, and say what finds it."""
    for name in [
        name
        for name in sys.modules
        if name.startswith("netcalc.backend") or name in ("engines", "plain_runs")
    ]:
        del sys.modules[name]
    for name in ("InferencePlan", "Network", "TrainingStep"):
        sys.modules["netcalc"].__dict__.pop(name, None)
    sys.meta_path.insert(0, _Loader(mutant))

    def tell(how: str) -> None:
        report.seek(0)
        report.truncate()
        report.write(how)
        report.flush()

    tell("breaks when it is imported")
    import engines

    check = engines.some_step_differences if mutant.room == "step" else engines.some_plan_differences
    for number, run in enumerate(runs):
        tell(f"hangs or raises on random graph {number}")
        if problem := next(check(run, number), None):
            tell(f"random graph {number}: {problem}")
            return
    if not own_tests:
        tell("")
        return
    tell("hangs in the engines' own tests")
    tests = [str(ROOT / "tests" / "backend" / name) for name in OWN_TESTS[mutant.room]]
    with redirect_stdout(io.StringIO()) as printed, redirect_stderr(io.StringIO()):
        code = pytest.main(
            ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "-k", f"not ({SLOW})", *tests]
        )
    failed = [line for line in printed.getvalue().splitlines() if line.startswith(("FAILED", "ERROR"))]
    tell("" if code == 0 else failed[0] if failed else "the engines' own tests")


def judged(mutant: Mutant, runs: list[PlainRuns], seconds: float, own_tests: bool) -> str:
    """What finds a mutant; nothing where it survives."""
    place = Path(os.environ.get("TMPDIR", "/tmp")) / f"mutant-{os.getpid()}"
    place.write_text("")
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        try:
            sys.stderr = io.StringIO()
            with place.open("w") as report:
                found_by(mutant, runs, report, own_tests)
        finally:
            os._exit(0)
    end = time.monotonic() + seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            break
        time.sleep(0.01)
    try:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
    return place.read_text()


def unchanged(room: str) -> Mutant:
    """A mutant that is none, which must survive the first graphs: or the others would fall for no reason."""
    path = BACKEND / room / "__init__.py"
    return Mutant(path, 0, -1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--graphs", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--rooms", nargs="*", default=list(ROOMS))
    parser.add_argument("--without", nargs="*", default=[], help="files that are left out: workers.py")
    parser.add_argument("--only-graphs", action="store_true", help="leave out the engines' own tests")
    asked = parser.parse_args()
    own_tests = not asked.only_graphs
    every = every_mutant(asked.rooms, asked.without)
    drawn = random.Random(asked.seed).sample(every, min(asked.count, len(every)))
    runs = [PlainRuns(random_graph(seed)) for seed in range(asked.graphs)]
    prepare(runs, asked.rooms)
    for room in asked.rooms:
        assert not (how := judged(unchanged(room), runs, asked.seconds, own_tests)), f"{room} as it is: {how}"
    tally: Counter[str] = Counter()
    for number, mutant in enumerate(drawn, 1):
        start = time.monotonic()
        how = judged(mutant, runs, asked.seconds, own_tests)
        tally[how.split(" ")[0] or "survivor"] += 1
        seconds = time.monotonic() - start
        print(f"{number}/{len(drawn)} {seconds:.1f} s {how or 'SURVIVES'}"[:110], file=sys.stderr, flush=True)
        if not how:
            print(f"survivor {tally['survivor']}: {mutant}\n", flush=True)
    print(f"{len(drawn)} of {len(every)} mutants, {tally['survivor']} survive; {dict(tally)}")
    return 1 if tally["survivor"] else 0


def prepare(runs: list[PlainRuns], rooms: list[str]) -> None:
    """Run the plain path now, once for all mutants, and see that nothing differs without one."""
    import engines

    for number, run in enumerate(runs):
        checks = [engines.some_step_differences] if "step" in rooms else []
        checks += [engines.some_plan_differences] if "plan" in rooms else []
        for check in checks:
            problems = list(check(run, number))
            assert not problems, f"random graph {number} differs without a mutant: {problems}"


if __name__ == "__main__":
    sys.exit(main())
