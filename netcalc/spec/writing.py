"""A flat spec as YAML text: one item a line."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import yaml

from netcalc.spec.scalars import ScalarFault, resolve_plain
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


def flow_text(value: Any, *, dollars: bool = False) -> str:
    """A plain value on one line, which may stand in brackets.

    With `dollars` a text that begins with $ is a text, as `read_document` takes it.
    """
    dumped = yaml.dump(
        [_plain(value)],
        Dumper=_DollarDumper if dollars else _Dumper,
        default_flow_style=True,
        width=2**31,
        sort_keys=False,
        allow_unicode=True,
    )
    return dumped.strip()[1:-1]


class _Dumper(yaml.SafeDumper):
    """Puts a text in quotes that would read back as something else."""

    quoted = ""
    """What a text in quotes begins with, beside what reads as a number."""

    def represent_text(self, text: str) -> yaml.Node:
        """A text, in quotes where it needs them."""
        is_plain = not text.startswith(self.quoted or "\0") and _reads_back(text)
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


class _DollarDumper(_Dumper):
    quoted = "$"


_Dumper.add_representer(str, _Dumper.represent_text)


def _reads_back(text: str) -> bool:
    """Whether an unquoted text is itself: `1e5` is a number, and YAML folds what ends a line."""
    try:
        return not text or (resolve_plain(text) == text and text.isprintable())
    except ScalarFault:
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value
