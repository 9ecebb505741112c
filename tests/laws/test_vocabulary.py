"""Other frameworks' words: each leads to one option of a layer, and none to what the layer does not have."""

from typing import Any

import pytest

from netcalc.diagnostics import Source
from netcalc.graph.constructs import CONSTRUCTS
from netcalc.graph.suggestions import option_names, unknown_option
from netcalc.layers import LAYERS, Layer, kinds_by_name
from netcalc.layers.vocabulary import ACTIVATION_OPTIONS, FROM_INPUT, LEFT_OUT, NO_LAYERS, OTHER_NAMES
from netcalc.spec import ITEM_KEYS, YamlEntry, YamlScalar
from netcalc.spec.items import OTHER_ITEM_KEYS

KINDS: dict[str, type[Layer]] = {**LAYERS, **CONSTRUCTS}
OPTIONS = {name for layer in KINDS.values() for name in layer.options}
WORDS = {
    *OPTIONS,
    *(word for words in OTHER_NAMES.values() for word in words),
    *(option.torch for layer in KINDS.values() for option in layer.options.values() if option.torch),
    *(word for layer in KINDS.values() for word in layer.instead),
    *FROM_INPUT, *LEFT_OUT, *OTHER_ITEM_KEYS, *ACTIVATION_OPTIONS,
}  # fmt: skip
every_kind = pytest.mark.parametrize("kind", KINDS)


def help_for(layer: type[Layer], word: str, value: Any = 1) -> tuple[str | None, str]:
    entry = YamlEntry(word, 0, 0, YamlScalar(value, Source("spec.yaml", str(value)), 0, len(str(value))))
    _, meant = unknown_option(layer, entry)
    return meant.key, meant.help


@every_kind
def test_every_word_leads_to_what_the_layer_has(kind: str) -> None:
    layer = KINDS[kind]
    for word in WORDS - layer.options.keys() - {*ITEM_KEYS}:
        key, help = help_for(layer, word)
        assert key is None or key in layer.options or key in ITEM_KEYS, (word, help)
        assert key not in ITEM_KEYS or word in OTHER_ITEM_KEYS, f"{kind} {word}: {help}"


@every_kind
def test_a_word_stands_for_one_option(kind: str) -> None:
    layer = KINDS[kind]
    torch = [option.torch for option in layer.options.values() if option.torch]
    assert len(set(torch)) == len(torch)
    found: dict[str, str] = {}
    for name in layer.options:
        for word in {*OTHER_NAMES.get(name, ())} - {*torch, *layer.options, *layer.instead}:
            assert found.setdefault(word, name) == name, f"{kind}: {word} is {found[word]} and {name}"


@every_kind
def test_pytorchs_names_lead_to_their_options(kind: str) -> None:
    layer = KINDS[kind]
    for name, option in layer.options.items():
        if option.torch and option.torch != name and option.torch not in layer.instead:
            assert help_for(layer, option.torch, "x") == (name, f"did you mean {name}?")


@every_kind
def test_advice_is_for_words_that_are_no_options_and_says_what_to_type(kind: str) -> None:
    layer = KINDS[kind]
    assert not layer.instead.keys() & {*layer.options, *ITEM_KEYS}
    for word, help in layer.instead.items():
        assert help_for(layer, word) == (None, help)
        assert help.startswith(("leave it out", "write ")), help


@every_kind
def test_a_slip_of_the_hand_leads_to_the_option(kind: str) -> None:
    layer = KINDS[kind]
    for name in (name for name in layer.options if len(name) > 4):
        for slip in (
            name[:2] + name[3:],
            name[:2] + name[2] + name[2:],
            name[:1] + name[2] + name[1] + name[3:],
        ):
            if slip not in WORDS:
                assert help_for(layer, slip)[1] == f"did you mean {name}?"


def test_the_vocabulary_is_of_options_that_are_there() -> None:
    assert OTHER_NAMES.keys() <= OPTIONS
    for name, words in OTHER_NAMES.items():
        assert len({*words}) == len(words)
        assert name not in words
    assert {*OTHER_ITEM_KEYS.values()} <= {*ITEM_KEYS}
    assert not {*OTHER_ITEM_KEYS} & {*ITEM_KEYS, *OPTIONS}


def test_what_is_no_layer_is_none() -> None:
    assert not {name.lower() for name in kinds_by_name()} & NO_LAYERS.keys()
    assert all(name == name.lower().replace("_", "") for name in NO_LAYERS)


@pytest.mark.parametrize(
    ("kind", "word", "help"),
    [
        ("lstm", "hidden_size", "did you mean units?"),
        ("upsample", "scale_factor", "did you mean factor?"),
        ("maxpool", "pool_size", "did you mean kernel?"),
        ("multi_head_attention", "embed_dim", "leave it out: multi_head_attention takes it from its input"),
        ("embedding", "input_dim", "did you mean entries?"),
        ("conv", "dilation_rate", "did you mean dilation?"),
        ("groupnorm", "num_groups", "did you mean groups?"),
        ("batchnorm", "epsilon", "did you mean eps?"),
        ("dropout", "p", "did you mean rate?"),
        ("upsample", "shar", "did you mean share?"),
        ("linear", "shape", "linear has units, bias"),
        ("relu", "whatever", "relu has no options"),
    ],
)
def test_help_for(kind: str, word: str, help: str) -> None:
    assert help_for(KINDS[kind], word)[1] == help


@pytest.mark.parametrize(
    ("word", "value", "help"),
    [
        ("activation", "relu", "- relu"),
        ("activation", "swish", "- silu"),
        ("activation", "nn.LeakyReLU", "- leaky_relu"),
        ("activation", "own", "- relu"),
        ("dropout", 0.5, "- dropout: 0.5"),
        ("dropout", True, "- dropout"),
        ("batchnorm", True, "- batchnorm"),
        ("bn", 8, "- batchnorm"),
    ],
)
def test_an_option_that_is_a_layer_is_put_below(word: str, value: Any, help: str) -> None:
    assert help_for(LAYERS["conv"], word, value)[1] == f"put it in an item of its own below: {help}"


def test_pytorchs_axes_count_the_batch() -> None:
    assert help_for(LAYERS["concat"], "dim", 1)[1] == "write axis: 0; axes are counted without the batch"
    assert help_for(LAYERS["concat"], "dim", -3)[1] == "write axis: -3; axes are counted without the batch"
    assert help_for(LAYERS["concat"], "dim", 0)[1].startswith("axis 0 is the batch there")
    assert option_names(LAYERS["embedding"])["dim"] == "width"
    assert help_for(LAYERS["embedding"], "dim", 200)[1] == "did you mean width?"
