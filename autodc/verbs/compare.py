"""`autodc compare`: studies and incumbents side by side, from their folders alone; no data are read, nothing trains."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autodc.adapters.artefacts import ArtefactStore
from autodc.errors import InputError
from autodc.evaluation.metrics import find_metric
from autodc.hints import suggest
from autodc.plan.plan import Plan
from autodc.review.contender import INCUMBENT, START, Contender, opened
from autodc.review.side_by_side import side_by_side
from autodc.study.journal.state import State
from autodc.study.view import spec_of
from autodc.verbs.folder import open_state

if TYPE_CHECKING:
    import pandas as pd

AT = "@"
"""Between a run and the name of one of its plans."""

FRAMES = ("studies", "slices", "differences")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CompareResult:
    """Contenders side by side."""

    content: Mapping[str, Any]
    """As `--json` has it."""

    @property
    def studies(self) -> Sequence[Mapping[str, Any]]:
        """What each contender is made of, scores and cost; the first is what the others are held against."""
        return tuple(self.content["studies"])

    @property
    def differences(self) -> Sequence[Mapping[str, Any]]:
        """By how much each other one is better than the first, or why nobody knows."""
        return tuple(self.content["differences"])

    def frame(self, name: str = "slices") -> pd.DataFrame:
        """One of `studies`, `slices` (a row a contender and slice) or `differences` (a row a pair and slice)."""
        from autodc.review.frames import compared_frame

        if name not in FRAMES:
            raise InputError(
                "ADC-CMP-005", "there is no such frame", "frame", repr(name), suggest(name, FRAMES, "frames")
            )
        return compared_frame(self.content, name)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return dict(self.content)

    def _repr_html_(self) -> str:
        from autodc.report.notebook import compared_html

        return compared_html(self.content)


def compare(*runs: str | os.PathLike[str]) -> CompareResult:
    """Put runs side by side: mixtures, slices with intervals, cost, verdicts, paired differences against the first.

    runs: folders, each for its incumbent; `FOLDER@NAME` is a milestone of it, `FOLDER@start` what it began with. Of one
    folder alone: its start, its milestones and its incumbent. Rows are the same where inputs and target are; only rows
    that decide in both studies are compared. Raises InputError ADC-RUN-005 where no study is, ADC-CMP-001 for a
    milestone that is not there, 004 where a contender is named twice.
    """
    named = [_named(os.fspath(one)) for one in runs]
    if len(named) == 1 and named[0][1] is None:
        folder = named[0][0]
        named = [(folder, of) for of in _every(open_state(folder))]
    wanted = [(folder, of or INCUMBENT) for folder, of in named]
    twice = [one for one, count in Counter((str(f.absolute()), of) for f, of in wanted).items() if count > 1]
    if twice:
        hint = "name each once; DIR@start and DIR@NAME are other plans of the same run"
        raise InputError("ADC-CMP-004", "one contender is named twice", "DIR", AT.join(twice[0]), hint)
    return CompareResult(content=side_by_side(_contenders(wanted)))


def _named(text: str) -> tuple[Path, str | None]:
    """Folder and plan of `FOLDER@NAME`; a folder whose own name has an @ in it is a folder."""
    folder, at, name = text.rpartition(AT)
    if not at or Path(text).is_dir() or os.sep in name:
        return Path(text), None
    return Path(folder), name


def _every(state: State) -> list[str]:
    """All plans of a study that have a name, as they came."""
    return [START, *state.milestones, INCUMBENT]


def _contenders(wanted: Sequence[tuple[Path, str]]) -> list[Contender]:
    states = {folder: open_state(folder) for folder in dict.fromkeys(f for f, _ in wanted)}
    plans = [_plan(states[folder], folder, of) for folder, of in wanted]
    names = _labels({folder: state.question.name for folder, state in states.items()})
    found = []
    for (folder, of), plan in zip(wanted, plans, strict=True):
        state, spec = states[folder], spec_of(states[folder])
        found.append(
            opened(
                names[folder] if of == INCUMBENT else f"{names[folder]}{AT}{of}",
                str(folder),
                of,
                plan,
                state,
                lru_cache(maxsize=256)(ArtefactStore(folder / "outcomes").get),
                partial(find_metric, spec.metrics.primary, spec.task.kind, state.folder or str(folder)),
            )
        )
    return found


def _labels(names: Mapping[Path, str]) -> dict[Path, str]:
    """A word for each folder: its study, where two have that name the folder's own, else the path."""
    for called in (dict(names), {f: f.absolute().name for f in names}):
        if len(set(called.values())) == len(called):
            return called
    return {folder: str(folder) for folder in names}


def _plan(state: State, folder: Path, of: str) -> Plan:
    assert state.start is not None
    assert state.incumbent is not None
    if of == INCUMBENT:
        return state.incumbent
    if of == START:
        return state.start
    if of not in state.milestones:
        hint = suggest(of, _every(state), "names")
        raise InputError("ADC-CMP-001", "this run has no plan of that name", str(folder), of, hint)
    return Plan.from_dict(state.milestones[of].plan)
