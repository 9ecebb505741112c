"""The commands as terminals of several widths show them.

Run as a script, this writes anew the recorded screens: read the difference before you commit it.
"""

import os
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

import netcalc
from netcalc.backend import Network
from netcalc.cli.app import run
from netcalc.train.data import ChannelStatistics
from netcalc.train.trained import Trained, write_trained

from helpers import METRICS

FOLDER = Path(__file__).parent / "screens"
WIDTHS = (60, 80, 100, 160, 220)
RECORDED = (60, 80)

DEEP_FOLDER = "a_folder_with_a_long_name/and_another_one_inside/of_which_no_terminal_shows_the_whole_path"

DOCUMENTS = {"show", "schema"}
"""Commands whose output is a file: no terminal changes it."""

SCREENS = {
    "table": [
        "alexnet", "alexnet --all", "alexnet --bars", "resnet50", "resnet50 --depth 1", "resnet50 --depth 2",
        "resnet50 --only conv", "densenet121 --bars", "vit_b_16 --convention flops --batch 64", "swin_t --depth 1",
        "googlenet --columns +rf,+macs,+other_ops,+exact_params", "unet --all", "long.yaml", "long.yaml --all",
        "alexnet --percent", "resnet50 --tree", "vit_b_16 --tree --depth 2 --percent", "swin_t --tree --all", "long.yaml --tree",
        "long.yaml --tree --percent --columns +rf,+macs,+other_ops,+exact_params", "long.yaml --percent --all",
        "long.yaml --bars", "long.yaml --depth 1", "deep.yaml", "bad.yaml", "no.yaml", "alexnet --columns nosuch",
        "alexnet --columns layer,kind,from,input,output,axes,macs,other_ops,exact_params,output_bytes,param_bytes,rf",
    ],
    "check": ["alexnet", "unet resnet18 --notes", "bad.yaml", "flawed.yaml long.yaml --notes", f"{DEEP_FOLDER}/bad.yaml", f"{DEEP_FOLDER}/no.yaml"],
    "compare": [
        "alexnet vgg16-lecture", "alexnet vgg16 resnet18", "alexnet vgg16-lecture --diff", "long.yaml alexnet",
        "long.yaml deep.yaml --diff", "resnet18 resnet50 --diff",
    ],
    "memory": [
        "lenet5", "alexnet --batch 128 --fit 3GB", "vit_b_16 --dtype bfloat16 --optimiser adamw --fit 24GiB --all",
        "unet --batch 8 --checkpoint sqrt --all", "gpt2 --batch 2147483647 --fit 1", "long.yaml --all", "lenet5 --dtype int8",
    ],
    "roofline": [
        "alexnet --device gtx580 --batch 128 --images 1281167 --epochs 90", "long.yaml --device a100",
        "resnet50 --device a100 --batch 64 --dtype float16", "resnet50 --device a100 --fusion none",
    ],
    "devices": [""],
    "sweep": [
        "long.yaml --set width=8,16,-1 --set input=left_picture=3x16x16",
        "lenet5 --set input=28,32,2",
        "resnet_v.yaml --set width=8,16,-1 --set input=16,32 --pareto macs,-params",
        "resnet_v.yaml --set width=8,16 --set depths=[1,1],[2,2] --set activation=relu,a_long_name_of_no_activation --set input=16",
    ],
    "explain": [
        "alexnet conv1", "alexnet pool1", "vit_b_16 encoder1.main.attention", "resnet50 stage4.2.main.conv_bn2.conv1",
        "long.yaml first.convolution_with_a_long_name", "alexnet nosuch",
    ],
    "run": [
        "deep.yaml", "deep.yaml --verify", "deep.yaml --trace --backward", "long.yaml --trace --backward", "long.yaml --verify",
        "long.yaml", "deep.yaml --labels labels.txt --top 3",
        "deep.yaml --features maxpool1 --features conv1 --data digits.npz -o features_in_a_file_with_a_long_name_of_its_own.npz",
        "deep.yaml --features nosuch --data digits.npz -o f.npz",
    ],
    "plan": ["alexnet --workers 1", "resnet50 --workers 2 --batch 2", "long.yaml --workers 1"],
    "init": ["deep.yaml", "long.yaml --fix", "deep.yaml --scheme normal:0.001 --fix --no-backward", "deep.yaml --scheme nosuch"],
    "gradcheck": ["deep.yaml", "long.yaml --layer first.normalisation_with_a_long_name"],
    "fold": ["long.yaml --weights weights.npz -o folded_weights_in_a_file_with_a_long_name.npz"],
    "augment": [
        "--data digits.npz -o sheet.png --augment crop:2,flip,resized_crop,jitter,cutout:4,mixup", "--data digits.npz -o sheet.jpg",
        "--data digits.npz -o sheet.png --augment flop", "--data no.npz -o sheet.png", "--data long.yaml -o sheet.png", "--data . -o sheet.png",
    ],
    "train": [
        "deep.yaml --data small.npz --epochs 2 --workers 1",
        "deep.yaml --data small.npz --epochs 1 --recipe recipe.yaml --workers 1",
        "deep.yaml --data small.npz --lr -1 --schedule cosine:wramup=1", "deep.yaml --data small.npz --recipe wrong.yaml",
        "--resume no_folder_of_a_run", "deep.yaml", "deep.yaml --data digits.npz",
    ],
    "evaluate": [
        "deep.yaml --weights deep.safetensors --data shapes.npz", "deep.yaml --weights deep.npz --data shapes.npz --batch 1",
        "many.yaml --weights ten.npz --data many.npz --set classes=10", "many.yaml --weights hundred.npz --data many.npz",
        "many.yaml --weights hundred.npz --data many.npz --all", "deep.yaml --weights deep.npz --data digits.npz",
        "many.yaml --weights ten.npz --data many.npz", "letters.yaml --weights letters.npz --data bad.yaml",
        "deep.yaml --weights deep.npz --data shapes.npz --loss mse",
    ],
    "predict": [
        "deep.yaml --weights deep.safetensors --data shapes.npz --top 3", "many.yaml --weights hundred.npz --data many.npz",
        "deep.yaml --weights deep.safetensors one.png a_picture_in_a_file_with_a_name_that_is_longer_than_sixty_columns.png",
        "letters.yaml --weights letters.npz --prompt Once --tokens 200", "deep.yaml --weights deep.npz --prompt Once",
        "deep.yaml --weights deep.npz", "deep.yaml --weights deep.npz bad.yaml",
    ],
    "curves": ["run", "run run/metrics.jsonl", f"{DEEP_FOLDER}/run run", "long.yaml", "no", "."],
    "list": ["", "alexnet", "nosuch"],
    "layers": ["", "conv", "lstm", "window_attention", "nosuch"],
    "rules": ["", "N301", "N504", "E402", "E914", "nosuch"],
}  # fmt: skip
"""For each command what it is shown with; `--help` and what a new command is listed with come beside."""

RECORDED_SCREENS = {
    "table": [
        "alexnet", "alexnet --bars", "resnet50 --depth 1", "resnet50 --tree --depth 2", "densenet121 --depth 1", "long.yaml",
        "long.yaml --bars", "deep.yaml --columns layer,kind,from,input,output,axes,macs,exact_params,output_bytes,rf",
    ],
    "check": ["bad.yaml", "flawed.yaml long.yaml --notes"],
    "compare": ["alexnet vgg16-lecture", "long.yaml deep.yaml --diff"],
    "memory": ["lenet5"],
    "roofline": ["alexnet --device gtx580 --batch 128 --images 1281167 --epochs 90", "long.yaml --device a100"],
    "sweep": ["resnet_v.yaml --set width=8,16,-1 --set input=16,32 --pareto macs,-params"],
    "explain": ["alexnet conv1", "vit_b_16 encoder1.main.attention"],
    "plan": ["long.yaml --workers 1"],
    "curves": ["run", f"{DEEP_FOLDER}/run run"],
    "layers": ["conv"],
    "rules": ["N301"],
}  # fmt: skip
"""Those whose text is recorded."""

FILES = {
    "deep.yaml": """\
name: Deep
input: [1, 8, 8]
layers:
  - conv: {filters: 4, kernel: 3, pad: 1, bias: false}
  - batchnorm
  - relu
  - maxpool: 2
  - flatten
  - linear: 3
""",
    "long.yaml": """\
name: 二つの入力, a network with a name that no narrow terminal shows on one line
source: A. N. Author and others, "A title of many words", a remark, https://example.org/an/address/without/any/space/that/is/longer/than/sixty/columns
inputs: {left_picture: [3, 16, 16], right_picture: [3, 16, 16]}
args: {width: 8}
budget: {params: 100000, macs: 100M, training_memory: 1GiB@batch4}
blocks:
  stage_of_convolutions(filters):
    - conv: {name: convolution_with_a_long_name, filters: $filters, kernel: 3, pad: 1, bias: false}
    - batchnorm: {name: normalisation_with_a_long_name}
    - relu
layers:
  - stage_of_convolutions: {name: first, filters: $width, from: left_picture}
  - stage_of_convolutions: {name: 第二の段階, filters: $width, from: right_picture}
  - concat: {from: [first, 第二の段階]}
  - stage_of_convolutions: {name: third_stage_after_the_concatenation_of_both, filters: 16, repeat: 2}
  - global_avgpool
  - linear: {units: 24, name: hidden}
  - relu
  - dropout: 0.5
  - linear: 10
  - softmax
""",
    "flawed.yaml": """\
input: [3, 32, 32]
layers:
  - parallel: {branches: {left: [{conv: {filters: 32, kernel: 3, pad: 1}}, {conv: {name: a_convolution_after_another, filters: 32, kernel: 3, pad: 1}}], right: [{conv: {filters: 32, kernel: 3, pad: 1}}]}, join: concat}
  - batchnorm
  - flatten
  - linear: 100
  - dropout: 0.95
""",
    "bad.yaml": """\
input: [3, 32, 32]
blocks:
  stage_of_convolutions(filters): [{conv: {filters: $filters, kernel: 3, pad: 1, bias: false}}, batchnorm, relu, {conv: {filters: $filters, kernal: 3}}]
layers:
  - parallel: {branches: {left: [{conv: {filters: 32, kernel: 3, pad: 1, bias: false}}, batchnorm, {conv: {filters: 32, 核: 3}}], right: [relu]}, join: concat}
  - stage_of_convolutions: {filters: 64, name: a_stage_with_a_name_that_makes_its_line_longer_than_the_terminal, when: $(width > 3)}
  - linear: {units: 10, activation: relu, use_bias: false, a_very_long_option_that_no_layer_of_this_library_has_nor_ever_will_have: 3}
""",
    "resnet_v.yaml": """\
name: Small
input: [3, 32, 32]
args: {width: 8, depths: [1, 1], activation: relu}
blocks:
  stage(filters, depth):
    - conv: {filters: $filters, kernel: 3, pad: 1, repeat: $depth}
    - $activation
layers:
  - stage: {each: {filters: ["$width", "$(2 * width)"], depth: $depths}}
  - global_avgpool
  - linear: 10
""",
    "recipe.yaml": """\
batch: 4
loss: {cross_entropy: {label_smoothing: 0.1}}
optimiser: {adamw: {lr: 2e-3, weight_decay: 0.05, beta2: 0.99}}
schedule: {cosine: {warmup: 0.2, final: 0.01}}
augment: crop:1,flip,mixup:0.4
clip_norm: 1
accumulate: 2
ema: 0.99
drop_last: true
""",
    "wrong.yaml": "epocs: 3\noptimiser: {adamw: {lr: 0.001, weight_decay: -0.05, an_option_that_no_optimiser_of_this_library_has: 1}}\n",
    "many.yaml": "name: Many\ninput: [1, 8, 8]\nargs: {classes: 100}\nlayers: [flatten, {linear: $classes}]\n",
    "letters.yaml": "name: Letters\ninput: [16]\nlayers: [{embedding: {entries: 256, width: 4}}, {linear: 256}]\n",
    "labels.txt": "an ordinary class\na class with a name that is longer than any narrow terminal shows on one line\n第三\n",
}


def write_files(folder: Path) -> None:
    """The specs and the weights that the commands read."""
    (folder / DEEP_FOLDER).mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / DEEP_FOLDER / "bad.yaml").write_text(FILES["bad.yaml"], encoding="utf-8")
    for name in ("run", f"{DEEP_FOLDER}/run"):
        (folder / name).mkdir()
        (folder / name / "metrics.jsonl").write_text(METRICS, encoding="utf-8")
    weights = Network(netcalc.load(folder / "long.yaml")).parameters()
    np.savez(folder / "digits.npz", x=np.zeros((8, 1, 8, 8), np.uint8), y=np.arange(8))
    np.savez(folder / "small.npz", x=np.zeros((24, 1, 8, 8), np.uint8), y=np.arange(24) % 3)
    np.savez(folder / "weights.npz", **weights)  # type: ignore[arg-type]
    _write_trained(folder)


def _write_trained(folder: Path) -> None:
    """Trained files, data sets and pictures for them."""
    names = tuple(FILES["labels.txt"].splitlines())
    rng = np.random.default_rng(0)
    deep = Network(netcalc.load(folder / "deep.yaml"))
    deep.save(folder / "deep.npz")
    statistics = ChannelStatistics((0.5,), (0.25,))
    write_trained(folder / "deep.safetensors", Trained(deep.parameters(), statistics, names, "Deep"))
    Network(netcalc.load(folder / "many.yaml")).save(folder / "hundred.npz")
    Network(netcalc.load(folder / "many.yaml", args={"classes": 10})).save(folder / "ten.npz")
    Network(netcalc.load(folder / "letters.yaml")).save(folder / "letters.npz")
    x = rng.integers(0, 256, (300, 1, 8, 8), np.uint8)
    np.savez(folder / "shapes.npz", x=x, y=np.arange(300) % 3)
    np.savez(folder / "many.npz", x=x, y=np.arange(300) % 10)
    for name in ("one", "a_picture_in_a_file_with_a_name_that_is_longer_than_sixty_columns"):
        Image.fromarray(x[0, 0]).save(folder / f"{name}.png")


def recorded_lines() -> Iterator[str]:
    """The commands whose text is recorded."""
    for command, listed in RECORDED_SCREENS.items():
        yield from (f"{command} {arguments}" for arguments in listed)


def screen(line: str) -> str:
    """What a command prints, after the line that calls it."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        run(line.split())
    return f"$ netcalc {line}\n{out.getvalue()}{err.getvalue()}"


def main() -> None:
    """Write the recorded screens."""
    os.environ["NO_COLOR"] = "1"
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, chdir(folder):
        write_files(Path(folder))
        for width in RECORDED:
            os.environ["COLUMNS"] = str(width)
            screens = map(screen, recorded_lines())
            (FOLDER / f"{width}.txt").write_text("\n".join(screens), encoding="utf-8")


if __name__ == "__main__":
    main()
