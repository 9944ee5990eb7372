"""The page of the commands, from the parser itself: what stands there is what `--help` says."""

from __future__ import annotations

import inspect

import click

from autodc.cli.main import cli


def page() -> str:
    """Every command, in the order of the alphabet, with its arguments and options."""
    return "\n".join(_command(name, command) for name, command in sorted(cli.commands.items()))


def _command(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"autodc {name}")
    usage = " ".join([f"autodc {name}", *command.collect_usage_pieces(context)])
    options = [
        record for one in command.params if isinstance(one, click.Option) and (record := one.get_help_record(context))
    ]
    rows = [f"| `{_cell(names)}` | {_cell(says)} |" for names, says in options]
    table = ["| option | does |", "| --- | --- |", *rows, ""] if rows else []
    words = inspect.cleandoc(command.help or "").replace("\b\n", "")
    return "\n".join([f"## autodc {name}", "", "```text", usage, "```", "", words, "", *table])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")
