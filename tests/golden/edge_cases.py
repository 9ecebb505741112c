"""Edge cases that PyTorch's results are recorded of: what they are, and the numbers that go in.

NumPy alone draws the numbers, so that both sides have the same.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

DTYPES = ("float64", "float32", "float16", "bfloat16")
_LARGEST = {"float64": 1.7976931348623157e308, "float32": 3.4028234663852886e38, "float16": 65504.0,
            "bfloat16": 3.3895313892515355e38}  # fmt: skip
_SUBNORMAL = {"float64": 5e-324, "float32": 1e-45, "float16": 6e-8, "bfloat16": 9.2e-41}
_POINTS = (
    0.0, 1e-3, 0.1, 0.5, 1.0, 2.0, 2.75, 3.0, 3.125, 4.5, 5.0, 6.0, 6.5, 9.0, 10.5, 12.0, 17.0, 19.875, 20.0, 20.125, 40.0,
    87.5, 89.0, 104.0, 700.0, 10000.0, np.inf,
)  # fmt: skip
_ROW = 64
"""Whole vectors of every type: what is left over PyTorch computes by scalars, with other results for NaN."""
UPSTREAM = (1.0, np.inf, -0.5, np.nan)
"""Each element of an output meets each of these in turn."""
_SPECIAL = (1.0, np.nan, 0.5, np.inf, -1.0, -np.inf, 0.0, -0.0, 2.0, 2.0, -3.0)


class Case(NamedTuple):
    """A layer, how it is run, the shape of its input N,..., and which numbers are in it."""

    kind: str
    options: dict[str, Any]
    shape: Shape | None = None
    """None is one row of every point, and of the first ones again."""
    numbers: str = "points"
    training: bool = False

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The types that it is recorded in: a pool's numbers are the same in all."""
        return ("float64",) if self.shape and self.kind.endswith(("pool", "reduce")) else DTYPES

    @property
    def name(self) -> str:
        """What it is called in the file."""
        options = ",".join(f"{name}={value}" for name, value in self.options.items())
        mode = " training" if self.training else ""
        return f"{self.kind}({options}) {self.numbers} {self.shape or ''}{mode}"

    def x(self, dtype: str) -> Array:
        """The input in float64, rounded to the type it is meant for but for bfloat16, which NumPy lacks."""
        if self.shape is None:
            own = (*_POINTS, _LARGEST[dtype], _SUBNORMAL[dtype])
            row = np.resize([*own, *(-point for point in own), np.nan], _ROW)
            return _rounded(row[None], dtype)
        count = int(np.prod(self.shape))
        if self.numbers in ("mixed", "finite"):
            values = np.array([_SPECIAL[(7 * i + 3) % len(_SPECIAL)] for i in range(count)])
            if self.numbers == "finite":
                values = np.where(np.isfinite(values), values, 0.25 * np.arange(count))
        elif self.numbers == "one":
            values = np.arange(count) % 7 - 3.0
            values[count // 3] = np.nan
            values[count // 2] = np.inf
        else:
            values = np.full(count, float(self.numbers))
        return _rounded(values.reshape(self.shape), dtype)


def upstream(shape: Shape, turn: int) -> Array:
    """An upstream gradient of that shape; each turn moves every number by one place."""
    count = int(np.prod(shape))
    return np.array([UPSTREAM[(i + turn) % len(UPSTREAM)] for i in range(count)]).reshape(shape)


def parameter(name: str, count: int) -> Array:
    """A layer's vector by its name, in eighths, which every type holds."""
    if name == "running_var":
        return 1 + np.arange(count) % 3 / 2
    return (
        (np.arange(count) % 5 - 1) / 4 if name in ("bias", "running_mean") else 1 - np.arange(count) % 4 / 8
    )


def _rounded(values: Array, dtype: str) -> Array:
    with np.errstate(over="ignore"):
        kept = values.astype("float32" if dtype == "bfloat16" else dtype)
    if dtype == "bfloat16":
        finite = np.isfinite(kept)
        bits = kept.view(np.uint32)
        bits[finite] = (bits[finite] + 0x7FFF + (bits[finite] >> 16 & 1)) & 0xFFFF0000
    return kept.astype(np.float64)


def _activations() -> list[Case]:
    plain = ("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "sigmoid", "tanh", "hardsigmoid",
             "hardswish", "softplus", "mish", "prelu")  # fmt: skip
    options: list[tuple[str, dict[str, Any]]] = [
        *((kind, {}) for kind in plain),
        ("gelu", {"form": "tanh"}),
        ("leaky_relu", {"slope": 0.25}),
        ("leaky_relu", {"slope": 0.0}),
        ("elu", {"alpha": 0.5}),
        ("celu", {"alpha": 0.5}),
        ("softplus", {"beta": 2.0, "threshold": 5.0}),
        *((kind, {}) for kind in ("sqrt", "exp", "log", "absolute")),
        ("scale", {"factor": 2.0, "shift": 1.0}),
        *(("power", {"exponent": exponent}) for exponent in (2.0, 3.0, 0.5, -1.0)),
    ]
    found = [Case(kind, own) for kind, own in options]
    for kind in ("softmax", "log_softmax"):
        found += [
            Case(kind, {}, (3, 5), numbers) for numbers in ("finite", "one", "-inf", "inf", "nan", "mixed")
        ]
    return found


def _pools() -> list[Case]:
    windows: list[tuple[str, dict[str, Any], Shape]] = [
        ("maxpool", {"kernel": 2}, (2, 2, 4, 6)),
        ("maxpool", {"kernel": 3, "stride": 2, "pad": 1}, (1, 2, 7, 6)),
        ("maxpool", {"kernel": 3, "stride": 1, "dilation": 2}, (1, 1, 7, 7)),
        ("maxpool", {"kernel": 3, "stride": 2}, (1, 2, 11)),
        ("maxpool", {"kernel": 2}, (1, 1, 4, 4, 4)),
        ("avgpool", {"kernel": 2}, (2, 2, 4, 6)),
        ("avgpool", {"kernel": 3, "stride": 2, "pad": 1}, (1, 2, 7, 6)),
        ("adaptive_maxpool", {"size": 3}, (1, 2, 7, 5)),
        ("adaptive_avgpool", {"size": 3}, (1, 2, 7, 5)),
        ("global_avgpool", {}, (2, 3, 3, 4)),
        ("global_maxpool", {}, (2, 3, 3, 4)),
        ("reduce", {"axes": [-1], "how": "max"}, (2, 4, 5)),
        ("reduce", {"axes": [-1], "how": "mean"}, (2, 4, 5)),
    ]
    return [
        Case(kind, options, shape, numbers)
        for kind, options, shape in windows
        for numbers in ("mixed", "finite", "one", "-inf", "nan", "inf")
    ]


def _norms() -> list[Case]:
    norms: list[tuple[str, dict[str, Any], Shape, bool]] = [
        ("batchnorm", {}, (2, 3, 2, 3), True),
        ("batchnorm", {}, (2, 3, 2, 3), False),
        ("layernorm", {}, (2, 3, 8), False),
        ("groupnorm", {"groups": 2}, (2, 4, 5), False),
        ("instancenorm", {}, (2, 3, 6), False),
        ("lrn", {"size": 3}, (2, 5, 2, 2), False),
    ]
    return [
        Case(kind, options, shape, numbers, training)
        for kind, options, shape, training in norms
        for numbers in ("finite", "one", "2.0", "inf")
    ]


CASES = [*_activations(), *_pools(), *_norms()]
