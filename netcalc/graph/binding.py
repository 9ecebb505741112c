"""An item's options to a layer: every option that is wrong is reported, with its place."""

from netcalc.diagnostics import Diagnostic, Span, nearest
from netcalc.graph.evaluation import Environment, value_of
from netcalc.layers import LAYERS, Layer, LayerError
from netcalc.spec import ITEM_KEYS, Entry, Evaluated, Item, Unknown

_FROM_INPUT = ("in_channels", "in_features", "num_features", "input_dim", "input_shape", "input_size")


def layer_type(item: Item, problems: list[Diagnostic]) -> type[Layer] | None:
    """The layer class of an item's kind."""
    kind = item.kind
    if kind is None:
        return None
    if kind in LAYERS:
        return LAYERS[kind]
    synonyms = {name: layer.kind for layer in LAYERS.values() for name in (layer.kind, *layer.also)}
    match = synonyms.get(kind) or synonyms.get(nearest(kind, synonyms) or "")
    help = f"did you mean {match}?" if match else "netcalc layers lists the kinds"
    problems.append(Diagnostic("E401", f"there is no layer {kind!r}", item.span, help=help))
    return None


def option_values(
    layer: type[Layer], item: Item, names: Environment, problems: list[Diagnostic]
) -> dict[str, Evaluated] | None:
    """The options of an item, evaluated and each valid by itself; None where one is not."""
    values: dict[str, Evaluated] = {}
    before = len(problems)
    complete = True
    given = {entry.key for entry in item.options}
    for entry in item.options:
        if entry.key not in layer.options:
            match = _likely_option(layer, entry.key)
            given.add(match or "")
            problems.append(_unknown_option(layer, entry, match))
            continue
        value = value_of(entry.value, names, problems)
        if isinstance(value, Unknown):
            complete = False
            continue
        try:
            layer.options[entry.key].parse(value)
        except LayerError as error:
            problems.append(Diagnostic("E404", error.message, entry.value.span, help=error.help))
        values[entry.key] = value
    for name, option in layer.options.items():
        if option.required and name not in given:
            help = f"add {name}: the {option.doc}, {option.words}"
            problems.append(Diagnostic("E403", f"{layer.kind} needs {name}", item.span, help=help))
    return values if complete and len(problems) == before else None


def option_span(item: Item, option: str | None) -> Span:
    """Where an option's value stands, or the item where it is not given."""
    for entry in item.options:
        if entry.key == option:
            return entry.value.span
    return item.span


def _likely_option(layer: type[Layer], key: str) -> str | None:
    """The option that was probably meant: PyTorch's name for it, or the nearest name."""
    by_torch: dict[str, str] = {option.torch: name for name, option in layer.options.items() if option.torch}
    known = [*layer.options, *ITEM_KEYS]
    return by_torch.get(key) or nearest(key, known) or by_torch.get(nearest(key, by_torch) or "")


def _unknown_option(layer: type[Layer], entry: Entry, match: str | None) -> Diagnostic:
    if entry.key in _FROM_INPUT:
        help = f"leave it out: {layer.kind} takes it from its input"
    elif match:
        help = f"did you mean {match}?"
    else:
        options = ", ".join(layer.options)
        help = f"{layer.kind} has {options}" if options else f"{layer.kind} has no options"
    message = f"{layer.kind} has no option {entry.key!r}"
    return Diagnostic("E402", message, entry.key_span, help=help)
