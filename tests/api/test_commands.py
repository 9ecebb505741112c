"""Each function shows what its command shows, in every format and on every option."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import netcalc

Cli = Callable[..., Any]

SPEC = """
name: Small
input: [3, 8, 8]
args: {width: 4, kind: relu}
variants: {wide: {width: 8}}
expect: {params: 271}
budget: {params: 100, training_memory: 1GiB}
blocks:
  stage(filters):
    - conv: {filters: $filters, kernel: 3}
    - $kind
layers:
  - stage: {filters: $width, name: first}
  - flatten
  - linear: 3
"""


class Call(NamedTuple):
    """A call of a function, and the command line that means the same."""

    function: str
    given: tuple[Any, ...]
    options: dict[str, Any]
    line: str

    def result(self) -> netcalc.Result:
        made: netcalc.Result = getattr(netcalc, self.function)(*self.given, **self.options)
        return made


def call(line: str, *given: Any, **options: Any) -> Any:
    name = line.split()[0]
    return pytest.param(Call({"table": "analyze"}.get(name, name), given, options, line), id=line)


CALLS = [
    call("table alexnet", "alexnet"),
    call("table resnet18 --input 64 --batch 8 --dtype float16 --convention flops", "resnet18", 8, "float16", "flops", input=64),
    call("table s.yaml --variant wide", Path("s.yaml"), variant="wide"),
    call("table s.yaml --set width=6 --set kind=gelu --input 3x9x10", "s.yaml", args={"width": 6, "kind": "gelu"}, input=(3, 9, 10)),
    call("check lenet5", "lenet5"),
    call("check alexnet s.yaml --notes --ignore N502,N503 --batch 4", "alexnet", "s.yaml", notes=True, ignore=["N502", "N503"], batch=4),
    call("check s.yaml --set width=6 --input 9", "s.yaml", args={"width": 6}, input=9),
    call("check s.yaml --set kind=relu --variant wide", "s.yaml", args={"kind": "relu"}, variant="wide"),
    call("memory lenet5", "lenet5"),
    call("memory s.yaml --batch 4 --all --dtype float64 --optimiser momentum", "s.yaml", 4, "float64", "momentum", every_layer=True),
    call("memory resnet18 --input 64 --dtype bfloat16 --optimiser adamw --pure --loss mse --checkpoint block --fit 1GiB", "resnet18", 1, "bfloat16", "adamw", mixed=False, loss="mse", checkpoint="block", fit="1GiB", input=64),
    call("memory alexnet --checkpoint sqrt --fit 5000000000", "alexnet", checkpoint="sqrt", fit=5_000_000_000),
    call("roofline lenet5 --device a100", "lenet5", "a100"),
    call("roofline alexnet -d gtx580 --batch 128 --images 1281167 --epochs 90", "alexnet", "gtx580", 128, images=1281167, epochs=90),
    call("roofline s.yaml -d t4 --dtype int8 --fusion none --variant wide", "s.yaml", "t4", dtype="int8", fusion="none", variant="wide"),
    call("compare alexnet vgg16", "alexnet", "vgg16"),
    call("compare s.yaml s.yaml --batch 2 --convention macs --dtype int8 --set width=5", "s.yaml", "s.yaml", batch=2, convention="macs", dtype="int8", args={"width": 5}),
    call("compare resnet18 resnet34 --diff --input 64", "resnet18", "resnet34", diff=True, input=64),
    call("explain alexnet conv1", "alexnet", "conv1"),
    call("explain s.yaml first.conv1 --batch 2 --dtype int8 --convention macs --set width=5", "s.yaml", "first.conv1", 2, "int8", "macs", args={"width": 5}),
    call("sweep s.yaml --set width=2,4,-1 --set input=8,3x9x10", "s.yaml", {"width": [2, 4, -1], "input": [8, (3, 9, 10)]}),
    call("sweep s.yaml --set width=2,4,6 --set kind=relu,gelu --where width>2 --pareto params,macs:max", "s.yaml", {"width": (2, 4, 6), "kind": ["relu", "gelu"]}, where="width>2", pareto=["params", "macs:max"]),
    call("sweep lenet5 --set input=28,30,32,34 --sample 2 --seed 3 --batch 2 --dtype float16 --convention flops", "lenet5", {"input": range(28, 36, 2)}, sample=2, seed=3, batch=2, dtype="float16", convention="flops"),
    call("sweep s.yaml --set width=2,4 --input 9 --variant wide", "s.yaml", {"width": [2, 4]}, input=9, variant="wide"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SPEC)


@pytest.mark.parametrize("call", CALLS)
def test_a_function_is_its_command(cli: Cli, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    result, line = call.result(), call.line.split()
    for format, write in (
        ("csv", result.to_csv),
        ("markdown", result.to_markdown),
        ("latex", result.to_latex),
    ):
        written = cli(*line, "-f", format)
        if written.code != 2:  # the command refuses an option that does nothing in a format
            assert write() == written.out
    document = cli(*line, "-f", "json")
    if document.code != 2:
        assert "".join(result.json_chunks()) == document.out
        assert result.to_dict() == json.loads(document.out)
    monkeypatch.delenv("COLUMNS")
    assert f"{result}\n" == cli(*line).out  # in a pipe
    assert repr(result) == str(result)
    assert call.result() == result


def test_every_function_is_called() -> None:
    called = {parameter.values[0].function for parameter in CALLS}  # type: ignore[attr-defined]
    assert called == {"analyze", "check", "compare", "explain", "memory", "roofline", "sweep"}


@pytest.mark.parametrize(
    ("line", "view"),
    [
        ("--all", {"every_layer": True}),
        ("--depth 1", {"depth": 1}),
        ("--tree --depth 2", {"tree": True, "depth": 2}),
        ("--percent", {"percent": True}),
        ("--columns layer,params", {"columns": ["layer", "params"]}),
        ("--columns +rf --percent", {"columns": ["+rf"], "percent": True}),
        ("--only conv,linear", {"only": ["conv", "linear"]}),
        ("--only conv --columns layer,macs", {"only": "conv", "columns": "layer, macs"}),
        ("--bars", {"bars": True}),
    ],
)
def test_a_report_has_the_views_of_the_table(
    cli: Cli, line: str, view: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    shown = netcalc.analyze("resnet18").shown(**view)
    assert f"{shown}\n" == cli("table", "resnet18", *line.split()).out
    for format, written in (
        ("csv", shown.to_csv),
        ("json", lambda: "".join(shown.json_chunks())),
        ("markdown", shown.to_markdown),
    ):
        found = cli("table", "resnet18", *line.split(), "-f", format)
        assert found.code == 2 or found.out == written()


def test_a_view_that_is_not_there() -> None:
    report = netcalc.analyze("lenet5")
    with pytest.raises(ValueError, match="no column 'parms'; did you mean params"):
        report.shown(columns=["parms"])
    with pytest.raises(ValueError, match="no kind of layer 'convo'"):
        report.shown(only=["convo"])
    with pytest.raises(ValueError, match="depth is a whole number from 1 up, not 0"):
        report.shown(depth=0)
    with pytest.raises(ValueError, match="none of the columns has a total"):
        report.shown(columns=["layer"], percent=True)


def test_mistakes_are_findings(cli: Cli) -> None:
    Path("bad.yaml").write_text("input: [3]\nlayers: [rel]\n")
    found = netcalc.check("bad.yaml", "lenet5")
    assert [one.code for one in found.findings if one.severity == "error"] == ["E401"]
    assert (found.ok, found.failed()) == (False, True)
    assert found.to_dict() == json.loads(cli("check", "bad.yaml", "lenet5", "-f", "json").out)
    shown = cli("check", "bad.yaml", "lenet5")
    assert shown.code == 2
    for line in [*shown.out.splitlines(), *shown.err.splitlines()]:
        assert line in str(found)
    assert found.to_sarif() == cli("check", "bad.yaml", "lenet5", "-f", "sarif").out
    warned = netcalc.check("lenet5")
    assert (warned.ok, warned.failed(strict=True)) == (True, True)


def test_a_sweep_in_processes_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    varied = {"width": [2, 3, 4]}
    assert netcalc.sweep("s.yaml", varied, jobs=2) == netcalc.sweep("s.yaml", varied)
    assert capfd.readouterr() == ("", "")


def test_what_a_sweep_holds_fixed_and_what_words_it_varies() -> None:
    found = netcalc.sweep("s.yaml", {"kind": ["relu", "gelu"]}, args={"width": 8})
    assert {row["params"] for row in found.rows} == {netcalc.analyze("s.yaml", variant="wide").totals.params}
    text = SPEC.replace("kind: relu", "word: relu").replace(
        "$kind", "$('relu' if word == 'a\\x22, b' else 'gelu')"
    )
    words = netcalc.sweep(text, {"word": ['a", b', "c, 'd'", "null", "$(1)"]}).rows
    assert [row["word"] for row in words] == ['a", b', "c, 'd'", "null", "$(1)"]
    assert [row["error"] for row in words] == [None] * 4
    numbers = netcalc.sweep("s.yaml", {"width": np.array([2, 4]), "input": np.arange(8, 10)})
    assert numbers == netcalc.sweep("s.yaml", {"width": [2, 4], "input": [8, 9]})
    with pytest.raises(netcalc.SpecError, match="no argument 'wdith' and no input of that name"):
        netcalc.sweep("s.yaml", {"wdith": [2, 4]})
    with pytest.raises(TypeError, match="give what netcalc.load takes"):
        netcalc.sweep(netcalc.load("s.yaml"), {"width": [1]})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="what varies is a mapping of lists"):
        netcalc.sweep("s.yaml", {"width": 3})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="the argument width is a number, a word or a list"):
        netcalc.sweep("s.yaml", {"width": [object()]})  # type: ignore[list-item]
