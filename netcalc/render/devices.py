"""The devices that are known, as a table with sources, and as JSON."""

import json
from collections.abc import Iterable, Iterator
from textwrap import wrap

from netcalc.analysis.devices import Device
from netcalc.render.layout import Heading, Segment, lay_out

_PEAKS = ("float64", "float32", "tf32", "float16", "bfloat16", "int8")
_SHORT = {"float64": "fp64", "float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
_UNITS = (
    "10^12 operations a second for dense matrices, a multiply-add being two; bandwidth in 10^9 bytes a "
    "second, memory in GiB; a table of your own: netcalc roofline --devices"
)


def device_lines(devices: Iterable[Device], width: int | None) -> Iterator[list[Segment]]:
    """A line a device, then where each one's figures are from."""
    listed = list(devices)
    headings = [
        Heading("", "device", left=True),
        *(Heading("operations", _SHORT.get(name, name)) for name in _PEAKS),
        Heading("", "bandwidth"),
        Heading("", "memory"),
    ]
    rows = [[device.key, *_peaks(device), *_memory(device)] for device in listed]
    layout = lay_out(headings, rows, width)
    yield from layout.heading_lines()
    yield [("─" * layout.width, "dim")]
    for row in rows:
        yield layout.line([(row[0], "cyan"), *((text, "") for text in row[1:])])
    yield []
    yield from ([(part, "dim")] for part in wrap(_UNITS, width or 100))
    for device in listed:
        yield []
        yield [(device.key, "bold cyan"), (f"  {device.name}", "")]
        yield from ([(f"  {part}", "dim")] for part in wrap(device.source or "no source", (width or 100) - 2))


def json_chunks(devices: Iterable[Device], version: str) -> Iterator[str]:
    """A device a line, in operations and bytes a second."""
    yield json.dumps({"netcalc": version})[:-1] + ', "devices": ['
    for number, device in enumerate(devices):
        described = {
            "key": device.key, "name": device.name, "memory_bytes": device.memory_bytes,
            "bytes_per_second": device.bytes_per_second,
            "operations_per_second": device.operations_per_second, "source": device.source,
        }  # fmt: skip
        yield (",\n " if number else "\n ") + json.dumps(described)
    yield "\n]}\n"


def _peaks(device: Device) -> list[str]:
    peaks = device.operations_per_second
    return [f"{peaks[name] / 1e12:.4g}" if name in peaks else "" for name in _PEAKS]


def _memory(device: Device) -> tuple[str, str]:
    return f"{device.bytes_per_second / 1e9:.4g}", f"{device.memory_bytes / 1024**3:.4g}"
