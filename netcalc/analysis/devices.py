"""Devices: peak throughput and bandwidth, read from a YAML table with sources."""

import os
from collections.abc import Mapping
from typing import Literal, NamedTuple, NoReturn

from netcalc.diagnostics import ArgumentError, Diagnostic, Source, SpecError, nearest, type_name
from netcalc.spec import Value, YamlMapping, YamlScalar, describe, open_table, read_document, standard_input
from netcalc.tensor import DTYPES, DType, FrozenDict

DeviceName = Literal[
    "gtx580", "v100", "t4", "a10", "a100", "l4", "l40s", "h100", "h200", "b200", "rtx3060", "rtx3090",
    "rtx4090", "rtx5090", "mi300x", "tpuv4", "tpuv5e", "orin", "m1", "m2max", "m4max", "a17npu",
    "ryzen7840u", "pi5",
]  # fmt: skip
"""The bundled devices, those of devices.yaml."""
PeakName = Literal["float64", "float32", "tf32", "float16", "bfloat16", "int8"]
STORED_AS = {**DTYPES, "tf32": DTYPES["float32"]}
"""The types that devices have a peak for, and the type that each is stored in."""

_BUNDLED = os.path.join(os.path.dirname(__file__), "devices.yaml")
_EXAMPLE = "write mine: {name: Mine, memory_gib: 8, bandwidth_giga: 400, peak_tera: {float32: 10}} into it"
_KEYS = ("name", "memory_gib", "bandwidth_giga", "peak_tera", "source")


class Device(NamedTuple):
    """Peak figures of a device; a multiply-add is two operations."""

    key: str
    name: str
    memory_bytes: int
    bytes_per_second: float
    operations_per_second: Mapping[str, float]
    """Peak throughput by element type; types without a peak are left out."""
    source: str

    def balance(self, dtype: str) -> float:
        """Machine balance: the arithmetic intensity above which a kernel is bound by compute."""
        return self.operations_per_second[dtype] / self.bytes_per_second

    def stored_as(self, dtype: str) -> DType:
        """The type in memory of elements that are computed in a type."""
        return STORED_AS[dtype]


def require_device(device: Device) -> None:
    """Raise ArgumentError for a device with figures that no device has."""
    peaks = device.operations_per_second
    figures = {
        "memory_bytes": device.memory_bytes, "bytes_per_second": device.bytes_per_second,
        **{f"operations_per_second[{name!r}]": peak for name, peak in peaks.items()},
    }  # fmt: skip
    for name, figure in figures.items():
        if not (isinstance(figure, int | float) and 0 < figure < float("inf")):
            raise ArgumentError("device", f"{name} of a device is a number above 0, not {figure!r}")
    unknown = [name for name in peaks if name not in STORED_AS]
    if unknown or not peaks:
        there = f"not of {unknown[0]!r}" if unknown else "and this one has none"
        raise ArgumentError("device", f"a device has a peak of {', '.join(STORED_AS)}, {there}")


def read_devices(path: str | os.PathLike[str] | None = None) -> dict[str, Device]:
    """The bundled devices by name, with those of another file.

    Raises SpecError with every mistake in the file.
    """
    devices = _read(_table(_BUNDLED))
    if path is None:
        return devices
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is that of a table of devices, not {type_name(path)}")
    return {**devices, **_read(_table(os.fspath(path)))}


def read_given_devices(path: str | None) -> dict[str, Device]:
    """Those of `read_devices`; `-` of the command line is standard input."""
    if path != "-":
        return read_devices(path)
    return {**_read(_table(_BUNDLED)), **_read(standard_input())}


def _table(path: str) -> Source:
    return open_table(path, "a table of devices", _EXAMPLE)


def _read(source: Source) -> dict[str, Device]:
    root, diagnostics = read_document(source)
    problems = list(diagnostics)
    if not isinstance(root, YamlMapping):
        _stop(f"a table of devices is a mapping, not {describe(root)}", root)
    devices = {}
    for entry in root.entries:
        device = _device(entry.key, entry.value, problems)
        if device is not None:
            devices[entry.key] = device
    if problems:
        raise SpecError(problems)
    return devices


def _device(key: str, value: Value, problems: list[Diagnostic]) -> Device | None:
    before = len(problems)
    fields = _fields(value, f"the device {key}", _KEYS, problems)
    missing = [name for name in _KEYS[:-1] if name not in fields]
    if len(problems) == before and missing:
        problems.append(_fault(f"the device {key} has no {' and no '.join(missing)}", value))
    if len(problems) > before:
        return None
    memory, bandwidth = (_number(fields[name], name, problems) for name in ("memory_gib", "bandwidth_giga"))
    given = _fields(fields["peak_tera"], "peak_tera", tuple(STORED_AS), problems)
    peaks = {name: _number(peak, name, problems) * 1e12 for name, peak in given.items()}
    if not peaks and len(problems) == before:
        problems.append(_fault(f"the device {key} has no peak for any element type", fields["peak_tera"]))
    source = _text(fields["source"], problems) if "source" in fields else ""
    name = _text(fields["name"], problems)
    return Device(key, name, int(memory * 1024**3), bandwidth * 1e9, FrozenDict(peaks), source)


def _fields(value: Value, what: str, known: tuple[str, ...], problems: list[Diagnostic]) -> dict[str, Value]:
    if not isinstance(value, YamlMapping):
        problems.append(_fault(f"{what} is a mapping, not {describe(value)}", value))
        return {}
    for entry in value.entries:
        if entry.key not in known:
            match = nearest(entry.key, known)
            help = f"did you mean {match}?" if match else f"there are {', '.join(known)}"
            problems.append(Diagnostic("E916", f"{what} has no {entry.key!r}", entry.key_span, help=help))
    return {entry.key: entry.value for entry in value.entries if entry.key in known}


def _number(value: Value, name: str, problems: list[Diagnostic]) -> float:
    plain = value.value if isinstance(value, YamlScalar) else None
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not 0 < plain < 1e9:
        problems.append(_fault(f"{name} is a number above 0 and below 10^9, not {describe(value)}", value))
        return 1.0
    return plain


def _text(value: Value, problems: list[Diagnostic]) -> str:
    if isinstance(value, YamlScalar) and isinstance(value.value, str | int | float):
        return str(value.value)
    problems.append(_fault(f"this is a text, not {describe(value)}", value))
    return ""


def _fault(message: str, value: Value) -> Diagnostic:
    return Diagnostic("E916", message, value.span)


def _stop(message: str, value: Value) -> NoReturn:
    raise SpecError([_fault(message, value)])
