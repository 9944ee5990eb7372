"""Reads the study in a folder, also while it runs. Nothing that trains is imported for it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import final

from autodc.adapters.journal import JOURNAL, at_work, open_for_reading, state_of
from autodc.errors import InputError
from autodc.hints import meant
from autodc.study import direction
from autodc.study.journal.fold import fold_further
from autodc.study.journal.state import State


def open_state(folder: str | os.PathLike[str]) -> State:
    """Read the state of a study from its folder, also while it runs. Raises InputError where none is."""
    path = Path(folder)
    refuse_no_study(path)
    return begun(state_of(path), path)


def refuse_no_study(folder: Path) -> None:
    """Raise InputError where a folder holds no journal, and name the study near it that was meant."""
    if not (folder / JOURNAL).exists():
        raise _no_study(folder)


@final
class Follower:
    """Follows the study in a folder while it runs: every event is read once, however often one looks."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Open. Raises InputError where no study is."""
        self._path = Path(folder)
        refuse_no_study(self._path)
        self._journal = open_for_reading(self._path / JOURNAL)
        self._state, self._position = State(), 0

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    @property
    def position(self) -> int:
        """Of the last event that was read."""
        return self._position

    @property
    def is_at_work(self) -> bool | None:
        """Whether a run is under way; None where that cannot be told: it is on another machine."""
        return at_work(self._path)

    def look(self) -> State:
        """The state as of now. Raises InputError where the journal has no event yet."""
        first = self._state.started is None
        self._position = fold_further(self._state, self._journal.read(self._position)) or self._position
        return begun(self._state, self._path) if first else self._state


def begun(state: State, folder: Path) -> State:
    """The state that a journal told, with the warning of a guessed metric. Raises InputError where no study began."""
    if state.started is None:
        hint = "give the folder of a study that has begun; `autodc run` begins one, or goes on with it"
        raise InputError("ADC-JRNL-003", "the journal has no study in it", str(folder / JOURNAL), "no event", hint)
    if words := direction.guessed(state):  # not in the journal: readers are to see it beside the other warnings
        state.started = replace(state.question, warnings=(*state.question.warnings, words))
    return state


def asked_until(folder: str | os.PathLike[str]) -> tuple[float, ...]:
    """The Unix times by which earlier sessions in a study folder were asked to be done."""
    path = Path(folder)
    if not (path / JOURNAL).exists():
        return ()
    return tuple(s.until for s in state_of(path).sessions if s.until is not None)


def _no_study(path: Path) -> InputError:
    """Say that a folder, or what is no folder at all, holds no study, and which one near it does."""
    got = "no journal.sqlite" if path.is_dir() else "a file" if path.exists() else "nothing of that name"
    near = sorted(p.parent for folder in (path, path.parent) for p in folder.glob(f"*/{JOURNAL}"))
    hint = "name the folder that `autodc run` was given as --out; left out, it is runs/NAME"
    if near:
        close = meant(path.name, [p.name for p in near])
        found = next((p for p in near if p.name == close), near[0])
        hint = f"did you mean {found}?"
    return InputError("ADC-RUN-005", "there is no study in this folder", str(path), got, hint)
