"""What is wrong with a command line, in the words and the look of every other problem."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from autodc.errors import InputError
from autodc.hints import meant


def misuse(error: click.ClickException) -> InputError:
    """The problem that click found: an unknown command or option, too many words or too few, a value that is none."""
    context = getattr(error, "ctx", None) or click.Context(click.Command("autodc"), info_name="autodc")
    verb = context.command_path.partition(" ")[2]
    usage = context.get_usage().removeprefix("Usage: ")
    if isinstance(error, click.NoSuchOption):
        known = [name for one in context.command.params for name in (*one.opts, *one.secondary_opts)]
        hint = _hint(error.option_name, known, context)
        return InputError("ADC-SPEC-081", "there is no such option", verb, error.option_name, hint)
    message = error.format_message()
    if isinstance(context.command, click.Group) and message.startswith("No such command"):
        word = message.split("'")[1] if "'" in message else ""
        if os.path.exists(word):
            hint = f"name a command before it: autodc check {word}"
        else:
            hint = _hint(word, context.command.commands, context)
        return InputError("ADC-SPEC-080", "there is no such command", verb, word, hint)
    problem = message[:1].lower() + message[1:].rstrip(".")
    return InputError("ADC-SPEC-082", problem, verb, "", f"usage: {usage}" if getattr(error, "ctx", None) else "")


def _hint(word: str, known: Iterable[str], context: click.Context) -> str:
    known = list(known)
    guess = meant(word.lstrip("-"), [one.lstrip("-") for one in known])
    asked = next((one for one in known if one.lstrip("-") == guess), None)
    listed = f"`{context.command_path} --help` lists them"
    return f"did you mean {asked}?" if asked else listed
