"""netcalc plan: what is shown, at every width."""

from collections.abc import Callable
from typing import Any


def test_what_is_chosen_for_each_layer(cli: Callable[..., Any]) -> None:
    shown = cli("plan", "alexnet", "--workers", "1").out
    lines = {line.split()[0]: line for line in shown.splitlines() if line}
    assert "im2col of planes" in lines["conv1"]
    assert "Winograd F(2x2,5x5)" in lines["conv2"]
    assert "relu" in lines["conv3"]
    assert "product" in lines["fc6"]
    assert "relu1" not in lines
    assert "one worker" in lines["AlexNet"]
    assert "MiB of weights in the form that the algorithms read" in shown


def test_how_the_work_is_shared_out(cli: Callable[..., Any]) -> None:
    assert (
        "4 samples of its own up to fc6; from there"
        in cli("plan", "alexnet", "--workers", "2", "--batch", "8").out
    )
    assert "all workers share each layer" in cli("plan", "resnet18", "--workers", "2").out
    assert (
        "1 sample of its own through all layers"
        in cli("plan", "resnet18", "--workers", "2", "--batch", "2").out
    )


def test_double_precision_takes_no_winograd(cli: Callable[..., Any]) -> None:
    assert "Winograd" not in cli("plan", "vgg16", "--dtype", "float64").out


def test_mistakes_end_with_a_message(cli: Callable[..., Any]) -> None:
    result = cli("plan", "alexnet", "--batch", "0")
    assert result.code == 2
    assert "Traceback" not in result.err
    assert cli("plan", "no-such-net").code == 2
