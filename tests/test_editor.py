"""The schema in an editor: what yaml-language-server offers and says, asked over its standard streams.

It comes from npm: `npm install yaml-language-server` in the checkout, or anywhere on the path.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netcalc.layers import LAYERS
from netcalc.render.reference.schema import general_keys, schema_text
from netcalc.spec.reader import BUDGETS, EXPECTATIONS

from helpers import TESTS

HEAD = "input: [3, 8, 8]\nlayers:\n"


class Editor:
    """A client of the language server, with one file open at a time."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
        self.asked = self.opened = 0
        self.diagnostics: list[dict[str, Any]] = []
        snippets = {"completion": {"completionItem": {"snippetSupport": True}}}
        capabilities = {"textDocument": snippets, "workspace": {"configuration": True}}
        self.ask(
            "initialize", {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": capabilities}
        )
        self.send({"method": "initialized", "params": {}})

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next message; settings are answered, diagnostics kept."""
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if message.get("method") == "workspace/configuration":
            settings = {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}
            items = message["params"]["items"]
            self.send(
                {
                    "id": message["id"],
                    "result": [settings if item["section"] == "yaml" else {} for item in items],
                }
            )
        elif "method" in message and "id" in message:
            self.send({"id": message["id"], "result": None})
        elif message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics.append(message["params"])
        return message

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        self.asked += 1
        self.send({"id": self.asked, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == self.asked and "method" not in message:
                return message["result"]

    def open(self, text: str) -> str:
        """Open a text as a file of its own, which has the schema beside it."""
        self.opened += 1
        uri = (self.folder / f"{self.opened}.yaml").as_uri()
        document = {
            "uri": uri,
            "languageId": "yaml",
            "version": 1,
            "text": f"# yaml-language-server: $schema=netcalc.schema.json\n{text}",
        }
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return uri

    def offered(self, text: str) -> dict[str, dict[str, Any]]:
        """What is offered where `|` stands, by its label."""
        before, after = text.split("|")
        uri = self.open(before + after)
        place = {"line": before.count("\n") + 1, "character": len(before.rpartition("\n")[2])}
        found = self.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": place})
        items = found["items"] if isinstance(found, dict) else found
        return {item["label"]: item for item in items}

    def messages(self, text: str) -> list[tuple[int, str]]:
        """The lines of what is wrong, from 1, and what is said of it."""
        self.diagnostics.clear()
        uri = self.open(text)
        while not any(found["uri"] == uri for found in self.diagnostics):
            self.receive()
        found = next(found for found in self.diagnostics if found["uri"] == uri)
        return [(each["range"]["start"]["line"], each["message"]) for each in found["diagnostics"]]


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    own = TESTS.parent / "node_modules" / ".bin" / "yaml-language-server"
    server = str(own) if own.exists() else shutil.which("yaml-language-server")
    if server is None:
        pytest.skip("yaml-language-server is not installed: npm install yaml-language-server")
    folder = tmp_path_factory.mktemp("editor")
    (folder / "netcalc.schema.json").write_text(schema_text(), encoding="utf-8")
    editor = Editor([server, "--stdio"], folder)
    yield editor
    editor.process.kill()
    editor.process.communicate()


CONV = {*LAYERS["conv"].options, *general_keys()}


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        (HEAD + "  - conv: {|}\n", CONV),
        (HEAD + "  - conv: {filters: 32, |}\n", CONV - {"filters"}),
        (HEAD + "  - conv: {filters: 32, |, pad: same}\n", CONV - {"filters", "pad"}),
        (HEAD + "  - conv: {filters: $(2 * 3), pad: same, |}\n", CONV - {"filters", "pad"}),
        (HEAD + "  - conv:\n      |\n", CONV),
        (HEAD + "  - conv:\n      filters: 32\n      |\n", CONV - {"filters"}),
        ("blocks:\n  unit: [relu]\n" + HEAD + "  - conv: {filters: 32, |}\n", CONV - {"filters"}),
        ("blocks:\n  unit:\n    - conv: {filters: 32, |}\n" + HEAD + "  - unit\n", CONV - {"filters"}),
        (HEAD + "  - residual: {main: [conv: {filters: 32, |}]}\n", CONV - {"filters"}),
        (HEAD + "  - residual: {|}\n", {"main", "shortcut", "connect", *general_keys()}),
        (HEAD + "  - batchnorm: {|}\n", {*LAYERS["batchnorm"].options, *general_keys()}),
        (HEAD + "  - relu\nbudget: {|}\n", {*BUDGETS}),
        (HEAD + "  - relu\nbudget: {params: 5M, |}\n", {*BUDGETS} - {"params"}),
        (HEAD + "  - relu\nexpect: {|}\n", {*EXPECTATIONS}),
        (HEAD + "  - relu\npreprocess: {resize: 256, |}\n", {"mean", "std"}),
    ],
)  # fmt: skip
def test_keys(editor: Editor, text: str, offered: set[str]) -> None:
    found = editor.offered(text)
    assert {
        label for label, item in found.items() if item["kind"] != 25
    } == offered  # 25: all that is required


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        (HEAD + "  - conv: {filters: 32, pad: |}\n", {"same", "causal"}),
        (HEAD + "  - conv: {filters: 32, pad: sa|, kernel: 3}\n", {"same", "causal"}),
        (HEAD + "  - conv: {filters: 32, bias: |}\n", {"true", "false"}),
        (HEAD + "  - conv: {filters: 32, padding_mode: ze|, kernel: 3}\n", {"zeros", "reflect"}),
        (HEAD + "  - conv: {filters: 32, pad|}\n", {"pad", "padding_mode"}),
        (HEAD + "  - |\n", {*LAYERS, "residual", "parallel"}),
        (HEAD + "  - con|\n", {*LAYERS, "residual", "parallel"}),
        (HEAD + "  - residual: {main: [|]}\n", {"relu", "batchnorm", "flatten"}),
    ],
)
def test_values_and_kinds(editor: Editor, text: str, offered: set[str]) -> None:
    assert offered <= editor.offered(text).keys()


def test_what_is_inserted_stands_in_one_line_with_its_default(editor: Editor) -> None:
    found = editor.offered(HEAD + "  - conv: {filters: 32, |}\n")
    inserted = {name: item["insertText"] for name, item in found.items()}
    assert (inserted["kernel"], inserted["stride"], inserted["bias"]) == (
        "kernel: ",
        "stride: ${1:1}",
        "bias: ${1:true}",
    )
    assert "\n" not in "".join(inserted.values())
    assert "padding" in str(found["pad"]["documentation"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "  - covn: {filters: 3, kernel: 3}\n", [(3, "no kind of layer has this name; did you mean conv?")]),
        (HEAD + "  - Conv2d: {filters: 3, kernel: 3}\n", [(3, "no kind of layer has this name; did you mean conv?")]),
        (HEAD + "  - batchnrom\n", [(3, "no kind of layer has this name; did you mean batchnorm?")]),
        (HEAD + "  - Dense: 3\n", [(3, "no kind of layer has this name; did you mean linear?")]),
        (HEAD + "  - residual: {main: [maxpol: 2]}\n", [(3, "no kind of layer has this name; did you mean maxpool?")]),
        (HEAD + "  - something\n", [(3, "no kind of layer has this name; netcalc layers lists them")]),
        (HEAD + "  - something: {a: 1}\n", [(3, "no kind of layer has this name; netcalc layers lists them")]),
        (HEAD + "  - conv\n", [(3, "this kind does not stand alone: it needs options, or inputs by from")]),
        (HEAD + "  - relu\nbudget: {param: 5M}\n", [(4, "Property param is not allowed.")]),
        (HEAD + "  - conv: {filters: 3, kernel: 3, pad: 1}\n  - relu\n  - $(kind)\n", []),
        ("blocks:\n  covn: [relu]\n" + HEAD + "  - covn\n", []),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_line(editor: Editor, text: str, said: list[tuple[int, str]]) -> None:
    assert editor.messages(text) == said
