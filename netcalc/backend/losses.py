"""Loss functions, each with its gradient."""

import numpy as np
import numpy.typing as npt

from netcalc.backend.kernels.base import Array, widened


def cross_entropy(logits: Array, labels: npt.ArrayLike) -> tuple[float, Array]:
    """Softmax cross-entropy: mean over n of log(sum over k of exp(z[n, k])) - z[n, labels[n]].

    `logits` are N,K, any float dtype, and `labels` N whole numbers from 0 to below K. Returns the loss and
    its gradient (softmax(z) - one at the label) / N, in the dtype of the logits; as PyTorch's
    cross_entropy. Raises ValueError where shapes or labels do not fit.
    """
    targets = _checked(logits, labels)
    rows = np.arange(len(targets))
    wide = widened(logits)
    shifted = wide - wide.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1)
    loss = float((np.log(sums) - shifted[rows, targets]).mean())
    gradient: Array = exponentials / sums[:, np.newaxis]
    gradient[rows, targets] -= 1
    gradient /= len(targets)
    return loss, gradient.astype(logits.dtype, copy=False)


def _checked(logits: Array, labels: npt.ArrayLike) -> npt.NDArray[np.integer]:
    targets = np.asarray(labels)
    if logits.ndim != 2 or targets.shape != logits.shape[:1] or not logits.size:
        raise ValueError(
            f"cross-entropy takes logits N,K and N labels, not {logits.shape} and {targets.shape}"
        )
    if targets.dtype.kind not in "iu":
        raise ValueError(f"labels are whole numbers, not {targets.dtype}")
    if targets.min() < 0 or targets.max() >= logits.shape[1]:
        raise ValueError(f"labels are 0 to {logits.shape[1] - 1}, not {targets.min()} to {targets.max()}")
    return targets
