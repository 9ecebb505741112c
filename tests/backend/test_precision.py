"""bfloat16 and float16: their numbers, their files, and networks in them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

import netcalc
from netcalc.backend import Network
from netcalc.backend.precision import PRECISIONS
from netcalc.diagnostics import ExecutionError

from helpers import TESTS, graph_of

HALVES: dict[str, Any] = json.loads((TESTS / "golden" / "halves.json").read_text())
NORMED = "input: [3, 6, 6]\nlayers:\n  - conv: {filters: 4, kernel: 3}\n  - batchnorm\n  - relu\n  - linear: {units: 2}\n"


@pytest.mark.parametrize(
    ("number", "nearest"),
    [
        (1.0, 1.0),
        (1 + 2**-8, 1.0),  # halfway, to the even one
        (1 + 3 * 2**-8, 1 + 2**-6),
        (1 + 2**-8 + 2**-20, 1 + 2**-7),
        (-(1 + 2**-8 + 2**-20), -(1 + 2**-7)),
        (3.4e38, np.inf),
        (1e-45, 0.0),
        (9.2e-41, 9.183549615799121e-41),
        (-0.0, -0.0),
        (np.inf, np.inf),
        (np.nan, np.nan),
    ],
)
def test_the_nearest_bfloat16(number: float, nearest: float) -> None:
    (found,) = PRECISIONS["bfloat16"].rounded(np.array([number]))
    np.testing.assert_equal(float(found), nearest)
    assert np.signbit(found) == np.signbit(nearest)


def test_nan_of_any_bits_stays_nan() -> None:
    bits = np.array([0x7F800001, 0x7FFFFFFF, 0xFF800001, 0xFFFFFFFF], np.uint32)
    assert np.isnan(PRECISIONS["bfloat16"].rounded(bits.view(np.float32))).all()


@pytest.mark.parametrize("name", HALVES["networks"])
def test_a_network_in_half_precision_is_pytorchs(name: str) -> None:
    """Layer for layer, in units of the last place of the layer's largest number."""
    case = HALVES["networks"][name]
    made = Network(graph_of(HALVES["spec"]), dtype=name)
    made.load(
        {key: np.array(value).reshape(made.parameters()[key].shape) for key, value in case["weights"].items()}
    )
    x = np.array(case["x"]).reshape(2, 3, 8, 8)
    layers = made.graph.nodes
    result = made.run(x, capture=[node.full_name for node in layers])
    unit = PRECISIONS[name].epsilon
    for node in layers:
        found = result.captured[node.full_name].astype(np.float64).reshape(-1)
        wanted = np.array(case["layers"][node.full_name])
        assert np.abs(found - wanted).max() <= 2 * unit * np.abs(wanted).max(), node.full_name


def test_all_that_a_bfloat16_network_gives_is_bfloat16() -> None:
    made = Network(graph_of(NORMED), dtype="bfloat16")
    x = np.random.default_rng(0).standard_normal((4, 3, 6, 6))
    y = made.forward(x, training=True)
    assert isinstance(y, np.ndarray)
    grads = made.backward()
    dx = grads.inputs["input"]
    assert dx is not None
    for array in (y, dx, *grads.params.values(), *made.parameters().values()):
        assert array.dtype == np.float32
        assert not (array.view(np.uint32) & 0xFFFF).any()
    assert "bfloat16" in repr(made)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_weights_of_every_type_go_out_and_come_back(tmp_path: Path, dtype: str, ending: str) -> None:
    first, second = (
        Network(graph_of(NORMED), seed=1, dtype=dtype),
        Network(graph_of(NORMED), seed=2, dtype=dtype),
    )
    path = tmp_path / f"w.{ending}"
    first.save(path)
    second.load(path)
    for name, array in first.parameters().items():
        assert second.parameters()[name].tobytes() == array.tobytes()
    if ending == "safetensors":
        names = {"float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64"}
        with safe_open(path, framework="np") as file:
            assert {file.get_slice(name).get_dtype() for name in file.keys()} == {names[dtype]}  # noqa: SIM118


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_fold_keeps_the_type_of_the_weights(cli: Any, tmp_path: Path, dtype: str, ending: str) -> None:
    (tmp_path / "n.yaml").write_text(NORMED)
    made = Network(graph_of(NORMED), seed=1, dtype=dtype)
    made.save(tmp_path / "w.safetensors")
    output = tmp_path / f"f.{ending}"
    result = cli(
        "fold", str(tmp_path / "n.yaml"), "--weights", str(tmp_path / "w.safetensors"), "-o", str(output)
    )
    assert result.code == 0, result.err
    assert f"({dtype} weights)" in " ".join(result.out.split())
    if ending == "npz":
        kept = "float32" if dtype == "bfloat16" else dtype
        with np.load(output) as arrays:
            assert {array.dtype.name for array in arrays.values()} == {kept}
    again = Network(netcalc.load(tmp_path / "f.yaml"), dtype=dtype)
    again.load(output)
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 6))
    unit = PRECISIONS[dtype].epsilon
    np.testing.assert_allclose(again.forward(x), made.forward(x), rtol=16 * unit, atol=4 * unit)  # type: ignore[arg-type]


def test_fold_says_what_the_type_of_the_weights_does_not_hold(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "n.yaml").write_text(NORMED)
    made = Network(graph_of(NORMED), dtype="float16")
    made.parameters()["batchnorm1.weight"][...] = 60000
    made.parameters()["batchnorm1.running_var"][...] = 1e-6
    made.save(tmp_path / "w.npz")
    result = cli(
        "fold", str(tmp_path / "n.yaml"), "--weights", str(tmp_path / "w.npz"), "-o", str(tmp_path / "f.npz")
    )
    assert result.code == 2
    assert "the folded conv1.weight holds" in " ".join(result.err.split())


def test_run_in_bfloat16(cli: Any, tmp_path: Path) -> None:
    result = cli("run", "lenet5", "--dtype", "bfloat16", "--backward", "-o", str(tmp_path / "o.npz"))
    assert result.code == 0, result.err
    assert "batch 1, bfloat16" in result.out
    assert cli("run", "lenet5", "--dtype", "bfloat16", "--verify").code == 0
    assert cli("run", "lenet5", "--dtype", "float16", "--verify").code == 0


def test_a_batch_of_nothing_is_refused_with_its_reason() -> None:
    with pytest.raises(ExecutionError, match="a batch of 0: there is no sample to run"):
        Network(graph_of(NORMED)).forward(np.zeros((0, 3, 6, 6)))
