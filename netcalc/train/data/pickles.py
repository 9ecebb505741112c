"""Reads a pickle as a file of data: plain values and arrays of bytes, and refuses everything else.

The standard library's `pickletools` tells the operations of a pickle without doing any. Those that build
dicts, lists, tuples, strings, bytes and whole numbers are done here, on plain values. Of the functions that a
pickle may call, the four with which NumPy stores an array of uint8 are recognised by their names, and none is
ever looked up or called.
"""

import pickletools
import warnings
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.files import sound
from netcalc.backend.kernels.base import Array

_RECONSTRUCT = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}
_FROM_BUFFER = {"numpy.core.numeric _frombuffer", "numpy._core.numeric _frombuffer"}
_TYPE, _ARRAY, _ENCODE = "numpy dtype", "numpy ndarray", "_codecs encode"
_KNOWN = {*_RECONSTRUCT, *_FROM_BUFFER, _TYPE, _ARRAY, _ENCODE}
_MOST_OPERATIONS = 10_000_000


class _Refused(Exception):
    """A pickle does what no file of data does."""


class _Global(NamedTuple):
    name: str


class _Type:
    """NumPy's uint8, the one element type that is read."""


class _Stored:
    """An array before and after its numbers are given."""

    def __init__(self) -> None:
        self.array: Array | None = None


_MARK = object()
_PUSHED = {
    "BININT", "BININT1", "BININT2", "INT", "LONG1", "BINSTRING", "SHORT_BINSTRING", "STRING", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
"""Operations that push their argument."""
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "MARK": lambda: _MARK,
}  # fmt: skip
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_pickle(path: str, raw: Array) -> Any:
    """The value of a pickle: dicts, lists, tuples, str, bytes, int and arrays of uint8.

    Raises ExecutionError for damaged pickles and for those that would build anything else.
    """
    place = 0
    with sound(path, "pickle"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in damaged text
        machine = _Machine()
        try:
            for number, (opcode, argument, position) in enumerate(pickletools.genops(BytesIO(raw.tobytes()))):
                place = position or 0
                if number > _MOST_OPERATIONS:
                    raise _Refused(f"it has more than {_MOST_OPERATIONS:,} operations")
                machine.do(opcode.name, argument)
        except _Refused as error:
            refuse(
                "E924",
                f"{path} is no file of plain data: at byte {place:,} {error}",
                help="pickles can run programs; save arrays as .npz",
            )
        return machine.result()


class _Machine:
    """The stack and the memo of a pickle, of plain values alone."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def result(self) -> Any:
        (value,) = self._stack
        return value.array if isinstance(value, _Stored) else value

    def do(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _PUSHED:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name]())
        elif name in _TUPLES:
            stack.append(tuple(self._popped(_TUPLES[name])))
        elif name == "TUPLE":
            stack.append(tuple(self._to_mark()))
        elif name in ("DICT", "LIST"):
            values = self._to_mark()
            stack.append(values if name == "LIST" else _filled({}, values))
        elif name in ("APPEND", "APPENDS", "SETITEM", "SETITEMS"):
            self._extend(name)
        elif name in ("GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"):
            self._object(name, argument)
        else:
            self._other(name, argument)

    def _other(self, name: str, argument: Any) -> None:
        """The memo, and operations that build nothing."""
        if name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._memo[len(self._memo) if argument is None else argument] = self._stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[argument])
        elif name == "POP":
            self._stack.pop()
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise _Refused(f"it has the operation {name}")

    def _extend(self, name: str) -> None:
        count = {"APPEND": 1, "SETITEM": 2}.get(name)
        values = self._to_mark() if count is None else self._popped(count)
        match name.startswith("APPEND"), self._stack[-1]:
            case True, list() as found:
                found.extend(values)
            case False, dict() as found:
                _filled(found, values)
            case _:
                raise _Refused("it extends what is neither a list nor a dict")

    def _object(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in ("GLOBAL", "STACK_GLOBAL"):
            called = " ".join(map(str, self._popped(2))) if argument is None else argument
            if called not in _KNOWN:
                raise _Refused(f"it asks for {called.replace(' ', '.')[:100]}")
            stack.append(_Global(called))
        elif name == "REDUCE":
            function, arguments = self._popped(2)
            stack.append(_called(function, arguments))
        else:
            target, state = self._popped(2)
            stack.append(_built(target, state))

    def _popped(self, count: int) -> list[Any]:
        values = self._stack[-count:]
        if len(values) < count or any(value is _MARK for value in values):
            raise IndexError("its stack is empty")
        del self._stack[-count:]
        return values

    def _to_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        values.reverse()
        return values


def _filled(found: dict[Any, Any], values: list[Any]) -> dict[Any, Any]:
    if len(values) % 2 or any(type(key) not in (str, bytes, int) for key in values[::2]):
        raise _Refused("a key of a dict is neither text nor a number")
    found.update(zip(values[::2], values[1::2], strict=True))
    return found


def _called(function: Any, arguments: Any) -> Any:
    """What a recognised function would give, of the arguments that NumPy stores."""
    match function, arguments:
        case _Global(name), (_Global("numpy ndarray"), (0,), _) if name in _RECONSTRUCT:
            return _Stored()
        case _Global("numpy dtype"), ("u1", _, _):
            return _Type()
        case _Global("_codecs encode"), (str() as text, "latin1" | "latin-1"):
            return text.encode("latin1")
        case _Global(name), (bytes() | bytearray() as numbers, _Type(), tuple() as shape, "C") if (
            name in _FROM_BUFFER
        ):
            return _array(shape, numbers)
        case _:
            name = function.name.replace(" ", ".") if isinstance(function, _Global) else "what is no function"
            raise _Refused(f"it calls {name} as no array of bytes is stored")


def _built(target: Any, state: Any) -> Any:
    """A type or an array after its state is given."""
    match target, state:
        case _Type(), (int(), "|", None, None, None, -1, -1, 0):
            return target
        case _Stored(array=None), (int(), tuple() as shape, _Type(), False | 0, bytes() | str() as numbers):
            target.array = _array(
                shape, numbers if isinstance(numbers, bytes) else numbers.encode("latin1")
            ).array
            return target
        case _:
            raise _Refused("it gives a state to what is no array of bytes in rows")


def _array(shape: tuple[Any, ...], numbers: bytes | bytearray) -> _Stored:
    if any(type(size) is not int or size < 0 for size in shape):
        raise _Refused("the shape of an array is no row of sizes")
    stored = _Stored()
    stored.array = np.frombuffer(numbers, np.uint8).reshape(shape)
    return stored


def arrays_of(value: Any) -> Any:
    """The array of a value of a pickle, or the value itself."""
    return value.array if isinstance(value, _Stored) else value
