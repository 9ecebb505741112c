"""What a call of another framework, `nn.Linear(3072, 10)`, is as an item of a spec."""

import ast
import warnings
from collections.abc import Mapping

from netcalc.diagnostics import format_value
from netcalc.layers import LAYERS
from netcalc.layers.vocabulary import (
    ACTIVATION_OPTIONS,
    CALLS,
    FROM_INPUT,
    KERAS_CALLS,
    LEFT_OUT,
    NO_ACTIVATION,
    SKIPPED,
)  # fmt: skip

_LONGEST = 200
"""Characters of a call that is looked at."""

_WITH_BATCH = ("dim", "dims", "axis", "start_dim", "end_dim")
"""Options that number axes with the batch among them."""

_Value = bool | int | float | str | tuple[int, ...]


def as_item(kind: str, text: str, names: Mapping[str, str]) -> str | None:
    """`linear: 10` for a call of `kind`; `names` are its options by the names of other frameworks.

    None where a part of the call is not known here: it might say something that the item would lose.
    """
    call = _call(text)
    if call is None or kind not in LAYERS:
        return None
    layer = LAYERS[kind]
    given: dict[str, _Value] = {}
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    parameters = CALLS.get(kind, ())
    if name in LAYERS and parameters[:1] == (SKIPPED,) and len(call.args) > 1:
        return None  # our own name may mean our own options
    if parameters[:1] == (SKIPPED,) and (name in KERAS_CALLS or name.endswith("D") or _is_short(call)):
        parameters = parameters[1:]
    if len(call.args) > len(parameters):
        return None
    positional = [(key, node) for key, node in zip(parameters, call.args, strict=False) if key != SKIPPED]
    below = ""
    for key, node in (*positional, *((keyword.arg or SKIPPED, keyword.value) for keyword in call.keywords)):
        value, option = _literal(node), names.get(key, key)
        if option in layer.options:
            if value is None or key in _WITH_BATCH:
                return None
            given[option] = value
        elif key in ACTIVATION_OPTIONS and str(value).lower() in (*LAYERS, *NO_ACTIVATION):
            word = str(value).lower()
            below = "" if word in NO_ACTIVATION else f", and below it - {word}"
        elif key not in FROM_INPUT and key not in LEFT_OUT:
            return None
    if any(option.required and name not in given for name, option in layer.options.items()):
        return None
    return _written(kind, given) + below


def _is_short(call: ast.Call) -> bool:
    """Whether a call has one number alone: `Linear(10)`, `LSTM(64)`."""
    return len(call.args) == 1 and getattr(call.func, "attr", getattr(call.func, "id", "")) in (
        "Linear", "LSTM", "GRU", "RNN", "SimpleRNN",
    )  # fmt: skip


def _call(text: str) -> ast.Call | None:
    if len(text) > _LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of `"\\d"`
            found = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return found if isinstance(found, ast.Call) else None


def _literal(node: ast.expr) -> _Value | None:
    """A plain value, or a list of whole numbers."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
    if isinstance(value, tuple | list):
        return tuple(value) if value and all(type(part) is int for part in value) else None
    return value if isinstance(value, bool | int | float | str) else None


def _written(kind: str, given: Mapping[str, _Value]) -> str:
    texts = {name: value if isinstance(value, str) else format_value(value) for name, value in given.items()}
    if not texts:
        return kind
    if [*texts] == [LAYERS[kind].main]:
        return f"{kind}: {next(iter(texts.values()))}"
    return f"{kind}: {{{', '.join(f'{name}: {text}' for name, text in texts.items())}}}"
