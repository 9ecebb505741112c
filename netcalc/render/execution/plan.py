"""A plan of fast inference: what each layer becomes, and what memory it takes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netcalc.render.layout import Heading, Segment, paragraph, title_lines
from netcalc.render.numbers import byte_size
from netcalc.render.text_table import TextColumn, text_table
from netcalc.tensor import format_shape

if TYPE_CHECKING:
    from netcalc.backend.plan.lowering import Program

_PLAIN = ("copy", "kernel")
"""What is not worth a look: layers that are moved, or run by their kernel as without a plan."""


def plan_lines(program: "Program", width: int | None) -> Iterator[list[Segment]]:
    """One line an operation, then how the work is shared out and what memory is taken."""
    graph = program.graph
    yield from title_lines((graph.name, "bold"), [conditions_in_words(program)], width)
    yield []
    names, fused, outputs, algorithms, layouts = _cells(program)
    dim = ["dim" if text in _PLAIN else "" for text in algorithms]
    columns = (
        TextColumn(Heading("", "layer", left=True), names, "cyan"),
        TextColumn(Heading("", "with it, in place", left=True), fused, wraps=True),
        TextColumn(Heading("", "output", left=True), outputs, drop=2),
        TextColumn(Heading("", "computed by", left=True), algorithms, dim),
        TextColumn(Heading("", "held", left=True), layouts, "dim", drop=1),
    )
    yield from text_table(columns, width)
    yield []
    for sentence in memory_in_words(program):
        yield from paragraph(sentence, "dim", width)


def _cells(program: "Program") -> tuple[list[str], ...]:
    """The columns: the layers, what is fused into each, its output, its algorithm, how the output lies."""
    stages = [operation.stage for operation in program.operations]
    tensors = [program.tensors[stage.output] for stage in stages]
    is_layer = program.graph.types
    return (
        [stage.node.full_name if stage.output in is_layer else stage.output for stage in stages],
        [" + ".join(node.layer.kind for node in stage.fused) for stage in stages],
        [format_shape(tensor.shape) for tensor in tensors],
        [operation.name for operation in program.operations],
        ["channels last" if tensor.channels_last else "as it is" for tensor in tensors],
    )


def conditions_in_words(program: "Program") -> str:
    """Batch, element type and workers."""
    workers = f"{program.workers} workers" if program.workers > 1 else "one worker"
    return f"batch {program.batch}, {program.dtype.name}, {workers}"


def memory_in_words(program: "Program") -> Iterator[str]:
    """What memory is taken, and how the workers share the work."""
    sizes = program.memory()
    numel = sum(type.nbytes for type in program.graph.types.values()) // 4
    alone = numel * program.dtype.itemsize * program.batch
    arena, separate = (byte_size(count) for count in (sizes.arena, alone))
    yield f"all tensors lie in {arena}, by lifetimes; one beside the other they would take {separate}"
    weights, scratch = (byte_size(count) for count in (sizes.weights, sizes.scratch))
    each = " for each worker" if program.workers > 1 else ""
    yield f"{scratch} of scratch memory{each}, {weights} of weights in the form that the algorithms read"
    if program.workers > 1 and program.batch_parallel:
        own = program.batch // program.workers
        samples = f"{own} sample{'s' if own > 1 else ''} of its own"
        if program.batch_parallel < len(program.operations):
            last = program.operations[program.batch_parallel].stage.node.full_name
            yield f"each worker takes {samples} up to {last}; from there on all share each layer"
        else:
            yield f"each worker takes {samples} through all layers"
    elif program.workers > 1:
        yield "all workers share each layer: rows of the output, or channels where there are few"
