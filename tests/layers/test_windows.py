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
        (
            "interpolate",
            {"size": (11, 5), "align_corners": True, "mode": "bilinear"},
            (4, 6, 9),
            (Window(5, 9, 18, 10), Window(8, 3, 6, 4)),
        ),
        (
            "interpolate",
            {"size": (1, 9), "align_corners": True, "mode": "bicubic"},
            (4, 6, 9),
            (POINT, Window(8, 7, 14, 8)),
        ),
        ("upsample", {"factor": 2, "mode": "bicubic"}, (4, 6, 9), (Window(2, 8, 15, 4),) * 2),
        ("pixel_unshuffle", {"factor": 2}, (4, 6, 8), (Window(2, 0, 1), Window(2, 0, 1))),
        ("conv", {"filters": 2, "kernel": 3, "dilation": 4, "pad": "causal"}, (4, 20), (Window(1, 8, 8),)),
        ("glu", {}, (4, 6, 8), None),
        ("glu", {"axis": 0}, (4, 6, 8), (POINT, POINT)),
        ("parameter", {"shape": (1, 6, 9), "join": "prepend"}, (4, 6, 9), (POINT, POINT)),
        ("parameter", {"shape": (4, 1, 9), "join": "prepend", "axis": 1}, (4, 6, 9), None),
        ("parameter", {"shape": (4, 1, 1)}, (4, 6, 9), (POINT, POINT)),
        ("window_attention", {"size": 3, "heads": 1}, (6, 9, 4), None),
    ],
)
def test_window(kind: str, options: dict[str, Any], shape: Shape, windows: tuple[Window, ...] | None) -> None:
    x = TensorType(shape)
    assert LAYERS[kind]((x,), **options).window((x,)) == windows
