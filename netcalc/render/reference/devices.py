"""The devices that are known: for a terminal, as a table of plain data, and as JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

from netcalc.analysis.devices import Device
from netcalc.render.escaping import visible
from netcalc.render.json import JsonRows, json_document
from netcalc.render.layout import Heading, Segment, hanging, paragraph
from netcalc.render.tabular import Table, TableColumn
from netcalc.render.text_table import TextColumn, text_table

_PEAKS = ("float64", "float32", "tf32", "float16", "bfloat16", "int8")
_SHORT = {"float64": "fp64", "float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
_DROPS = {"float64": 1, "tf32": 2, "bfloat16": 3}
_UNITS = (
    "10^12 operations a second for dense matrices, a multiply-add being two; bandwidth in 10^9 bytes a "
    "second, memory in GiB; a table of your own: netcalc roofline --devices"
)


def device_lines(devices: Iterable[Device], width: int | None) -> Iterator[list[Segment]]:
    """A line a device, then where each one's figures are from."""
    listed = list(devices)
    peaks = list(zip(*map(_peaks, listed), strict=True))
    bandwidths, memories = zip(*map(_memory, listed), strict=True)
    columns = [
        TextColumn(Heading("", "device", left=True), [device.key for device in listed], "cyan"),
        *(
            TextColumn(Heading("operations", _SHORT.get(name, name)), texts, drop=_DROPS.get(name, 0))
            for name, texts in zip(_PEAKS, peaks, strict=True)
        ),
        TextColumn(Heading("", "bandwidth"), bandwidths),
        TextColumn(Heading("", "memory"), memories),
    ]
    yield from text_table(columns, width, ruled=True)
    yield []
    yield from paragraph(_UNITS, "dim", width)
    for device in listed:
        yield []
        yield from hanging([(visible(device.key), "bold cyan"), ("  ", "")], device.name, "", width)
        yield from paragraph(device.source or "no source", "dim", width, indent="  ")


def device_table(devices: Iterable[Device]) -> Table:
    """A row a device: operations and bytes a second, memory in bytes, the source."""
    columns = (
        TableColumn("device", "device", left=True),
        TableColumn("name", "name", left=True),
        *(
            TableColumn(f"{name}_operations_per_second", _SHORT.get(name, name), _tera, group="operations")
            for name in _PEAKS
        ),
        TableColumn("bytes_per_second", "bandwidth", _giga),
        TableColumn("memory_bytes", "memory", _gibibytes),
        TableColumn("source", "source", left=True),
    )
    return Table(columns, map(_device_row, devices), notes=[_UNITS])


def _device_row(device: Device) -> tuple[object, ...]:
    peaks = map(device.operations_per_second.get, _PEAKS)
    figures = (*peaks, device.bytes_per_second, device.memory_bytes)
    return (device.key, device.name, *figures, device.source)


def json_chunks(devices: Iterable[Device], version: str) -> Iterator[str]:
    """A device a line, in operations and bytes a second."""
    return json_document({"netcalc": version, "devices": JsonRows(map(_device_dict, devices))})


def _device_dict(device: Device) -> dict[str, Any]:
    return {
        "key": device.key, "name": device.name, "memory_bytes": device.memory_bytes,
        "bytes_per_second": device.bytes_per_second,
        "operations_per_second": device.operations_per_second, "source": device.source,
    }  # fmt: skip


def _peaks(device: Device) -> list[str]:
    peaks = device.operations_per_second
    return [_tera(peaks[name]) if name in peaks else "" for name in _PEAKS]


def _memory(device: Device) -> tuple[str, str]:
    return _giga(device.bytes_per_second), _gibibytes(device.memory_bytes)


def _tera(rate: float) -> str:
    return f"{rate / 1e12:.4g}"


def _giga(rate: float) -> str:
    return f"{rate / 1e9:.4g}"


def _gibibytes(size: int) -> str:
    return f"{size / 1024**3:.4g}"
