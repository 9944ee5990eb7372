"""`autodc status` on the screen. It reads a summary where there is one, so nothing heavy is imported for it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from autodc.cli.show_requests import show_requests
from autodc.cli.terminal import console, duration
from autodc.review.status_words import state, used
from autodc.review.wording import PURPOSES, under_way


def show_status(found: Mapping[str, Any], folder: str) -> None:
    """Where the study in a folder is."""
    out = console()
    out.print(status_table(found, folder))
    show_requests(out, found.get("requests", ()))


def status_table(found: Mapping[str, Any], folder: str) -> Table:
    """Where the study in a folder is, a row a thing."""
    trainings = found["trainings"]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("study", found["study"])
    table.add_row("state", state(found))
    if (on := _going_on(found, folder)) is not None:
        table.add_row("go on", Text(on))
    if found["testing"]:
        table.add_row("comparing", f"{found['testing']['subject']}: {PURPOSES[found['testing']['purpose']]}")
    most = f" of at most {trainings['budget']:g}" if trainings["budget"] is not None else ""
    table.add_row("trainings", f"{trainings['done']} done{most}, {under_way(found)}, {trainings['failed']} failed")
    if found.get("next"):
        table.add_row("next", Text(found["next"]))
    table.add_row("kept", ", ".join(found["kept"]) or "nothing yet")
    for verdict in ("drop", "undecided"):
        names = [n for n, v in found["verdicts"].items() if v == verdict]
        table.add_row(verdict, ", ".join(names) or "none")
    account, test_set = found["ledger"], found["test_set"]
    table.add_row(
        "error budget",
        f"{account['taken']} of {account['planned']} planned comparisons taken, {account['left']:.4g} of q = "
        f"{account['q']:g} left; {account['looks']} looks at validation",
    )
    table.add_row("test set", _opened(test_set))
    for row, told in (("beside", found["baselines"]), ("baselines", found["simple"])):
        if told:
            table.add_row(row, told)
    if found.get("findings"):
        table.add_row("fails where", found["findings"])
    table.add_row("time", _time(found))
    if found["left"]:
        table.add_row("left", found["left"]["text"])
    for alarm in found["alarms"]:
        table.add_row("warning", Text(alarm, style="bold red"))
    for warning in found["warnings"]:
        table.add_row("warning", Text(warning))
    return table


def _going_on(found: Mapping[str, Any], folder: str) -> str | None:
    """The command that goes on with a study that nobody works on, or that is paused; None for any other."""
    if found["finished"]:
        return None
    if found["running"] is False:
        return found["command"] or "the command that began it"
    return shlex.join(["autodc", "resume", folder]) if found["paused_since"] else None


def _time(found: Mapping[str, Any]) -> str:
    """Used and left, as far as either is known."""
    ago = None if found["finished"] else found["last_event_seconds_ago"]
    return used(found) + (f"; last event {duration(ago)} ago" if ago is not None else "")


def _opened(test_set: Mapping[str, Any] | None) -> Text | str:
    """How often and when the sealed test set was opened; red from the second time on."""
    if test_set is None:
        return "none"
    times = test_set["opened"]
    if times == 0:
        return "sealed"
    when = ", ".join(test_set["at"])
    return f"opened once, {when}" if times == 1 else Text(f"opened {times} times: {when}", style="bold red")
