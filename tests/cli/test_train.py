"""netcalc train: the run's folder, what goes on and what is refused, interruptions, a full disk."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netcalc
from netcalc.train.checkpoints import checkpoints_in
from netcalc.train.loop import Training
from netcalc.train.run_folder import RunFolder

import small_runs

Cli = Callable[..., Any]
BASE = ("--data", "pictures.npz", "--batch", "8", "--workers", "1", "--schedule", "constant")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    monkeypatch.chdir(tmp_path)
    if request.node.name != "test_a_run_and_its_folder":  # matplotlib takes longer than these runs
        monkeypatch.setattr("netcalc.render.figures.is_available", lambda: False)
    Path("tiny.yaml").write_text(small_runs.NETWORK)
    small_runs.pictures(tmp_path)
    return tmp_path


def squeezed(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def lines(run: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(run, "metrics.jsonl").read_text().splitlines()]


def test_a_run_and_its_folder(cli: Cli) -> None:
    done = cli("train", "tiny.yaml", *BASE, "--epochs", "3", "-o", "runs/a")
    assert done.code == 0
    assert done.err == "written: runs/a/weights.safetensors\n"
    table = done.out.split("samples/s\n")[1].split("\n\n")[0]
    rows = [line.split() for line in table.splitlines()]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert {path.name for path in Path("runs/a").iterdir()} == {
        "recipe.yaml", "spec.yaml", "metrics.jsonl", "checkpoints", "weights.safetensors", "curves.svg",
    }  # fmt: skip
    found = lines("runs/a")
    steps, epochs = ([each[kind] for each in found if kind in each] for kind in ("step", "epoch"))
    assert [each["step"] for each in steps] == [*range(1, 19)]
    assert sum(each["samples"] for each in steps) == 3 * 41
    assert [f"{each['validation_accuracy']:.2%}" for each in epochs] == [row[4] for row in rows]
    assert not any("seconds" in each for each in [*steps, *epochs])
    assert Path("runs/a/spec.yaml").read_text() == small_runs.NETWORK
    network = netcalc.Network(netcalc.load("runs/a/spec.yaml"))
    network.load("runs/a/weights.safetensors")
    assert cli("train", "tiny.yaml", "--recipe", "runs/a/recipe.yaml", "-o", "runs/b").code == 0
    for name in ("weights.safetensors", "metrics.jsonl", "recipe.yaml"):
        assert Path("runs/a", name).read_bytes() == Path("runs/b", name).read_bytes()


def test_it_says_what_a_run_will_take(cli: Cli) -> None:
    out = squeezed(cli("train", "tiny.yaml", *BASE, "--epochs", "2", "--accumulate", "2").out)
    assert "Tiny · 41 samples to train on · 4 held back · 3 classes" in out
    macs = netcalc.analyze("tiny.yaml").totals.macs
    assert f"{41 * macs:,} forward" in out
    assert f"{4 * macs:,} to evaluate" in out
    assert "2 epochs of 3 steps, 6 in all; 2 x 8 samples each" in out
    assert "at the peak of a step in float32" in out
    assert "the median of three" in out


def test_the_best_weights_are_kept(cli: Cli) -> None:
    cli("train", "tiny.yaml", *BASE, "--epochs", "4", "--lr", "0.3", "-o", "run", "--seed", "3")
    epochs = [each["epoch"] for each in lines("run") if "epoch" in each]
    best = max(epochs, key=lambda each: (each["validation_accuracy"], -each["validation_loss"]))
    assert best["epoch"] < 3  # a rate that is too large
    cli(
        "train",
        "tiny.yaml",
        *BASE,
        "--epochs",
        str(best["epoch"] + 1),
        "--lr",
        "0.3",
        "-o",
        "short",
        "--seed",
        "3",
    )
    assert Path("run/weights.safetensors").read_bytes() == Path("short/weights.safetensors").read_bytes()


def test_the_average_is_what_is_kept(cli: Cli) -> None:
    for name, options in (("plain", ()), ("ema", ("--ema", "0.9"))):
        cli("train", "tiny.yaml", *BASE, "--epochs", "1", "-o", name, *options)
    assert Path("plain/weights.safetensors").read_bytes() != Path("ema/weights.safetensors").read_bytes()
    steps = [[each["step"] for each in lines(name) if "step" in each] for name in ("plain", "ema")]
    assert steps[0] == steps[1]


def test_more_epochs_where_the_schedule_does_not_depend_on_them(cli: Cli) -> None:
    cli("train", "tiny.yaml", *BASE, "--epochs", "4", "-o", "whole")
    cli("train", "tiny.yaml", *BASE, "--epochs", "2", "-o", "part")
    assert cli("train", "--resume", "part", "--epochs", "4").code == 0
    for name in ("weights.safetensors", "metrics.jsonl", "recipe.yaml"):
        assert Path("whole", name).read_bytes() == Path("part", name).read_bytes()
    done = cli("train", "--resume", "part")
    assert (done.code, done.out, done.err) == (0, "", "all 4 epochs of part are done\n")
    cli("train", "tiny.yaml", *BASE[:-1], "cosine", "--epochs", "2", "-o", "cosine")
    refused = cli("train", "--resume", "cosine", "--epochs", "4")
    assert refused.code == 2
    assert "epochs: 2, now 4: the cosine schedule would have had other rates so far" in squeezed(refused.err)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--resume run --batch 9", "batch: 8, now 9"),
        ("--resume run --lr 0.5", "optimiser.adamw.lr: 0.001, now 0.5"),
        ("--resume run --augment flip", "augment: '', now"),
        ("lenet5 --resume run", "LeNet-5 is not the network of the run"),
        ("--resume run --data other.npz", "is of another data than"),
        ("--resume run -o there", "a run goes on in its own folder"),
        ("--resume run --set width=3", "it is about the SPEC"),
        ("--resume .", ". is not the folder of a run: it has no recipe.yaml"),
        ("--resume run/checkpoints/no", "is not the folder of a run"),
        ("tiny.yaml --data pictures.npz -o run", "run holds files already"),
        ("tiny.yaml --data pictures.npz -o drop.yaml", "drop.yaml is a file"),
        ("tiny.yaml --data pictures.npz -o tiny.yaml/a", "cannot be written"),
        ("tiny.yaml -o new", "say what the network is trained on"),
        ("--data pictures.npz -o new", "say which network is trained"),
        ("tiny.yaml --data pictures.npz --epochs 0", "epochs is a whole number from 1 up, not 0"),
        ("tiny.yaml --data pictures.npz --dtype float16", "'float16' is not one of"),
        ("tiny.yaml --data pictures.npz --checkpoint-every often", "neither a number of steps nor a time"),
        ("tiny.yaml --data pictures.npz --recipe no.yaml", "no.yaml cannot be read"),
        ("tiny.yaml --data pictures.npz --augment resized_crop:9", "gives 1x9x9, the input is 1x6x6"),
        ("tiny.yaml --data pictures.npz --batch 99 --recipe drop.yaml", "make no batch of 99"),
        ("tiny.yaml --data pictures.npz --recipe heads.yaml", "has no further output 'side'"),
        (
            "tiny.yaml --data pictures.npz --recipe factors.yaml",
            "no trained parameter, layer or block fits 'conv9'",
        ),
        ("tiny.yaml --data pictures.npz --loss mse", "E92"),
        ("tiny.yaml --data nan.npz", "error[E923]"),
        ("tiny.yaml --data many.npz", "error[E922]"),
        ("lenet5 --data pictures.npz", "error[E921]"),
        ("heads.net --data pictures.npz", "what their losses count is not said"),
        ("relu.yaml --data pictures.npz --loss mse", "error[E9"),
    ],
)
def test_what_is_refused_before_the_first_step(cli: Cli, arguments: str, words: str) -> None:
    if "run" in arguments:
        cli("train", "tiny.yaml", *BASE, "--epochs", "1", "-o", "run")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    with np.load("pictures.npz") as stored:
        x, y = stored["x"], stored["y"]
    np.savez("other.npz", x=x[::-1], y=y)
    np.savez("nan.npz", x=np.where(np.arange(45)[:, None, None, None] == 9, np.nan, x / 255), y=y)
    np.savez("many.npz", x=x, y=np.arange(45) % 4)
    Path("drop.yaml").write_text("drop_last: true\n")
    Path("heads.yaml").write_text("heads: {side: 1}\n")
    Path("factors.yaml").write_text("factors: {conv9: 0.1}\n")
    Path("heads.net").write_text(small_runs.TWO_HEADS)
    Path("relu.yaml").write_text("input: [1, 6, 6]\nlayers: [relu]\n")
    refused = cli("train", *arguments.split())
    assert (refused.code, refused.out) == (2, "")
    assert words in squeezed(refused.err)
    assert {path: path.read_bytes() for path in before} == before
    assert not Path("new").exists()
    assert not Path("runs").exists()


def test_a_checkpoint_that_is_cut_off_or_changed(cli: Cli) -> None:
    cli("train", "tiny.yaml", *BASE, "--epochs", "5", "-o", "whole")
    cli("train", "tiny.yaml", *BASE, "--epochs", "3", "-o", "run", "--keep", "2")
    first, last = checkpoints_in("run/checkpoints")
    content = last.read_bytes()
    middle = len(content) // 2
    changed = content[: middle + 500] + bytes([content[middle + 500] ^ 1]) + content[middle + 501 :]
    for damaged in (content[:middle], content[:-1], changed, b"", b"\0" * len(content)):
        last.write_bytes(damaged)
        before = Path("run/metrics.jsonl").read_bytes()
        refused = cli("train", "--resume", "run", "--epochs", "5")
        assert (refused.code, refused.out) == (2, "")
        assert f"error[E933]: {last} is damaged" in squeezed(refused.err)
        assert f"the one before: netcalc train --resume {first}" in squeezed(refused.err)
        assert Path("run/metrics.jsonl").read_bytes() == before
    assert cli("train", "--resume", str(first), "--epochs", "5").code == 0
    for name in ("weights.safetensors", "metrics.jsonl", "recipe.yaml"):
        assert Path("whole", name).read_bytes() == Path("run", name).read_bytes()
    for path in checkpoints_in("run/checkpoints"):
        path.unlink()
    assert "E933" in cli("train", "--resume", "run").err


def test_checkpoints_within_epochs_and_the_last_ones_kept(cli: Cli) -> None:
    cli("train", "tiny.yaml", *BASE, "--epochs", "2", "-o", "run", "--checkpoint-every", "4", "--keep", "4")
    steps = [int(path.stem.partition("-")[2]) for path in checkpoints_in("run/checkpoints")]
    assert steps == [4, 6, 8, 12]
    cli("train", "tiny.yaml", *BASE, "--epochs", "2", "-o", "timed", "--checkpoint-every", "1h")
    assert len(checkpoints_in("timed/checkpoints")) == 2


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk that is full from so many bytes of a file on."""
    import resource  # which Windows has not

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(os.name == "nt", reason="Windows limits no file's size")
@pytest.mark.parametrize("what", ["checkpoint", "metrics"])
def test_a_full_disk_loses_nothing(cli: Cli, what: str) -> None:
    options = (*BASE, "--checkpoint-every", "3")
    cli("train", "tiny.yaml", *options, "--epochs", "4", "-o", "whole")
    cli("train", "tiny.yaml", *options, "--epochs", "2", "-o", "run")
    size = checkpoints_in("run/checkpoints")[-1].stat().st_size - 1
    if what == "metrics":
        size = Path("run/metrics.jsonl").stat().st_size + 100
        assert size < checkpoints_in("run/checkpoints")[-1].stat().st_size
    kept = {path: path.read_bytes() for path in checkpoints_in("run/checkpoints")}
    with largest_file(size):
        stopped = cli("train", "--resume", "run", "--epochs", "4")
    assert stopped.code == 2
    assert "error[E910]" in stopped.err
    assert "File too large" in stopped.err
    assert "netcalc train --resume run goes on from step 12" in stopped.err
    assert {path: path.read_bytes() for path in checkpoints_in("run/checkpoints")} == kept
    assert not list(Path("run").rglob(".*"))
    assert cli("train", "--resume", "run", "--epochs", "4").code == 0
    for name in ("weights.safetensors", "metrics.jsonl", "recipe.yaml"):
        assert Path("whole", name).read_bytes() == Path("run", name).read_bytes()


def test_ctrl_c_saves_and_says_how_to_go_on(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("train", "tiny.yaml", *BASE, "--epochs", "3", "-o", "whole")
    update = Training.update

    def interrupted(self: Training, group: Any) -> Any:
        if self.at.step == 8 and len(lines_of("run")):
            os.kill(os.getpid(), signal.SIGINT)
        return update(self, group)

    def lines_of(run: str) -> list[Path]:
        return checkpoints_in(f"{run}/checkpoints")

    with monkeypatch.context() as patched:
        patched.setattr(Training, "update", interrupted)
        stopped = cli("train", "tiny.yaml", *BASE, "--epochs", "3", "-o", "run")
    assert stopped.code == 130
    assert "interrupted at step 9; netcalc train --resume run goes on from step 9" in stopped.err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert cli("train", "--resume", "run").code == 0
    for name in ("weights.safetensors", "metrics.jsonl", "recipe.yaml"):
        assert Path("whole", name).read_bytes() == Path("run", name).read_bytes()


def test_settings_are_in_the_spec_of_the_run(cli: Cli) -> None:
    Path("wide.yaml").write_text(
        small_runs.NETWORK.replace("layers", "args: {width: 4}\nlayers").replace(
            "filters: 4", "filters: $width"
        )
    )
    cli("train", "wide.yaml", *BASE, "--epochs", "1", "-o", "run", "--set", "width=6")
    assert netcalc.load("run/spec.yaml").nodes[0].output.shape == (6, 6, 6)
    assert cli("train", "wide.yaml", "--resume", "run", "--set", "width=6").code == 0
    assert "is not the network" in cli("train", "wide.yaml", "--resume", "run").err


def test_data_that_have_moved(cli: Cli) -> None:
    cli("train", "tiny.yaml", *BASE, "--epochs", "1", "-o", "run")
    Path("pictures.npz").rename("moved.npz")
    assert "E906" in cli("train", "--resume", "run", "--epochs", "2").err
    assert cli("train", "--resume", "run", "--epochs", "2", "--data", "moved.npz").code == 0


def test_files_of_others_are_left_alone(cli: Cli) -> None:
    assert cli("train", "tiny.yaml", *BASE, "--epochs", "2", "-o", "runs/a").code == 0
    folder = Path("runs/a/checkpoints")
    last = max(folder.iterdir())
    Path("runs/a/.gitignore").write_text("*")
    copies = [folder / "step-best.safetensors", folder / f"{last.stem} (copy).safetensors"]
    for copy in copies:
        copy.write_bytes(last.read_bytes())
    result = cli("train", "--resume", "runs/a", "--epochs", "3", "--keep", "1")
    assert result.code == 0
    assert Path("runs/a/.gitignore").exists()
    assert {path.name for path in folder.iterdir()} - {copy.name for copy in copies} == {
        f"step-{3 * int(last.stem[5:]) // 2:09d}.safetensors"
    }
    assert all(copy.exists() for copy in copies)


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked on Windows")
def test_two_processes_do_not_train_in_one_folder(cli: Cli) -> None:
    assert cli("train", "tiny.yaml", *BASE, "--epochs", "1", "-o", "runs/a").code == 0
    before = Path("runs/a/metrics.jsonl").read_bytes()
    folder = RunFolder("runs/a")
    folder.lock()
    result = cli("train", "--resume", "runs/a", "--epochs", "2")
    assert result.code == 2
    assert "another process trains in runs/a" in result.err
    assert Path("runs/a/metrics.jsonl").read_bytes() == before
    folder.release()
    assert cli("train", "--resume", "runs/a", "--epochs", "2").code == 0


def test_more_batches_a_step_than_there_are(cli: Cli) -> None:
    result = cli("train", "tiny.yaml", *BASE, "--epochs", "1", "--accumulate", "1000000")
    assert result.code == 0
    assert "1 epoch of 1 step" in result.out


@pytest.mark.parametrize("rate", ["30", "1e-9"])
def test_a_run_that_goes_on_warns_as_one_that_was_not_interrupted(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, rate: str
) -> None:
    """Steps too large or too small: some warnings come before the interruption, and some after it."""
    options = (*BASE, "--epochs", "8", "--lr", rate, "--optimiser", "sgd")
    cli("train", "tiny.yaml", *options, "-o", "whole")
    kinds = [next(iter(each)) for each in lines("whole")]
    assert "warning" in kinds
    for step in (3, 13, 26):
        update = Training.update

        def interrupted(self: Training, group: Any, step: int = step, update: Any = update) -> Any:
            if self.at.step == step and checkpoints_in(f"run{step}/checkpoints"):
                os.kill(os.getpid(), signal.SIGINT)
            return update(self, group)

        with monkeypatch.context() as patched:
            patched.setattr(Training, "update", interrupted)
            every = ("--checkpoint-every", "2", "-o", f"run{step}")
            assert cli("train", "tiny.yaml", *options, *every).code == 130
        assert cli("train", "--resume", f"run{step}").code == 0
        assert Path("whole/metrics.jsonl").read_text() == Path(f"run{step}/metrics.jsonl").read_text()


def test_a_folder_named_as_the_spec(cli: Cli) -> None:
    assert cli("train", "tiny.yaml", *BASE, "--epochs", "1", "-o", "tiny").code == 0


def test_a_run_that_ended_before_its_first_checkpoint_begins_anew(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("train", "tiny.yaml", *BASE, "--epochs", "2", "-o", "whole")
    update = Training.update

    def interrupted(self: Training, group: Any, factor: float | None = None) -> Any:
        if self.at.step == 4 and factor is None:
            raise KeyboardInterrupt
        return update(self, group, factor)

    monkeypatch.setattr(Training, "update", interrupted)
    found = cli("train", "tiny.yaml", *BASE, "--epochs", "2", "-o", "cut")
    assert "there is no checkpoint yet; netcalc train --resume cut begins anew" in found.err
    monkeypatch.setattr(Training, "update", update)
    monkeypatch.chdir(RunFolder("cut").path.absolute().parent)
    for left in ("as it was", "without metrics"):
        if left == "without metrics":
            Path("cut/metrics.jsonl").unlink()
            for path in checkpoints_in("cut/checkpoints"):
                path.unlink()
        done = cli("train", "--resume", "cut")
        assert (done.code, done.err) == (0, "written: cut/weights.safetensors\n")
        for name in ("metrics.jsonl", "weights.safetensors"):
            assert Path("cut", name).read_bytes() == Path("whole", name).read_bytes()
    for path in checkpoints_in("cut/checkpoints"):
        path.unlink()
    lost = cli("train", "--resume", "cut")
    assert lost.code == 2
    assert "E933" in lost.err
    assert Path("cut/metrics.jsonl").read_bytes() == Path("whole/metrics.jsonl").read_bytes()


def test_a_folder_without_a_spec_is_begun_again(cli: Cli) -> None:
    Path("new/checkpoints").mkdir(parents=True)
    Path("new/recipe.yaml").write_text("epochs: 1\n")
    assert cli("train", "tiny.yaml", *BASE, "--epochs", "1", "-o", "new").code == 0
    Path("own").mkdir()
    Path("own/recipe.yaml").write_text("epochs: 1\n")
    assert "E934" in cli("train", "tiny.yaml", *BASE, "--epochs", "1", "-o", "own").err


def test_a_run_that_is_done_gets_what_it_lacks(cli: Cli) -> None:
    cli("train", "tiny.yaml", *BASE, "--validation", "0", "--epochs", "1", "-o", "run")
    weights = Path("run/weights.safetensors")
    before = weights.read_bytes()
    weights.unlink()
    done = cli("train", "--resume", "run")
    assert (done.code, weights.read_bytes()) == (0, before)
    assert done.err == "all 1 epochs of run are done\nwritten: run/weights.safetensors\n"


def test_the_best_weights_that_are_lost_are_not_replaced_by_the_last(cli: Cli) -> None:
    cli("train", "tiny.yaml", *BASE, "--epochs", "4", "--lr", "0.3", "-o", "run", "--seed", "3")
    Path("run/weights.safetensors").unlink()
    done = cli("train", "--resume", "run")
    assert (done.code, Path("run/weights.safetensors").exists()) == (2, False)
    assert "the checkpoint has the last weights" in squeezed(done.err)
