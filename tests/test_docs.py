"""What the documents say is true; tests/docs runs what they show."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from netcalc.analysis.devices import read_devices
from netcalc.layers import LAYERS, Saved
from netcalc.render.reference.errors import markdown_chunks

from blocks import blocks_of
from helpers import TESTS, graph_of

README = (TESTS.parent / "README.md").read_text()
LANGUAGE = (TESTS.parent / "docs" / "language.md").read_text()
MEMORY = (TESTS.parent / "docs" / "memory.md").read_text()


def test_what_other_frameworks_write_is_written_as_the_language_guide_says() -> None:
    table = LANGUAGE.split("## Coming from PyTorch or Keras")[1].split("\n## ")[0]
    items = [item for item in re.findall(r"`(- .*?)`", table) if "- unit:" not in item]
    assert len(items) >= 16
    head = "input: {a: [3, 8, 8], b: [3, 8, 8], image: [512, 8, 8], steps: [4, 512], tokens: [4]}\nlayers:\n"
    for item in items:
        kind = item[2:].split(":")[0]
        read = {"embedding": "tokens", "lstm": "steps", "multi_head_attention": "steps"}.get(kind, "image")
        source = "" if "from" in item else f"  - identity: {{from: {read}}}\n"
        assert graph_of(f"{head}{source}  {item}\n").nodes[-1].output.numel


def test_the_shared_and_frozen_layers_of_the_language_guide() -> None:
    spec = next(block.body for block in blocks_of(LANGUAGE) if "share: left" in block.body)
    graph = graph_of(spec)
    assert [node.shared for node in graph.nodes if node.params] == [
        None, None, "left.conv1", "left.linear1", None, "words",
    ]  # fmt: skip
    assert [node.full_name for node in graph.nodes if node.is_frozen] == ["words", "linear1"]


def test_no_warning_is_drawn_by_the_readmes_network(cli: Callable[..., Any], tmp_path: Path) -> None:
    (block,) = (block for block in blocks_of(README) if block.title == "small.yaml")
    path = tmp_path / block.title
    path.write_text(block.body)
    assert cli("check", str(path), "--strict").code == 0


def test_what_the_page_of_check_silences(cli: Callable[..., Any], tmp_path: Path) -> None:
    page = (TESTS.parent / "docs" / "check.md").read_text()
    (block,) = (block for block in blocks_of(page) if block.title == "my.yaml")
    path = tmp_path / block.title
    path.write_text(block.body)
    assert "silenced" in cli("check", str(path), "--strict").out


def test_the_page_on_memory_tells_what_layers_keep() -> None:
    """The kinds in a row of the table keep what it says."""
    documented = {"their input": Saved(inputs=(0,)), "their output": Saved(output=True)}
    rows = [line.strip("| ").split(" | ") for line in MEMORY.splitlines() if line.startswith("| ")]
    shown = [
        (kind, documented[keeps])
        for kinds, keeps in rows
        if keeps in documented
        for kind in re.findall("`(.+?)`", kinds)
    ]
    assert len(shown) > 15
    for kind, kept in shown:
        assert LAYERS[kind].saves == kept, kind


def test_every_command_is_in_the_readme_or_the_changelog() -> None:
    from netcalc.cli.app import COMMANDS

    changes = (TESTS.parent / "CHANGELOG.md").read_text()
    for command in COMMANDS:
        assert f"netcalc {command}" in README + changes


def test_the_page_of_rooflines_devices() -> None:
    page = (TESTS.parent / "docs" / "roofline.md").read_text()
    shown = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in page.partition("| name | device |")[2].splitlines()
        if line.startswith("| `")
    ]
    peaks = ("float32", "tf32", "float16", "int8")
    for row, device in zip(shown, read_devices().values(), strict=True):
        rates = device.operations_per_second
        assert row == [
            f"`{device.key}`", device.name, *(f"{rates[name] / 1e12:.6g}" if name in rates else "" for name in peaks),
            f"{device.bytes_per_second / 1e9:.6g}", f"{device.memory_bytes / 1024**3:.4g}", device.source,
        ]  # fmt: skip


def test_the_page_of_running_counts_what_is_recorded() -> None:
    page = (TESTS.parent / "docs" / "running.md").read_text()
    layers = json.loads((TESTS / "golden" / "kernels.json").read_text())["cases"]
    with np.load(TESTS / "golden" / "networks.npz") as recorded:
        networks = {name.partition("/")[0].removesuffix(" in training") for name in recorded.files}
        trained = {name for name in networks if f"{name}/parameters" in recorded.files}
    assert f"for {len(layers)} single layers" in page
    assert f"for {len(networks)} whole networks the logits, of {len(trained)} also the gradients" in page


def test_the_page_of_error_codes_is_current() -> None:
    page = TESTS.parent / "docs" / "errors.md"
    assert page.read_text() == "".join(markdown_chunks()), "run python docs/make_errors.py"
