"""netcalc check: what it finds, what it is silent on, how it ends, and in which formats."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from netcalc.analysis.memory import training_peak
from netcalc.lint import RULES

from helpers import TESTS, graph_of

Cli = Callable[..., Any]

SOUND = "input: [3, 16, 16]\nlayers:\n  - conv: {filters: 16, kernel: 3, pad: 1}\n  - relu\n"
WARNS = "input: [3, 16, 16]\nlayers:\n  - conv: {filters: 8, kernel: 1, pad: 1}\n  - relu\n"
NOTES = "input: [8, 16, 16]\nlayers:\n  - conv: {filters: 8, kernel: 5, pad: 2}\n  - relu\n"
FAILS = "input: [64]\nlayers:\n  - unsqueeze: {axis: 1}\n  - instancenorm\n"


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Write specs as a.yaml, b.yaml, ... into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(*texts: str) -> list[str]:
        names = [f"{chr(ord('a') + number)}.yaml" for number, _ in enumerate(texts)]
        for name, text in zip(names, texts, strict=True):
            Path(name).write_text(text)
        return names

    return write


@pytest.mark.parametrize(
    ("texts", "options", "code"),
    [
        ([SOUND], [], 0),
        ([WARNS], [], 0),
        ([WARNS], ["--strict"], 1),
        ([NOTES], ["--strict"], 0),
        ([FAILS], [], 1),
        ([FAILS, SOUND], [], 1),
        ([SOUND, SOUND], ["--strict"], 0),
        ([SOUND + "expect: {params: 448}\n"], [], 0),
        ([SOUND + "expect: {params: 447}\n"], [], 1),
        ([SOUND + "budget: {params: 448}\n"], [], 0),
        ([SOUND + "budget: {params: 447}\n"], [], 1),
        ([SOUND.replace("layers", "ignore: N999\nlayers")], [], 2),
        (["input: [3]\n"], [], 2),
        ([FAILS, "input: [3]\n"], [], 2),
        (["input: [3]\n", SOUND], ["--strict"], 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("format", ["rich", "json", "sarif", "github"])
def test_exit_codes(
    cli: Cli, specs: Callable[..., list[str]], texts: list[str], options: list[str], code: int, format: str
) -> None:
    assert cli("check", *specs(*texts), *options, "-f", format).code == code


def test_a_finding_stands_under_its_place(cli: Cli, specs: Callable[..., list[str]]) -> None:
    result = cli("check", *specs(WARNS))
    assert result.out == (
        "warning[N103]: windows of conv1 see padding alone: 1 wide, it pads 1\n"
        " --> a.yaml:3:5\n"
        "  |\n"
        "3 |   - conv: {filters: 8, kernel: 1, pad: 1}\n"
        "  |     ^^^^\n"
        "  = help: leave out pad:\n"
        "\n"
        "a: 1 warning, 1 note (--notes shows the notes)\n"
    )
    assert result.err == ""


def test_notes_are_shown_where_they_are_wanted(cli: Cli, specs: Callable[..., list[str]]) -> None:
    names = specs(NOTES)
    assert cli("check", *names).out == "a: 2 notes (--notes shows the notes)\n"
    shown = cli("check", *names, "--notes").out
    assert "note[N501]" in shown
    assert shown.endswith("\na: 2 notes\n")


def test_what_a_block_makes_several_times_is_said_once_with_where_it_is_used(
    cli: Cli, specs: Callable[..., list[str]]
) -> None:
    block = "blocks:\n  unit():\n    - conv: {filters: 8, kernel: 1, pad: 1}\n    - relu\n"
    out = cli("check", *specs(f"input: [8, 8, 8]\n{block}layers:\n  - unit: {{repeat: 7}}\n  - unit\n")).out
    assert out.count("warning[N103]") == 1
    assert "  = used at a.yaml:7:5: - unit: {repeat: 7}\n" in out
    assert "the same of unit2.conv1, unit3.conv1, unit4.conv1, unit5.conv1 and 3 more\n" in out


@pytest.mark.parametrize(
    "spec",
    [
        WARNS.replace("pad: 1", "pad: 1, ignore: N103"),
        WARNS.replace("pad: 1", "pad: 1, ignore: [N101, N103]"),
        WARNS + "ignore: N103\n",
        WARNS.replace("layers:", "args: {quiet: N103}\nlayers:").replace("pad: 1", "pad: 1, ignore: [$quiet]"),
        WARNS.replace("- conv: {filters: 8, kernel: 1, pad: 1}",
                      "- residual: {main: [{conv: {filters: 8, kernel: 1, pad: 1}}], connect: false, ignore: N103}"),
        WARNS.replace("- conv: {filters: 8, kernel: 1, pad: 1}", "- outer: {ignore: N103}")
        + "blocks:\n  outer():\n    - inner\n  inner():\n    - conv: {filters: 8, kernel: 1, pad: 1}\n",
        WARNS.replace("- conv: {filters: 8, kernel: 1, pad: 1}", "- unit: {repeat: 1, name: u, ignore: N103}")
        + "blocks:\n  unit():\n    - conv: {filters: 8, kernel: 1, pad: 1}\n",
    ],
)  # fmt: skip
def test_ignore_covers_an_item_and_all_in_it(cli: Cli, specs: Callable[..., list[str]], spec: str) -> None:
    assert cli("check", *specs(WARNS), "--strict").code == 1
    result = cli("check", *specs(spec), "--strict")
    assert (result.code, result.err) == (0, "")
    assert "1 silenced" in result.out


def test_ignore_of_one_layer_is_not_that_of_another(cli: Cli, specs: Callable[..., list[str]]) -> None:
    twice = WARNS + "  - conv: {filters: 8, kernel: 1, pad: 1, ignore: N103}\n"
    assert "a: 1 warning, 1 note, 1 silenced" in cli("check", *specs(twice)).out


def test_ignore_on_the_command_line(cli: Cli, specs: Callable[..., list[str]]) -> None:
    names = specs(WARNS)
    for options in (
        ["--ignore", "N103"],
        ["--ignore", "N101, N103"],
        ["--ignore", "N102", "--ignore", "N103"],
    ):
        assert cli("check", *names, "--strict", *options).code == 0
    assert cli("check", *names, "--strict", "--ignore", "N101").code == 1


def test_a_variant_ignores_beside_what_its_spec_ignores(cli: Cli, specs: Callable[..., list[str]]) -> None:
    spec = WARNS.replace("kernel: 1", "kernel: $k") + (
        "args: {k: 1}\nignore: N503\nvariants: {one: {k: 1, ignore: N103}, two: {k: 1}}\n"
    )
    assert cli("check", *specs(spec), "--strict", "--variant", "one").code == 0
    assert cli("check", *specs(spec), "--strict", "--variant", "two").code == 1


def test_a_rule_that_there_is_not(cli: Cli, specs: Callable[..., list[str]]) -> None:
    wrong = WARNS.replace("pad: 1", "pad: 1, ignore: [N13]") + "ignore: [window-in-pading, N101]\n"
    result = cli("check", *specs(wrong))
    assert (result.code, result.out) == (2, "")
    assert "error[E801]: there is no rule 'N13'\n --> a.yaml:3:52\n" in result.err
    assert "error[E801]: there is no rule 'window-in-pading'\n --> a.yaml:5:10\n" in result.err
    assert "= help: did you mean N103?" in result.err
    assert cli("check", *specs(WARNS), "--ignore", "N13").code == 2
    assert "did you mean" in cli("check", *specs(WARNS), "--ignore", "N13").err
    assert "netcalc rules lists them" in cli("rules", "xyz").err


def test_expectations(cli: Cli, specs: Callable[..., list[str]]) -> None:
    names = specs(SOUND + "expect: {params: 450, macs: 110592, buffers: 0}\n")
    result = cli("check", *names)
    assert (
        "error[E802]: params is 448, not 450: 2 less\n"
        " --> a.yaml:5:18\n"
        "  |\n"
        "5 | expect: {params: 450, macs: 110592, buffers: 0}\n"
        "  |                  ^^^\n"
        "  = help: write params: 448 if that is meant\n"
    ) in result.out
    assert result.out.endswith("  as expected: macs 110,592, buffers 0\n")
    assert cli("check", *names, "--input", "3x8x8").code == 0  # other figures are meant then
    more = specs(SOUND + "expect: {params: 446}\n")
    assert "params is 448, not 446: 2 more" in cli("check", *more).out


@pytest.mark.parametrize(
    ("limit", "kept"),
    [("params: 448", True), ("params: 447", False), ("params: 0.448K", True), ("params: 0.447K", False),
     ("macs: 110592", True), ("macs: 110.591K", False), ("params: 1 M", True), ("params: 1G", True),
     ("output_bytes: 32KiB", True), ("output_bytes: 31.9KiB", False),
     ("output_bytes: 64KiB@batch2", True), ("output_bytes: 63KiB@batch2", False), ("output_bytes: 32768", True),
     ("params: $(400 + 47)", False), ("params: $(400 + 48)", True)],
)  # fmt: skip
def test_budgets(cli: Cli, specs: Callable[..., list[str]], limit: str, kept: bool) -> None:
    result = cli("check", *specs(SOUND + f"budget: {{{limit}}}\n"))
    assert result.code == (0 if kept else 1)
    assert ("within budget: " in result.out) == kept
    assert ("error[E803]" in result.out) == (not kept)


def test_a_budget_says_by_how_much_it_is_broken(cli: Cli, specs: Callable[..., list[str]]) -> None:
    out = cli("check", *specs(SOUND + "budget: {output_bytes: 60KiB@batch2, params: 1K}\n")).out
    assert (
        "error[E803]: output_bytes is 65,536 at batch 2, 4,096 over the budget of 61,440\n --> a.yaml:5:24\n"
        in out
    )
    assert "  within budget: params 448 of 1,000 (45%)\n" in out


@pytest.mark.parametrize(("options", "batch"), [([], 32), (["--batch", "8"], 8)])
def test_a_budget_of_training_memory(
    cli: Cli, specs: Callable[..., list[str]], options: list[str], batch: int
) -> None:
    peaks = {samples: training_peak(graph_of(SOUND), samples) for samples in (4, batch)}
    for at, samples in (("@batch4", 4), ("", batch)):
        for missing, code in ((0, 0), (1, 1)):
            kibibytes = f"{(peaks[samples] - missing) / 1024:.10f}"
            spec = SOUND + f"budget: {{training_memory: {kibibytes}KiB{at}}}\n"
            result = cli("check", *specs(spec), *options)
            assert result.code == code
            assert f"training_memory {'is' if code else f'at batch {samples}'} " in result.out
            assert (f"is {peaks[samples]:,} at batch {samples}, 1 over the budget of" in result.out) == bool(
                code
            )


def test_batch_one_is_told_where_it_matters(cli: Cli, specs: Callable[..., list[str]]) -> None:
    names = specs("input: [64]\nlayers:\n  - batchnorm\n")
    assert cli("check", *names).code == 0
    assert "error[N403]" in cli("check", *names, "--batch", "1").out


def test_several_specs_and_one_with_mistakes(cli: Cli, specs: Callable[..., list[str]]) -> None:
    result = cli("check", *specs("input: [8]\nlayers:\n  - linear: {units: 8}\n", "input: [3]\n", NOTES))
    assert result.out == "a: nothing found\nc: 2 notes (--notes shows the notes)\n"
    assert "error[E202]" in result.err


def test_standard_input_is_read_once(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SOUND.encode())))
    assert cli("check", "-").out == "<stdin>: 1 note (--notes shows the notes)\n"
    assert cli("check", "-", "-").code == 2


def test_json(cli: Cli, specs: Callable[..., list[str]]) -> None:
    texts = [WARNS + "expect: {params: 32}\nbudget: {macs: 1}\n", "input: [3]\n"]
    document = json.loads(cli("check", *specs(*texts), "-f", "json").out)
    first, second = document["specs"]
    assert (first["spec"], first["name"], first["silenced"]) == ("a.yaml", "a", 0)
    assert (first["errors"], first["warnings"], first["notes"]) == (1, 1, 1)
    finding = next(found for found in first["findings"] if found["code"] == "N103")
    assert finding == {
        "rule": "window-in-padding", "layers": ["conv1"], "code": "N103", "severity": "warning",
        "message": "windows of conv1 see padding alone: 1 wide, it pads 1", "notes": [], "help": "leave out pad:",
        "file": "a.yaml", "line": 3, "column": 5, "end_line": 3, "end_column": 9,
    }  # fmt: skip
    assert first["figures"] == [
        {"figure": "params", "kind": "expect", "got": 32, "wanted": 32, "batch": 1, "holds": True},
        {"figure": "macs", "kind": "budget", "got": 7776, "wanted": 1, "batch": 1, "holds": False},
    ]
    assert [mistake["code"] for mistake in second["mistakes"]] == ["E202"]


@pytest.fixture(scope="module")
def sarif() -> Draft4Validator:
    """The schema of SARIF 2.1.0, as the npm package @microsoft/jest-sarif 1.0.0-beta.0 (MIT) has it."""
    return Draft4Validator(json.loads((TESTS / "golden" / "sarif-2.1.0-rtm.5.json").read_text()))


@pytest.mark.parametrize(
    "spec", ["alexnet", "mobilenet_v3_small", "resnet50-paper", "no-such-net", "a.yaml", "b é.yaml"]
)
def test_sarif_is_valid(cli: Cli, specs: Callable[..., list[str]], sarif: Draft4Validator, spec: str) -> None:
    specs("input: [3, 8, 8]\nlayers:\n  - add: {from: [input, x]}\n  - conv: {kernel: 3}\n")
    Path("b é.yaml").write_text(WARNS.replace("filters: 8", "filters: 6"))
    log = json.loads(cli("check", spec, "-f", "sarif").out)
    assert [error.message for error in sarif.iter_errors(log)] == []
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [*RULES]
    assert run["results"]
    for result in run["results"]:
        if "ruleIndex" in result:
            assert [*RULES][result["ruleIndex"]] == result["ruleId"]
    log["runs"][0]["results"][0]["level"] = "bad"
    assert not sarif.is_valid(log)


def test_sarif_gives_each_place(cli: Cli, specs: Callable[..., list[str]]) -> None:
    Path(specs(WARNS)[0]).rename("b é.yaml")
    (run,) = json.loads(cli("check", "b é.yaml", "-f", "sarif").out)["runs"]
    found = next(result for result in run["results"] if result["ruleId"] == "N103")
    assert found["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "b%20%C3%A9.yaml"},
                "region": {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9},
            }
        }
    ]
    assert run["columnKind"] == "unicodeCodePoints"


def test_annotations_of_github(cli: Cli, specs: Callable[..., list[str]]) -> None:
    name = Path(specs(WARNS)[0]).rename("a,b%.yaml").name
    out = cli("check", name, "-f", "github").out
    assert out == (
        "::warning file=a%2Cb%25.yaml,line=3,col=5,endLine=3,endColumn=9,title=N103 window-in-padding"
        "::windows of conv1 see padding alone: 1 wide, it pads 1%0Aleave out pad:\n"
    )
    assert "::notice file=" in cli("check", name, "-f", "github", "--notes").out
    assert "::error file=a.yaml,line=1" in cli("check", *specs("input: [3]\n"), "-f", "github").out


def test_rules(cli: Cli) -> None:
    index = cli("rules").out
    for code, rule in RULES.items():
        assert f"  {code}  {rule.name} " in index
        page = cli("rules", code)
        assert page.code == 0
        assert page.out.startswith(f"{code} {rule.name}  {rule.severity}\n")
        assert "\nexample\n  input: " in page.out
    assert cli("rules", "N1").code == 2


@pytest.mark.parametrize("width", [80, 100, 160])
def test_a_table_of_rules_fits(cli: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert max(map(len, cli("rules").out.splitlines())) <= width
    assert max(map(len, cli("rules", "N201").out.splitlines())) <= width


SETTABLE = "args: {width: 16, classes: 10, depths: [2, 2]}\n" + SOUND.replace(
    "filters: 16", "filters: $width"
)


@pytest.mark.parametrize("settings", [("classes=5",), ("width=32", "classes=5")])
def test_a_setting_that_changes_nothing(
    cli: Cli, specs: Callable[..., list[str]], settings: tuple[str, ...]
) -> None:
    options = [word for setting in settings for word in ("--set", setting)]
    result = cli("check", *specs(SETTABLE), *options)
    assert "warning[E804]: classes changes nothing" in result.out
    assert "width changes" not in result.out
    assert cli("check", *specs(SETTABLE), *options, "--strict").code == 1
    found = json.loads(cli("check", *specs(SETTABLE), *options, "-f", "json").out)["specs"][0]
    assert [one["code"] for one in found["settings"]] == ["E804"]
    assert found["warnings"] == 1


@pytest.mark.parametrize("setting", ["width=32", "classes=10", "depths=[2, 2]"])
def test_a_setting_that_counts_or_repeats_the_default(
    cli: Cli, specs: Callable[..., list[str]], setting: str
) -> None:
    assert "E804" not in cli("check", *specs(SETTABLE), "--set", setting, "--notes").out


def test_a_setting_without_which_there_is_no_network(cli: Cli, specs: Callable[..., list[str]]) -> None:
    needed = SETTABLE.replace("width: 16", "width: null")
    assert "E804" not in cli("check", *specs(needed), "--set", "width=8").out


FINDINGS = """input: [3, 32, 32]
layers:
  - conv: {name: a_layer_with_a_long_name, filters: 8, kernel: 7, stride: 2, pad: 3}
  - batchnorm: {name: another_layer_with_one}
  - relu
  - maxpool: {kernel: 3, stride: 2, pad: 1}
  - flatten
  - linear: {units: 100}
  - dropout: {rate: 0.95}
"""


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_findings_fit(
    cli: Cli, specs: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = cli("check", *specs(FINDINGS), "--notes").out.splitlines()
    texts = [line for line in lines if not re.match(r" *\d+ \| ", line)]  # the source is as it is
    assert max(map(len, texts)) <= width
    unwrapped = " ".join(" ".join(texts).split())
    assert "write bias: false" in unwrapped
    assert "the 8 biases of a_layer_with_a_long_name are taken away by another_layer_with_one" in unwrapped
