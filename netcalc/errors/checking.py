"""Errors of arguments that are set from outside, and of `netcalc check`."""

from netcalc.errors.code import ErrorCode

_ARGUMENTS = (
    ErrorCode(
        "E701",
        "`--set` or `--input` cannot be read, or names an argument or input that the spec does not have.",
        "Write `--set width=0.5` with a name from `args:`, and `--input 3x224x224` or `--input 224`.",
        """\
args: {width: 8}
input: [3]
layers:
  - linear: {units: $width}
""",
        "netcalc table example.yaml --set widht=16",
    ),
    ErrorCode(
        "E702",
        "An argument has a name that is reserved, or that cannot be written as `$name`.",
        "Give it another name of letters, digits and `_`.",
        """\
args: {index: 3}
input: [3, 32, 32]
layers:
  - relu
""",
    ),
    ErrorCode(
        "E703",
        "The spec has no variant of that name.",
        "Take a variant that the message names, or add it under `variants:`.",
        """\
args: {width: 8}
variants:
  small: {width: 4}
input: [3]
layers:
  - linear: {units: $width}
""",
        "netcalc table example.yaml --variant large",
    ),
)

_CHECK = (
    ErrorCode(
        "E801",
        "`ignore:` names a design rule that does not exist.",
        "Take the rule that the message names; `netcalc rules` lists all of them.",
        """\
ignore: N13
input: [3, 32, 32]
layers:
  - conv: {filters: 8, kernel: 3}
""",
        "netcalc check example.yaml",
    ),
    ErrorCode(
        "E802",
        "A figure differs from the one that the spec states under `expect:`.",
        "Mend the layers, or write the counted figure if the network is meant as it is.",
        """\
input: [3]
expect: {params: 45}
layers:
  - linear: {units: 10}
""",
        "netcalc check example.yaml",
    ),
    ErrorCode(
        "E803",
        "A figure is over its limit under `budget:`.",
        "Make the network smaller, or raise the limit.",
        """\
input: [3]
budget: {params: 20}
layers:
  - linear: {units: 10}
""",
        "netcalc check example.yaml",
    ),
    ErrorCode(
        "E804",
        "An argument was set that changes nothing, because no layer depends on it: a warning of "
        "`netcalc check`, an error elsewhere.",
        "Use the argument in an expression, as `$classes`, or leave the setting out.",
        """\
args: {classes: 10}
input: [3]
layers:
  - linear: {units: 10}
""",
        "netcalc check example.yaml --set classes=100",
        severity="warning",
    ),
)

CHECKING = {"Arguments and variants": _ARGUMENTS, "netcalc check": _CHECK}
