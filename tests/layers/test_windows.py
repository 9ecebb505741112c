"""What an output of a layer reads along each spatial axis, where a layer's options decide."""

from typing import Any

import pytest

from netcalc.layers import LAYERS, Window
from netcalc.tensor import Shape, TensorType

POINT = Window()


@pytest.mark.parametrize(
    ("kind", "options", "shape", "windows"),
    [
        ("split", {"parts": 2, "part": 1}, (4, 6, 9), (POINT, POINT)),
        ("split", {"parts": 3, "part": 2, "axis": -1}, (4, 6, 9), (POINT, Window(1, -6))),
        ("roll", {"shift": (2,)}, (4, 6, 9), (POINT, POINT)),
        ("roll", {"shift": (0, 1)}, (4, 6, 9), None),  # what comes in at the other end is far away
        ("reduce", {"axes": (0,), "keep": True}, (4, 6, 9), (POINT, POINT)),
        ("reduce", {"axes": (0,)}, (4, 6, 9), None),
        ("reduce", {"axes": (1,), "keep": True}, (4, 6, 9), None),
        ("interpolate", {"size": (12, 9)}, (4, 6, 9), (Window(1, 1, 1, 2), POINT)),
        ("interpolate", {"size": (12, 8)}, (4, 6, 9), None),  # not a whole factor
        ("parameter", {"shape": (1, 6, 9), "join": "prepend"}, (4, 6, 9), (POINT, POINT)),
        ("parameter", {"shape": (4, 1, 9), "join": "prepend", "axis": 1}, (4, 6, 9), None),
        ("parameter", {"shape": (4, 1, 1)}, (4, 6, 9), (POINT, POINT)),
        ("window_attention", {"size": 3, "heads": 1}, (6, 9, 4), None),
    ],
)
def test_window(kind: str, options: dict[str, Any], shape: Shape, windows: tuple[Window, ...] | None) -> None:
    x = TensorType(shape)
    assert LAYERS[kind](**options).resolved(x).window(x) == windows
