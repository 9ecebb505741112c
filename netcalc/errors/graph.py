"""Errors of the network that a spec describes: expressions, options, names, shapes."""

from netcalc.errors.code import ErrorCode

EXPRESSIONS = (
    ErrorCode(
        "E301",
        "An expression cannot be read: its syntax is wrong, or it uses what the language of expressions "
        "does not have.",
        "Write `$name` or `$(...)` with numbers, arithmetic, comparisons and the functions of the language; "
        "inside braces, quote an expression that has brackets or commas.",
        """\
args: {width: 8}
input: [3, 32, 32]
layers:
  - linear: {units: $(2 *)}
""",
    ),
    ErrorCode(
        "E302",
        "An expression uses a name that stands for nothing there.",
        "Declare the name under `args:` or in the head of the block, or mend its spelling.",
        """\
args: {width: 8}
input: [3]
layers:
  - linear: {units: $widht}
""",
    ),
    ErrorCode(
        "E303",
        "An expression has no value: a division by zero, an index outside a list, or operands that do not "
        "go together.",
        "Mend the expression, or the arguments that it uses.",
        """\
input: [3]
layers:
  - linear: {units: $(64 / 0)}
""",
    ),
)

OPTIONS = (
    ErrorCode(
        "E401",
        "There is no layer or block of that kind.",
        "Take the kind that the message names; `netcalc layers` lists all of them.",
        """\
input: [3, 32, 32]
layers:
  - cnov: {filters: 4, kernel: 3}
""",
    ),
    ErrorCode(
        "E402",
        "A layer has no such option, or a block no such argument.",
        "Take the option that the message names; `netcalc layers conv` lists those of a layer. Leave out "
        "the number of input channels: a layer takes it from its input. Put an activation into an item of "
        "its own, below.",
        """\
input: [3, 32, 32]
layers:
  - conv: {filters: 4, kernal: 3}
""",
    ),
    ErrorCode(
        "E403",
        "A required option, a required argument of a block, or the branches of an item are missing.",
        "Add what the message names.",
        """\
input: [3, 32, 32]
layers:
  - conv: {kernel: 3}
""",
    ),
    ErrorCode(
        "E404",
        "An option or a key has a value that is not allowed: of the wrong type, or out of range.",
        "Write a value in the range that the message names.",
        """\
input: [3, 32, 32]
layers:
  - dropout: {rate: 1.5}
""",
    ),
)

WIRING = (
    ErrorCode(
        "E501",
        "`from:`, `share:` or `outputs:` names a layer or input that is not there.",
        "Mend the spelling, or give the layer that is meant a `name:`.",
        """\
input: [3, 32, 32]
layers:
  - relu: {from: steam}
""",
    ),
    ErrorCode(
        "E502",
        "A layer reads one that stands below it.",
        "Move the layer that is read above the one that reads it.",
        """\
input: [3, 32, 32]
layers:
  - add: {from: [input, last]}
  - relu: {name: last}
""",
    ),
    ErrorCode(
        "E503",
        "A layer reads its own output; a network has no cycles.",
        "Let it read another layer. Recurrent layers (`lstm`, `gru`, `rnn`) have their loop inside.",
        """\
input: [3, 32, 32]
layers:
  - relu: {name: loop, from: loop}
""",
    ),
    ErrorCode(
        "E504",
        "A layer's name is not allowed, is taken already, or is too long with the names around it.",
        "Write letters, digits, `-` and `_`, and a name that nothing else in the same scope has.",
        """\
input: [3, 32, 32]
layers:
  - relu: {name: input}
""",
    ),
    ErrorCode(
        "E505",
        "A layer, a block or branches read the wrong number of inputs.",
        "List its inputs under `from:`, or join several with `concat` or `add` first.",
        """\
input: [3, 32, 32]
layers:
  - add
""",
    ),
    ErrorCode(
        "E506",
        "The spec has several inputs, and the first layer does not say which one it reads.",
        "Write `from:` with the name of an input.",
        """\
inputs: {image: [3, 32, 32], mask: [1, 32, 32]}
layers:
  - relu
""",
    ),
    ErrorCode(
        "E507",
        "`outputs:` is an empty list.",
        "Name at least one layer, or leave `outputs:` out: the last layer is the output then.",
        """\
input: [3, 32, 32]
layers:
  - relu
outputs: []
""",
    ),
    ErrorCode(
        "E508",
        "Parameters cannot be shared as `share:` says: the two are built differently, the owner has no "
        "parameters, or `share` contradicts a `trainable` or an `init`.",
        "Share with a layer, block or branches of equal structure and shapes, and write `trainable:` and "
        "`init:` at the owner; leave `share:` out where there are no parameters.",
        """\
input: [4]
layers:
  - linear: {name: first, units: 4}
  - linear: {units: 8, share: first}
""",
    ),
)

SHAPES = (
    ErrorCode(
        "E601",
        "A layer cannot read a tensor of that shape with these options.",
        "Change the option that the message points at, or the layer before; the notes show the shapes.",
        """\
input: [3, 32, 32]
layers:
  - conv: {filters: 8, kernel: 3, groups: 2}
""",
    ),
    ErrorCode(
        "E602",
        "A tensor has more than 32 axes, or more elements than 64 bits can count.",
        "Write smaller sizes.",
        """\
input: [4503599627370496]
layers:
  - linear: {units: 2147483647}
""",
    ),
    ErrorCode(
        "E603",
        "The spec expands to too many layers, or takes too many steps to evaluate.",
        "Write a smaller `repeat:`, or fewer rows of `each:`.",
        """\
input: [3, 32, 32]
layers:
  - relu: {repeat: 1000000000}
""",
    ),
    ErrorCode(
        "E604",
        "Blocks stand too deep in one another, mostly because a block uses itself without an end.",
        "Give the inner use a `when:` that becomes false.",
        """\
input: [8, 32, 32]
blocks:
  tree(n):
    - relu
    - tree: {n: $(n + 1)}
layers:
  - tree: {n: 1}
""",
    ),
)
