"""A plan of fast inference: what each layer becomes, and what memory it takes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netcalc.render.layout import Heading, Segment, lay_out, paragraph
from netcalc.render.numbers import byte_size
from netcalc.tensor import format_shape

if TYPE_CHECKING:
    from netcalc.backend.plan.drafting import Draft

_HEADINGS = ("layer", "with it, in place", "output", "computed by", "held")
_NARROW = ("held", "output")
"""What a narrow terminal does without, in this order."""


def plan_lines(draft: "Draft", width: int | None) -> Iterator[list[Segment]]:
    """One line a step, then how the work is shared out and what memory is taken."""
    graph = draft.graph
    workers = f"{draft.workers} workers" if draft.workers > 1 else "one worker"
    yield [(graph.name, "bold"), (f"  ·  batch {draft.batch}, {draft.dtype.name}, {workers}", "")]
    yield []
    names = list(_HEADINGS)
    rows = [_row(draft, number) for number in range(len(draft.steps))]
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
    for sentence in _sentences(draft):
        yield from paragraph(sentence, "dim", width or 1000)


_PLAIN = ("copy", "kernel")
"""What is not worth a look: layers that are moved, or run by their kernel as without a plan."""


def _row(draft: "Draft", number: int) -> dict[str, str]:
    step = draft.steps[number]
    stage = step.stage
    tensor = draft.tensors[stage.output]
    is_layer = stage.output in draft.graph.types
    texts = (
        stage.node.full_name if is_layer else stage.output,
        " + ".join(node.layer.kind for node in stage.fused),
        format_shape(tensor.shape),
        step.name,
        "channels last" if tensor.channels_last else "as it is",
    )
    return dict(zip(_HEADINGS, texts, strict=True))


def _sentences(draft: "Draft") -> Iterator[str]:
    sizes = draft.sizes()
    alone = sum(type.nbytes for type in draft.graph.types.values()) // 4 * draft.dtype.itemsize * draft.batch
    arena, all_apart = (byte_size(count) for count in (sizes.arena, alone))
    yield f"all tensors lie in {arena}, by lifetimes; one beside the other they would take {all_apart}"
    weights, scratch = (byte_size(count) for count in (sizes.weights, sizes.scratch))
    each = " for each worker" if draft.workers > 1 else ""
    yield f"{scratch} of scratch memory{each}, {weights} of weights in the form that the algorithms read"
    if draft.workers > 1 and draft.apart:
        own = draft.batch // draft.workers
        samples = f"{own} sample{'s' if own > 1 else ''} of its own"
        if draft.apart < len(draft.steps):
            last = draft.steps[draft.apart].stage.node.full_name
            yield f"each worker takes {samples} up to {last}; from there on all share each layer"
        else:
            yield f"each worker takes {samples} through all layers"
    elif draft.workers > 1:
        yield "all workers share each layer: rows of the output, or channels where there are few"
