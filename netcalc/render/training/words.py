"""Figures of a training in words."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcalc.train.loop import Position


def loss_text(value: float | None) -> str:
    """A loss in seven columns, empty where there is none."""
    if value is None:
        return ""
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.3g}"


def accuracy_text(value: float | None) -> str:
    """A share in percent, empty where there is none."""
    return "" if value is None else f"{value:.2%}"


def duration(seconds: float) -> str:
    """`8.3 ms`, `2.1 s`, `1 min 47 s`, `3 h 20 min`."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


def rate_text(value: float) -> str:
    """A learning rate with three digits."""
    return f"{value:.3g}"


def kept_in_words(at: "Position") -> str:
    """Which weights are kept: `the best weights, after epoch 8, are kept: accuracy 98.33%, loss 0.0857`."""
    if at.best_epoch is None:
        return "the last weights are kept"
    share = "" if at.best_accuracy is None else f"accuracy {accuracy_text(at.best_accuracy)}, "
    return (
        f"the best weights, after epoch {at.best_epoch + 1}, are kept: {share}loss {loss_text(at.best_loss)}"
    )
