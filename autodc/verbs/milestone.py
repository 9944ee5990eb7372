"""`autodc compare DIR --milestone NAME`: the incumbent of a run gets a name, to compare with it later."""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import final

from autodc.adapters.journal import JOURNAL, SqliteJournal
from autodc.errors import InputError
from autodc.files import fill_whole
from autodc.plan.plan import Plan
from autodc.review.contender import INCUMBENT, START
from autodc.study.journal.events import MilestoneNamed
from autodc.verbs.folder import open_state

FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED = (START, INCUMBENT)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A plan of a run with a name."""

    name: str
    folder: Path
    plan: Plan
    model: Path | None
    """Where its model lies, None where the run has none yet."""


def milestone(run: str | os.PathLike[str], name: str) -> Milestone:
    """Give the incumbent of a run, as it is now, a name; its model is kept under models/NAME.

    The same name for the same plan again changes nothing. Raises InputError ADC-CMP-002 for a name that cannot be one,
    003 for one that another plan has, ADC-JRNL-004 while the study runs, ADC-RUN-005 where no study is.
    """
    folder = Path(run)
    state = open_state(folder)
    plan = state.incumbent
    assert plan is not None
    if name in RESERVED or not FORM.fullmatch(name) or name.startswith("trial-"):
        hint = "letters, digits, dots, dashes and underscores; start, incumbent and trial-… have a meaning already"
        raise InputError("ADC-CMP-002", "this is no name for a milestone", "--milestone", repr(name), hint)
    known = state.milestones.get(name)
    if known is not None and Plan.from_dict(known.plan) != plan:
        hint = "choose another name; what was named once stays, so that what was compared with it stays true"
        raise InputError("ADC-CMP-003", "another plan of this run has this name", "--milestone", name, hint)
    if known is None:
        known = _named(folder, name, plan)
    return Milestone(name=name, folder=folder, plan=plan, model=folder / known.model if known.model else None)


def _named(folder: Path, name: str, plan: Plan) -> MilestoneNamed:
    journal = SqliteJournal(folder / JOURNAL)
    try:
        model, kept = folder / "models" / INCUMBENT, f"models/{name}"
        is_there = model.is_dir()
        if is_there and not (folder / kept).exists():
            fill_whole(folder / kept, lambda place: shutil.copytree(model, place, dirs_exist_ok=True))
        event = MilestoneNamed(name=name, plan=plan.to_dict(), model=kept if is_there else "", time=time.time())
        journal.append([event])
    finally:
        journal.close()
    return event
