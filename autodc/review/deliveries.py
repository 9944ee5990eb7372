"""What lies in the inbox of a study and is not taken: why, and how to go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autodc.errors import AutodcError, DataError, each_of
from autodc.study.journal import events as ev
from autodc.study.journal.state import State

ORACLE = "data.pool.oracle"
"""How the name begins of what is delivered by the file of labels that the study file names."""
PARTS = ("code", "problem", "place", "got", "hint")
"""Of a problem, as an event holds it and an error takes it."""


def parts_of(error: AutodcError) -> tuple[dict[str, str], ...]:
    """All problems of an error, as an event holds them."""
    return tuple({part: str(getattr(one, part)) for part in PARTS} for one in each_of(error))


def refused(state: State) -> list[dict[str, Any]]:
    """What is not taken, as JSON."""
    return [
        {"delivered": one.delivered, "name": one.name, "problems": [dict(each) for each in one.problems]}
        for one in state.refused.values()
    ]


def warnings(state: State) -> list[str]:
    """The same in words, one text a delivery."""
    return [refused_words(one) for one in state.refused.values()]


def refused_words(event: ev.DeliveryRefused) -> str:
    """Why one is not taken, and how to go on."""
    where = "" if event.delivered.startswith(ORACLE) else "the inbox: "
    return f"{where}`{event.delivered}` is not taken: {problem_words(event.problems)}"


def problem_words(problems: Iterable[Mapping[str, Any]]) -> str:
    """Problems of an event in words."""
    return "; ".join(str(DataError(*(str(one[part]) for part in PARTS))) for one in problems)
