"""Output sizes against PyTorch's, recorded by `tests/golden/make_shapes.py`: equal, or both refuse."""

import json
from typing import Any

import pytest

from netcalc.layers import LAYERS, LayerError
from netcalc.tensor import TensorType

from helpers import TESTS

CASES: dict[str, list[Any]] = json.loads((TESTS / "golden" / "shapes.json").read_text())["cases"]
LEAST = {
    "conv": 2000, "conv_transpose": 1500, "maxpool": 1400, "avgpool": 1200,
    "adaptive_avgpool": 150, "adaptive_maxpool": 150, "pad": 500,
}  # fmt: skip


def frozen(value: Any) -> Any:
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def inferred(kind: str, input_shape: list[int], options: dict[str, Any]) -> tuple[int, ...] | None:
    x = TensorType(tuple(input_shape))
    try:
        layer = LAYERS[kind]((x,), **{name: frozen(value) for name, value in options.items()})
        return layer.infer((x,)).shape
    except LayerError:
        return None


@pytest.mark.parametrize("kind", LEAST)
def test_enough_are_recorded(kind: str) -> None:
    refused = sum(output is None for _, _, output in CASES[kind])
    assert len(CASES[kind]) >= LEAST[kind]
    assert 0.1 <= refused / len(CASES[kind]) <= 0.4


@pytest.mark.parametrize("kind", LEAST)
def test_same_size_or_both_refuse(kind: str) -> None:
    wrong = [
        (input_shape, options, output, ours)
        for input_shape, options, output in CASES[kind]
        if (ours := inferred(kind, input_shape, options)) != frozen(output)
    ]
    assert wrong == []
