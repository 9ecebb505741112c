"""YAML text to a Spec: a located tree of items with expressions that are not evaluated yet."""

from netcalc.spec.blocks import Block
from netcalc.spec.evaluator import evaluate, evaluate_counting
from netcalc.spec.expressions import Evaluated, Expression, ExpressionFault, UnknownNameFault
from netcalc.spec.items import BRANCH_EXAMPLES, BRANCH_KEYS, ITEM_KEYS, Body, Item
from netcalc.spec.library import (
    bundled_files,
    bundled_names,
    find_given,
    find_spec,
    open_source,
    open_table,
    standard_input,
    variant_names,
)
from netcalc.spec.overrides import (
    InputOverride,
    Setting,
    read_input_override,
    read_setting,
    split_setting,
)
from netcalc.spec.reader import Spec, read_spec
from netcalc.spec.tree import (
    UNKNOWN,
    Unknown,
    Value,
    YamlEntry,
    YamlMapping,
    YamlScalar,
    YamlSequence,
    describe,
)
from netcalc.spec.yaml_reader import read_document

__all__ = [
    "BRANCH_EXAMPLES",
    "BRANCH_KEYS",
    "ITEM_KEYS",
    "UNKNOWN",
    "Block",
    "Body",
    "Evaluated",
    "Expression",
    "ExpressionFault",
    "InputOverride",
    "Item",
    "Setting",
    "Spec",
    "Unknown",
    "UnknownNameFault",
    "Value",
    "YamlEntry",
    "YamlMapping",
    "YamlScalar",
    "YamlSequence",
    "bundled_files",
    "bundled_names",
    "describe",
    "evaluate",
    "evaluate_counting",
    "find_given",
    "find_spec",
    "open_source",
    "open_table",
    "read_document",
    "read_input_override",
    "read_setting",
    "read_spec",
    "split_setting",
    "standard_input",
    "variant_names",
]
