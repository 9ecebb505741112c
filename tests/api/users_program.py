"""A user's program, checked by `mypy --strict`: a wrong name is found, and results have their types."""

from pathlib import Path
from typing import assert_type

import netcalc

device: netcalc.DeviceName = "a100"
graph = netcalc.load(
    {"input": [3, 32, 32], "args": {"width": 8}, "layers": [{"conv": {"filters": "$width", "kernel": 3}}]}
)
assert_type(graph, netcalc.Graph)
assert_type(netcalc.analyze(graph), netcalc.PrintedReport)
assert_type(netcalc.analyze("lenet5", 2, "float16", "flops").totals.macs, int)
assert_type(netcalc.check("lenet5", Path(netcalc.__file__).parent / "none.yaml").ok, bool)
assert_type(netcalc.memory("lenet5", optimiser="adam", fit="1GiB").largest_batch, int | None)
assert_type(netcalc.roofline(graph, device).forward_seconds, float)
assert_type(netcalc.roofline(graph, netcalc.read_devices()["h100"]), netcalc.RooflineResult)
assert_type(netcalc.compare("lenet5", graph), netcalc.ComparisonResult)
assert_type(netcalc.sweep("lenet5", {"input": [28, (1, 32, 32)]}), netcalc.SweepResult)
assert_type(netcalc.explain("lenet5", "conv1").figures[0].value, int)

result: netcalc.Result = netcalc.analyze(graph)
assert_type(result.to_csv(), str)

try:
    netcalc.analyze("lenet5", dtype="float8")  # type: ignore[arg-type]
except ValueError as error:
    assert "dtype is one of" in str(error)
try:
    netcalc.roofline("lenet5", "a10x")  # type: ignore[arg-type]
except ValueError as error:
    assert "did you mean" in str(error)
try:
    netcalc.load("lenet5", width=2)  # type: ignore[call-arg]
except TypeError as error:
    assert "width" in str(error)
