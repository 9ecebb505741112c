"""Token numbers for language models: `.npy`, raw 16 and 32-bit files, and plain text by its bytes.

Sample i is the tokens from i x context on, and its labels are the tokens one place further, so that no token
is predicted twice. Files are mapped from disk; a batch reads what it holds.
"""

import numpy as np

from netcalc.backend.errors import refuse
from netcalc.backend.kernels.base import Array
from netcalc.train.data.dataset import Batch, DataSet, InputField, Reading
from netcalc.train.data.npz import array_of_npy

DEFAULT_CONTEXT = 256
MAX_TOKENS = 2**31
"""Token numbers are below it."""
_CHUNK = 2**24


class TokenData(DataSet):
    """Windows of `context` tokens of a long row; labels are the following tokens (N, T).

    Raises ExecutionError where there is not one window, and for numbers below 0.
    """

    def __init__(self, path: str, tokens: Array, context: int | None, vocabulary: int | None = None) -> None:
        self.path = path
        self.context = DEFAULT_CONTEXT if context is None else context
        self._tokens = tokens
        if self.context < 1:
            refuse("E921", f"a sample has 1 token or more, not {self.context}")
        if len(tokens) <= self.context:
            refuse(
                "E921",
                f"{path} has {len(tokens):,} tokens; a sample of {self.context} and its labels take "
                f"{self.context + 1}",
            )
        self.vocabulary = vocabulary or self._largest() + 1
        self.fields = {"x": InputField((self.context,), np.dtype(np.int64))}

    def __len__(self) -> int:
        return (len(self._tokens) - 1) // self.context

    def batch(self, indices: Array) -> Batch:
        starts = np.asarray(indices, np.int64)[:, None] * self.context
        tokens = self._tokens[starts + np.arange(self.context + 1)].astype(np.int64)
        return Batch({"x": tokens[:, :-1]}, tokens[:, 1:])

    def labels(self) -> None:
        return None

    def place(self, index: int) -> str:
        return f"the sample at token {index * self.context:,} of {self.path}"

    def token(self, place: int) -> int:
        """The token at a place of the row."""
        return int(self._tokens[place])

    def first_beyond(self, entries: int) -> int | None:
        """The place of the first token that is not below a number, None where there is none."""
        for start in range(0, len(self._tokens), _CHUNK):
            beyond = np.flatnonzero(self._tokens[start : start + _CHUNK] >= entries)
            if len(beyond):
                return start + int(beyond[0])
        return None

    def _largest(self) -> int:
        largest = 0
        for start in range(0, len(self._tokens), _CHUNK):
            part = self._tokens[start : start + _CHUNK]
            if part.min() < 0:
                at = start + int(np.flatnonzero(part < 0)[0])
                refuse("E922", f"token {at:,} of {self.path} is {self._tokens[at]}; tokens count from 0")
            largest = max(largest, int(part.max()))
            if largest >= MAX_TOKENS:
                at = start + int(part.argmax())
                refuse("E922", f"token {at:,} of {self.path} is {largest}, no number of a vocabulary")
        return largest


def is_npy(head: bytes) -> bool:
    """Whether bytes begin as an `.npy` file does."""
    return head.startswith(b"\x93NUMPY")


def read_npy(path: str, raw: Array, reading: Reading) -> TokenData:
    """Tokens of an `.npy` file: whole numbers on one axis."""
    from netcalc.backend.files import sound

    with sound(path, "array file"):
        array = array_of_npy(raw, path)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        refuse(
            "E920",
            f"{path} holds {array.dtype} on {array.ndim} axes; tokens are whole numbers on one",
            help="samples with labels go into an .npz: np.savez('data.npz', x=x, y=y)",
        )
    return _tokens(path, array, reading)


def read_uint16(path: str, raw: Array, reading: Reading) -> TokenData:
    """Tokens of 16 bits, little-endian, without a header."""
    return _tokens(path, _words(path, raw, 2), reading)


def read_uint32(path: str, raw: Array, reading: Reading) -> TokenData:
    """Tokens of 32 bits, little-endian, without a header."""
    return _tokens(path, _words(path, raw, 4), reading)


def read_text(path: str, raw: Array, reading: Reading) -> TokenData:
    """The bytes of a text, of which there are 256."""
    return _tokens(path, raw, reading, vocabulary=256)


def _words(path: str, raw: Array, size: int) -> Array:
    if len(raw) % size:
        refuse("E906", f"{path} has {len(raw):,} bytes, which are no whole number of {8 * size}-bit tokens")
    return raw.view(f"<u{size}")


def _tokens(path: str, tokens: Array, reading: Reading, vocabulary: int | None = None) -> TokenData:
    context = reading.context
    if reading.part:
        refuse("E920", f"{path} has no parts: it is one row of tokens")
    if reading.shape is not None:
        if len(reading.shape) != 1 or context not in (None, reading.shape[0]):
            refuse("E921", f"{path} holds tokens; a sample's shape is how many it has")
        (context,) = reading.shape
    return TokenData(path, tokens, context, vocabulary)
