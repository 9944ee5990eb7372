"""The inbox of a study: datasets that people deliver while it runs, sheets of `autodc shadow` that are labelled."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import pandas as pd

from autodc import fingerprint
from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.sources.stream import options_like
from autodc.data.admit import Admission, Candidate, Read
from autodc.data.catalogue import read_rows
from autodc.data.dataset import Dataset
from autodc.errors import DataError, InputError
from autodc.plan.mixture import BASE
from autodc.review.deliveries import ORACLE, parts_of, refused_words
from autodc.study.journal.events import DatasetAdmitted, DeliveryRefused, RequestMade
from autodc.study.journal.state import State
from autodc.studyfile.study import SourceSpec
from autodc.wire.admitting import Entrance
from autodc.wire.declaring import of_delivery
from autodc.wire.inputs import Inputs
from autodc.wire.label_sheets import SETTLED
from autodc.wire.labelled import BY, LabelledRows

SHADOW = "shadow.json"
"""In a folder that `autodc shadow` wrote: it says where the sheet is and how it is read."""
REQUEST = "request"
"""Key of SHADOW, or a column of what is delivered, that names the request it is for."""
ASKED_FOR = re.compile(r"(R\d+)(?![A-Za-z0-9])", re.IGNORECASE)
"""Beginning of the name of a file or folder that is delivered for a request."""
REPEATED = "ADC-INBX-002"
"""Rows that are delivered and there already."""
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", "~")

Signature = tuple[tuple[str, int, int], ...]


@final
class Inbox:
    """Looks where a round ends. What does not fit is told once, and looked at again when it has changed."""

    def __init__(
        self,
        inputs: Inputs,
        store: ArtefactStore,
        notice: Callable[[str], None],
        entrance: Entrance | None = None,
    ) -> None:
        """Begin to look.

        store: where the content of what is let in lies; notice: told in words what is not taken; entrance: that of
        the study, left out where nothing else joins.
        """
        self._inputs, self._store, self._notice = inputs, store, notice
        self._entrance = entrance or Entrance(inputs, store)
        spec = inputs.spec
        self._folder = Path(spec.folder, spec.data.inbox or "").expanduser()
        self._seen: dict[str, Signature] = {path.name: _signature(path) for path in self._delivered()}
        self._labelled = LabelledRows(inputs)
        self._taken = set[str]()

    def arrived(self, state: State) -> Sequence[DatasetAdmitted | DeliveryRefused]:
        """Let in what fits: through the door, on disk, and from the next round on in the search; refuse the rest."""
        there = {path.name for path in self._delivered()}
        found: list[DatasetAdmitted | DeliveryRefused] = [
            replace(one, problems=())
            for one in state.refused.values()
            if one.delivered not in there and not one.delivered.startswith(ORACLE)
        ]
        for name, path, mark in self._new(state):
            candidate = self._labels(name, path, state) or self._candidate(name, path, state.round)
            try:
                admission = self._looked_at(candidate, state)
                candidate = for_request(candidate, admission, _request_of(path, admission, state))
            except InputError as error:
                refused = DeliveryRefused(delivered=path.name, name=name, mark=mark, problems=parts_of(error))
                found.append(refused)
                self._notice(refused_words(refused))
                continue
            event = self._labelled.let_in(self._store, candidate, admission)
            found.append(of_delivery(self._inputs, state, event))
            self._taken.add(name)
        return found

    def _labels(self, name: str, path: Path, state: State) -> Candidate | None:
        """A delivery as labels of rows of the pool that were asked for; None where it is rows."""
        asked = ASKED_FOR.match(path.name)
        place = f"{self._inputs.spec.data.inbox}/{path.name}"
        return self._labelled.of_sheet(name, path, place, state, state.requests.get(asked[1].upper() if asked else ""))

    def _looked_at(self, candidate: Candidate, state: State) -> Admission:
        """Read and judge a delivery. Raises DataError for what the door refuses, and for what is there already."""
        if candidate.name in (BASE, *state.roster):
            hint = "give the file or folder another name"
            raise DataError("ADC-DATA-027", "this name is taken", candidate.place, f"`{candidate.name}`", hint)
        return self._entrance.admit(candidate, state, REPEATED)

    def _candidate(self, name: str, path: Path, round_number: int) -> Candidate:
        spec = self._inputs.spec
        place = f"{spec.data.inbox}/{path.name}"

        def rows(read: Read) -> Dataset:
            _refuse_unlabelled(path, place)
            source = _of_sheet(path) or SourceSpec(
                source=str(path), options=options_like(path, self._inputs.catalogue.base, spec.data.base.options)
            )
            return read_rows(spec, source, name, place, read)

        return Candidate(name=name, place=place, rows=rows, source=str(path), by=BY, round=round_number)

    def _new(self, state: State) -> list[tuple[str, Path, str]]:
        """Name, path and mark of what is whole, and was neither let in nor, as it is, refused before."""
        found, now = [], time.time()
        for path in self._delivered():
            signature, name = _signature(path), _name(path)
            is_whole = self._seen.get(path.name) == signature or all(now - at / 1e9 > SETTLED for _, _, at in signature)
            self._seen[path.name] = signature
            is_in = name in self._taken or (name in state.roster and state.card(name).get("by") == BY)
            mark = fingerprint.of([state.question.fingerprint, signature], kind="delivery")
            is_refused = path.name in state.refused and state.refused[path.name].mark == mark
            if signature and is_whole and not is_in and not is_refused:
                found.append((name, path, mark))
        return found

    def _delivered(self) -> list[Path]:
        """Files and folders in the order of their names; none where the folder is not there yet."""
        if not self._folder.is_dir():
            return []
        every = sorted(self._folder.iterdir())
        return [p for p in every if not p.name.startswith((".", "_")) and not p.name.endswith(UNFINISHED)]


def for_request(candidate: Candidate, admission: Admission, request: RequestMade | None) -> Candidate:
    """A delivery as what was asked for: for the same finding, with the same targets, at the price of its rows."""
    if request is None:
        return candidate
    assert admission.data is not None
    return replace(
        candidate,
        request=request.id,
        finding=request.finding,
        targets=request.targets or None,
        cost=round((request.price or 0.0) * len(admission.data), 6),
    )


def _request_of(path: Path, admission: Admission, state: State) -> RequestMade | None:
    """What a delivery is for: its name begins with the request's id, or its sheet or a column of one value says it."""
    named = ASKED_FOR.match(path.name)
    found = named[1] if named else _sheet(path).get(REQUEST)
    if found is None and admission.data is not None and REQUEST in admission.data.metadata:
        values = admission.data.metadata[REQUEST].dropna().unique()
        found = values[0] if len(values) == 1 else None
    return state.requests.get(str(found).strip().upper())


def _refuse_unlabelled(path: Path, place: str) -> None:
    """Raise DataError ADC-INBX-001 where some lines of a sheet have no label, 003 where none has."""
    labels = _labels(path)
    if labels is None or not (empty := int(labels.isna().any(axis=1).sum())):
        return
    if labels.isna().all(axis=None):
        hint = f"fill in the column {' and '.join(map(str, labels))} of the sheet; it is taken where a round ends"
        raise DataError("ADC-INBX-003", "a sheet waits for its labels", place, f"{empty} lines without", hint)
    hint = "fill them in, or take these lines out"
    raise DataError("ADC-INBX-001", "a sheet is labelled in part", place, f"{empty} of {len(labels)} lines", hint)


def _labels(path: Path) -> pd.DataFrame | None:
    """The columns of targets of a sheet; None where it is none, or cannot be read: then its reader says why."""
    told = _told(path)
    if told is None:
        return None
    file = path / told["source"]
    try:
        frame = pd.read_csv(file / "manifest.csv" if file.is_dir() else file)
        return frame[list(told["columns"])]
    except (OSError, ValueError, KeyError):
        return None


def _of_sheet(path: Path) -> SourceSpec | None:
    """The source that a folder of `autodc shadow` is once it is labelled."""
    told = _told(path)
    return None if told is None else SourceSpec(source=str(path / told["source"]), options=dict(told["options"]))


def _told(path: Path) -> Mapping[str, Any] | None:
    try:
        found = _sheet(path)["labelled"]
        return found if {"source", "options", "columns"} <= found.keys() else None
    except (KeyError, TypeError, AttributeError):
        return None


def _sheet(path: Path) -> Mapping[str, Any]:
    """What SHADOW of a folder says; nothing where it has none that can be read."""
    try:
        found = json.loads((path / SHADOW).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _signature(path: Path) -> Signature:
    """Name, size and last change of all its files; empty where it is gone."""
    try:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        return tuple((str(p.relative_to(path)), p.stat().st_size, p.stat().st_mtime_ns) for p in files)
    except OSError:
        return ()


def _name(path: Path) -> str:
    """What decisions call it: its file's name without suffixes."""
    stem = path.name if path.is_dir() else path.name.split(".")[0]
    return re.sub(r"^[^A-Za-z0-9]+", "", re.sub(r"[^A-Za-z0-9_.-]", "-", stem))[:80] or "delivered"
