"""YAML to a located tree, by either of PyYAML's parsers."""

import pytest
import yaml

from netcalc.diagnostics import Source, SpecError
from netcalc.spec import yaml_reader
from netcalc.spec.tree import Value, YamlMapping, YamlScalar, YamlSequence
from netcalc.spec.yaml_reader import read_document

PARSERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]


@pytest.fixture(params=PARSERS, ids=lambda loader: loader.__name__, autouse=True)
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_reader, "_Loader", request.param)


def read(text: str) -> Value:
    root, problems = read_document(Source("t.yaml", text))
    assert problems == ()
    return root


def test_every_part_has_its_place() -> None:
    text = "näme: é\r\nlayers:\r\n  - conv: {filters: 64, kernel: [3, 5]}\r\n  - 'relu'\r\n"
    root = read(text)
    assert isinstance(root, YamlMapping)
    layers = root.entries[1].value
    assert isinstance(layers, YamlSequence)
    conv = layers.items[0]
    assert isinstance(conv, YamlMapping)
    assert (conv.entries[0].key_span.source.position(conv.entries[0].key_span.start)) == (3, 5)
    options = conv.entries[0].value
    assert isinstance(options, YamlMapping)
    filters = options.entries[0].value
    assert isinstance(filters, YamlScalar)
    assert text[filters.start : filters.end] == "64"
    relu = layers.items[1]
    assert text[relu.start : relu.end] == "'relu'"
    assert relu.span.source.line(4) == "  - 'relu'"


def test_quoted_scalars_are_words_and_plain_ones_are_resolved() -> None:
    root = read("[64, '64', \"true\", true, no, 1e-5]")
    assert isinstance(root, YamlSequence)
    assert [item.value for item in root.items if isinstance(item, YamlScalar)] == [
        64,
        "64",
        "true",
        True,
        "no",
        1e-5,
    ]


def test_an_alias_is_the_same_value_again() -> None:
    root = read("a: &x [1, 2]\nb: *x\n")
    assert isinstance(root, YamlMapping)
    assert root.entries[0].value is root.entries[1].value


def test_a_deep_text_meets_no_recursion_limit() -> None:
    for text in ("- " * 50_000 + "x", "[" * 50_000, "{a: " * 50_000):
        with pytest.raises(SpecError, match="E109|E101"):
            read(text)


def test_aliases_may_not_multiply_beyond_the_limit() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(SpecError, match="expands to more than"):
        read("\n".join(lines))


def test_a_long_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_reader, "MAX_TEXT", 10)
    with pytest.raises(SpecError, match="10 is the limit"):
        read("a: 123456789")


def test_all_mistakes_before_the_one_that_stops() -> None:
    with pytest.raises(SpecError, match="twice") as caught:
        read("a: 1\na: 2\nb: [\n")
    assert [problem.code for problem in caught.value.diagnostics] == ["E107", "E101"]
