"""The verbs that tell a run under way when trainings may begin: pause, resume, slots."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from autodc.cli.options import FOLDER, JSON
from autodc.cli.streams import echo

if TYPE_CHECKING:
    from autodc.verbs.control import ControlResult

LATER = "asked; the run takes it up when it next looks, it may be working out what to train"


@click.command()
@FOLDER
@JSON
def pause(folder: str, as_json: bool) -> None:
    """Let a run begin no further training; what runs comes to its end, and deadlines hold."""
    from autodc.verbs import control

    told = control.pause(folder)
    if told.running is False:
        words = f"nothing runs here; the next run begins paused, until `autodc resume {folder}`"
    else:
        words = f"paused: what runs comes to its end, nothing begins until `autodc resume {folder}`"
    _tell(told, words, as_json)


@click.command()
@FOLDER
@JSON
def resume(folder: str, as_json: bool) -> None:
    """Let a paused run go on. After a stop the same `autodc run` command goes on instead."""
    from autodc.verbs import control

    told = control.resume(folder)
    _tell(told, "nothing runs here; the next run is not paused" if told.running is False else "going on", as_json)


@click.command()
@FOLDER
@click.argument("count", metavar="N", type=click.IntRange(min=1))
@JSON
def slots(folder: str, count: int, as_json: bool) -> None:
    """Let a run train N at once from now on, until it ends."""
    from autodc.verbs import control

    told = control.slots(folder, count)
    _tell(told, f"{told.slots} at once from now on; what runs comes to its end", as_json)


def _tell(told: ControlResult, words: str, as_json: bool) -> None:
    if as_json:
        echo(json.dumps(told.to_dict(), indent=2))
    else:
        echo(words if told.answered or told.running is False else LATER)
