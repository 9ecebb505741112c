"""A run that goes on: the training of its folder, brought to where a checkpoint has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from netcalc.backend.errors import refuse
from netcalc.diagnostics import Note
from netcalc.graph import Graph, elaborate
from netcalc.graph.flat import flat_spec
from netcalc.spec import find_spec, read_spec
from netcalc.train.checkpoints import checkpoints_in, restore
from netcalc.train.loop import Training
from netcalc.train.recipe import OF_DATA, Recipe
from netcalc.train.recipe_file import differences, read_recipe, recipe_source
from netcalc.train.run_folder import RunFolder


class Resumed(NamedTuple):
    """A training where a checkpoint has it, its folder, and what its monitor had seen."""

    training: Training
    folder: RunFolder
    seen: dict[str, Any] | None
    """None where the run begins anew."""


def resumed(place: str, options: Mapping[str, Any], recipe: str = "", graph: Graph | None = None) -> Resumed:
    """The training of a run's folder, from its last checkpoint, or from the one that `place` is.

    `options`, a `recipe` and a `graph` may be given once more, and are to be the run's own; but data may have
    moved, and the number of epochs may change where the schedule does not depend on it. What was written
    after the checkpoint is removed. A run that has ended before its first checkpoint begins anew.

    Raises ExecutionError where there is no checkpoint or it is damaged, and for another network, data set or
    recipe, with what differs.
    """
    path = Path(place)
    checkpoint = path if path.is_file() else None
    folder = RunFolder(path.parent.parent if checkpoint else path)
    folder.require()
    folder.lock()
    old = read_recipe(recipe_source(str(folder.recipe)))
    own = elaborate(read_spec(find_spec(str(folder.spec)).source))
    if graph is not None and flat_spec(graph) != flat_spec(own):
        refuse("E932", f"{graph.name} is not the network of the run", help=f"that is {folder.spec}")
    new = _asked(folder, old, options, recipe)
    data = new.open_data()
    begins = checkpoint is None and folder.has_only_begun()
    training = Training(new.network(own, loaded=begins), data, new)
    found = None if begins else restore(training, checkpoint or _last(folder))
    _require_schedule(training, old)
    folder.cut(found.metrics if found else 0, training.at.step)
    if new.plain() != old.plain():
        folder.write(folder.recipe, new.text())
    return Resumed(training, folder, found.observers if found else None)


def _asked(folder: RunFolder, old: Recipe, options: Mapping[str, Any], recipe: str) -> Recipe:
    """The recipe of the run, with the number of epochs and the place of the data that are asked for."""
    source = recipe_source(recipe or str(folder.recipe))
    place = {"data": old.data} if recipe and old.data else {}
    new = read_recipe(source, {**place, **options})
    differ = differences(old, new, (*OF_DATA, "epochs"))
    if differ:
        refuse(
            "E932",
            f"the run in {folder.path} has another recipe",
            notes=tuple(Note(each) for each in differ),
            help="leave these options out, or begin a new run",
        )
    return new


def _last(folder: RunFolder) -> Path:
    """The last checkpoint of a run."""
    found = checkpoints_in(folder.checkpoints)
    if not found:
        refuse(
            "E933",
            f"{folder.path} has no checkpoint",
            help="the run was longer: its checkpoints were removed",
        )
    return found[-1]


def _require_schedule(training: Training, old: Recipe) -> None:
    """Raise ExecutionError where the steps so far would have had other rates in so many epochs."""
    epochs = training.recipe.epochs
    if epochs == old.epochs:
        return
    before = old.schedule(old.epochs, training.updates)
    if any(before(step) != training.schedule(step) for step in range(training.at.step)):
        name = old.schedule.kind.name
        refuse(
            "E932",
            f"epochs: {old.epochs}, now {epochs}: the {name} schedule would have had other rates so far",
            help="constant and step do not depend on the number of epochs",
        )
    if epochs < training.at.epoch:
        refuse("E932", f"epochs: {old.epochs}, now {epochs}: {training.at.epoch} are done")
