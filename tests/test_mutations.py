"""Specs that are nearly right: whatever is done to one, it loads or it says where it is wrong."""

import random

import pytest

from netcalc.analysis import analyze
from netcalc.diagnostics import NetcalcError, Source
from netcalc.graph import elaborate
from netcalc.lint import check
from netcalc.render.check.text import verdict_lines
from netcalc.render.diagnostics import diagnostic_lines
from netcalc.render.table.json import json_chunks
from netcalc.render.table.text import table_lines
from netcalc.spec import bundled_names, open_source, read_spec

BRANCHES = """
name: branches
input: [8, 16, 16]
args: {width: 8, mode: zeros, sizes: [3, 5], deep: true}
expect: {params: 10}
outputs: [joined, pooled]
layers:
  - conv: {name: left, filters: $width, kernel: 3, pad: same, padding_mode: $mode}
  - conv: {name: right, from: input, filters: $(width * 1), kernel: '$(sizes[0])', pad: [[1, 1], 1], bias: false}
  - add: {name: joined, from: [left, right]}
  - depthwise_conv: {kernel: 3, repeat: 2, pad: 1}
  - batchnorm: {when: $deep}
  - conv: {each: {f: [4, 8], k: [1, 3]}, filters: $f, kernel: $k}
  - slice: {axis: 0, start: -4}
  - upsample: {factor: 2, mode: bilinear}
  - conv_transpose: {filters: 4, kernel: 4, stride: 2, pad: 1}
  - adaptive_avgpool: {name: pooled, size: [2, 3]}
  - reshape: {shape: [6, -1]}
  - permute: {order: [1, 0]}
  - linear: {units: 5}
  - softmax: {axis: -1}
"""
BLOCKS = """
name: blocks
input: [8, 16, 16]
args: {unit: wide, depths: [1, 2], act: relu}
variants:
  deep: {depths: [3, 4], expect: {params: 10}}
blocks:
  wide(filters, stride=1, act='relu'):
    - residual:
        main:
          - conv: {name: first, filters: $filters, kernel: 3, stride: $stride, pad: 1}
          - $act
        shortcut:
          - conv: {filters: $filters, kernel: 1, stride: $stride, when: $(stride > 1 or in_channels != filters)}
  stage(filters, depth, stride):
    - $unit: {filters: $filters, stride: $stride}
    - $unit: {filters: $filters, repeat: $(depth - 1), act: $act}
layers:
  - stage: {each: {filters: [8, 16], depth: $depths, stride: [1, 2]}}
  - parallel:
      branches:
        left: [{conv: {each: {filters kernel: [[4, 1], [8, 3]]}, pad: same}}]
        right: [{maxpool: {kernel: 3, stride: 1, pad: 1}}]
  - parallel: {name: gate, branches: {main: [], scale: [{global_avgpool: {keep: true}}, sigmoid]}, join: multiply}
  - parallel: {branches: {a: [relu], b: []}, split: true}
  - flatten
  - linear: {name: fc, units: 8}
  - linear: {units: 8}
  - linear: {units: 8, share: linear1}
"""
FOLDER = open_source("alexnet").folder  # where what the bundled specs include is found
SPECS = [BRANCHES, BLOCKS, BLOCKS, *(open_source(name).text for name in bundled_names() if name != "vgg19")]
WORDS = [
    "-1", "0", "1e9", "99999999999999999999", "2.5", "null", "true", "[]", "{}", "[1, [2]]", "{a: 1}", "$x", "$(1/0)",
    "$(in_channels)", "&a", "*a", "!!int", "'", '"', ":", "- ", "\t", "\n", "\x00", "é", "🎓", "same", "input",
    "repeat: 1000000000", "from: [a, b]", "when: maybe", "name: conv1", "---", "share: fc", "- residual: {main: []}", "variants: {a: {}}", "include: x.yaml", "each: {a b: [[1, 2]]}", "? ", "|", "<<: *a", "%", "@", "`",
]  # fmt: skip


def mutated(text: str, choose: random.Random) -> str:
    """A text with a few characters, words or lines lost, doubled, swapped or put in."""
    for _ in range(choose.randint(1, 3)):
        at = choose.randrange(len(text) + 1)
        until = min(len(text), at + choose.randint(1, 8))
        lines = text.split("\n")
        one, other = choose.randrange(len(lines)), choose.randrange(len(lines))
        match choose.randrange(7):
            case 0:
                text = text[:at] + text[until:]
            case 1:
                text = text[:at] + choose.choice(WORDS) + text[at:]
            case 2:
                text = text[:at] + choose.choice(WORDS) + text[until:]
            case 3:
                text = text[:at] + text[at:until] * 2 + text[until:]
            case 4:
                lines[one], lines[other] = lines[other], lines[one]
                text = "\n".join(lines)
            case 5:
                text = "\n".join(line for number, line in enumerate(lines) if number != one)
            case _:
                words = text.split(" ")
                place = choose.randrange(len(words))
                words[place] = choose.choice(words if choose.random() < 0.5 else WORDS)
                text = " ".join(words)
    return text


@pytest.mark.parametrize("seed", range(20))
def test_success_or_located_errors(seed: int) -> None:
    choose = random.Random(seed)
    outcomes = {"fine": 0, "wrong": 0}
    for _ in range(100):
        text = mutated(choose.choice(SPECS), choose)
        try:
            graph = elaborate(read_spec(Source("spec.yaml", text, FOLDER)))
            report, verdict = analyze(graph), check(graph)
        except NetcalcError as error:
            assert error.diagnostics
            for problem in error.diagnostics:
                assert problem.span is not None, problem
                assert 0 <= problem.span.start <= len(problem.span.source.text)
                assert problem.message
            list(diagnostic_lines(error.diagnostics))
            outcomes["wrong"] += 1
        else:
            list(table_lines(report, width=80))
            list(json_chunks(report, "0"))
            list(verdict_lines(verdict, True, 80))
            outcomes["fine"] += 1
    assert min(outcomes.values()) > 1
