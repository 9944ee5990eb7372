"""The verb that looks whether this machine or cluster is fit for a night."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import click

from autodc.cli.options import JSON, MACHINE
from autodc.cli.streams import echo
from autodc.errors import SurroundingsError

if TYPE_CHECKING:
    from autodc.adapters.doctor.check import Check

WIDTH = 80
NAME = 13
INDENT = " " * 6


@click.command()
@MACHINE
@click.option("--uri", metavar="URI", help="The MLflow store to look at. Left out: sqlite:///mlflow.db.")
@JSON
def doctor(machine: str | None, uri: str | None, as_json: bool) -> int:
    """Look at each thing a night needs of this machine or cluster, with the mend.

    Ray is really started, or joined at the address of the machine file, and ended; nothing stays. Exit 0 where nothing
    fails, 3 where something does.
    """
    from autodc.studyfile import load_machine

    where = load_machine(machine)
    from autodc.verbs.doctor import doctor as examine

    found = examine(where, uri, (lambda check: None) if as_json else _show)
    if as_json:
        echo(json.dumps(found.to_dict(), indent=2))
    return 0 if found.passed else SurroundingsError.exit_code


def _show(check: Check) -> None:
    """A line, and where it is not well what mends it below."""
    head = f"{check.status:<6}{check.name:<{NAME}} "
    echo(head + textwrap.shorten(check.found, WIDTH - len(head), placeholder=" ..."))
    if check.mend:
        mend = textwrap.fill(
            check.mend,
            WIDTH,
            initial_indent=INDENT,
            subsequent_indent=INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
        echo(mend)
