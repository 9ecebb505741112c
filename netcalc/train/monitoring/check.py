"""What looks for one kind of trouble."""

from typing import ClassVar

from netcalc.train.records import Observer


class TrainingCheck(Observer):
    """An observer that is done once it has warned."""

    says: ClassVar[tuple[str, ...]]
    """Words of its messages, one of which each has."""
