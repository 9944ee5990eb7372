"""Calibration runs of a study outside the loop: the start on several seeds, trained once and kept, or from a run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors import open_executor
from autodc.adapters.journal import JOURNAL, state_of
from autodc.adapters.mlflow.tracker import NullTracker
from autodc.errors import InputError
from autodc.evaluation import objective
from autodc.evaluation.evidence import counting_rows
from autodc.evaluation.scores import row_scores, rows_kept
from autodc.evaluation.slices import Slice, SliceTable, held_parts
from autodc.gate.noise import OBJECTIVE, SILENT, Pools
from autodc.lab.calibrated import Runs
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.stats.variance import Prior
from autodc.study.driver import Driver
from autodc.study.journal.events import SessionStarted
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactLost
from autodc.studyfile.study import BudgetSpec, GateSpec, LoopSpec, MachineSpec, SearchSpec, SliceSpec
from autodc.wire.assumed import RESIDUAL_SHARE, RESIDUAL_VARIANCE, SEED_SD, SEED_SHARE
from autodc.wire.inputs import Inputs
from autodc.wire.problem import start_plan
from autodc.wire.study import job_maker, open_study

Array = np.ndarray[Any, Any]
Told = Callable[[str, int, int], None]
"""Told what is done, how much of it, of how much."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What the start scores on every slice, seed by seed."""

    runs: tuple[Runs, ...]
    """One a slice, as the gate sees them."""
    source: str
    """Where they come from, in words."""
    trained: int
    """Trainings spent now."""

    min_rows: int
    """With fewer rows that count a slice is no evidence."""
    every: tuple[Runs, ...] = ()
    """One a slice, on all rows."""
    explored: Array | None = None
    """Numbers of the rows of `every` that the search sees; None where search and gate see the same rows."""

    @property
    def count(self) -> int:
        """Number of trainings."""
        return len(self.runs[0].scores)

    @property
    def objective(self) -> tuple[Runs, ...]:
        """The targets whose weighted mean is the objective, as of SliceTable.objective."""
        return objective.counted(
            (r for r in self.runs if r.role == "target"),
            lambda r: counting_rows(r.scores.shape[1], r.clusters) >= self.min_rows,
        )

    @property
    def pools(self) -> Pools:
        """The noise of a paired difference, slice by slice; where a slice never moved, what is assumed of it."""
        measured = Pools.calibrated(
            {r.name: r.scores for r in self.runs},
            {r.name: r.clusters for r in self.runs},
            {r.name: r.weight for r in self.objective},
        )
        assumed = self.assumed
        if {r.name for r in self.objective} <= assumed.keys():
            parts = [(r.weight, assumed_noise(r.scores)) for r in self.objective]
            total = sum(weight for weight, _ in parts)
            assumed[OBJECTIVE] = tuple(sum(w * noise[i] for w, noise in parts) / total for i in (0, 1))  # type: ignore[assignment]
        priors = {n: Prior(seed=s, residual=r, df=measured.of(n).df) for n, (s, r) in assumed.items()}
        return Pools(slices={**measured.slices, **priors})

    @property
    def assumed(self) -> dict[str, tuple[float, float]]:
        """Slice on which all trainings scored every row the same → its noise, which is not known, and not zero."""
        return {r.name: r.assumed for r in _with_noise(self.runs) if r.assumed is not None}

    @property
    def silent(self) -> frozenset[str]:
        """Slices of which the noise is assumed."""
        return frozenset(self.assumed)

    @property
    def deterministic(self) -> bool:
        """Whether no slice moved at all."""
        return len(self.silent) == len(self.runs)

    @property
    def worlds(self) -> tuple[Runs, ...]:
        """The runs with the noise that is assumed where they have none."""
        return _with_noise(self.runs)

    @property
    def whole_worlds(self) -> tuple[Runs, ...]:
        """The same on all rows."""
        return _with_noise(self.every)


def assumed_noise(scores: Array) -> tuple[float, float]:
    """Seed and residual variance of a paired difference, assumed of a slice from how its rows differ.

    scores: shape (n_runs, n_rows). Where all rows score the same, as where four of five are right.
    """
    over_rows = float(np.asarray(scores, dtype=np.float64).mean(axis=0).var())
    if over_rows <= 0:
        return SEED_SD**2, RESIDUAL_VARIANCE
    return SEED_SHARE**2 * over_rows, RESIDUAL_SHARE * over_rows


def _with_noise(runs: tuple[Runs, ...]) -> tuple[Runs, ...]:
    return tuple(replace(r, assumed=None if _moves(r.scores) else assumed_noise(r.scores)) for r in runs)


def _moves(scores: Array) -> bool:
    """Whether any row scores otherwise in another training, beyond rounding."""
    table = np.asarray(scores, dtype=np.float64)
    return bool(table.var(axis=0).mean() > SILENT * max(np.square(table).mean(), 1e-300))


def read_calibration(inputs: Inputs, folder: str | os.PathLike[str]) -> Calibration:
    """Read the calibration runs of a study's folder, or of the folder that `simulate` keeps; trains nothing.

    The gate, slices, margins and candidates may have changed since. Raises InputError ADC-SIM-001 where there are
    none, ADC-SIM-002 where they were made with another base, start or validation set.
    """
    path = Path(folder)
    journals = [path / JOURNAL, *sorted(path.glob(f"calibration-*/{JOURNAL}"), key=lambda j: -j.stat().st_mtime)]
    complaints = []
    for journal in (j for j in journals if j.exists()):
        try:
            return _trained_in(inputs, journal.parent)
        except InputError as error:
            complaints.append(error)
    if complaints:
        raise complaints[0]
    raise InputError(
        "ADC-SIM-001",
        "there are no calibration runs in this folder",
        str(path),
        "no journal.sqlite",
        "name the folder of a run, or leave --from out to train them",
    )


def calibrate(
    inputs: Inputs, machine: MachineSpec, out: Path, told: Told, stop: Callable[[], bool] = lambda: False
) -> Calibration:
    """Train the start on `gate.calibration` seeds below `out`, or read them where that has been done.

    The same journal and executor as a run, so an interruption loses at most the trainings under way. Raises
    study.driver.Interrupted when `stop` says so.
    """
    asked = start_only(inputs)
    folder = out / f"calibration-{asked.fingerprint[:12]}"
    wanted = inputs.spec.gate.calibration
    study, journal = open_study(asked, folder)
    try:
        before = _ended(study.state)
        if before < wanted:
            jobs = job_maker(asked, study.state, machine, folder)
            told("training", before, wanted)
            executor = open_executor(machine, log_folder=str(folder / "work" / "logs"), stop=stop)
            try:
                session = SessionStarted(slots=executor.slots, machine=machine.model_dump(mode="json"), pid=os.getpid())
                study.record(session)
                Driver(
                    study,
                    executor,
                    jobs,
                    NullTracker(),
                    retries=machine.retries,
                    progress=lambda state: told("training", _ended(state), wanted),
                    stop=stop,
                    first=wanted,
                ).run()
            finally:
                executor.close()
            for scratch in ("work", "models"):
                shutil.rmtree(folder / scratch, ignore_errors=True)
    finally:
        journal.close()
    found = _trained_in(inputs, folder)
    return replace(found, trained=max(0, wanted - before))


def start_only(inputs: Inputs) -> Inputs:
    """The same start on the same rows, without all that calibration does not depend on.

    So a new margin, candidate or budget does not train again what is known.
    """
    spec, catalogue = inputs.spec, inputs.catalogue
    own = tuple(
        SliceSpec(name=s.name, role="target", source=s.source, options=s.options)
        for s in spec.slices
        if s.source is not None
    )
    bare = spec.model_copy(
        update={
            "data": spec.data.model_copy(update={"candidates": (), "test": None, "pool": None}),
            "slices": (SliceSpec(name="every_row", role="target"), *own),
            "loop": LoopSpec(),
            "search": SearchSpec(sampler="random"),
            "gate": GateSpec(calibration=spec.gate.calibration),
            "budget": BudgetSpec(),
        }
    )
    rows = replace(catalogue, candidates={}, test=None, pool=None, fingerprint="")
    return replace(inputs, spec=bare, catalogue=rows, candidates=())


def _ended(state: State) -> int:
    return sum(t.trial.phase == "calibration" and t.outcome is not None for t in state.trials)


def _trained_in(inputs: Inputs, folder: Path) -> Calibration:
    state = state_of(folder)
    question = state.question
    for what, then, now in (
        ("base", question.datasets[BASE]["fingerprint"], inputs.catalogue.base.fingerprint),
        ("start", Plan.from_dict(question.start), start_plan(inputs.spec)),
    ):
        if then != now:
            raise _other(folder, f"another {what}")
    store = ArtefactStore(folder / "outcomes")
    outcomes = [t.outcome for t in state.trials if t.trial.phase == "calibration" and t.outcome is not None]
    try:
        arrays = [store.get(o.arrays) for o in outcomes if o.arrays]
    except ArtefactLost as error:
        error.hint = "restore the file from a copy, or leave --from out to train the start anew"
        raise
    if len(arrays) < 2:
        raise InputError(
            "ADC-SIM-001",
            "the noise of a study takes two calibration runs",
            str(folder),
            next((o.error for o in outcomes if o.error), f"{len(arrays)} that came to an end"),
            "let the run calibrate first, or leave --from out to train them",
        )
    same = question.fingerprint in (inputs.identity(state.borrowed), start_only(inputs).fingerprint)
    return Calibration(
        runs=tuple(_runs(inputs, arrays, folder, inputs.gate)),
        every=tuple(_runs(inputs, arrays, folder, inputs.table)),
        explored=_explored(inputs),
        source=f"{len(arrays)} trainings of the start in {folder}"
        + ("" if same else "; the study file or its data have changed since"),
        trained=0,
        min_rows=inputs.spec.gate.min_rows,
    )


def _explored(inputs: Inputs) -> Array | None:
    """Numbers of the rows that the search sees."""
    begin, sides = _begins(inputs), inputs.separation.sides.explore
    return np.concatenate([begin[part] + rows for part, rows in sides.items()]) if inputs.separation.is_cut else None


def _begins(inputs: Inputs) -> dict[str, int]:
    """Part → the number of its first row: rows are numbered through all parts."""
    parts = held_parts(inputs.catalogue)
    return dict(zip(parts, np.cumsum([0, *(len(data) for data in parts.values())]).tolist(), strict=False))


def _runs(inputs: Inputs, arrays: list[Any], folder: Path, table: SliceTable) -> list[Runs]:
    """One entry a slice, as `compare` gives evidence: with soft scores, a guarded target has its metric beside it."""
    metric, soft, begin = inputs.metric, inputs.spec.gate.score == "soft", _begins(inputs)
    sizes = {part: len(data) for part, data in held_parts(inputs.catalogue).items()}
    found = []
    for one in table.slices:
        if any(rows_kept(a, one.part) != sizes[one.part] for a in arrays):
            raise _other(folder, f"other rows of {one.part}")
        on_soft = soft and one.role == "target"

        def scores(of_soft: bool, one: Slice = one) -> Array:
            return np.array([row_scores(table, metric, one, a, of_soft) for a in arrays])

        made = Runs(
            name=one.name,
            role="target" if one.role == "target" else "guard",
            scores=scores(on_soft),
            rows=begin[one.part] + one.rows,
            margin=None if on_soft else one.margin,
            weight=one.weight,
            clusters=one.clusters,
        )
        found.append(made)
        if on_soft and one.margin is not None:
            beside = replace(made, name=f"{one.name}.metric", role="guard", scores=scores(False), margin=one.margin)
            found.append(beside)
    return found


def _other(folder: Path, got: str) -> InputError:
    return InputError(
        "ADC-SIM-002",
        "the calibration runs in this folder were made for something else",
        str(folder),
        got,
        "name a run with the same base, start and validation set, or leave --from out to train them",
    )
