"""What the text and the JSON of a roofline share: labels, bounds, what a bound is worth."""

from typing import NamedTuple

from netcalc.analysis.fusion import Fusion
from netcalc.analysis.roofline import LayerWork, Roofline, Work
from netcalc.render.labels import whole_label


class TrainingRun(NamedTuple):
    """A training run: its images and epochs, and the memory of a step."""

    images: int
    epochs: int
    memory_bytes: int | None


def label(layer: LayerWork) -> str:
    """`conv1 + relu`."""
    return whole_label(*label_parts(layer))


def label_parts(layer: LayerWork) -> tuple[str, tuple[str, ...]]:
    """A kernel's first layer, and the kinds of the others."""
    first, *others = layer.rows
    return first.node.full_name, tuple(row.node.layer.kind for row in others)


def bound_by(found: Roofline, work: Work) -> str:
    """What takes longer: computing or moving; nothing where there is neither."""
    if not work.operations and not work.bytes:
        return ""
    return "memory" if found.is_memory_bound(work) else "compute"


_WARNING = (
    "A bound, not a forecast: every operation at the device's peak, every byte once at full bandwidth, "
    "nothing waiting. It holds for direct products: a Winograd or FFT kernel multiplies less, so that a "
    "convolution bound by compute can be faster."
)
_KERNELS: dict[Fusion, str] = {
    "elementwise": (
        "It holds where products, pools and the like are kernels of their own that run one after the other "
        "and hand tensors on through the device's memory; elementwise layers, normalisation, sums, "
        "concatenation and moves of elements are done on the way, in training too."
    ),
    "none": (
        "It is that of a run with a kernel a layer and nothing fused, as frameworks run eagerly; fusion can "
        "be faster."
    ),
}


def warning(found: Roofline) -> str:
    return f"{_WARNING} {_KERNELS[found.fusion]}"
