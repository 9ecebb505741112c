"""Which options of `netcalc run` have nothing to act on."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import typer

from netcalc.cli.input_files import InputOptions

_OF_PICTURES = ("--resize", "--mean", "--std")
_OF_CLASSES = ("--labels", "--top")


class How(NamedTuple):
    """How the network is run."""

    training: bool
    reference: bool
    trace: bool
    backward: bool
    upstream: str | None


def refuse_idle(how: How, verify: bool, given: InputOptions, others: Mapping[str, bool], format: str) -> None:
    """Raise typer.BadParameter for an option that has nothing to act on; `others` says which are given."""
    for option, message in _idle(how, verify, given, others, format):
        raise typer.BadParameter(message, param_hint=option)


def _idle(
    how: How, verify: bool, given: InputOptions, others: Mapping[str, bool], format: str
) -> Iterator[tuple[str, str]]:
    """Each idle option with the reason."""
    if how.upstream and not how.backward:
        yield "--upstream", "it is where --backward starts; add --backward."
    if others["--batch"] and given.files:
        yield "--batch", "the samples are those of the files; it is for random inputs."
    if how.reference and (how.trace or how.backward):
        yield "--reference", "--trace and --backward run the plain kernels anyway; leave it out."
    if verify:
        modes = {
            "--trace": how.trace,
            "--backward": how.backward,
            "--training": how.training,
            "--reference": how.reference,
            "--input": bool(given.files or given.random),
        }
        for option in (option for option, is_given in {**modes, **others}.items() if is_given):
            yield option, "--verify runs the layers on one random sample of its own; leave it out."
    for option in (option for option in _OF_PICTURES if others[option] and not given.pictures):
        yield option, "it prepares pictures, and no input is one."
    rows = "--trace" if how.trace else f"{format} with --backward" if how.backward else ""
    for option in (option for option in _OF_CLASSES if others[option]):
        if how.trace or (rows and format not in ("rich", "json")):
            yield option, f"{rows} has a row a layer, no classes."
        if not given.pictures and not others["--labels"]:
            yield option, "classes are shown for a picture, or with --labels."
