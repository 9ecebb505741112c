"""What Tab offers in a shell, by the protocol of typer's scripts: `netcalc --install-completion`.

A script sets _NETCALC_COMPLETE and the line so far in the environment, and reads what is offered. For that
typer would import the commands, and rich. Here options come from completions.json, which is made from their
declarations, and values from completers.py.
"""

import json
import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

VARIABLE = "_NETCALC_COMPLETE"
"""The environment variable by which a script asks: complete_bash, complete_zsh, complete_fish, …"""
TABLE = os.path.join(os.path.dirname(__file__), "completions.json")
"""Every command with its arguments and options: written by docs/make_completions.py."""

_HARMLESS = re.compile(r"[\w.,:=+@%/~^ \[\]()-]+")
"""What is offered: shells evaluate it, and the names in folders and specs may be anybody's."""


class Offer(NamedTuple):
    """A value, and what a shell shows beside it."""

    value: str
    help: str = ""


class Given(NamedTuple):
    """A line so far: the command, and the texts of its parameters by their names."""

    command: str
    texts: dict[str, list[str]]

    def last(self, name: str) -> str | None:
        """The last text of a parameter, which wins."""
        return self.texts.get(name, [None])[-1]


def complete() -> int:
    """Print what a script asks for; fish asks first whether there is anything, by the exit code."""
    shell = os.environ[VARIABLE].partition("_")[2]
    words, text = _bash_words() if shell == "bash" else _line_words(shell)
    option = re.match("--[^=]*=", text)
    typed = text[option.end() :] if option else text
    words += [option[0][:-1]] if option else []
    offers = [offer for offer in _offers(words, typed) if offer.value.startswith(typed)]
    offers = [offer for offer in dict.fromkeys(offers) if _HARMLESS.fullmatch(offer.value)]
    if shell == "bash":  # where a word begins after each `=`
        values = (offer.value[typed.rfind("=") + 1 :] for offer in offers)
        print("\n".join(re.sub(r"([\s()\[\]~^])", r"\\\1", value) for value in values if value))
        return 0
    if option:
        offers = [offer._replace(value=option[0] + offer.value) for offer in offers]
    if os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return int(not offers)
    print(_SHOWN.get(shell, _fish)(offers))
    return 0


def _bash_words() -> tuple[list[str], str]:
    """The words before the one at the cursor, and that one; bash divides `width=2` into three."""
    divided, current = os.environ["COMP_WORDS"].split("\n"), int(os.environ["COMP_CWORD"])
    words: list[str] = []
    for number, word in enumerate(divided[: current + 1]):
        if number > 1 and "=" in (word, divided[number - 1]):
            words[-1] += word
        else:
            words.append(word)
    words += [""] * (len(divided) <= current)
    words = [_unquoted(word) for word in words]
    return words[1:-1], words[-1]


def _line_words(shell: str) -> tuple[list[str], str]:
    """The same from a whole line."""
    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = [_unquoted(word) for word in re.findall(r"""(?:\\.|"[^"]*"?|'[^']*'?|[^\s\\])+""", line)]
    if shell in ("powershell", "pwsh"):
        text = os.environ.get("_TYPER_COMPLETE_WORD_TO_COMPLETE", "")
        return words[1 : len(words) - bool(text)], text
    return (words[1:], "") if line[-1:].isspace() else (words[1:-1], words[-1])


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)|[\"']", lambda match: match[1] or "", word)


def _offers(words: list[str], text: str) -> Iterable[Offer]:
    with open(TABLE, encoding="utf-8") as file:
        table = json.load(file)
    commands = [word for word in words if not word.startswith("-")]
    if not commands and text.startswith("-"):
        return _options(table)
    if not commands:
        return [Offer(name, command["help"]) for name, command in table["commands"].items()]
    command = table["commands"].get(commands[0])
    if command is None:
        return []
    given, parameter = _read(commands[0], command, words[words.index(commands[0]) + 1 :])
    if parameter is None and text.startswith("-"):
        return _options(command)
    parameter = parameter or _argument(command, given)
    if parameter is None:
        return []
    if parameter["choices"]:
        return map(Offer, parameter["choices"])
    from netcalc.cli.completers import values

    return map(Offer, values(parameter["name"], given, text))


def _options(command: dict[str, Any]) -> list[Offer]:
    return [
        Offer(name, option["help"])
        for option in command["options"]
        for name in option["names"]
        if name.startswith("--")
    ]


def _read(name: str, command: dict[str, Any], words: list[str]) -> tuple[Given, dict[str, Any] | None]:
    """What the words give to which parameter, and the option that waits for its value at the end."""
    known = {name: option for option in command["options"] for name in option["names"]}
    given, waiting, arguments = Given(name, {}), None, []
    for word in words:
        start, equals, value = word.partition("=")
        if waiting is not None:
            given.texts.setdefault(waiting["name"], []).append(word)
            waiting = None
        elif option := known.get(start):
            if equals:
                given.texts.setdefault(option["name"], []).append(value)
            elif not option["is_flag"]:
                waiting = option
        elif not word.startswith("-") or word == "-":
            arguments.append(word)
    for argument in command["arguments"]:
        taken = len(arguments) if argument["is_list"] else 1
        if arguments:
            given.texts[argument["name"]], arguments = arguments[:taken], arguments[taken:]
    return given, waiting


def _argument(command: dict[str, Any], given: Given) -> dict[str, Any] | None:
    """The argument that the next word is for."""
    for argument in command["arguments"]:
        if argument["is_list"] or argument["name"] not in given.texts:
            found: dict[str, Any] = argument
            return found
    return None


def _zsh(offers: list[Offer]) -> str:
    """An expression that the script evaluates."""
    shown = [f'"{_escaped(value)}"' + (f':"{_escaped(help)}"' if help else "") for value, help in offers]
    return f"_arguments '*: :(({' '.join(shown)}))'" if offers else "_files"


def _escaped(text: str) -> str:
    return re.sub(r"[\"'$`\\]", "", text).replace(":", r"\\:")


def _fish(offers: list[Offer]) -> str:
    return "\n".join(f"{value}\t{help}" if help else value for value, help in offers)


def _powershell(offers: list[Offer]) -> str:
    return "\n".join(f"{value}:::{help or ' '}" for value, help in offers)


_SHOWN = {"zsh": _zsh, "fish": _fish, "powershell": _powershell, "pwsh": _powershell}
