"""Outputs in inference mode for one batch after another, with the weights as they are."""

from collections.abc import Mapping

import numpy as np

from netcalc.backend import InferencePlan, Network
from netcalc.backend.dispatch import run_on_engine
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import ExecutionError


class Forward:
    """Outputs by name for batches of any size: by a plan for those of the first batch's size.

    A plan holds the weights as they are when it is made, so it lives as long as this does; a context manager.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._plan: InferencePlan | None = None
        self._is_first = True

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs; one input fills the network's one, whatever their names are."""
        names = [given.name for given in self._network.graph.inputs]
        x = dict(zip(names, inputs.values(), strict=True)) if len(names) == len(inputs) == 1 else inputs
        batch = len(next(iter(x.values())))
        if self._is_first:
            self._is_first = False
            try:
                self._plan = InferencePlan(self._network, batch)
            except ExecutionError:  # half precision, or more memory than there is
                self._plan = None
        if self._plan is None:
            return self._network.run(x, gradients=False).outputs
        if self._plan.batch == batch:
            outputs = self._plan.run(x)
            # Winograd's convolution spreads NaN and infinity over its tiles; the kernels do not
            with np.errstate(all="ignore"):
                are_finite = all(np.isfinite(y.sum()) for y in outputs.values())
            if are_finite:
                return outputs
        else:
            once = run_on_engine(self._network, x)
            if once is not None:
                return once.outputs
        return self._network.run(x, gradients=False).outputs

    def __enter__(self) -> "Forward":
        return self

    def __exit__(self, *_: object) -> None:
        if self._plan is not None:
            self._plan.close()
