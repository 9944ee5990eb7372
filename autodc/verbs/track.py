"""`autodc track`: a study written whole into a store of MLflow, from its folder, as often as one likes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from autodc.adapters.journal import JOURNAL, open_for_reading
from autodc.adapters.lock import FolderLock
from autodc.adapters.mlflow.store import absolute_uri, is_installed, last_line, refusal
from autodc.adapters.mlflow.target import OFF, TRACKER_LOCK, MlflowTarget, experiment_of
from autodc.errors import InputError, SurroundingsError
from autodc.masking import masked
from autodc.report.page import PAGE, render
from autodc.report.picture_files import galleries
from autodc.study.journal.fold import fold
from autodc.study.journal.state import State
from autodc.study.view import spec_of
from autodc.verbs.folder import begun, refuse_no_study
from autodc.verbs.outputs import content_of, exhibits_of

PATIENCE = 120.0
"""Seconds that a store may be away before the command gives up."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrackResult:
    """What was written."""

    study: str
    uri: str
    """Absolute, without secrets."""
    experiment_id: str
    run_id: str
    """Of the study's run."""
    runs: int
    """Of the study, its own among them."""
    made: int
    changed: int
    """made, changed: runs that were not there, or were another way."""
    files: int
    """Files and models that were sent."""
    refused: str = ""
    """What MLflow would not take, or empty."""

    @property
    def nothing_new(self) -> bool:
        """Whether the store had all of it already."""
        return not (self.made or self.changed or self.files)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


def track(
    run: str | os.PathLike[str],
    uri: str,
    *,
    experiment: str | None = None,
    register: str | None = None,
    patience: float = PATIENCE,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> TrackResult:
    """Write a study into a store of MLflow that has none of it, some or all; the second time changes nothing.

    run: its folder, in which nothing is written, also while it runs; uri: paths in it from here; experiment: left out,
    as in the study file; register: a name under which the model is registered, with the alias `champion`; patience:
    seconds that the store may be away; progress: told how many runs of how many are as they should be. Raises
    InputError ADC-TRACK-084 for a store that can never work and 082 where a run writes to it just now,
    SurroundingsError 081 without MLflow and 083 where the store fails: the same call goes on.
    """
    folder = Path(run).absolute()
    refuse_no_study(folder)
    with open_for_reading(folder / JOURNAL) as journal:
        events, identity = [event for _, event in journal.read()], journal.identity
        state = begun(fold(events), folder)
        where, busy = _place(uri), _is_followed(folder)
        target = MlflowTarget(uri=where, experiment=experiment or experiment_of(spec_of(state)))
        if busy and journal.cursor(target.cursor).position:
            hint = "wait until it is done: what it has not sent by then is sent by this command"
            raise InputError("ADC-TRACK-082", "a run is writing to this store", "--uri", masked(where), hint)
    content = content_of(state, folder)
    from autodc.adapters.mlflow.environment import quiet

    with quiet():
        from autodc.adapters.mlflow.artifacts import Deposit
        from autodc.adapters.mlflow.replay import Replay, wanted_of
        from autodc.adapters.mlflow.runs import client_of

        wanted, projection = wanted_of(events, running=busy)
        try:
            client = client_of(where)
            replay = Replay(client, identity, patience, progress)
            told = replay.write(wanted, target.experiment, where)
            deposit = Deposit(client, told.run_id, folder, projection.question, register or "")
            pages = _pages(folder, state, content)
            while replay.patiently(lambda: deposit.step(content, pages)):
                pass
        except Exception as error:  # MLflow lets through whatever its store, driver or server raises
            raise _away(where, error) from error
    return TrackResult(
        study=state.question.name,
        uri=masked(where),
        experiment_id=told.experiment_id,
        run_id=told.run_id,
        runs=told.runs,
        made=told.made,
        changed=told.changed,
        files=deposit.sent,
        refused=told.refused,
    )


def _place(uri: str) -> str:
    """The store's address, absolute."""
    where = absolute_uri(uri, Path.cwd())
    if uri == OFF or (why := refusal(where)):
        why = "nothing is sent to it" if uri == OFF else why
        hint = "give sqlite:///mlflow.db, or the address of a server"
        raise InputError("ADC-TRACK-084", "MLflow cannot keep a study there", "--uri", f"{masked(uri)!r}: {why}", hint)
    if not is_installed():
        hint = "pip install autodc-optimizer[mlflow]"
        raise SurroundingsError("ADC-TRACK-081", "MLflow is not installed", "--uri", masked(uri), hint)
    return where


def _is_followed(folder: Path) -> bool:
    """Whether a process follows the journal now and tells MLflow of it."""
    file = folder / TRACKER_LOCK
    if not file.exists() or not os.access(file, os.W_OK):
        return False
    lock = FolderLock(file)
    try:
        lock.acquire()
    except InputError:
        return True
    lock.release()
    return False


def _pages(folder: Path, state: State, content: Mapping[str, Any]) -> Mapping[str, bytes]:
    """The page and its pictures where the folder has none: the journal can tell them."""
    if (folder / PAGE).is_file():
        return {}
    exhibits = exhibits_of(folder)
    return {PAGE.as_posix(): render(state, content, exhibits).encode(), **galleries(state, exhibits)}


def _away(where: str, error: Exception) -> SurroundingsError:
    got = f"{masked(where)}: {masked(last_line(error), where)}"
    hint = "what has arrived stays; the same command sends the rest"
    return SurroundingsError("ADC-TRACK-083", "the store of MLflow does not take the study", "--uri", got, hint)
