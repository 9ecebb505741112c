"""An item's options to a layer: every option that is wrong is reported, with its place."""

from collections import ChainMap
from collections.abc import Collection, Mapping

from netcalc.diagnostics import Note, Span, nearest
from netcalc.graph.evaluation import Environment, expression_value, value_of
from netcalc.graph.problems import ElaborationProblems
from netcalc.graph.scope import Instance
from netcalc.layers import LAYERS, Layer, LayerError
from netcalc.spec import (
    ITEM_KEYS,
    UNKNOWN,
    Block,
    Evaluated,
    Item,
    Unknown,
    YamlEntry,
    YamlMapping,
)
from netcalc.spec.expressions import RESERVED


def layer_type(
    instance: Instance, blocks: Collection[str], problems: ElaborationProblems
) -> type[Layer] | None:
    """The layer class of a kind; None where there is none, with the reason in `problems`.

    That of another kind where another framework's name is given, which is reported.
    """
    if instance.kind in LAYERS:
        return LAYERS[instance.kind]
    from netcalc.graph.suggestions import unknown_kind  # only mistakes need it

    meant = unknown_kind(instance.kind, instance.item, blocks)
    message = f"there is no layer {instance.kind!r}"
    problems.report("E401", message, instance.item.span, help=meant.help)
    return None if meant.key is None else LAYERS[meant.key]


def block_values(
    block: Block,
    instance: Instance,
    outer: Environment,
    inherited: Mapping[str, Evaluated | Unknown],
    problems: ElaborationProblems,
) -> dict[str, Evaluated | Unknown]:
    """The arguments of a block: given, evaluated where it is used, or by default, where it is declared.

    `inherited` are those of the instance whose parameters it shares.
    """
    item = instance.item
    known = {parameter.name for parameter in block.parameters}
    given: dict[str, Evaluated | Unknown] = {}
    required = {parameter.name: parameter.default is None for parameter in block.parameters}
    main = next((name for name in required if required[name]), None) if sum(required.values()) == 1 else None
    if item.short is not None and main is None:
        from netcalc.graph.suggestions import no_main_option  # only mistakes need it

        problems.add(no_main_option(f"the block {block.name}", required, item, item.short))
        return dict.fromkeys(known, UNKNOWN)
    for entry in _entries(item, main):
        if entry.key in known:
            given[entry.key] = value_of(entry.value, instance.names, problems)
            continue
        from netcalc.graph.suggestions import unknown_argument  # only mistakes need it

        problem, meant = unknown_argument(block, entry)
        problems.add(problem)
        given |= dict.fromkeys((meant.key or "",) if meant.is_clear else known - given.keys(), UNKNOWN)
    _report_idle_columns(instance, known, f"the block {block.name} has no argument", problems)
    given = {**inherited, **instance.row, **given}
    values: dict[str, Evaluated | Unknown] = {}
    for parameter in block.parameters:
        if parameter.name in RESERVED or parameter.name in ITEM_KEYS:
            values[parameter.name] = UNKNOWN  # the block's head is reported
        elif parameter.name in given:
            values[parameter.name] = given[parameter.name]
        elif parameter.default is not None:
            inner = ChainMap(values, outer)  # type: ignore[arg-type]  # nothing is written to it
            values[parameter.name] = expression_value(parameter.default, parameter.span, inner, problems)
        else:
            note = Note(f"{block.name} is declared here", block.span)
            message = f"the block {block.name} needs {parameter.name}"
            problems.report("E403", message, instance.item.span, notes=(note,))
            values[parameter.name] = UNKNOWN
    return values


def option_values(
    layer: type[Layer],
    instance: Instance,
    inherited: Mapping[str, Evaluated | Unknown],
    problems: ElaborationProblems,
) -> dict[str, Evaluated] | None:
    """The options of an instance, evaluated and each valid by itself; None where one is not.

    `inherited` are those of the instance whose parameters it shares.
    """
    values = {name: value for name, value in inherited.items() if not isinstance(value, Unknown)}
    before = len(problems)
    complete = True
    if instance.item.short is not None and layer.main is None:
        required = {name: option.required for name, option in layer.options.items()}
        from netcalc.graph.suggestions import no_main_option  # only mistakes need it

        problems.add(no_main_option(layer.kind, required, instance.item, instance.item.short))
        return None
    _report_idle_columns(instance, layer.options, f"{layer.kind} has no option", problems)
    options = _entries(instance.item, layer.main)
    given = {entry.key for entry in options}
    each = instance.item.value("each")
    if each is not None:
        for name in instance.row.keys() & layer.options.keys() - given:
            given.add(name)
            _take(layer, name, instance.row[name], values, each.span, instance.names, problems)
    for entry in options:
        if entry.key not in layer.options:
            from netcalc.graph.suggestions import unknown_option  # only mistakes need it

            problem, meant = unknown_option(layer, entry)
            problems.add(problem)
            given |= {meant.key or ""} if meant.is_clear else layer.options.keys()
            continue
        value = value_of(entry.value, instance.names, problems)
        if isinstance(value, Unknown):
            complete = False
        else:
            _take(layer, entry.key, value, values, entry.value.span, instance.names, problems)
    for name, option in layer.options.items():
        if option.required and name not in given and name not in inherited:
            help = f"add {name} ({option.doc}): {option.words}"
            problems.report("E403", f"{layer.kind} needs {name}", instance.item.span, help=help)
    return values if complete and len(problems) == before else None


def _take(
    layer: type[Layer],
    name: str,
    value: Evaluated,
    values: dict[str, Evaluated],
    span: Span,
    names: Collection[str],
    problems: ElaborationProblems,
) -> None:
    try:
        layer.options[name].parse(value)
    except LayerError as error:
        from netcalc.graph.suggestions import unfit_value  # only mistakes need it

        help = error.help or unfit_value(layer, name, value, names)
        problems.report("E404", error.message, span, help=help)
    values[name] = value


def option_span(item: Item, option: str | None) -> Span:
    """The place of an option's value, or of the item where the option is not given."""
    for entry in item.options:
        if entry.key == option:
            return entry.value.span
    return item.span if item.short is None else item.short.span


def _report_idle_columns(
    instance: Instance, known: Collection[str], what: str, problems: ElaborationProblems
) -> None:
    """Report names in `each:` that are no option and that no expression uses, where the kind is fixed.

    They are the same for every row, so they are reported for the first one.
    """
    if instance.row.get("index"):
        return
    idle = instance.row.keys() - {"index", *known} if isinstance(instance.item.kind, str) else set[str]()
    each = instance.item.value("each")
    if not idle or not isinstance(each, YamlMapping) or idle <= instance.item.names:
        return
    for entry in each.entries:
        for name in entry.key.split():
            if name in idle - instance.item.names:
                match = nearest(name, known)
                help = f"did you mean {match}?" if match else None
                message = f"{what} {name!r}, and no expression here uses it"
                problems.report("E402", message, entry.key_span, help=help)


def _entries(item: Item, main: str | None) -> tuple[YamlEntry, ...]:
    """The entries of an item; a bare value is entered under the name of the main option."""
    if item.short is None or main is None:
        return item.options
    return (YamlEntry(main, item.span.start, item.span.end, item.short),)
