"""The parameters that training updates: which take weight decay, and their factors of the learning rate."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import NamedTuple

from netcalc.backend import Network
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import nearest
from netcalc.layers import ParamSpec
from netcalc.train.configurable import positive


class TrainedParameter(NamedTuple):
    """A parameter that is not frozen; `array` is the network's own."""

    name: str
    array: Array
    decays: bool
    """Whether it takes weight decay where not all parameters do: no bias, no scale, nothing of a norm."""
    factor: float
    """Of the learning rate."""


def trained_parameters(
    network: Network, factors: Mapping[str, float] | None = None
) -> tuple[TrainedParameter, ...]:
    """The parameters of a network that are not frozen, each once where layers share it.

    `factors` gives some of them a factor of the learning rate by patterns of their names, as `matched` reads
    them; of several patterns that fit the last one counts. Raises ValueError for a factor that is no number
    above 0, a pattern that fits none, and a network in half precision, which cannot hold small updates.
    """
    if network.precision.is_half:
        raise ValueError(f"training takes a network in float32 or float64, not in {network.precision.name}")
    arrays = network.parameters()
    specs = {
        f"{node.full_name}.{param.name}": param
        for node in network.graph.nodes
        if node.shared is None
        for param in node.params
        if param.trainable
    }
    chosen = dict.fromkeys(specs, 1.0)
    for pattern, factor in (factors or {}).items():
        number = positive(factor, f"the factor of {pattern}")
        chosen.update(dict.fromkeys(matched(specs, pattern), number))
    return tuple(
        TrainedParameter(name, arrays[name], _decays(spec), chosen[name]) for name, spec in specs.items()
    )


def matched(names: Iterable[str], pattern: str) -> list[str]:
    """The parameters whose name, layer or block fits a pattern with `*`, `?` and `[...]`, such as `conv*`.

    `stage1` and `stage1.0.*` fit `stage1.0.conv1.weight`. Raises ValueError where none fits.
    """
    names = list(names)
    found = [name for name in names if any(fnmatchcase(part, pattern) for part in _prefixes(name))]
    if not found:
        match = nearest(pattern, {part for name in names for part in _prefixes(name)})
        hint = f"; did you mean {match}?" if match else ""
        raise ValueError(f"no trained parameter, layer or block fits {pattern!r}{hint}")
    return found


def _prefixes(name: str) -> list[str]:
    """The name, and those of the layer and the blocks around it."""
    return list(accumulate(name.split("."), "{}.{}".format))


def _decays(spec: ParamSpec) -> bool:
    """A vector is a bias or a scale; what else has no decay, its layer says."""
    return spec.decays and len(spec.shape) > 1
