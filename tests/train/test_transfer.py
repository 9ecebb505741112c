"""Transfer: what is frozen, what is drawn anew, which weights fit; and that it pays, on handwritten digits."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.analysis.memory import training
from netcalc.backend import Network
from netcalc.backend.saved_tensors import held_arrays, owner
from netcalc.diagnostics import ExecutionError
from netcalc.render.numbers import byte_size
from netcalc.train.batches import Batches
from netcalc.train.data import open_data
from netcalc.train.estimate import estimated
from netcalc.train.evaluation import evaluate
from netcalc.train.loop import Training
from netcalc.train.monitoring import Monitor
from netcalc.train.recipe import Recipe
from netcalc.train.resuming import resumed
from netcalc.train.run_folder import Interruption, MetricsFile, RunFolder, Saving
from netcalc.train.transfer import freeze, load_partly, reinit, unfrozen

from helpers import graph_of
from small_runs import pictures

BLOCKS = """
input: [3, 8, 8]
blocks:
  stage(filters):
    - conv: {name: conv, filters: $filters, kernel: 3, pad: 1}
    - batchnorm: {name: norm, affine: false}
    - relu: {name: act}
layers:
  - stage: {name: stage1, filters: 4}
  - stage: {name: stage2, filters: 4}
  - flatten
  - linear: {name: fc1, units: 6}
  - linear: {name: fc2, units: 6, from: flatten1, share: fc1}
  - add: {from: [fc1, fc2]}
  - linear: {name: head, units: 5}
"""
GRAPH = graph_of(BLOCKS)


def frozen_in(graph: netcalc.Graph) -> list[str]:
    return [node.full_name for node in graph.nodes if node.is_frozen]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], []),
        (["stage1"], ["stage1.conv", "stage1.norm"]),
        (["stage?.conv"], ["stage1.conv", "stage2.conv"]),
        (["stage*"], ["stage1.conv", "stage1.norm", "stage2.conv", "stage2.norm"]),
        (["fc1"], ["fc1", "fc2"]),  # one set of weights
        (["head", "stage1.conv"], ["stage1.conv", "head"]),
    ],
)
def test_freezing_is_what_a_spec_says(patterns: list[str], expected: list[str]) -> None:
    frozen = freeze(GRAPH, patterns)
    assert frozen_in(frozen) == expected
    assert frozen_in(GRAPH) == []
    assert unfrozen(frozen) == GRAPH
    assert (frozen is GRAPH) == (not patterns)
    if patterns == ["stage1"]:
        spec = BLOCKS.replace("{name: stage1,", "{name: stage1, trainable: false,")
        assert [node.params for node in graph_of(spec).nodes] == [node.params for node in frozen.nodes]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("stag1", r"no layer or block with parameters fits 'stag1'.*did you mean stage1\?"),
        ("cnv*", r"fits 'cnv\*'.*there are stage1\.conv, stage1\.norm, stage2\.conv, stage2\.norm, fc1, \.\.\."),
        ("fc2", "fc2 uses the parameters of fc1; name that"),
        ("stage1.act", "no layer or block with parameters fits 'stage1.act'"),
        ("", "no layer or block with parameters fits ''"),
    ],
)  # fmt: skip
def test_a_pattern_that_fits_nothing_is_refused(pattern: str, message: str) -> None:
    for what, act in (("freeze", lambda: freeze(GRAPH, [pattern])), ("reinit", lambda: reinit(Network(GRAPH), [pattern]))):  # fmt: skip
        with pytest.raises(ExecutionError, match=f"(?s)E950.*{what}: .*{message}"):
            act()


def test_drawn_anew_is_as_it_began_and_the_rest_is_as_it_was() -> None:
    network, fresh = Network(GRAPH, seed=3), Network(GRAPH, seed=3).parameters()
    for array in network.parameters().values():
        array += 1
    assert reinit(network, ["head", "stage1"]) == ["stage1.conv", "stage1.norm", "head"]
    for name, array in network.parameters().items():
        began = name.startswith(("head.", "stage1."))
        np.testing.assert_array_equal(array, fresh[name] if began else fresh[name] + 1)
    reinit(network, ["head"], seed=4)
    assert (network.parameters()["head.weight"] != fresh["head.weight"]).all()


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_weights_of_another_head_are_left_out(ending: str, tmp_path: Path) -> None:
    other = Network(graph_of(BLOCKS.replace("name: head, units: 5", "name: head, units: 9")), seed=1)
    path = tmp_path / f"old{ending}"
    other.save(path)
    network, fresh = Network(GRAPH, seed=2), Network(GRAPH, seed=2).parameters()
    assert load_partly(network, path, ["head"]) == ["head"]
    for name, array in network.parameters().items():
        expected = fresh[name] if name.startswith("head.") else other.parameters()[name]
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("change", "drawn_anew", "message"),
    [
        (("units: 5", "units: 9"), [], r"head\.weight is 9x6, the network's 5x6.*--reinit head draws it anew"),
        (("units: 6", "units: 7"), ["head"], "fc1.weight is 7x256, the network's 6x256.*--reinit fc1 draws it anew"),
        (("filters: 4}", "filters: 3}"), [], "--reinit stage1.conv --reinit stage1.norm --reinit stage2.conv"),
        (("name: head", "name: scores"), [], "head.weight is missing.*call head scores in the spec, and write --reinit scores"),
        (("  - linear: {name: head", "  - linear: {name: more, units: 6}\n  - linear: {name: head"), [],
         "more.weight is not the network's.*add more to the spec, or take a file without"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_what_to_write(
    change: tuple[str, str], drawn_anew: list[str], message: str, tmp_path: Path
) -> None:
    for ending in (".npz", ".safetensors"):
        path = tmp_path / f"old{ending}"
        Network(graph_of(BLOCKS.replace(*change))).save(path)
        network = Network(GRAPH)
        before = {name: array.copy() for name, array in network.parameters().items()}
        with pytest.raises(ExecutionError, match="E951.*does not fit test") as error:
            load_partly(network, path, drawn_anew)
        (found,) = error.value.diagnostics
        assert re.search(message, " ".join([*(note.text for note in found.notes), found.help or ""]))
        for name, array in network.parameters().items():
            np.testing.assert_array_equal(array, before[name])


TINY = """name: Tiny
input: [1, 6, 6]
layers:
  - conv: {filters: 4, kernel: 3, pad: 1, bias: false}
  - batchnorm
  - relu
  - flatten
  - linear: {units: 3, name: head}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where there are data, a network, and weights of it with another head."""
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    Network(graph_of(TINY.replace("units: 3", "units: 7")), seed=5).save("old.npz")
    return tmp_path


OPTIONS = ("--data", "pictures.npz", "--batch", "8", "--workers", "1", "--epochs", "1")
FROM_OLD = ("--weights", "old.npz", "--reinit", "head", "--freeze", "conv*", "--freeze", "batchnorm1")


@pytest.mark.usefixtures("folder")
def test_a_run_that_begins_with_weights_says_what_freezing_saves(cli: Callable[..., Any]) -> None:
    done = cli("train", "tiny.yaml", *OPTIONS, *FROM_OLD, "--factor", "head=0.5", "-o", "run")
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    assert "weights from old.npz; head drawn anew" in words
    graph, recipe = netcalc.load("tiny.yaml"), Recipe(batch=8, workers=1)
    free = estimated(Training(recipe.network(graph), open_data("pictures.npz"), recipe))
    saving = r"frozen 44 of 479 parameters, which saves \S+ KiB of (\S+ KiB), and ([0-9,]+) of ([0-9,]+) multiply-adds"
    found = re.search(saving, words)
    assert found is not None
    assert found[1] == byte_size(free.memory)
    saved, macs = (int(found[group].replace(",", "")) for group in (2, 3))
    assert macs == free.backward_macs
    assert macs - saved == 41 * 144 * 3  # of the head's weights alone
    trained, old = Network(graph), np.load("old.npz")
    trained.load("run/weights.safetensors")
    for name in ("conv1.weight", "batchnorm1.weight", "batchnorm1.running_mean", "batchnorm1.running_var"):
        assert trained.parameters()[name].tobytes() == old[name].tobytes()


@pytest.mark.usefixtures("folder")
def test_a_run_with_frozen_layers_goes_on_without_the_file() -> None:
    options = {
        "weights": "old.npz",
        "reinit": "head",
        "freeze": "conv*",
        "batch": 8,
        "workers": 1,
        "epochs": 1,
    }
    recipe = Recipe(**options, data="pictures.npz")
    run = Training(recipe.network(graph_of(TINY)), recipe.open_data(), recipe)
    place = RunFolder("run")
    place.create(recipe, TINY)
    metrics = MetricsFile(place)
    run.run([Saving(run, place, metrics, Interruption(), Monitor.of(run))])
    metrics.close()
    place.release()
    Path("old.npz").unlink()
    again = resumed("run", {}).training
    assert frozen_in(again.network.graph) == ["conv1"]
    for name, array in again.network.parameters().items():
        assert array.tobytes() == run.network.parameters()[name].tobytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--freeze", "cnv1"), "E950.*freeze: no layer or block with parameters fits 'cnv1'.*did you mean conv1?"),
        (("--freeze", "*"), "E931.*Tiny has no parameter that is trained"),
        (("--reinit", "head"), "E930.*reinit is about the weights of a file.*without weights: all layers are drawn"),
        (("--weights", "old.npz"), "E951.*old.npz does not fit Tiny.*head.weight is 7x144.*--reinit head draws it"),
        (("--weights", "old.npz", "--reinit", "hed"), "E950.*reinit: no layer.*did you mean head"),
        (("--weights", "no.npz"), "E906.*there is no weight file no.npz"),
        (("--weights", "pictures.npz"), "E951.*pictures.npz does not fit Tiny"),
        (("--freeze", "conv*", "--factor", "conv*=0.1"), "E931.*no trained parameter, layer or block fits"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_what_a_run_cannot_begin_with(
    options: tuple[str, ...], message: str, cli: Callable[..., Any]
) -> None:
    done = cli("train", "tiny.yaml", *OPTIONS, *options, "-o", "run")
    assert done.code == 2
    assert re.search(message, " ".join(done.err.split())), done.err
    assert not Path("run").exists()


NET = """
input: [1, 8, 8]
layers:
  - conv: {name: conv1, filters: 16, kernel: 3, pad: 1}
  - relu
  - conv: {name: conv2, filters: 32, kernel: 3, stride: 2, pad: 1}
  - relu
  - conv: {name: conv3, filters: 64, kernel: 3, stride: 2, pad: 1}
  - relu
  - flatten
  - linear: {name: head, units: 5}
"""


def kept(network: Network, x: np.ndarray[Any, Any]) -> int:
    """The bytes that a forward of a training keeps for backward, the parameters left out."""
    run = network.run({"input": x}, training=True, input_gradients=False)
    assert run.backwards is not None
    own = {id(owner(array)) for array in network.parameters().values()}
    held = [owner(array) for _, backward in run.backwards for array in held_arrays(backward)]
    return sum({id(array): array.nbytes for array in held if id(array) not in own}.values())


def test_digits_0_to_4_help_with_5_to_9(tmp_path: Path) -> None:
    """Ten steps on fifty samples: features that are kept beat a network that begins from scratch."""
    digits = pytest.importorskip("sklearn.datasets", reason="the extra test-data has it").load_digits()
    x, y = (digits.images[:, None] / 16).astype("float32"), digits.target
    order = np.random.default_rng(1).permutation(np.flatnonzero(y >= 5))
    for name, chosen in {"low": y < 5, "few": order[:50], "rest": order[50:]}.items():
        np.savez(tmp_path / f"{name}.npz", x=x[chosen], y=y[chosen] % 5)
    graph, low = graph_of(NET), Recipe(epochs=5, seed=1, optimiser="momentum:lr=0.05")
    first = Training(low.network(graph), open_data(tmp_path / "low.npz"), low)
    first.run()
    weights = tmp_path / "low.safetensors"
    first.network.save(weights)
    transfer = {"weights": str(weights), "reinit": ["head"], "freeze": ["conv*"]}
    accuracy, few, rest = [], open_data(tmp_path / "few.npz"), open_data(tmp_path / "rest.npz")
    for options in (transfer, {}):
        recipe = Recipe(epochs=2, batch=10, validation=0, seed=1, optimiser="momentum:lr=0.02", **options)
        run = Training(recipe.network(graph), few, recipe)
        before = {name: array.tobytes() for name, array in run.network.parameters().items()}
        run.run()
        batches = Batches(rest, 64, shuffle=False, statistics=run.statistics)
        accuracy.append(evaluate(run.network, batches.epoch(0)).accuracy or 0)
        same = {name for name, array in run.network.parameters().items() if array.tobytes() == before[name]}
        features = {name for name in before if name.startswith("conv")}
        assert same == (features if options else set())
        if options:
            trained = first.network.parameters()
            assert all(before[name] == trained[name].tobytes() for name in features)
    assert accuracy[0] > accuracy[1] + 0.2
    frozen, sample = freeze(graph, ["conv*"]), x[:10].copy()
    predicted = [training(each, loss="none").saved.at(10) for each in (graph, frozen)]
    assert [kept(Network(each), sample) for each in (graph, frozen)] == predicted
    assert predicted[0] - predicted[1] > 0.8 * predicted[0]
