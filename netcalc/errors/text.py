"""Errors of the text of a spec: the file, its YAML, and the keys in it."""

from netcalc.errors.code import ErrorCode

TEXT = (
    ErrorCode(
        "E101",
        "The text is not YAML.",
        "Close the bracket or the quotes, write a space after the colon, or mend the indentation; YAML is "
        "indented with spaces, not tabs.",
        """\
input: [3, 32, 32
layers:
  - relu
""",
    ),
    ErrorCode(
        "E102",
        "The file is not UTF-8 text.",
        "Save it as UTF-8, or name the spec: this may be a picture or a file of weights.",
        command="netcalc table picture.png",
    ),
    ErrorCode(
        "E103",
        "The file cannot be opened, read or written, or there is neither a file nor a bundled architecture "
        "of that name, or no table of devices.",
        "Mend the path, or free space; `netcalc list` shows the bundled architectures.",
        command="netcalc table alexnett",
    ),
    ErrorCode(
        "E104",
        "The text is empty, or holds only comments.",
        "Write at least `input:` and `layers:`.",
        "# a network\n",
    ),
    ErrorCode(
        "E105",
        "The text holds several YAML documents; a spec is one.",
        "Remove the `---` line, or make two files.",
        """\
input: [3, 32, 32]
layers:
  - relu
---
input: [3, 64, 64]
""",
    ),
    ErrorCode(
        "E106",
        "A value has a YAML tag; tags are not allowed.",
        "Write the value without the tag.",
        """\
input: [3, 32, 32]
layers:
  - linear: {units: !!int "10"}
""",
    ),
    ErrorCode(
        "E107",
        "A key stands twice in one mapping.",
        "Remove one of the two.",
        """\
input: [3, 32, 32]
layers:
  - conv: {filters: 4, kernel: 3, filters: 8}
""",
    ),
    ErrorCode(
        "E108",
        "A YAML alias has no anchor before it, or stands inside what it names.",
        "Put the anchor (`&size`) in front of the first use, or write the value itself.",
        """\
input: *size
layers:
  - relu
""",
    ),
    ErrorCode(
        "E109",
        "The text or a value in it is beyond a limit: its length, its depth of nesting, the values that "
        "aliases expand to, integers beyond 2^53 - 1, numbers that are not finite, the memory to read it.",
        "Write a smaller number, or fewer values; `repeat:` and blocks list layers in a few lines.",
        """\
input: [3, 32, 32]
layers:
  - linear: {units: 99999999999999999999}
""",
    ),
    ErrorCode(
        "E110",
        "The text is a list or a word; a spec is a mapping.",
        "Put the list of layers under `layers:`, and an `input:` above it.",
        """\
- relu
- linear: {units: 10}
""",
    ),
    ErrorCode(
        "E111",
        "A key is a list, a mapping or an alias; keys are plain words.",
        "Write a word before the colon.",
        """\
? [a, b]
: 3
input: [3, 32, 32]
layers:
  - relu
""",
    ),
)

KEYS = (
    ErrorCode(
        "E201",
        "A mapping has a key that is not known there.",
        "Mend the spelling; the message names the nearest known key, or all of them.",
        """\
input: [3, 32, 32]
layres:
  - relu
""",
    ),
    ErrorCode(
        "E202",
        "The spec has no input or no layers, or every layer is left out by its `when:`.",
        "Add `input:` with the sizes without the batch, and `layers:` with at least one layer.",
        """\
input: [3, 32, 32]
layers: []
""",
    ),
    ErrorCode(
        "E203",
        "An item in a list of layers is not a kind with its options.",
        "Write `- relu`, `- linear: 10` or `- conv: {filters: 64, kernel: 3}`; a second key belongs inside "
        "the braces, and what a layer reads under `from:`.",
        """\
input: [3, 32, 32]
layers:
  - 5
""",
    ),
    ErrorCode(
        "E204",
        "A key has a value of the wrong kind, such as a word where a mapping or a list belongs, or a list in "
        "parentheses.",
        "Write the value in the form that the message names.",
        """\
year: a while ago
input: [3, 32, 32]
layers:
  - relu
""",
    ),
    ErrorCode(
        "E205",
        "The head of a block cannot be read, or two blocks have one name.",
        "Write `name(argument, argument=default):` with a name of letters, digits and `_`, once.",
        """\
input: [3, 32, 32]
blocks:
  unit(filters:
    - conv: {filters: 8, kernel: 3}
layers:
  - relu
""",
    ),
    ErrorCode(
        "E206",
        "An included file is not there, is not in the folder of the spec, or holds more than `blocks:`.",
        "Name a file beside the spec, or below it, that holds `blocks:` alone.",
        """\
include: blocks.yaml
input: [8, 32, 32]
layers:
  - relu
""",
    ),
)
