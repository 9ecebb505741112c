"""Recipes from YAML and from the options of a command, with the place of each mistake."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from netcalc.diagnostics import Diagnostic, Problems, Source, Span, SpecError, format_value, suggestion
from netcalc.spec.expressions import Expression
from netcalc.spec.tree import UNKNOWN, Value, YamlMapping, YamlScalar, YamlSequence
from netcalc.spec.yaml_reader import MAX_TEXT, read_document
from netcalc.train.configurable import OptionError, UnknownOptionError
from netcalc.train.recipe import Recipe

Place = Callable[[tuple[str, ...], bool], Span]
"""The span of a part of a value by the keys to it, or of the last key itself."""


class GivenValue(NamedTuple):
    """The value of an option, and where a part of it is written, by the path of keys to it."""

    value: Any
    place: "Place"


def read_recipe(source: Source | None = None, options: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe of a YAML text, with what the options of a command say in its place.

    `options` are values by the names of the recipe's options; `lr` among them is the optimiser's. Raises
    SpecError with every mistake, located in the text or in the option.
    """
    problems = Problems()
    given = {} if source is None else _written(source, problems)
    for name, value in (options or {}).items():
        if name != "lr":
            given[name] = _of_option(name, value)
    if options and "lr" in options:
        _set_rate(given, _of_option("lr", options["lr"]))
    values: dict[str, Any] = {}
    for name, part in given.items():
        try:
            values[name] = Recipe.value_of(name, part.value)
        except OptionError as error:
            problems.add(_problem(error, given))
    problems.raise_if_any(SpecError)
    try:
        return Recipe(**values)
    except OptionError as error:  # options that do not go together
        raise SpecError([_problem(error, given)]) from None


def recipe_source(path: str) -> Source:
    """The text of a recipe's file; raises SpecError where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_TEXT + 1)
        return Source(path, raw.decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise SpecError([Diagnostic("E103", f"{path} cannot be read: {str(reason).lower()}")]) from None


def differences(old: Recipe, new: Recipe, ignored: Iterable[str] = ()) -> list[str]:
    """What differs between two recipes, as `batch: 64, now 32` or `optimiser.adamw.lr: 0.001, now 0.1`."""
    compared = [name for name in Recipe.options if name not in ignored]
    first, second = (dict(_flat({name: each.plain()[name] for name in compared})) for each in (old, new))
    names = dict.fromkeys([*first, *second])
    return [
        f"{name}: {_short(first, name)}, now {_short(second, name)}"
        for name in names
        if first.get(name, UNKNOWN) != second.get(name, UNKNOWN)
    ]


def _written(source: Source, problems: Problems) -> dict[str, GivenValue]:
    """The entries of a file; those that are no options are reported."""
    if all(not line.strip() or line.lstrip().startswith("#") for line in source.text.splitlines()):
        return {}
    document = read_document(source, dollars=True)
    for problem in document.problems:
        problems.add(problem)
    root = document.root
    if not isinstance(root, YamlMapping):
        raise SpecError([Diagnostic("E930", "a recipe is a mapping, as epochs: 15", root.span)])
    found = {}
    for entry in root.entries:
        if entry.key not in Recipe.options:
            help = suggestion(entry.key, Recipe.options, f"its options are {', '.join(Recipe.options)}")
            problems.report("E930", f"a recipe has no {entry.key!r}", entry.key_span, help=help)
        else:
            value = _plain(entry.value, problems)
            if value is not UNKNOWN:
                found[entry.key] = GivenValue(value, _places(entry.value))
    return found


def _plain(value: Value, problems: Problems) -> Any:
    """A value without its places; UNKNOWN where a part of it is reported."""
    if isinstance(value, YamlSequence):
        items = [_plain(item, problems) for item in value.items]
        return UNKNOWN if UNKNOWN in items else items
    if isinstance(value, YamlMapping):
        mapping = {entry.key: _plain(entry.value, problems) for entry in value.entries}
        return UNKNOWN if UNKNOWN in mapping.values() else mapping
    if isinstance(value.value, Expression):
        help = "a text that begins with $ stands in quotes"
        problems.report("E930", "a recipe has plain values, no expressions", value.span, help=help)
        return UNKNOWN
    return value.value


def _places(value: Value) -> Place:
    """Where the parts of a value are: a scalar itself, the key of anything larger."""

    def place(path: tuple[str, ...], of_key: bool = False) -> Span:
        span, at = value.span, value
        for key in path:
            entries = at.entries if isinstance(at, YamlMapping) else ()
            entry = next((entry for entry in entries if entry.key == key), None)
            if entry is None:
                break
            is_shown = isinstance(entry.value, YamlScalar) and not (of_key and key == path[-1])
            span, at = (entry.value.span if is_shown else entry.key_span), entry.value
        return span

    return place


def _of_option(name: str, value: Any) -> GivenValue:
    """The value of a command's option, which is shown as it was typed."""
    text = str(value).lower() if isinstance(value, bool) else f"{value}"
    source = Source(f"--{name.replace('_', '-')}", text)
    return GivenValue(value, lambda path, of_key: Span(source, 0, max(1, len(text))))


def _set_rate(given: dict[str, GivenValue], rate: GivenValue) -> None:
    """Put `--lr` among the options of the optimiser."""
    before = given.get("optimiser")
    try:
        optimiser = Recipe.value_of("optimiser", before.value if before else None)
    except OptionError:
        return  # which is reported for itself
    if before and "lr" in optimiser.options and before.place((), False).source.name == "--optimiser":
        message = "the learning rate is given twice: in --optimiser and in --lr"
        raise SpecError([Diagnostic("E930", message, before.place((), False))])
    options = {**optimiser.options, "lr": rate.value}

    def place(path: tuple[str, ...], of_key: bool) -> Span:
        own = before is None or path[-1:] == ("lr",)
        return rate.place(path, of_key) if own or before is None else before.place(path, of_key)

    given["optimiser"] = GivenValue({optimiser.kind.name: options}, place)


def _problem(error: OptionError, given: Mapping[str, GivenValue]) -> Diagnostic:
    name, *path = error.option.split(".")
    of_key = isinstance(error, UnknownOptionError)
    span = given[name].place(tuple(path), of_key) if name in given else None
    message = error.message.removeprefix("recipe: ")
    return Diagnostic("E930", message, span, help=error.help)


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested mappings by their paths."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _short(values: Mapping[str, Any], name: str) -> str:
    text = format_value(values[name]) if name in values else "not there"
    return text if len(text) <= 60 else f"{text[:57]}..."
