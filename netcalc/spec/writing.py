"""A flat spec as YAML text: one item a line."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import yaml

from netcalc.tensor import Shape


class FlatItem(NamedTuple):
    """A layer to be written: its kind and its options, `name` and `from` among them."""

    kind: str
    options: Mapping[str, Any]


def spec_text(
    head: Mapping[str, Any], inputs: Mapping[str, Shape], items: Iterable[FlatItem], outputs: Iterable[str]
) -> str:
    """A spec that reads back to these layers; empty keys of `head`, those above the inputs, are left out."""
    lines = [_line({key: value}) for key, value in head.items() if value]
    lines.append(_line({"inputs": {name: list(shape) for name, shape in inputs.items()}}))
    lines.append("layers:")
    lines += [f"  - {_line({item.kind: _plain(dict(item.options))})}" for item in items]
    lines.append(_line({"outputs": list(outputs)}))
    return "\n".join(lines) + "\n"


def _line(value: Mapping[str, Any]) -> str:
    """A mapping of one key on one line, what it holds in flow style."""
    ((key, held),) = value.items()
    return f"{key}: {flow_text(held)}"


def flow_text(value: Any) -> str:
    """A plain value on one line, which may stand in brackets."""
    dumped = yaml.safe_dump(
        [_plain(value)], default_flow_style=True, width=2**31, sort_keys=False, allow_unicode=True
    )
    return dumped.strip()[1:-1]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value
