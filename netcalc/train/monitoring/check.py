"""What looks for one kind of trouble, with a state that a checkpoint keeps."""

from collections.abc import Mapping
from typing import Any, ClassVar

from netcalc.train.records import Observer


class TrainingCheck(Observer):
    """An observer that is done once it has warned. What it has seen goes into checkpoints."""

    says: ClassVar[tuple[str, ...]]
    """Words of its messages, one of which each has."""
    kept: ClassVar[tuple[str, ...]] = ()
    """Its attributes that depend on what it has seen: plain values."""

    def state(self) -> dict[str, Any]:
        """Those attributes by name."""
        return {name: getattr(self, name) for name in self.kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave, as JSON has it, and go on as the check that gave it would."""
        for name in self.kept:
            setattr(self, name, state[name])
