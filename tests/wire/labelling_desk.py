"""Digits with a pool that nobody has labelled, people who are asked, and what they send back."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from autodc.adapters.artefacts import ArtefactStore
from autodc.propose import pool
from autodc.propose.proposal import Proposal
from autodc.report.requests import write_requests
from autodc.study.journal import events as ev
from autodc.study.journal.codec import from_dict
from autodc.study.journal.fold import apply, fold
from autodc.study.journal.state import State
from autodc.studyfile import load
from autodc.verbs.outputs import exhibits_of
from autodc.wire.admitting import DATASETS, Entrance
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.labelling import PEOPLE, Labelling, row_ids
from autodc.wire.oracle_file import arrivals_of
from autodc.wire.study import started_event

X, Y = load_digits(return_X_y=True)
BASE, VALIDATION = 400, 900
ROWS = list(range(100, 140))
"""Of the pool, that people are asked about."""


def desk(folder: Path, **data: Any) -> Inputs:
    """Digits: a base, validation, and a pool that nobody has labelled. data: more of `data.pool`, or of `data`."""
    pictures = X.reshape(-1, 8, 8).astype(np.float32)
    for name, rows in (("base", slice(0, BASE)), ("validation", slice(BASE, VALIDATION))):
        np.savez(folder / f"{name}.npz", x=pictures[rows], y=Y[rows])
    name = np.array([f"scan {n}" for n in range(VALIDATION, len(X))])
    np.savez(folder / "pool.npz", x=pictures[VALIDATION:], name=name)
    more = data.pop("pool", {})
    study = {
        "schema_version": 1,
        "name": "digits",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}},
        "data": {
            "base": {"source": "base.npz"},
            "validation": {"source": "validation.npz"},
            "inbox": "inbox",
            **data,
            "pool": {"source": "pool.npz", "cost_per_row": 0.5, **more},
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "loop": {"rounds": 2, "propose": ["pool"], "proposals": 3},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(study))
    (folder / "inbox").mkdir(exist_ok=True)
    return read_inputs(load(folder / "study.yaml"))


def rows_of(name: str, rows: Sequence[int], finding: str | None = "F1") -> Proposal:
    beside = () if finding else ("pool-F1",)
    told = {"rows": list(rows), "matching": 99}
    return Proposal(name=name, by="pool", maker="", arguments=told, rows=len(rows), finding=finding, control_of=beside)


def chosen(inputs: Inputs, folder: Path, state: State, most: int = len(ROWS)) -> tuple[tuple[Proposal, ...], Any]:
    """What becomes of a finding's rows and of a control, where rows of the pool are chosen in their order."""

    def propose(seen: pool.PoolView, wishes: Sequence[pool.Wish]) -> Any:
        free = [row for row in ROWS if not seen.barred[row]]
        if len(free) < pool.FEWEST:
            return (), ({"code": "ADC-PROP-003", "got": f"{wishes[0].name}: {len(free)} rows"},)
        made = [rows_of(one.name, free, one.finding) for one in wishes]
        return (*made, rows_of("random-1", np.flatnonzero(~seen.barred)[-20:].tolist(), None)), ()

    wish = pool.Wish(name="pool-F1", why="F1", finding="F1")
    desk_of = Labelling(inputs.spec, inputs.catalogue, ArtefactStore(folder / "out" / DATASETS))
    return desk_of.proposals(nobody_saw(inputs), [wish], propose, state, lambda finding: most)


def nobody_saw(inputs: Inputs) -> pool.PoolView:
    nothing = np.zeros(0)
    return pool.PoolView(
        ids=nothing,
        failed=nothing,
        target=nothing,
        attributes=None,  # type: ignore[arg-type]
        embeddings={},
        pool_attributes=None,  # type: ignore[arg-type]
        pool_embeddings={},
        content=nothing,
        barred=np.zeros(len(row_ids(inputs.catalogue)), dtype=bool),
    )


def asked(inputs: Inputs, folder: Path) -> State:
    """A study in which people were asked to label rows of the pool for a finding."""
    state = fold([started_event(inputs)])
    assert state.incumbent is not None
    plan = state.incumbent.to_dict()
    apply(state, ev.DiagnosisMade(round=1, horizon=0, plan=plan, trial=0, rows=100, findings=1))
    gap = {"inside": 0.5, "outside": 0.1, "difference": 0.4, "low": 0.3, "high": 0.5}
    kind: dict[str, Any] = {"code": "ADC-D001", "basis": "attributes", "status": "confirmed", "by": "beam"}
    here = {"round": 1, "horizon": 0, "found": 9, "confirmed": 9, "error": gap, "ids": (1, 2)}
    apply(state, ev.FindingMade(id="F1", rule="ink > 5", **here, **kind))
    made, _ = chosen(inputs, folder, state)
    (one,) = [each for each in made if each.maker == PEOPLE]
    gain = {"low": 0.01, "mid": 0.02, "high": 0.03}
    inside = {"before": 0.5, "low": 0.1, "mid": 0.2, "high": 0.3}
    known: dict[str, Any] = {"rows": one.rows, "gain": gain, "inside": inside, "price": 0.5, "cost": 20.0}
    event = ev.RequestMade(id="R1", round=1, horizon=0, finding="F1", label=one.arguments, **known)
    assert from_dict("RequestMade", event.version, event.to_dict()) == event
    apply(state, event)
    return state


def sheet(inputs: Inputs, folder: Path, state: State) -> list[dict[str, str]]:
    """The lines of the sheet, as somebody opens them."""
    write_requests(state, folder / "out", exhibits_of(folder / "out"))
    with (folder / "out" / "requests" / "R1" / "to_label.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def filled(lines: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{**line, "label": str(Y[VALIDATION + int(line["id"])])} for line in lines]


def put(path: Path, lines: Sequence[dict[str, str]], separator: str = ",") -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(lines)
    os.utime(path, (time.time() - 60, time.time() - 60))


def arrived(inputs: Inputs, folder: Path, state: State, notices: list[str] | None = None) -> list[Any]:
    """What arrives for a study that looks for the first time."""
    store = ArtefactStore(folder / "out" / DATASETS)
    found = arrivals_of(inputs, store, ([] if notices is None else notices).append, Entrance(inputs, store))
    assert found is not None
    return list(found.arrived(state))
