"""Write docs/zoo-findings.md: what the design rules say of the bundled architectures, and why it is so.

    python docs/make_findings.py

A warning without an explanation here, and an explanation without a warning, end the script.
"""

import sys
from pathlib import Path

from netcalc import load
from netcalc.lint import RULES, check
from netcalc.spec import bundled_files, variant_names

PAGE = Path(__file__).parent / "zoo-findings.md"

EXPLANATIONS = {
    "N102 resnet": (
        "True of the paper's bottleneck, whose first 1x1 has the stride. Given up since: torchvision has "
        "the stride in the 3x3, and `resnet50` is silent."
    ),
    "N301 mobilenet_v3": (
        "True of one place: the first block's projection keeps its 16 channels and has no shortcut, so that "
        "it and the next block's expansion are one linear map in inference. The linear ends of the other "
        "blocks are narrow and silent."
    ),
    "N303 lecture-six-layers": (
        "True, and what the network is for: the lecture shows on it how an initialisation lets activations "
        "vanish or saturate."
    ),
    "N401 vgg": (
        "True of the variants with batch norm: torchvision adds the norm and keeps the biases, 4,224 of "
        "them in vgg16_bn."
    ),
    "N404 alexnet-two-gpu": (
        "True history: the paper found that it helps; VGG measured two years later that it does not."
    ),
    "N404 googlenet": "True of the paper's net; torchvision's has batch norm and is silent.",
    "N404 zfnet": "True history, taken over from AlexNet.",
    "N405 transformer": (
        "True: Figure 1 of the paper ends in the softmax. In training it is part of the loss."
    ),
    "N502 alexnet": "True, and the lecture's own observation: most parameters are in the linear layers.",
    "N502 alexnet-two-gpu": "True, as of the single column.",
    "N502 lenet5": (
        "True of the lecture's LeNet-5, whose first linear layer reads 50x7x7; that of 1998 goes down to "
        "120x1x1 by a convolution and is silent."
    ),
    "N502 vgg": "True, and the lecture's own observation. GoogLeNet and ResNet average instead.",
    "N502 zfnet": "True, as of AlexNet.",
}
"""Why each rule is right about a family, or what its authors had in mind."""


def page() -> str:
    """The page; raises SystemExit where explanations and warnings do not match."""
    warnings: dict[str, dict[str, list[str]]] = {}
    notes: dict[str, list[str]] = {}
    names = [(family, name) for family in bundled_files() for name in variant_names(family) or [family]]
    for family, name in names:
        for found in check(load(name)).violations:
            if found.diagnostic.severity == "note":
                notes.setdefault(found.rule.code, []).append(name)
            else:
                nets = warnings.setdefault(f"{found.rule.code} {family}", {})
                nets.setdefault(name, []).append(found.diagnostic.message)
    if warnings.keys() != EXPLANATIONS.keys():
        sys.exit(f"to be explained, or no longer: {sorted(warnings.keys() ^ EXPLANATIONS.keys())}")
    return "".join([*_head(len(names), {name for nets in warnings.values() for name in nets}),
                    *_warnings(warnings), *_notes(notes)])  # fmt: skip


def _head(count: int, warned: set[str]) -> list[str]:
    return [
        "# What the rules say of the bundled networks\n\n",
        "Made by `python docs/make_findings.py`; [the rules](rules.md) explain the codes. ",
        f"Of {count} networks {count - len(warned)} have no warning, and none has an error.\n",
    ]


def _warnings(warnings: dict[str, dict[str, list[str]]]) -> list[str]:
    parts = [
        "\n## Warnings\n\n| rule | networks | what is found | why it is so |\n| :-- | :-- | :-- | :-- |\n"
    ]
    for key, nets in sorted(warnings.items()):
        code = key.split()[0]
        first, messages = next(iter(nets.items()))
        more = f", and {len(messages) - 1} more" if len(messages) > 1 else ""
        parts.append(
            f"| {code} {RULES[code].name} | {', '.join(nets)} | {first}: {messages[0]}{more} |"
            f" {EXPLANATIONS[key]} |\n"
        )
    return parts


def _notes(notes: dict[str, list[str]]) -> list[str]:
    parts = ["\n## Notes\n\nAdvice, which `--notes` shows.\n\n| rule | networks |\n| :-- | :-- |\n"]
    for code, names in sorted(notes.items()):
        parts.append(f"| {code} {RULES[code].name} | {', '.join(dict.fromkeys(names))} |\n")
    return parts


if __name__ == "__main__":
    PAGE.write_text(page())
