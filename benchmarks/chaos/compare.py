"""What a journal comes to: its decisions in order, its trainings by number, and what was trained for nothing."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autodc.adapters.journal import JOURNAL, encode, open_for_reading
from autodc.study.journal.events import Event, OutcomeLost, SliceAdmitted, TrialFinished
from benchmarks.chaos.studies import LOG

TOLD = (
    *("SessionStarted", "SlotsSet", "BudgetLimited", "TrialHeldUp", "TestSetUnread"),
    *("TrialFinished", "TaskPlanned", "TaskFinished", "BaselineMeasured", "OutcomeLost", "OutcomeRestored"),
)
"""Events that tell what came in, or what befell a session, whenever it did. All others are decisions, whose order is
fixed; so is one of a kind that is new."""
CLOCKS = ("time", "awake", "made", "opened_at")
"""Fields that hold when something was, wherever they stand."""
OF_WHAT_IS_THERE = ("more_rows", "baselines")
"""Fields that tell more where more outcomes are still on the disk: what more rows would do, in findings, and how simple
baselines compare. No verdict depends on them; what people are asked for may."""
OUTCOME = ("status", "slices", "soft", "arrays")
ADMITTED = {"values": "slices", "soft": "soft", "explore": "explore", "explore_soft": "explore_soft"}
"""Where an admitted slice has the values of trainings that had ended by then, and where those that end later have them:
which of the two holds a value is a matter of when it came in."""


@dataclass
class Essence:
    """What must not depend on when a run was ended."""

    decisions: list[str] = field(default_factory=list)
    trainings: dict[int, str] = field(default_factory=dict)
    admitted: dict[str, float] = field(default_factory=dict)
    """Slice admitted while the study ran, kind of value and training → the value."""

    def begins(self, whole: Essence) -> bool:
        """Whether another one may be what this one comes to."""
        same = self.decisions == whole.decisions[: len(self.decisions)]
        trained = all(whole.trainings.get(n) == outcome for n, outcome in self.trainings.items())
        return same and trained and self.admitted.items() <= whole.admitted.items()

    def difference(self, other: Essence) -> str:
        """The first place where two differ, in words; empty where they do not."""
        for number, (mine, others) in enumerate(zip(self.decisions, other.decisions, strict=False)):
            if mine != others:
                place = max(
                    0,
                    next(k for k, pair in enumerate(zip(f"{mine} ", f"{others} ", strict=False)) if pair[0] != pair[1])
                    - 80,
                )
                return f"decision {number}, {mine[:60]}: …{mine[place:][:300]} and …{others[place:][:300]}"
        if len(self.decisions) != len(other.decisions):
            return f"{len(self.decisions)} and {len(other.decisions)} decisions"
        if self.admitted != other.admitted:
            return f"other values on admitted slices: {dict(self.admitted.items() ^ other.admitted.items())}"
        return "" if self.trainings == other.trainings else "trainings came out otherwise"


def events_of(folder: Path) -> list[Event]:
    """All events of a journal, each checked against its seal; none where there is no journal yet."""
    if not (folder / JOURNAL).exists():
        return []
    with open_for_reading(folder / JOURNAL) as journal:
        return [event for _, event in journal.read()]


def appends(folder: Path) -> list[tuple[str, float]]:
    """Kind of every event, and the moment of its append, which those of one append share."""
    with closing(sqlite3.connect(folder / JOURNAL)) as journal:
        return [
            (str(kind), float(at)) for kind, at in journal.execute("SELECT kind, written FROM events ORDER BY position")
        ]


def essence(events: list[Event], without: Sequence[str] = ()) -> Essence:
    """What the events come to. without: fields that are left out beside those that hold times."""
    found, admitted = Essence(), list[str]()
    for event in events:
        if isinstance(event, TrialFinished):
            outcome = dict(event.outcome)
            for kind in ADMITTED.values():
                values = outcome.get(kind) or {}
                found.admitted |= {f"{name} {kind} {event.number}": v for name, v in values.items() if name in admitted}
                outcome[kind] = {name: value for name, value in values.items() if name not in admitted}
            found.trainings[event.number] = encode({key: outcome.get(key) for key in OUTCOME})
        elif event.kind not in TOLD:
            told = json.loads(encode(event.to_dict()))
            if isinstance(event, SliceAdmitted):
                admitted.append(event.name)
                for place, kind in ADMITTED.items():
                    found.admitted |= {f"{event.name} {kind} {n}": v for n, v in told.pop(place).items()}
            found.decisions.append(f"{event.kind} {encode(_without(told, (*CLOCKS, *without)))}")
    return found


def trained_again(folder: Path) -> tuple[int, int]:
    """Trainings begun after their outcome was journalled, which is never right; and those cut off and begun again."""
    begun: dict[int, list[float]] = {}
    for line in (folder / LOG).read_text().splitlines():
        name, at = line.split()
        begun.setdefault(int(re.findall(r"\d+", name)[0]), []).append(float(at))
    with closing(sqlite3.connect(folder / JOURNAL)) as journal:
        rows = journal.execute("SELECT payload, written FROM events WHERE kind = 'TrialFinished'").fetchall()
    finished = {int(json.loads(payload)["number"]): written for payload, written in rows}
    lost = {event.number for event in events_of(folder) if isinstance(event, OutcomeLost)}
    late = sum(at > finished[n] for n, times in begun.items() if n in finished and n not in lost for at in times)
    return late, sum(len(times) for times in begun.values()) - len(begun) - late


def _without(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(one, names) for key, one in value.items() if key not in names}
    return [_without(one, names) for one in value] if isinstance(value, list) else value
