"""Pickles are read as data: CIFAR-10's are taken, and nothing else is built."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netcalc.diagnostics import ExecutionError
from netcalc.train.data import open_data

from data_files import cifar_pickle, cifar_records, refused


def test_cifar10_that_is_damaged(tmp_path: Path) -> None:
    x, y, records = cifar_records()
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(records[:-1000])
    refused(path, "E906", "is cut off: after 9 records of 3073 bytes there are 2073 more", "cifar10")
    with pytest.raises(ExecutionError, match="is cut off: after 9 records"):
        open_data(tmp_path)
    with pytest.raises(ExecutionError, match="E920") as caught:
        open_data(path)
    assert "records of CIFAR-10 have 3073 bytes, of which this is 9.67" in str(
        caught.value.diagnostics[0].help
    )
    path.write_bytes(records[: 5 * 3073] + b"\x0b" + records[5 * 3073 + 1 :])
    refused(path, "E922", "sample 5 of .* has the label 11; CIFAR-10's are 0 to 9")
    for change, code, words in (
        ({"labels": [*range(9)]}, "E921", "has 10 samples and 9 labels"),
        ({"labels": [*range(9), 10]}, "E922", "sample 9 of .* has the label 10"),
        ({"labels": [*range(9), 1.5]}, "E924", "BINFLOAT"),
        ({"labels": [*range(9), "cat"]}, "E922", "sample 9 of .* has the label str"),
        ({"data": x.reshape(20, -1)}, "E921", "has data of 20x1536, not N x 3072"),
        ({"data": [1, 2]}, "E924", "has no array 'data' beside a list 'labels', but data, labels"),
    ):
        path.write_bytes(pickle.dumps({"data": x.reshape(10, -1), "labels": y.tolist()} | change, 2))
        refused(path, code, words)
    path.write_bytes(cifar_pickle(x, y, 4)[:-500])
    refused(path, "E906", "is not a sound pickle")


class _Evil:
    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.made),)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "value",
    [
        lambda made: _Evil(made),
        lambda made: {"data": _Evil(made), "labels": []},
        lambda made: {"data": np.zeros((1, 3072), np.float32), "labels": [0]},
        lambda made: {"data": np.zeros((1, 3072), np.int8), "labels": [0]},
        lambda made: {"data": np.array([{}], object), "labels": [0]},
        lambda made: {"data": np.zeros((1, 3072), np.uint8), "labels": {0}},
        lambda made: {"data": np.zeros((1, 3072), np.uint8), "labels": [Path("x")]},
        lambda made: {(1, 2): 3},
        lambda made: {"data": np.random.default_rng(0), "labels": []},
    ],
)
def test_a_pickle_builds_nothing(tmp_path: Path, protocol: int, value: Callable[[Path], Any]) -> None:
    made = tmp_path / "made"
    (tmp_path / "p").write_bytes(pickle.dumps(value(made), protocol))
    refused(tmp_path / "p", "E924", "is no file of plain data: at byte [0-9,]+ (it|a key)")
    assert not made.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'x'\ntR.",
        b"cnumpy\nndarray\n)R.",
        b"}(]K\x01u.",
        b"(K\x01t}b.",
        b"}K\x01a.",
        b"cnumpy\ndtype\n(X\x02\0\0\0f8tR.",
    ],
)
def test_pieces_of_pickles_in_another_order(tmp_path: Path, program: bytes) -> None:
    (tmp_path / "p").write_bytes(b"\x80\x02" + program)
    refused(tmp_path / "p", "E924", "is no file of plain data")


@pytest.mark.parametrize(
    "program", [b"0.", b".", b"h\x05.", b"t.", b"K\x01K\x02.", b"(.", b"}K\x01s.", b"\xff"]
)
def test_pickles_that_are_none(tmp_path: Path, program: bytes) -> None:
    (tmp_path / "p").write_bytes(b"\x80\x02" + program)
    with pytest.raises(ExecutionError, match="E906|E924"):
        open_data(tmp_path / "p")


def test_what_a_pickle_asks_for_is_named(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(pickle.dumps({"data": print, "labels": []}, 4))
    refused(tmp_path / "p", "E924", "it asks for builtins.print")


def test_any_byte_of_a_pickle_may_be_wrong(tmp_path: Path) -> None:
    x, y, _ = cifar_records(1)
    good = cifar_pickle(x, y, 2)
    rng = np.random.default_rng(0)
    head = [*range(200), *range(len(good) - 100, len(good))]
    for number in rng.choice(head, 80, replace=False):
        broken = bytearray(good)
        broken[number] ^= int(rng.integers(1, 256))
        (tmp_path / "p").write_bytes(broken)
        try:
            open_data(tmp_path / "p", "cifar10-python")
        except ExecutionError as error:
            assert error.diagnostics[0].code in ("E906", "E921", "E922", "E924")
