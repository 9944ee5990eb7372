"""What somebody needs who would do it again: command, machine, seeds, and the identity of everything that went in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from autodc.review.next_night import command, elsewhere
from autodc.review.numbers import duration
from autodc.study.journal.state import State
from autodc.study.view import spec_of

SETTINGS = ("runner", "address", "cpus_per_trial", "gpus_per_trial", "memory_per_trial", "max_concurrent")
"""Of a machine file, those a reader asks for."""


def reproduce(state: State, folder: str) -> dict[str, Any]:
    """The facts. folder: of the run, as a person would name it."""
    last = state.sessions[-1] if state.sessions else None
    machine = {} if last is None else last.machine
    settings = {name: machine[name] for name in SETTINGS if machine.get(name) is not None}
    return {
        "command": elsewhere(command(state, folder)),
        "seed": spec_of(state).seed,
        "fingerprint": state.question.fingerprint,
        "environment": {**({} if last is None else last.environment), **settings},
        "sessions": [
            {
                "from": _time(one.started),
                "time": duration(one.seconds),
                "slots": one.slots,
                "command": one.command,
            }
            for one in state.sessions
        ],
        "data": [
            {
                "name": name,
                "rows": card.get("rows"),
                "fingerprint": card.get("fingerprint", ""),
                "source": _source(card),
            }
            for name, card in (*state.question.datasets.items(), *state.roster.items())
        ]
        + [{"name": n, "rows": None, "fingerprint": mark, "source": ""} for n, mark in state.question.parts.items()],
    }


def _source(card: Any) -> str:
    return str(card.get("source") or card.get("by") or "")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y %H:%M UTC")
