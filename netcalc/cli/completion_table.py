"""The table that completions read in place of the commands, made from their declarations."""

import json
from typing import Any

import typer

from netcalc.cli.app import COMMANDS, app


def table_text() -> str:
    """The table as JSON, a parameter a line."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("netcalc", [], resilient_parsing=True)
    commands = ",\n".join(
        f"{json.dumps(name)}: {_described(group.get_command(context, name), context)}" for name in COMMANDS
    )
    return f'{{"options": {_list(_options(group, context))},\n"commands": {{\n{commands}\n}}}}\n'


def _described(command: Any, context: Any) -> str:
    help = json.dumps(command.get_short_help_str(200))
    arguments = [
        {"name": parameter.name, "is_list": parameter.nargs == -1, "choices": _choices(parameter)}
        for parameter in command.params
        if parameter.param_type_name == "argument"
    ]
    options = _list(_options(command, context))
    return f'{{"help": {help},\n"arguments": {_list(arguments)},\n"options": {options}}}'


def _options(command: Any, context: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": parameter.name,
            "names": sorted([*parameter.opts, *parameter.secondary_opts]),
            "is_flag": parameter.is_flag,
            "choices": _choices(parameter),
            "help": parameter.help or "",
        }
        for parameter in command.get_params(context)
        if parameter.param_type_name == "option"
    ]


def _choices(parameter: Any) -> list[str]:
    return [*getattr(parameter.type, "choices", ())]


def _list(members: list[dict[str, Any]]) -> str:
    return "[" + ",\n".join([json.dumps(member) for member in members]) + "]"
