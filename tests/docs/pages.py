"""The code blocks of the documents: how they are read, run and compared with what the pages show.

Run as a script, this writes anew the outputs that pages show: read the difference before you commit it.

| block | what is done with it |
| :-- | :-- |
| with `title="small.yaml"`, in any language | written to that file in the page's folder; what a workflow runs of netcalc is run |
| `yaml` | a whole spec, which is elaborated |
| `sh` | each line is run, and ends with 0 |
| `console` | each line after `$ ` is run, and prints what stands below it |
| `python` | run, in one namespace a page; it prints what the `text` block right below it shows |

In an output, a line `...` stands for any lines, and `...` within a line for any characters. A block below
`<!-- not run: REASON -->` is left out. A page has a folder of its own, and its commands a terminal of 80 columns.
"""

import os
import re
import runpy
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from glob import glob
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import yaml
from PIL import Image

import netcalc
from netcalc.cli.app import run

from blocks import Block, blocks_of, follows, matches, tidy
from data_files import cifar_records, write_classes, write_mnist
from helpers import graph_of

ROOT = Path(__file__).parents[2]
PROMPT = "$ "


class Elsewhere(NamedTuple):
    """The test that holds a page, and the languages of the blocks that it holds."""

    test: str
    languages: frozenset[str]


ELSEWHERE = {
    "docs/architecture.md": Elsewhere("tests/test_architecture.py", frozenset({"python", "yaml"})),
    "docs/errors.md": Elsewhere("tests/test_docs.py", frozenset({"yaml", "sh", "python"})),
    "docs/layers.md": Elsewhere("tests/laws/test_layers.py", frozenset({"yaml"})),
    "docs/rules.md": Elsewhere("tests/lint/test_rules.py", frozenset({"yaml"})),
}
"""Pages that are generated, or followed in another way."""

PAGES = sorted(
    path.relative_to(ROOT).as_posix() for folder in (ROOT, ROOT / "docs") for path in folder.glob("*.md")
)


class Difference(NamedTuple):
    """What a page shows and what comes out instead, and where it stands in the text."""

    line: int
    message: str
    start: int = 0
    end: int = 0
    printed: str | None = None


@contextmanager
def reader(page: str, folder: Path) -> Iterator[None]:
    """The folder that a reader of the page is in, with what the page says is there."""
    terminal = {"COLUMNS": "80", "NO_COLOR": "1"}
    with chdir(folder), patch.dict(os.environ, terminal), patch.object(sys, "path", [*sys.path]):
        GIVEN.get(page, lambda: None)()
        yield


def what_is_given_to_running() -> None:
    """A picture, the names of classes, and weights."""
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 300, 3), np.uint8)).save("cat.jpg")
    Path("imagenet.txt").write_text("".join(f"class {number}\n" for number in range(1000)))
    for name in ("squeezenet1_1", "resnet18"):
        netcalc.Network(netcalc.load(name), seed=0).save(f"{name}.safetensors")


def what_is_given_to_the_readme() -> None:
    """Its network with a misspelt option, and a few pictures of MNIST."""
    write_mnist(Path("mnist"), count=80)
    write_mnist(Path("mnist"), part="t10k", count=20)
    network = next(block.body for block in blocks_of((ROOT / "README.md").read_text()) if block.title)
    Path("typo.yaml").write_text(network.replace("kernel", "kernal", 1))


def what_is_given_to_data() -> None:
    """MNIST's and CIFAR-10's folders with few pictures, and photographs in two classes."""
    write_mnist(Path("mnist"), count=200)
    write_classes(Path("photos"), size=128)
    records = cifar_records()[2]
    Path("cifar-10-batches-bin").mkdir()
    Path("cifar-10-batches-bin/data_batch_1.bin").write_bytes(records)


def what_is_given_to_curves() -> None:
    """scikit-learn's digits."""
    digits = import_module("sklearn.datasets").load_digits()
    np.savez("digits.npz", x=(16 * digits.images).clip(0, 255).astype(np.uint8)[:, None], y=digits.target)


def what_is_given_to_evaluation() -> None:
    """scikit-learn's digits in two parts, and three of the second as pictures."""
    digits = import_module("sklearn.datasets").load_digits()
    x, y = (16 * digits.images).clip(0, 255).astype(np.uint8)[:, None], digits.target
    np.savez("digits.npz", x_train=x[:1437], y_train=y[:1437], x_test=x[1437:], y_test=y[1437:])
    for number in range(3):
        Image.fromarray(x[1437 + number, 0]).save(f"{('first', 'second', 'third')[number]}.png")


def what_is_given_to_transfer() -> None:
    """scikit-learn's digits: 0 to 4, fifty of 5 to 9, and the others of these."""
    digits = import_module("sklearn.datasets").load_digits()
    x, y = (16 * digits.images).clip(0, 255).astype(np.uint8)[:, None], digits.target
    order = np.random.default_rng(1).permutation(np.flatnonzero(y >= 5))
    for name, chosen in {"low": y < 5, "few": order[:50], "rest": order[50:]}.items():
        np.savez(f"{name}.npz", x=x[chosen], y=y[chosen] % 5)


GIVEN: dict[str, Callable[[], None]] = {
    "README.md": what_is_given_to_the_readme,
    "docs/curves.md": what_is_given_to_curves,
    "docs/data.md": what_is_given_to_data,
    "docs/training.md": what_is_given_to_evaluation,
    "docs/evaluation.md": what_is_given_to_evaluation,
    "docs/transfer.md": what_is_given_to_transfer,
    "docs/running.md": what_is_given_to_running,
}


class Session:
    """What a reader does who follows a page, and what differs from what it shows."""

    def __init__(self) -> None:
        self.code = 0
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.differences: list[Difference] = []

    def follow(self, text: str) -> list[Difference]:
        """Follow a page from its first block to its last."""
        blocks = blocks_of(text)
        for before, block, after in zip([None, *blocks], blocks, [*blocks[1:], None], strict=False):
            try:
                self._block(before, block, after, text)
            except Exception as error:
                self._differs(block, f"{type(error).__name__}: {error}")
        return self.differences

    def _block(self, before: Block | None, block: Block, after: Block | None, text: str) -> None:
        if block.reason:
            return
        if block.title:
            self._write(block)
        elif block.language == "yaml":
            graph_of(block.body)
        elif block.language == "sh":
            self._commands(block)
        elif block.language == "console":
            self._screen(block)
        elif block.language == "python":
            shown = after if after and follows(block, after, text) else None
            self._program(block, shown)
        elif not (block.language == "text" and before and follows(before, block, text)):
            self._differs(block, f"nothing is known of a block in {block.language or 'no language'}")

    def _write(self, block: Block) -> None:
        path = Path(block.title)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body)
        if path.suffix in (".yaml", ".yml"):
            written = yaml.safe_load(block.body)
            if path.parent == Path(".github/workflows"):
                self._workflow(block, written)

    def _workflow(self, block: Block, workflow: dict[str, Any]) -> None:
        """Run what a workflow of GitHub Actions runs of netcalc."""
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        for line in (line for step in steps for line in step.get("run", "").splitlines()):
            if line.startswith("netcalc "):
                self._commands(block._replace(body=line))

    def _commands(self, block: Block) -> None:
        for line in block.body.replace("\\\n", " ").splitlines():
            printed = self._run(line)
            if self.code != 0:
                self._differs(block, f"{line}\nends with {self.code}:\n{printed}")

    def _screen(self, block: Block) -> None:
        """Each command with what is shown below it."""
        if not block.body.startswith(PROMPT):
            raise ValueError(f"a console block begins with {PROMPT!r}")
        prompts = [match.start() for match in re.finditer(r"^\$ ", block.body, re.MULTILINE)]
        for start, end in zip(prompts, [*prompts[1:], len(block.body)], strict=True):
            command, _, shown = block.body[start:end].partition("\n")
            printed = self._run(command.removeprefix(PROMPT))
            if not shown and self.code != 0:
                self._differs(block, f"{command}\nends with {self.code}:\n{printed}")
            place = block.start + start + len(command) + 1
            self._compare(block, command, shown, printed, place)

    def _program(self, block: Block, shown: Block | None) -> None:
        with screen() as stream, without_terminal():
            exec(compile(block.body, f"line {block.line}", "exec"), self.namespace)
        if shown:
            self._compare(shown, "the program", shown.body, tidy(stream.getvalue()), shown.start)
        elif stream.getvalue():
            self._differs(block, f"prints what no text block below it shows:\n{stream.getvalue()}")

    def _run(self, line: str) -> str:
        """What a command prints, to both streams."""
        if line == "echo $?":
            return f"{self.code}\n"
        words, target = shlex.split(line, comments=True), ""
        words = [path for word in words for path in (sorted(glob(word)) if "*" in word else []) or [word]]
        if ">" in words:
            *words, _, target = words
        with screen() as stream:
            match words:
                case []:
                    self.code = 0
                case ["netcalc", *arguments]:
                    self.code = run(arguments)
                case ["python", file]:
                    with without_terminal():
                        runpy.run_path(file, run_name="__main__")
                    self.code = 0
                case _:
                    raise ValueError(f"no way to run {line!r} here")
        if target:
            Path(target).write_text(stream.getvalue())
        return "" if target else tidy(stream.getvalue())

    def _compare(self, block: Block, command: str, shown: str, printed: str, place: int) -> None:
        if not matches(tidy(shown), printed):
            message = f"{command}\nis shown with\n{shown}\nand prints\n{printed}"
            self.differences.append(Difference(block.line, message, place, place + len(shown), printed))

    def _differs(self, block: Block, message: str) -> None:
        self.differences.append(Difference(block.line, message))


@contextmanager
def without_terminal() -> Iterator[None]:
    """What a program prints does not depend on the terminal."""
    with patch.dict(os.environ):
        del os.environ["COLUMNS"]
        yield


@contextmanager
def screen() -> Iterator[StringIO]:
    """What is written to either stream."""
    stream = StringIO()
    with redirect_stdout(stream), redirect_stderr(stream):
        yield stream


def with_outputs(text: str, differences: list[Difference]) -> str:
    """A page that shows what came out."""
    for each in sorted(differences, key=lambda each: each.start, reverse=True):
        if each.printed is not None:
            text = text[: each.start] + each.printed + text[each.end :]
    return text


def main(pages: list[str]) -> None:
    """Write the outputs that pages show, and name what else differs."""
    for page in pages or [page for page in PAGES if page not in ELSEWHERE]:
        path = ROOT / page
        text = path.read_text()
        with TemporaryDirectory() as folder, reader(page, Path(folder)):
            differences = Session().follow(text)
        path.write_text(with_outputs(text, differences))
        for each in differences:
            print(f"{page}:{each.line}: {'written' if each.printed is not None else each.message}")


if __name__ == "__main__":
    main(sys.argv[1:])
