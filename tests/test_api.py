"""The public API: what `import netcalc` gives."""

import doctest

import pytest

import netcalc
import netcalc.api
from netcalc.diagnostics import NetcalcError


def test_every_exported_name_is_there_and_documented() -> None:
    for name in netcalc.__all__:
        value = getattr(netcalc, name)
        assert value.__doc__, name
        assert name in dir(netcalc)


def test_a_name_that_is_not_exported() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        netcalc.lode  # noqa: B018


@pytest.mark.parametrize("module", [netcalc, netcalc.api])
def test_docstring_examples(module: object) -> None:
    result = doctest.testmod(module, extraglobs={"netcalc": netcalc})  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


def test_load_sets_arguments_and_inputs(tmp_path: object) -> None:
    path = tmp_path / "net.yaml"  # type: ignore[operator]
    path.write_text(
        "inputs: {a: [4], b: [$n]}\nargs: {n: 2, sizes: [3, 5]}\nlayers:\n"
        "  - linear: {name: one, from: a, units: '$(sizes[-1])'}\n"
        "  - linear: {name: two, from: b, units: 7}\n  - concat: {from: [one, two]}\n"
    )
    graph = netcalc.load(path, n=6, sizes=[3, 11])
    assert graph.nodes[-1].output.shape == (18,)
    assert [given.type.shape for given in graph.inputs] == [(4,), (6,)]
    assert netcalc.load(path, input={"b": (9,)}).types["b"].shape == (9,)


def test_wrong_arguments() -> None:
    with pytest.raises(NetcalcError, match="no argument 'width'"):
        netcalc.load("alexnet", width=2)
    with pytest.raises(ValueError, match="sizes are whole numbers"):
        netcalc.load("alexnet", input=(3, 0, 0))
    graph = netcalc.load("alexnet")
    for wrong in ({"batch": 0}, {"batch": 2.5}, {"dtype": "float8"}, {"convention": "gut"}):
        with pytest.raises(ValueError, match="batch is|dtype is|convention is"):
            netcalc.analyze(graph, **wrong)  # type: ignore[arg-type]


def test_an_error_tells_its_places() -> None:
    with pytest.raises(netcalc.SpecError, match="E103") as caught:
        netcalc.load("no-such-network")
    assert caught.value.diagnostics[0].code == "E103"


def test_the_graph_answers() -> None:
    graph = netcalc.load("alexnet")
    assert graph.node("conv1").output.shape == (64, 56, 56)
    assert graph.types["fc8"].shape == (1000,)
    assert graph.outputs == ("fc8",)
    with pytest.raises(KeyError, match="conv9"):
        graph.node("conv9")


def test_a_report_in_a_rich_console() -> None:
    import io

    from rich.console import Console

    console = Console(file=io.StringIO(), width=80)
    console.print(netcalc.analyze(netcalc.load("vgg16")))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "conv5_3" in text
    assert max(map(len, text.splitlines())) <= 80
