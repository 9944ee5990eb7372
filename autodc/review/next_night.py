"""What to do next: the command that goes on, what would settle what is undecided, what to order first."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from autodc.review import notices, requests, together
from autodc.review.explain import advice
from autodc.review.numbers import as_sentence, count
from autodc.study.journal.state import State
from autodc.study.rules import allowance
from autodc.study.view import spec_of

MORE = 1.5
"""Times the trainings of before that a study is given whose budget was used up."""
STUDY = "STUDY"
"""What stands for the study file where no journal says how the study was begun."""
ONCE = ("--open-test", "--force", "--json", "--require-keep")
TIMED = "--until"
"""ONCE, TIMED: options of one night alone."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NextNight:
    """What a person may do with a study in the morning."""

    command: str
    """One line for a shell."""
    does: str
    """What it does, in a few words."""
    settles: str
    """What would settle what is undecided; empty where nothing is."""
    unsettled: int
    """How many datasets are undecided."""
    order: dict[str, str] | None
    """The request of highest priority: {id, words, file}; None where nothing is asked for."""
    orders: int
    """How many are open."""


def next_night(state: State, folder: str) -> NextNight:
    """What comes next. folder: of the run, as a person would name it."""
    changes, does = _goes_on(state)
    undecided = [name for name in state.candidates if state.verdict(name) == "undecided"]
    asked = [one for one in requests.views(state) if one["status"] == "open"]
    return NextNight(
        command=command(state, folder, changes),
        does=does,
        settles=_settles(state, undecided),
        unsettled=len(undecided),
        order=_order(asked[0]) if asked else None,
        orders=len(asked),
    )


def command(state: State, folder: str, changes: Sequence[str] = ()) -> str:
    """The command that began the study, with changes of its file, without what was asked of that night alone."""
    said = next((one.command for one in reversed(state.sessions) if one.command), "")
    words = _kept(_words(said)) or ["autodc", "run", STUDY, "--out", folder]
    keys = {change.partition("=")[0] for change in changes}
    for at in range(len(words) - 2, -1, -1):
        if words[at] == "--set" and words[at + 1].partition("=")[0] in keys:
            del words[at : at + 2]
    return shlex.join([*words, *(word for change in changes for word in ("--set", change))])


def elsewhere(words: str, folder: str = "NEW") -> str:
    """A command line, with another folder for the run."""
    told = shlex.split(words)
    if "--out" in told[:-1]:
        told[told.index("--out") + 1] = folder
    else:
        told = [*(one for one in told if not one.startswith("--out=")), "--out", folder]
    return shlex.join(told)


def _words(said: str) -> list[str]:
    """Of a command line; none where a journal from elsewhere has what is no command line."""
    try:
        return shlex.split(said)
    except ValueError:
        return []


def _kept(words: Sequence[str]) -> list[str]:
    kept, skip = list[str](), False
    for word in words:
        if skip or word in ONCE or word.startswith(f"{TIMED}="):
            skip = False
            continue
        if word == TIMED:
            skip = True
            continue
        kept.append(word)
    return kept


def _goes_on(state: State) -> tuple[list[str], str]:
    """What is to be changed so that the study goes on, and what it does then."""
    if state.finished is None:
        return [], "goes on where it stopped"
    spec, because = spec_of(state), state.finished.because
    asked, rounds = spec.budget.trainings, spec.loop.rounds
    if because == "budget.trainings" and asked is not None:
        more = math.ceil(MORE * asked)
        return [f"budget.trainings={more}"], f"goes on with {count(more - asked, 'more training')}"
    if because in ("until", "budget.wall_clock") and asked is not None and asked - state.spent >= 1:
        more = math.ceil(round(1.1 * asked, 6))
        return [f"budget.trainings={more}"], "goes on where the clock ended it"
    changes = [f"loop.rounds={rounds + 1}"]
    if asked is not None and asked - state.spent < allowance.LEAST_ROUND:
        changes.append(f"budget.trainings={math.ceil(MORE * asked)}")
    left = notices.left_over(state)
    changes += [one.removeprefix("--set ").strip("'") for one in (left["settle"][1:] if left else [])]
    return changes, "goes on with another round"


def _settles(state: State, undecided: Sequence[str]) -> str:
    """What would settle the first of them of which something tells it."""
    for name in undecided:
        comparison = together.telling(state, name)
        if comparison is None or not comparison.looks:
            continue
        words = advice(comparison.typed_looks[-1]) or together.rows_words(together.estimate(comparison))
        if words:
            return f"{name}: {words.removesuffix('.')}"
    if undecided and state.finished is not None:
        return "another round, which compares them again"
    return ""


def _order(one: dict[str, Any]) -> dict[str, str]:
    words = f"{one['rows']:,} rows {one['which']}, expected gain {one['gain_words']}"
    return {"id": one["id"], "words": as_sentence(words), "file": one["file"]}
