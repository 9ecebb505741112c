"""YAML text to a Spec: a located tree of items with expressions that are not evaluated yet."""

from netcalc.spec.expressions import Evaluated, Expression, ExpressionFault, evaluate
from netcalc.spec.library import bundled_names, open_source
from netcalc.spec.overrides import InputOverride, Setting, read_input_override, read_setting
from netcalc.spec.reader import ITEM_KEYS, InputDeclaration, Item, Spec, read_spec
from netcalc.spec.tree import (
    UNKNOWN,
    Entry,
    Mapping,
    Scalar,
    Sequence,
    Unknown,
    Value,
    describe,
)

__all__ = [
    "ITEM_KEYS",
    "UNKNOWN",
    "Entry",
    "Evaluated",
    "Expression",
    "ExpressionFault",
    "InputDeclaration",
    "InputOverride",
    "Item",
    "Mapping",
    "Scalar",
    "Sequence",
    "Setting",
    "Spec",
    "Unknown",
    "Value",
    "bundled_names",
    "describe",
    "evaluate",
    "open_source",
    "read_input_override",
    "read_setting",
    "read_spec",
]
