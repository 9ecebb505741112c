"""The JSON Schema: valid itself, true to every valid spec, and strict where a schema can be."""

import ast
import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from netcalc.diagnostics import NetcalcError, Source, SpecError
from netcalc.graph import elaborate
from netcalc.graph.constructs import CONSTRUCTS
from netcalc.layers import LAYERS
from netcalc.layers.options import LARGEST
from netcalc.render.reference.schema import general_keys, schema
from netcalc.spec import (
    BRANCH_KEYS,
    ITEM_KEYS,
    Expression,
    Value,
    YamlMapping,
    YamlSequence,
    bundled_files,
    open_source,
    read_spec,
)
from netcalc.spec.reader import TOP_LEVEL
from netcalc.spec.yaml_reader import read_document

from cases import CASES, Case
from helpers import TESTS
from test_mutations import BRANCHES, mutated

MISTAKES = {path.stem: path for path in sorted((TESTS / "mistakes").glob("*.txt"))}
CAUGHT = """
    concat-below-a-mistake expressions-without-brackets residual-downsample
    add-with-one-input argument-reserved block-head-unclosed block-inner-mistake block-is-not-a-list
    blocks-is-a-list budget-unit-unknown budget-unknown choice-typo conv-with-two-inputs each-is-list empty-layers expect-negative
    axes-of-pytorch expression-in-the-header budget-unit-in-the-wrong-case calls-of-other-frameworks
    dash-without-space-with-options dash-without-space from-nothing truth-in-other-words
    expect-unknown expression-half from-empty from-number from-unknown-asked-for ignore-is-a-number input-and-inputs
    input-is-word input-negative-float input-zero inputs-empty integer-too-large item-is-empty
    item-is-list item-is-number item-with-two-keys kind-of-pytorch layers-is-mapping lstm-on-an-image
    merge-key name-is-a-list name-is-number name-with-dot no-echo no-input no-layers option-boolean
    option-empty-list option-float option-huge option-mapping option-missing option-negative option-null
    option-quoted-number option-three-sides option-word option-yaml-11-boolean option-zero
    options-are-a-number options-of-pytorch parallel-branches-list parallel-is-a-list
    parallel-join-unknown parallel-no-branches parallel-unknown-option rate-above-one repeat-a-billion
    repeat-negative residual-bare residual-branch-misspelt residual-inner-mistake residual-no-main root-is-list
    root-is-word several-independent unknown-kind unknown-option unknown-top-level-key when-is-number
    argument-reserved-word argument-without-dollar batch-open-in-the-input block-as-mapping
    block-head-unclosed-and-used colon-without-space input-as-text input-without-sizes
    item-with-its-name-first kinds-that-are-none mistakes-alike options-near-general-keys options-of-keras
    options-of-pytorch-by-layer section-in-other-words sources-in-other-words
    causal-pool glu-gate-misspelt parallel-bare parallel-branches-empty power-without-exponent shorthand-without-main-option subtract-of-three trainable-wrong window-called-window-size year-is-a-word
""".split()

LAYERS_OF_ITS_OWN = "input: [3, 8, 8]\nblocks:\n  unit(filters, stride=1):\n    - conv: {filters: $filters, kernel: 3, stride: $stride}\n"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def data(text: str) -> Any:
    """The plain data that an editor sees, by YAML 1.2; raises SpecError where it is no YAML."""
    return plain(read_document(Source("spec.yaml", text)).root)


def plain(value: Value) -> Any:
    if isinstance(value, YamlMapping):
        return {entry.key: plain(entry.value) for entry in value.entries}
    if isinstance(value, YamlSequence):
        return list(map(plain, value.items))
    if value.value is None or isinstance(value.value, bool | int | float | str):
        return value.value
    written = value.source.text[value.start : value.end]
    if isinstance(value.value, Expression):
        return f"$({value.value.text})"
    if written.isdecimal():
        return int(written)
    if written.startswith("$"):
        return written
    raise SpecError([])  # a tag, or a number that JSON does not have


def is_valid_spec(text: str) -> bool:
    try:
        elaborate(read_spec(Source("spec.yaml", text)))
    except NetcalcError:
        return False
    return True


def specs_in_tests() -> list[str]:
    """Every text that the tests' own files write down and that is a valid spec."""
    found = set()
    for path in sorted(TESTS.rglob("*.py")):
        tree = ast.parse(path.read_text())
        names: dict[str, str] = {}
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                names[statement.targets[0].id] = text_of(statement.value, names) or ""
        found |= {text_of(node, names) or "" for node in ast.walk(tree) if isinstance(node, ast.expr)}
    return [text for text in sorted(found) if "layers:" in text and is_valid_spec(text)]


def text_of(node: ast.expr, names: dict[str, str]) -> str | None:
    """A text, a named one, or the sum of such; None for anything else."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            return names.get(name)
        case ast.BinOp(op=ast.Add()):
            left, right = text_of(node.left, names), text_of(node.right, names)
            return None if left is None or right is None else left + right
    return None


def test_the_schema_is_itself_valid(validator: Draft202012Validator) -> None:
    Draft202012Validator.check_schema(validator.schema)


def test_every_reference_leads_somewhere_and_every_definition_is_used() -> None:
    text = json.dumps(schema())
    used = {re.split('["/]', part)[0] for part in text.split('"#/$defs/')[1:]}
    assert used == schema()["$defs"].keys() - {f"layer.{kind}" for kind in CONSTRUCTS}


def options_of(found: dict[str, Any], definition: str) -> dict[str, Any]:
    """The keys of a definition."""
    options: dict[str, Any] = found["$defs"][definition]["allOf"][0]["else"]["properties"]
    return options


def test_nothing_of_the_language_is_left_out() -> None:
    found = schema()
    assert set(found["properties"]) == set(TOP_LEVEL)
    assert set(general_keys()) == set(ITEM_KEYS)
    for kind, construct in CONSTRUCTS.items():
        for items in ("layers", "layersWithBlocks"):
            properties = options_of(found, f"{items}.{kind}")
            assert set(properties) == {*BRANCH_KEYS[kind], *construct.options, *ITEM_KEYS}
    for kind, layer in LAYERS.items():
        properties = options_of(found, f"layer.{kind}")
        assert set(properties) == {*layer.options, *ITEM_KEYS}
        for name, option in layer.options.items():
            assert properties[name]["description"].startswith(option.doc)
            assert ("default" in properties[name]) == (not option.required and option.default is not None)


@pytest.mark.parametrize("name", bundled_files())
def test_bundled_specs_are_valid(validator: Draft202012Validator, name: str) -> None:
    assert [error.message for error in validator.iter_errors(data(open_source(name).text))] == []


def test_bundled_blocks_are_valid(validator: Draft202012Validator) -> None:
    paths = sorted((TESTS.parent / "architectures" / "blocks").glob("*.yaml"))
    assert paths
    for path in paths:
        assert [error.message for error in validator.iter_errors(data(path.read_text()))] == [], path.name


def test_specs_of_the_tests_are_valid(validator: Draft202012Validator) -> None:
    texts = specs_in_tests()
    assert len(texts) >= 20
    for text in texts:
        assert validator.is_valid(data(text)), text


def test_examples_of_the_layers_are_valid(validator: Draft202012Validator) -> None:
    for layer in LAYERS.values():
        item = (layer.__doc__ or "").split("Example: `")[1].split("`")[0]
        assert validator.is_valid(data(f"input: [3]\nlayers:\n  - {item}\n")), item


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cases_of_the_laws_are_valid(validator: Draft202012Validator, case: Case) -> None:
    names = [f"in{number}" for number, _ in enumerate(case.inputs)]
    options = {name: listed(value) for name, value in case.options.items()}
    spec = {
        "inputs": dict(zip(names, map(listed, case.inputs), strict=True)),
        "layers": [{case.kind: {**options, "from": names}}],
    }
    assert [error.message for error in validator.iter_errors(spec)] == []


def test_whatever_netcalc_takes_is_valid(validator: Draft202012Validator) -> None:
    choose = random.Random(20)
    unit = (
        LAYERS_OF_ITS_OWN
        + "layers:\n  - unit: {filters: 4}\n  - residual: {main: [unit: {filters: 4}], connect: false}\n"
    )
    texts = [BRANCHES, open_source("lenet5").text, unit]  # netcalc reads no variant or block that is not used
    taken = 0
    for number in range(900):
        text = mutated(texts[number % 3], choose)
        if is_valid_spec(text):
            taken += 1
            assert validator.is_valid(data(text)), text
    assert taken > 80


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_that_a_schema_can_catch(validator: Draft202012Validator, name: str) -> None:
    text = MISTAKES[name].read_bytes().decode().partition("\n===== what netcalc says =====\n")[0]
    try:
        found = data(text)
    except SpecError:
        assert name not in CAUGHT
        return
    assert validator.is_valid(found) == (name not in CAUGHT)


@pytest.mark.parametrize("kind", LAYERS)
def test_every_option_is_held_to_its_range(kind: str) -> None:
    for name, option in LAYERS[kind].options.items():
        checks = Draft202012Validator(
            {"$defs": schema()["$defs"], **options_of(schema(), f"layer.{kind}")[name]}
        )
        for value in (-1, 0, 1, 3, LARGEST, LARGEST + 1, 0.5, -0.5, 1.5, True, "same", "zeros", "nearest", "odd", None,
                      (), (1,), (0, 1), (1, (0, 2)), ((1, 2, 3),), (0.5,), ((True, 1),)):  # fmt: skip
            try:
                option.parse(value)
            except ValueError:
                assert not checks.is_valid(listed(value)), (name, value)
            else:
                assert checks.is_valid(listed(value)), (name, value)
        assert checks.is_valid("$width")
        assert not checks.is_valid("$64")


def listed(value: Any) -> Any:
    return list(map(listed, value)) if isinstance(value, tuple) else value


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("layers:\n  - unit: {filters: 3, repeat: 2}\n", True),
        ("layers:\n  - $block: {filters: 3}\n  - $block\n  - unit\n  - unit:\n", True),
        ("layers:\n  - unit: {filters: {a: 1}}\n", False),
        ("layers:\n  - conv: {filters: 3}\n", False),
        ("layers:\n  - conv: {each: {filters: [1, 2], kernel: [1, 3]}}\n", True),
        ("layers:\n  - conv\n", False),
        ("layers:\n  - a-b\n", False),
        ("layers:\n  - relu: {slop: 1}\n", False),
        ("layers:\n  - residual: {main: [unit: {filters: 3}], shortcut: []}\n", True),
        ("layers:\n  - residual: {main: [conv: {filters: 3}]}\n", False),
        ("layers:\n  - residual: {shortcut: []}\n", False),
        ("layers:\n  - parallel: {branches: {a: [relu], b: }, join: add}\n", True),
        ("layers:\n  - parallel: {branches: {a: [relu]}, join: sum}\n", False),
        ("layers:\n  - parallel: {join: add}\n", False),
        (
            "layers:\n  - linear: 4\n  - linear: $n\n  - maxpool: [2, 2]\n  - dropout: 0.3\n  - unit: 4\n",
            True,
        ),
        ("layers:\n  - linear: word\n", False),
        ("layers:\n  - linear:\n", False),
        ("layers:\n  - softmax:\n  - squeeze:\n", True),
        ("layers:\n  - relu: 3\n", False),
        ("layers:\n  - conv: 3\n", False),
        ("layers:\n  - conv: {share: a}\n  - residual: {share: b}\n  - parallel: {share: c}\n", True),
        ("layers:\n  - residual: {each: {x: [1]}}\n", False),
        ("layers:\n  - unit: {filters: 3, trainable: false}\n  - conv: {share: a, trainable: $t}\n", True),
        ("layers:\n  - unit: {filters: 3, trainable: 3}\n", False),
    ],
)
def test_items(validator: Draft202012Validator, text: str, valid: bool) -> None:
    assert validator.is_valid(data(LAYERS_OF_ITS_OWN + text)) == valid


def test_a_word_is_a_kind_only_where_there_are_blocks(validator: Draft202012Validator) -> None:
    text = "input: [3]\nlayers:\n  - residual: {main: [unit: {a: 3}]}\n"
    assert not validator.is_valid(data(text))
    assert validator.is_valid(data("include: units.yaml\n" + text))


def test_a_file_to_be_included_has_blocks_alone(validator: Draft202012Validator) -> None:
    assert validator.is_valid(data("blocks:\n  unit:\n    - relu\n"))
    assert not validator.is_valid(data("blocks:\n  unit(: [relu]\n"))
    assert not validator.is_valid(data("blocks:\n  unit: [relu]\nname: no spec\n"))


def test_the_command_prints_it(cli: Callable[..., Any]) -> None:
    result = cli("schema")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == json.loads(json.dumps(schema()))
    assert cli("schema", "alexnet").code == 2
