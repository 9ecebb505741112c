"""Sizes, counts and saved tensors in words."""

from netcalc.analysis.memory import LayerMemory, TrainingMemory
from netcalc.render import numbers

_SIZES = ((1024**5, "PiB"), (1024**4, "TiB"), *numbers.BYTE_UNITS)
_THOUSANDS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"), (1, ""))


def format_bytes(value: int) -> str:
    """Bytes in the largest unit that they reach, up to PiB."""
    return numbers.with_unit(value, _SIZES)


def told_apart(limit: int, below: int, above: int) -> tuple[str, str]:
    """Sizes around a limit in its unit, with as many decimals as tell `above` from it and from `below`."""
    size, unit = next((size, unit) for size, unit in _SIZES if limit >= size or size == 1)
    for decimals in range(2 if size > 1 else 0, 16):
        shown, needs, more = (f"{value / size:,.{decimals}f} {unit}" for value in (limit, below, above))
        if more not in (shown, needs):
            break
    return needs, more


def format_count(value: int) -> str:
    """A count in thousands, millions and so on: `4.09 G`."""
    return numbers.with_unit(value, _THOUSANDS).strip()


def kept_in_words(training: TrainingMemory, layer: LayerMemory) -> str:
    """`input, indices`: what a layer saves, whether or not another layer saves it too."""
    kept = training.saved_tensors[layer.node.full_name]
    words = ["input" if len(layer.node.inputs) == 1 else "inputs"] if kept.inputs else []
    words += ["output"] if kept.output else []
    both = (kept.each, kept.once)
    words += ["values"] if any(extra.values for extra in both) else []
    words += ["statistics"] if any(extra.statistics for extra in both) else []
    words += ["indices"] if any(extra.indices for extra in both) else []
    return ", ".join(words)
