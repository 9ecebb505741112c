"""Which class of a trained file each class of a data set is: the one of the same name."""

from collections import Counter

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.diagnostics import nearest
from netcalc.train.data.dataset import DataSet
from netcalc.train.data.folder import FolderData


def label_numbers(
    data: DataSet, names: tuple[str, ...], scores: int, network: str, are_judged: bool = True
) -> Array | None:
    """For each class of the data its number in a trained file; None where they are the same.

    A class is the one of its name among the file's `names`, or, where these are numbers or missing, the one
    of `scores` that its name is the number of. Labels without names of their own are the classes' numbers,
    and as many names as there are scores are those of a file that has none. Raises ExecutionError where
    nothing says which class is meant; labels that are not judged are those of the data where the file has no
    names, as where features of other classes are taken of a published network.
    """
    own = data.classes
    if own == names[: len(own)]:
        return None
    has_names = not _are_numbers(names)
    known = names if has_names else tuple(map(str, range(max(scores, len(names)))))
    times = Counter(known)
    numbers = {name: number for number, name in enumerate(known) if times[name] == 1}
    unknown = [own[label] for label in _present(data) if own[label] not in numbers]
    if not unknown:
        found = np.array([numbers.get(name, -1) for name in own])
        return None if (found == np.arange(len(own))).all() else found
    is_numbered = _are_numbers(own) and not isinstance(data, FolderData)
    are_numbers = is_numbered and not (has_names and any(name.isdecimal() for name in names))
    are_all = not names and (not are_judged or len(own) == scores)
    if are_numbers or are_all:
        return None
    help: str | None = f"call each class by its number, 0 to {scores - 1:,}"
    if unknown[0] in times:
        fault, help = f"the name of {times[unknown[0]]} classes of {network}", None
    elif has_names:
        fault = f"none of the {len(names):,} that {network} was trained on"
        match = nearest(unknown[0], known)
        help = f"did you mean {match}?" if match else None
    else:
        fault = f"no number of the {scores:,} classes of {network}, which have no names"
    return refuse("E942", f"{data.path} has the class {unknown[0]!r}, which is {fault}", help=help)


def _present(data: DataSet) -> list[int]:
    """The classes that samples have; all where that is not known."""
    labels = data.labels()
    return [*range(len(data.classes))] if labels is None else np.unique(labels).tolist()


def _are_numbers(names: tuple[str, ...]) -> bool:
    """Whether the names of classes are their numbers, or none."""
    return names == tuple(map(str, range(len(names))))
