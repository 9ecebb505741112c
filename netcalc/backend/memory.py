"""The memory that a run needs, compared with the machine's."""

import os
import sys
from collections.abc import Collection
from contextlib import suppress

from netcalc.backend.errors import refuse
from netcalc.graph import Graph


def forward_bytes(graph: Graph, batch: int, itemsize: int, saving: Collection[str]) -> int:
    """The bytes of the tensors that live together at most, where layers save what they read and make."""
    sizes = {name: type.numel * batch * itemsize for name, type in graph.types.items()}
    last = {given.name: -1 for given in graph.inputs}
    for number, node in enumerate(graph.nodes):
        until = len(graph.nodes) if node.full_name in saving else number
        last.update((name, max(until, last.get(name, until))) for name in (node.full_name, *node.inputs))
    for name in graph.outputs:
        last[name] = len(graph.nodes)
    living = sum(sizes[given.name] for given in graph.inputs)
    most = living
    for number, node in enumerate(graph.nodes):
        living += sizes[node.full_name]
        most = max(most, living)
        living -= sum(sizes[name] for name in {node.full_name, *node.inputs} if last[name] == number)
    return most


def machine_bytes() -> int | None:
    """The machine's memory, or None where the system does not report it."""
    if sys.platform != "win32":
        with suppress(AttributeError, OSError, ValueError):
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def require_memory(needed: int, what: str) -> None:
    """Raise ExecutionError where something needs more memory than the machine has."""
    available = machine_bytes()
    if available is not None and needed > available:
        message = f"{what} need at least {_gib(needed)} GiB, this machine has {_gib(available)}"
        refuse("E904", message, help="a smaller --batch or --input takes less")


def _gib(count: int) -> str:
    return f"{count / 2**30:,.1f}"
