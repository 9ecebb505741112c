"""Recipes: every option in YAML and on the command, what is refused and where."""

from pathlib import Path
from typing import Any

import pytest

from netcalc.diagnostics import Source, SpecError
from netcalc.train.configurable import OptionError
from netcalc.train.losses import LOSSES
from netcalc.train.optimisers import OPTIMISERS
from netcalc.train.recipe import Recipe
from netcalc.train.recipe_file import differences, read_recipe, recipe_source
from netcalc.train.recipe_options import Chosen
from netcalc.train.schedules import SCHEDULES

CHANGED: dict[str, Any] = {
    "epochs": 3, "batch": 7, "loss": "mse", "heads": {"aux1": 0.3}, "optimiser": {"sgd": {"lr": 0.1}},
    "schedule": {"step": {"at": [1, 2]}}, "clip_norm": 1, "clip_value": 0.5, "accumulate": 2, "ema": 0.99,
    "factors": {"conv*": 0.1}, "augment": "crop:2,flip", "normalise": False, "validation": 0, "drop_last": True,
    "seed": 9, "dtype": "float64", "workers": 3, "data": "digits.npz", "data_format": "npz", "part": "test",
    "size": "1x28x28", "resize": 30, "context": 16, "label": "class", "weights": "old.npz", "freeze": ["conv*"],
    "reinit": ["head", "fc?"],
}  # fmt: skip
"""For each option a value that is not its default."""
NEEDED: dict[str, dict[str, Any]] = {"reinit": {"weights": "old.npz"}}
"""Other options without which an option is refused."""


def read(text: str, **options: Any) -> Recipe:
    return read_recipe(Source("recipe.yaml", text), options)


def test_every_option_has_a_case() -> None:
    assert set(Recipe.options) == CHANGED.keys()


@pytest.mark.parametrize("name", CHANGED)
def test_each_option_acts_and_reads_back(name: str) -> None:
    needed = NEEDED.get(name, {})
    plain, changed = Recipe(**needed), Recipe(**{name: CHANGED[name]}, **needed)
    assert changed.plain() != plain.plain()
    again = read(changed.text())
    assert again.plain() == changed.plain()
    assert again.fingerprint() == changed.fingerprint()
    assert f"\n{name}: " in "\n" + changed.text().partition("# the defaults")[0]
    assert next(each.partition(":")[0].partition(".")[0] for each in differences(plain, changed)) == name


@pytest.mark.parametrize(
    ("option", "registry"), [("loss", LOSSES), ("optimiser", OPTIMISERS), ("schedule", SCHEDULES)]
)
def test_everything_that_can_be_chosen_is_whole_in_yaml(option: str, registry: dict[str, Any]) -> None:
    for name in registry:
        options = {"every": 3} if name == "step" else {}
        recipe = Recipe(**{option: {name: options}})
        assert read(recipe.text()).plain() == recipe.plain()
        ((_, shown),) = recipe.plain()[option].items()
        left_out = {"decoupled", "warmup_start", "at"}  # they need another one
        assert registry[name].options.keys() - left_out <= shown.keys()


def test_options_come_before_the_file() -> None:
    recipe = read("epochs: 3\noptimiser: {adamw: {weight_decay: 0.5}}", epochs=4, lr=0.2)
    assert recipe.epochs == 4
    assert recipe.optimiser.options == {"weight_decay": 0.5, "lr": 0.2}
    other = read("optimiser: {adamw: {weight_decay: 0.5}}", optimiser="sgd:lr=0.3")
    assert (other.optimiser.kind.name, other.optimiser.options) == ("sgd", {"lr": 0.3})


def test_ways_to_write_the_same() -> None:
    ways = (
        "adamw:lr=2e-3,weight_decay=0.05",
        "adamw:lr=2e-3:weight_decay=0.05",
        {"adamw": {"lr": 2e-3, "weight_decay": 0.05}},
    )
    assert len({Recipe(optimiser=way).fingerprint() for way in ways}) == 1
    assert Recipe(schedule="step:at=[3,6],decay=0.5").schedule.options == {"at": [3, 6], "decay": 0.5}
    assert Recipe(augment=["crop:2", "flip"]).plain() == Recipe(augment="crop:2,flip").plain()
    assert Recipe(size=[3, 8, 8]).size == Recipe(size="3x8x8").size
    assert Recipe(heads="a=0.3,b=1").heads == {"a": 0.3, "b": 1.0}


@pytest.mark.parametrize(
    ("text", "place", "words", "help"),
    [
        ("epocs: 3", "1:1", "a recipe has no 'epocs'", "did you mean epochs?"),
        ("batch: 0", "1:8", "batch is a whole number from 1 up, not 0", ""),
        ("batch: 1.5", "1:8", "batch is a whole number", ""),
        ("a: 1\nb: 2", "1:1", "a recipe has no 'a'", "its options are epochs"),
        ("optimiser: {adamw: {lr: -1}}", "1:25", "adamw: lr is a number above 0, not -1", ""),
        ("optimiser:\n  adamw:\n    rl: 1", "3:5", "adamw has no option 'rl'", "its options are lr,"),
        ("optimiser: adam2", "1:12", "there is no optimiser 'adam2'", "did you mean adam?"),
        ("optimiser: 3", "1:12", "optimiser is one of sgd, momentum", ""),
        (
            "optimiser: {adam: 3}",
            "1:19",
            "the options of adam are a mapping",
            "write optimiser: {adam: {...}}",
        ),
        ("optimiser: {adam: {}, sgd: {}}", "1:12", "optimiser is one of", ""),
        ("optimiser: 'adam:0.1'", "1:12", "is no name with options", "write adam:option=value"),
        ("optimiser: 'adam:lr=1,lr=2'", "1:12", "lr stands twice", ""),
        ("schedule: {cosine: {warmup: 20}}", "1:29", "warmup=20 leaves nothing of 15 epochs", ""),
        ("schedule: step", "1:11", "step takes one of every and at, and has none", "write every: 30"),
        ("loss: {cross_entropy: {label_smoothing: 2}}", "1:41", "from 0 to 1, not 2", ""),
        ("augment: flop", "1:10", "there is no augmentation 'flop'", "did you mean flip?"),
        ("augment: 3", "1:10", "augment is a list of augmentations", ""),
        ("heads: {aux: x}", "1:14", "aux is a number from 0 up, not 'x'", ""),
        ("factors: {conv: 0}", "1:17", "conv is a number above 0, not 0", ""),
        ("heads: 3", "1:8", "heads is a mapping of names", ""),
        ("size: 3x", "1:7", "size is a shape as 3x64x64, not '3x'", ""),
        ("data: [a]", "1:7", "data is a text", ""),
        ("ema: 1", "1:6", "ema is a number from 0 to below 1, not 1", ""),
        ("validation: .nan", "1:13", "is not a finite number", ""),
        ("dtype: float16", "1:8", "dtype is one of float32, float64, not 'float16'", ""),
        ("loss: $x", "1:7", "plain values, no expressions", ""),
        ("- 3", "1:1", "a recipe is a mapping, as epochs: 15", ""),
        ("epochs: [3", "1:10", "", ""),
        ("epochs: 3\nepochs: 4", "2:1", "the key 'epochs' stands twice", ""),
    ],
)
def test_mistakes_have_their_place(text: str, place: str, words: str, help: str) -> None:
    with pytest.raises(SpecError, match="error") as caught:
        read(text)
    found = caught.value.diagnostics[0]
    assert str(found.span) == f"recipe.yaml:{place}"
    assert words in found.message
    assert help in (found.help or "")


def test_independent_mistakes_are_told_together() -> None:
    with pytest.raises(SpecError, match="epocs") as caught:
        read("epocs: 3\nbatch: 0\noptimiser: {adam: {lr: -1}}")
    assert len(caught.value.diagnostics) == 3


@pytest.mark.parametrize(
    ("options", "place", "words"),
    [
        ({"lr": -1.0}, "--lr:1:1", "adamw: lr is a number above 0, not -1.0"),
        ({"epochs": 0}, "--epochs:1:1", "epochs is a whole number from 1 up"),
        ({"clip_norm": 0.0}, "--clip-norm:1:1", "clip_norm is a number above 0"),
        ({"optimiser": "sgd:lr=3", "lr": 2.0}, "--optimiser:1:1", "given twice"),
        ({"schedule": "cosine:wramup=1"}, "--schedule:1:1", "cosine has no option 'wramup'"),
    ],
)
def test_mistakes_in_options(options: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(SpecError, match="E930") as caught:
        read("batch: 3", **options)
    assert str(caught.value.diagnostics[0].span) == place
    assert words in caught.value.diagnostics[0].message


def test_a_warm_up_is_held_against_the_epochs_of_the_recipe() -> None:
    assert read("epochs: 30\nschedule: {cosine: {warmup: 20}}").epochs == 30
    with pytest.raises(OptionError, match="warmup=5 leaves nothing of 5 epochs"):
        Recipe(epochs=5, schedule="cosine:warmup=5")


def test_files(tmp_path: Path) -> None:
    assert read("# nothing\n\n").plain() == Recipe().plain()
    (tmp_path / "r.yaml").write_bytes(b"\xff")
    for name, words in (("no.yaml", "cannot be read: no such file"), ("r.yaml", "it is not text in utf-8")):
        with pytest.raises(SpecError, match=words):
            recipe_source(str(tmp_path / name))


def test_options_of_python() -> None:
    with pytest.raises(OptionError, match="recipe has no option 'epoch'"):
        Recipe(epoch=3)
    for option in Recipe.options.values():
        assert option.doc
        assert option.schema()
    assert isinstance(Recipe.options["loss"], Chosen)


TEXTS = [
    "1e5", "1e-5", "1.5e3", "08", "0o7", "0x10", "1_000", "1" * 70, "9" * 17, "inf", ".nan", "nan", "1e999", "$x",
    "${x}", "$(x)", "$", "a\x85b", "a\u2028b", "a\tb", "a\nb", "a\u00a0b", "\ufeffa", "a\x7f", "yes", "no",
    "null", "~", "true", "True", "12:30", "2001-01-01", "-", "?", "a: b", "a #b", "#a", "'", '"', "\\", "*", "&a",
    "!a", "%a", "@a", "`a", "[a", "{a", "a]", "=", "<<", "é", "\U0001f600", "C:\\data", "- a", "--- a",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_every_text_reads_back(text: str) -> None:
    given = {"data": text, "weights": text, "label": text, "freeze": [text], "reinit": [text, "b"]}
    recipe = Recipe(**given)
    assert (recipe.data, recipe.freeze) == (text, (text,))
    assert read(recipe.text()).plain() == recipe.plain()
