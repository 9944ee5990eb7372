"""The verb that says where a study is, once or for as long as it runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from autodc.cli.options import FOLDER, JSON
from autodc.cli.streams import echo
from autodc.errors import INTERRUPTED

AGES = ("last_event_seconds_ago", "seconds_left", "time_left", "spent")
"""What of a status changes by itself, or with what else is told."""


@click.command()
@FOLDER
@click.option("--watch", "watched", is_flag=True, help="Tell it again whenever something changed, until the run ends.")
@JSON
def status(folder: str, watched: bool, as_json: bool) -> int:
    """Say what a study is doing, what it has spent and kept so far; safe while it runs."""
    if watched:
        return _watch(folder, as_json)
    from autodc.verbs.summary import status_of

    found = status_of(folder)
    if as_json:
        echo(json.dumps(found, indent=2))
    else:
        from autodc.cli.show_status import show_status

        show_status(found, folder)
    return 0


def _watch(folder: str, as_json: bool) -> int:
    from autodc.verbs.watch import exit_code, watch

    code = 0
    try:
        with _json_lines() if as_json else _shown(folder) as show:
            for found in watch(folder):
                show(found)
                code = exit_code(found)
    except KeyboardInterrupt:  # the watcher leaves; the run goes on
        return INTERRUPTED
    return code


@contextmanager
def _json_lines() -> Iterator[Any]:
    """One status a line, where it is another than the line before."""
    last: list[Any] = []

    def show(found: Mapping[str, Any]) -> None:
        told = {key: value for key, value in found.items() if key not in AGES}
        if last != [told]:
            last[:] = [told]
            echo(json.dumps(found))

    yield show


@contextmanager
def _shown(folder: str) -> Iterator[Any]:
    """A table that is drawn again on a terminal, elsewhere a line for each change."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from autodc.cli.show_status import status_table
    from autodc.cli.terminal import console
    from autodc.review.status_words import line
    from autodc.verbs.watch import news

    out, last = console(), list[Any]()

    def tell(found: Mapping[str, Any]) -> None:
        if last != [news(found)]:
            last[:] = [news(found)]
            out.print(Text(f"{time.strftime('%H:%M:%S')}  {line(found)}"))

    if not out.is_terminal:
        yield tell
        return
    leave = Text("Ctrl-C leaves the study running", style="dim")
    with Live(console=out, auto_refresh=False) as live:
        yield lambda found: live.update(Group(status_table(found, folder), leave), refresh=True)
