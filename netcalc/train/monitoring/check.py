"""What the checks of a monitor share: a state that a checkpoint keeps."""

from collections.abc import Mapping
from typing import Any, ClassVar

from netcalc.train.records import Observer


class Check(Observer):
    """An observer that speaks once. Checkpoints keep what it has seen: a run that goes on warns alike."""

    kept: ClassVar[tuple[str, ...]] = ()
    """Its attributes that depend on what it has seen: plain values."""

    def state(self) -> dict[str, Any]:
        """Those attributes by name."""
        return {name: getattr(self, name) for name in self.kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave, as JSON has it."""
        for name in self.kept:
            setattr(self, name, state[name])
