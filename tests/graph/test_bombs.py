"""Small texts that stand for much work are refused soon and with little memory.

Each is read and elaborated in a process of its own. The limits are of processor time, in seconds of a
machine that nobody else uses: a loop of known length beside it tells how slow the machine is now.
"""

import subprocess
import sys

import pytest

from netcalc.diagnostics import NetcalcError

from helpers import graph_of

SECONDS = 1.0
LOOP_SECONDS = 0.06
"""What the loop takes on the machine that the limit is for."""
MEBIBYTES = 200

MEASURED = """
import os, re, resource, sys, time
from netcalc.diagnostics import NetcalcError, Source
from netcalc.graph import elaborate
from netcalc.render.diagnostics import block_lines
from netcalc.spec import read_spec
text = eval(sys.argv[1])

def loop():
    start = time.process_time()
    sum(number * number for number in range(1_000_000))
    return time.process_time() - start

before = loop()
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
start = time.process_time()
try:
    elaborate(read_spec(Source("bomb.yaml", text)))
    print("accepted")
except NetcalcError as error:
    shown = sum(len(line) for found in error.diagnostics[:20] for line in block_lines(found))
    print(len(error.diagnostics), error.diagnostics[0].code)
seconds = time.process_time() - start
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if os.path.exists("/proc/self/status"):  # the other counts the process that started this one too
    most = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(seconds, (before + loop()) / 2, most // 1024)
"""

IN = "input: [3]\\n"
BOMBS = {
    "nothing, twice": IN + "blocks:\\n  b(): [{relu: {repeat: 29999, when: false}}]\\nlayers: [b: {repeat: 29999}]",
    "nothing by index": IN + "blocks:\\n  b(): [{relu: {repeat: 29000, when: $(index < 0)}}]\\nlayers: [b: {repeat: 29000}]",
    "empty blocks": IN + "blocks:\\n  a: []\\n  b: [a: {repeat: 9999}]\\n  c: [b: {repeat: 9999}]\\nlayers: [c: {repeat: 9999}]",
    "empty branches": IN + "blocks:\\n  a: [parallel: {branches: {l: , r: }, join: add, repeat: 999}]\\n  b: [a: {repeat: 999}]\\nlayers: [b: {repeat: 999}]",
    "branches in each": IN + "blocks:\\n  a(x): [residual: {main: [], repeat: $(9999 + 0 * x)}]\\nlayers: [a: {each: {x: %s}}]' % ([1] * 999) + '",
    "a thousand to the fourth": IN + "blocks:\\n  a: [relu: {repeat: 1000}]\\n  b: [a: {repeat: 1000}]\\n  c: [b: {repeat: 1000}]\\nlayers: [c: {repeat: 1000}]",
    "by the index": IN + "blocks:\\n  a(n): [relu: {repeat: $(900 + 0 * n)}]\\n  b(n): [a: {repeat: 900, n: $index}]\\nlayers: [b: {repeat: 900, n: $index}]",
    "lines": IN + "layers:\\n' + '  - relu\\n' * 1300000 + '",
    "lines below the limit of text": IN + "layers:\\n' + '  - relu\\n' * 200000 + '",
    "words on a line": IN + "layers: [' + 'a,' * 1000000 + 'a]",
    "misspelt kinds": IN + "layers:\\n' + ''.join(f'  - rlu{n}\\n' for n in range(90000)) + '",
    "unknown sources": IN + "layers:\\n' + ''.join(f'  - relu: {{name: a{n}, from: b{n}}}\\n' for n in range(16000)) + '",
    "malformed items": IN + "layers:\\n' + '  - 3\\n' * 90000 + '",
    "tags": IN + "layers:\\n' + '  - !!a b\\n' * 90000 + '",
    "unknown keys": IN + "' + ''.join(f'layer{n}: 1\\n' for n in range(40000)) + '",
    "long expressions": IN + "layers:\\n' + ''.join('  - linear: $(' + '+'.join([str(n)] * 190) + ')\\n' for n in range(2000)) + '",
    "a bad expression in a loop": IN + "layers: [linear: {units: $nosuch, repeat: 29000}]",
    "an expression in a loop": IN + "blocks:\\n  b(n): [relu: {when: \"$(sum([n] * 9999) + ' + '+'.join(['sum([n] * 9999)'] * 50) + ' < 0)\"}]\\nlayers: [b: {repeat: 29000, n: $index}]",
    "lists in lists": IN + "args: {a: \"$([[[[0] * 99] * 99] * 99] * 99 == [[[[0] * 99] * 99] * 99] * 99)\"}\\nlayers: [relu]",
    "a list in a loop": IN + "blocks:\\n  b(): [reshape: {shape: %s}]\\nlayers: [b: {repeat: 29000, from: input}]' % ([1] * 20000) + '",
    "a long each": IN + "layers: [relu: {each: {x: %s}, when: $(x > 1)}]' % ([1] * 60000) + '",
    "the longest each": IN + "layers: [relu: {each: {x: %s}}]' % ([1] * 99000) + '",
    "many arguments": IN + "args: {' + ', '.join(f'a{n}: {n}' for n in range(30000)) + '}\\nlayers: [linear: {units: $b, repeat: 999}]",
    "a long head": IN + "blocks:\\n  b(' + ', '.join(f'a{n}=1' for n in range(100000)) + '): [relu]\\nlayers: [b]",
    "a long word": IN + "name: ' + 'a' * 2000000 + '\\nlayers: [relu: {name: $(1}]",
    "deep": IN + "layers: ' + '[' * 100000 + ']' * 100000 + '",
    "deep branches in deep blocks": IN + "blocks:\\n' + ''.join(f'  b{n}: ' + '[residual: {main: ' * 30 + f'[b{n + 1}]' + '}]' * 30 + '\\n' for n in range(60)) + '  b60: [relu]\\nlayers: [b0]",
    "wide twice": IN + "blocks:\\n  b: [parallel: {branches: {' + ', '.join(f'b{n}: ' for n in range(9000)) + '}, repeat: 900}]\\nlayers: [b: {repeat: 900}]",
    "long names": IN + "blocks:\\n' + ''.join(f'  b{n}: [b{n + 1}: {{name: {\"x\" * 200}}}]\\n' for n in range(28)) + '  b28: [relu: {repeat: 29000}]\\nlayers: [b0]",
    "aliases": "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\\n' + ''.join(f'{chr(98 + n)}: &{chr(98 + n)} [' + ', '.join(['*' + chr(97 + n)] * 9) + ']\\n' for n in range(9)) + '",
}  # fmt: skip


RUNS = 3
"""What else the machine does only adds to the time: the fastest of so many runs counts."""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_soon(name: str) -> None:
    for last in (False,) * (RUNS - 1) + (True,):
        run = subprocess.run(
            [sys.executable, "-c", MEASURED, f"'{BOMBS[name]}'"], capture_output=True, text=True, timeout=120
        )
        assert run.returncode == 0, run.stderr[-2000:]
        verdict, measured = run.stdout.splitlines()
        seconds, loop, mebibytes = map(float, measured.split())
        assert verdict != "accepted"
        assert mebibytes < MEBIBYTES
        is_soon = seconds * min(1, LOOP_SECONDS / loop) < SECONDS
        assert is_soon or not last, f"{seconds} s, the loop {loop} s"
        if is_soon:
            return


def test_a_stack_that_shrinks_is_not_refused_for_its_first() -> None:
    """A first use that holds much says nothing of the others where they differ by their row."""
    text = (
        "input: [3]\nblocks:\n  b(n): [relu: {repeat: $n}]\n"
        "layers: [b: {repeat: 100, n: $(1000 if index == 0 else 1)}]\n"
    )
    assert len(graph_of(text).nodes) == 1099
    rows = text.replace("repeat: 100, n: $(1000 if index == 0 else 1)", f"each: {{n: {[1000] + [1] * 99}}}")
    assert len(graph_of(rows).nodes) == 1099


def test_each_is_counted_before_a_row_is_made() -> None:
    text = "input: [3]\nlayers: [relu: {each: {x: [%s]}, when: $(x > 1)}, tanh]\n"
    assert len(graph_of(text % ("1," * 30_000)).nodes) == 1
    with pytest.raises(NetcalcError, match="each: 30,001 rows are beyond the limit of 30,000 layers"):
        graph_of(text % ("1," * 30_001))


def test_the_limit_is_exact() -> None:
    text = "input: [3]\nblocks:\n  b: [relu: {repeat: 4999}]\nlayers: [b: {repeat: %d}]\n"
    assert len(graph_of(text % 6).nodes) == 29_994
    with pytest.raises(NetcalcError, match="more than 30,000 layers beyond those it lists"):
        graph_of(text % 7)


def test_more_layers_cannot_be_listed_than_the_benchmark_of_scale_lists() -> None:
    pair = "  - conv: {{name: conv{0}, filters: 16, kernel: 3, pad: 1}}\n  - relu\n"
    text = "input: [16, 32, 32]\nlayers:\n" + "".join(pair.format(number) for number in range(50_000))
    with pytest.raises(NetcalcError, match="a list has at most 100,000 items"):
        graph_of(text + "  - relu\n")
