"""A plan of fast inference: what each layer becomes, and what memory it takes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netcalc.render.layout import Heading, Segment, lay_out, paragraph
from netcalc.render.numbers import byte_size
from netcalc.tensor import format_shape

if TYPE_CHECKING:
    from netcalc.backend.plan.lowering import Program

_HEADINGS = ("layer", "with it, in place", "output", "computed by", "held")
_NARROW = ("held", "output")
"""Columns dropped on a narrow terminal, first to last."""


def plan_lines(program: "Program", width: int | None) -> Iterator[list[Segment]]:
    """One line an operation, then how the work is shared out and what memory is taken."""
    graph = program.graph
    yield [(graph.name, "bold"), (f"  ·  {conditions_in_words(program)}", "")]
    yield []
    names = list(_HEADINGS)
    rows = [_row(program, number) for number in range(len(program.operations))]
    for dropped in ("", *_NARROW):
        names = [name for name in names if name != dropped]
        cells = [[row[name] for name in names] for row in rows]
        layout = lay_out([Heading("", name, left=True) for name in names], cells, width)
        if width is None or layout.width <= width:
            break
    yield from layout.heading_lines()
    for row, texts in zip(rows, cells, strict=True):
        styles = {
            "layer": "cyan",
            "computed by": "dim" if row["computed by"] in _PLAIN else "",
            "held": "dim",
        }
        yield layout.line([(text, styles.get(name, "")) for name, text in zip(names, texts, strict=True)])
    yield []
    for sentence in memory_in_words(program):
        yield from paragraph(sentence, "dim", width or 1000)


_PLAIN = ("copy", "kernel")
"""What is not worth a look: layers that are moved, or run by their kernel as without a plan."""


def _row(program: "Program", number: int) -> dict[str, str]:
    operation = program.operations[number]
    stage = operation.stage
    tensor = program.tensors[stage.output]
    is_layer = stage.output in program.graph.types
    texts = (
        stage.node.full_name if is_layer else stage.output,
        " + ".join(node.layer.kind for node in stage.fused),
        format_shape(tensor.shape),
        operation.name,
        "channels last" if tensor.channels_last else "as it is",
    )
    return dict(zip(_HEADINGS, texts, strict=True))


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
