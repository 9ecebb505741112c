"""What all results are: frozen, comparable, shown in consoles and notebooks, and data frames."""

import copy
import csv
import inspect
import io
import multiprocessing
import pickle
import time
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, is_dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

import netcalc
from netcalc.tensor import FrozenDict

SPEC = """
name: Small
input: [3, 8, 8]
layers:
  - conv: {name: <conv>, filters: 4, kernel: 3}
  - relu
  - flatten
  - linear: 3
"""
RESULTS: dict[str, Callable[[], netcalc.Result]] = {
    "analyze": lambda: netcalc.analyze(SPEC),
    "tree": lambda: netcalc.analyze(SPEC).shown(tree=True),
    "check": lambda: netcalc.check(SPEC, notes=True),
    "memory": lambda: netcalc.memory(SPEC),
    "roofline": lambda: netcalc.roofline(SPEC, "a100"),
    "compare": lambda: netcalc.compare(SPEC, "lenet5"),
    "diff": lambda: netcalc.compare(SPEC, "lenet5", diff=True),
    "explain": lambda: netcalc.explain(SPEC, "<conv>"),
    "sweep": lambda: netcalc.sweep(SPEC, {"input": [8, 10]}),
}


@pytest.fixture(params=RESULTS)
def result(request: pytest.FixtureRequest) -> netcalc.Result:
    return RESULTS[request.param]()


def test_a_result_is_frozen(result: netcalc.Result) -> None:
    for name in [field.name for field in fields(result)]:  # type: ignore[arg-type]
        assert not isinstance(getattr(result, name), list | set | bytearray)
        with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(result, name, None)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        result.other = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", RESULTS)
def test_equal_calls_give_equal_results(name: str) -> None:
    graph = netcalc.load("lenet5")
    if name == "analyze":
        assert netcalc.analyze(graph) == netcalc.analyze(graph)
        assert netcalc.analyze(graph) != netcalc.analyze(graph, batch=2)
    assert str(RESULTS[name]()) == str(RESULTS[name]())


def test_a_result_is_shown_in_a_rich_console(result: netcalc.Result) -> None:
    stream = io.StringIO()
    Console(file=stream, width=60).print(result)
    assert stream.getvalue().split()[:2] == str(result).split()[:2]
    assert max(map(len, stream.getvalue().splitlines())) <= 60


def test_a_notebook_gets_html_without_a_tag_of_the_spec(result: netcalc.Result) -> None:
    html = result._repr_html_()
    assert "<table" in html
    assert "<conv>" not in html


def test_without_pandas(result: netcalc.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="a DataFrame needs pandas: pip install pandas"):
        result.to_pandas()


def test_a_data_frame_has_the_cells_of_the_csv(
    result: netcalc.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a stand-in that keeps what it is given; the test below is on pandas itself."""
    stand_in = ModuleType("pandas")
    stand_in.DataFrame = lambda rows, columns: (columns, rows)  # type: ignore[attr-defined]
    import sys

    monkeypatch.setitem(sys.modules, "pandas", stand_in)
    columns, rows = cast_frame(result.to_pandas())
    first, *others = csv.reader(io.StringIO(result.to_csv()))
    assert columns == first
    assert [["" if cell is None else str(cell) for cell in row] for row in rows] == others


def cast_frame(frame: Any) -> tuple[list[str], list[list[object]]]:
    return frame  # type: ignore[no-any-return]


def test_pandas(result: netcalc.Result) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed; netcalc needs it only when asked")
    frame = result.to_pandas()
    written = list(csv.reader(io.StringIO(result.to_csv())))
    assert frame.shape == (len(written) - 1, len(written[0]))
    assert [*frame.columns] == written[0]
    if isinstance(result, netcalc.PrintedReport):
        assert pandas.api.types.is_integer_dtype(frame["params"])
        assert frame["macs"].sum() >= result.totals.macs


def test_what_memory_says() -> None:
    found = netcalc.memory("alexnet", 32, fit="1GiB")
    document = found.to_dict()
    assert found.training_bytes == document["training"]["peak_bytes"]
    assert found.inference_bytes == document["inference"]["peak_bytes"]
    assert found.largest_batch == document["training"]["largest_batch"]
    assert len(found.to_csv().splitlines()) == 1 + 19 > len(found.table().rows)  # type: ignore[arg-type]
    mixed, pure = (
        netcalc.memory("alexnet", dtype="float16", mixed=each).training_bytes for each in (True, False)
    )
    assert pure is not None
    assert mixed is not None
    assert pure < mixed
    counted = netcalc.memory("alexnet", dtype="int8")
    assert (counted.training_bytes, counted.largest_batch) == (None, None)
    with pytest.raises(ValueError, match="networks are not trained in int8"):
        counted.to_csv()


def test_a_device_of_ones_own() -> None:
    device = netcalc.read_devices()["a100"]._replace(name="Mine", bytes_per_second=1e9)
    slow, fast = (netcalc.roofline("lenet5", chosen) for chosen in (device, "a100"))
    assert slow.forward_seconds > fast.forward_seconds
    assert "on Mine" in str(slow)


def test_the_base_class_says_what_a_result_has() -> None:
    with pytest.raises(TypeError, match="abstract"):
        netcalc.Result()  # type: ignore[abstract]


def test_a_sweep_of_what_nothing_reads_is_refused() -> None:
    spec = {"input": [3], "args": {"idle": 1}, "layers": ["relu"]}
    with pytest.raises(netcalc.SpecError, match="idle changes nothing"):
        netcalc.sweep(spec, {"idle": [1, 2]})


def test_a_wrong_argument_goes_through_a_process_pool() -> None:
    with pytest.raises(ValueError, match="no layer 'c'") as caught:
        netcalc.explain("lenet5", "c")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.argument) == (str(caught.value), "layer")


def test_a_sweep_that_fails_ends_its_own_processes_alone() -> None:
    other = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    other.start()
    try:
        with pytest.raises(netcalc.SpecError, match="E303"):
            netcalc.sweep("lenet5", {"input": [28, 30, 32]}, jobs=2, where="1 / (input - 30) > 0")
        other.join(0.2)
        assert other.exitcode is None
    finally:
        other.kill()
        other.join()


def test_a_daemon_counts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="this process starts no others.*jobs=1"):
        netcalc.sweep("lenet5", {"input": [28, 30]}, jobs=2)
    assert len(netcalc.sweep("lenet5", {"input": [28, 30]}).rows) == 2


def mutable_parts(value: object, seen: set[int]) -> list[object]:
    """Dicts, lists and sets within a value that can be changed."""
    if id(value) in seen or isinstance(value, str | bytes | int | float | type(None)):
        return []
    seen.add(id(value))
    if isinstance(value, list | set | bytearray) or type(value) is dict:
        return [value]
    parts: list[object] = [*value] if isinstance(value, tuple) else []
    if isinstance(value, FrozenDict):
        parts = [*value.values()]
    if is_dataclass(value) and not isinstance(value, type):
        public = [name for name in dir(type(value)) if not name.startswith("_")]
        kinds = (property, cached_property)
        names = [name for name in public if isinstance(inspect.getattr_static(type(value), name), kinds)]
        parts = [getattr(value, name) for name in [*names, *(field.name for field in fields(value))]]
    return [found for part in parts for found in mutable_parts(part, seen)]


def test_a_result_is_frozen_to_its_ground(result: netcalc.Result) -> None:
    assert mutable_parts(result, set()) == []


def test_a_result_hashes_pickles_and_copies(result: netcalc.Result) -> None:
    for again in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
        assert (again, str(again)) == (result, str(result))
        assert len({again, result}) == 1


def test_a_graph_and_a_device_hash_pickle_and_copy() -> None:
    for value in (netcalc.load("alexnet"), netcalc.read_devices()["a100"]):
        assert mutable_parts(value, set()) == []
        assert {value, pickle.loads(pickle.dumps(value)), copy.deepcopy(value)} == {value}


def test_a_frozen_mapping_is_a_mapping_that_does_not_change() -> None:
    frozen = FrozenDict({"a": 1})
    changes: list[Callable[[Any], object]] = [
        lambda it: it.__setitem__("a", 2), lambda it: it.__delitem__("a"), lambda it: it.__ior__({"b": 1}),
        lambda it: it.clear(), lambda it: it.pop("a"), lambda it: it.popitem(),
        lambda it: it.setdefault("b", 1), lambda it: it.update(b=1),
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(TypeError, match="part of a result, which is frozen"):
            change(frozen)
    assert (frozen, {**frozen, "b": 2}, frozen | {"b": 2}) == ({"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 2})


def test_shown_begins_with_all_layers_again() -> None:
    report = netcalc.analyze("alexnet")
    some = report.shown(only="conv")
    assert [row.node.layer.kind for row in some.shown(only="linear").rows] == ["linear"] * 3
    assert some.shown() == report
    assert some.shown(only="conv") == some


def test_shares_are_numbers_in_a_data_frame() -> None:
    pytest.importorskip("pandas", reason="pandas is not installed; netcalc needs it only when asked")
    frame = netcalc.analyze("alexnet").shown(percent=True).to_pandas()
    assert frame["params_percent"].sum() == pytest.approx(100, abs=1e-3)
    assert frame["filters"].count() == 8


def test_memory_without_training_in_a_notebook() -> None:
    html = netcalc.memory("lenet5", dtype="int8")._repr_html_()
    assert html.startswith("<pre>LeNet-5")
    assert "inference  1.25 MiB at the peak" in html
