"""The gradient check finds faults, knows kinks, and passes what is right."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netcalc.backend import gradcheck
from netcalc.backend.gradcheck import check_gradients
from netcalc.backend.kernels import KERNELS
from netcalc.backend.kernels.linear import linear

from helpers import graph_of

NET = "input: [3, 7, 7]\nlayers:\n  - conv: {filters: 4, kernel: 3}\n  - linear: {units: 5}\n"


def broken(change: Callable[[tuple[Any, ...], dict[str, Any]], None]) -> Any:
    """The linear kernel with gradients that are changed."""

    def kernel(*arguments: Any) -> Any:
        y, backward = linear(*arguments)

        def wrong(dy: Any) -> Any:
            dxs, dparams = backward(dy)
            change(dxs, dparams)
            return dxs, dparams

        return y, wrong

    return kernel


def verdicts(text: str, **options: Any) -> dict[str, str]:
    return {f"{c.node.full_name} {c.array}": c.verdict for c in check_gradients(graph_of(text), **options)}


def test_right_gradients_pass() -> None:
    assert set(verdicts(NET).values()) == {"right"}
    assert len(verdicts(NET)) == 6


@pytest.mark.parametrize(
    ("change", "array"),
    [
        (lambda dxs, dparams: dxs[0].__imul__(1.001), "input"),
        (lambda dxs, dparams: dxs[0].__setitem__((0, 0, 0, 0), 0), "input"),
        (lambda dxs, dparams: dparams["weight"].__imul__(0.5), "weight"),
        (lambda dxs, dparams: dparams["weight"].__iadd__(1e-4), "weight"),
        (lambda dxs, dparams: dparams["bias"].__imul__(-1), "bias"),
    ],
)
def test_a_fault_is_found_and_named(monkeypatch: pytest.MonkeyPatch, change: Any, array: str) -> None:
    monkeypatch.setitem(KERNELS, "linear", broken(change))
    found = verdicts(NET)
    assert [name for name, verdict in found.items() if verdict != "right"] == [f"linear1 {array}"]
    assert found[f"linear1 {array}"] == "wrong"


@pytest.mark.parametrize(
    "layers", ["[relu]", "[relu, {maxpool: {kernel: 2}}]", "[relu6, {maxpool: {kernel: 3, stride: 1}}]"]
)
def test_kinks_are_no_faults(layers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeros at a ReLU, and ties of zeros in a maximum."""
    monkeypatch.setattr(gradcheck, "random_inputs", lambda *_: {"input": np.zeros((2, 3, 8, 8))})
    found = verdicts(f"input: [3, 8, 8]\nlayers: {layers}\n")
    assert "wrong" not in found.values()
    assert "kink" in found.values()


def test_one_layer_alone() -> None:
    assert set(verdicts(NET, only=("linear1",))) == {"linear1 input", "linear1 weight", "linear1 bias"}


def test_the_command(cli: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(NET)
    result = cli("gradcheck", str(path))
    assert (result.code, result.err) == (0, "")
    assert "all 6 gradients are right" in result.out
    assert "did you mean linear1?" in cli("gradcheck", str(path), "--layer", "linear").err
    monkeypatch.setitem(KERNELS, "linear", broken(lambda dxs, dparams: dparams["weight"].__imul__(2)))
    result = cli("gradcheck", str(path))
    assert result.code == 1
    assert "1 of 6 gradients are wrong" in result.out
