"""Cheap trainings first against full ones alone, on worlds of real trainings, at equal charge.

python -m benchmarks.fidelity --worlds digits fashion --seeds 0 1 2 --lows 0.33 0.2
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autodc import seeds
from autodc.evaluation.metrics import find_metric
from autodc.evaluation.slices import TEST, VALIDATION
from autodc.search import Observation, make_engine
from autodc.study.core import StudyCore
from autodc.study.journal.state import State
from autodc.studyfile.study import StudySpec
from autodc.testing.memory import MemoryJournal, MemoryStore
from autodc.trial.executor import Completion
from benchmarks.worlds import RealWorld, world
from benchmarks.worlds.studies import slice_table, started, study_spec

CHECKPOINTS = (40, 60, 80)
"""Charged trainings of search after which the recommendation is measured."""


def main() -> None:
    """Print one line a run as JSON, then the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--worlds", nargs="+", default=["digits", "fashion"])
    options.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options.add_argument("--lows", nargs="+", type=float, default=[0.33])
    options.add_argument("--out", type=Path, default=None, help="append the lines to this file too")
    given = options.parse_args()
    runs = []
    for name in given.worlds:
        for seed in given.seeds:
            for low in (1.0, *given.lows):
                runs.append(measured(world(name, seed), low))
                line = json.dumps(runs[-1])
                print(line, flush=True)
                if given.out is not None:
                    with given.out.open("a", encoding="utf-8") as file:
                        file.write(line + "\n")
    print(table(runs))


def measured(one: RealWorld, low: float) -> dict[str, Any]:
    """Search with cheap trainings of this share (1: none), and measure what is recommended on the way."""
    spec = study_spec(one, one.seed, 2 * CHECKPOINTS[-1] + 60, CHECKPOINTS[-1], 1, "mixture", 4, (1, 2, 3, 5, 8))
    if low < 1:
        content = spec.model_dump(mode="json")
        spec = StudySpec.model_validate({**content, "search": {**content["search"], "fidelity": {"low": low}}})
    state = _searched(one, spec)
    found = state.fidelity
    return {
        "world": one.name,
        "seed": one.seed,
        "low": low,
        "correlation": None if found is None else found.correlation,
        "interval": None if found is None else [found.low, found.high],
        "used": found is not None and found.used,
        "trials": sum(t.trial.phase == "search" for t in state.trials),
        "shares": {str(n): round(_share(one, spec, state, n), 4) for n in CHECKPOINTS},
    }


def table(runs: list[dict[str, Any]]) -> str:
    """Mean share of the gap by fidelity and charge, with its standard error over worlds and seeds."""
    lines = [f"| cheap | runs | used | correlation | {' | '.join(f'at {n}' for n in CHECKPOINTS)} |"]
    lines.append("| --- " * (len(CHECKPOINTS) + 4) + "|")
    for low in sorted({r["low"] for r in runs}, reverse=True):
        mine = [r for r in runs if r["low"] == low]
        known = [r["correlation"] for r in mine if r["correlation"] is not None]
        span = f"{min(known):.2f} to {max(known):.2f}" if known else "–"
        shares = [np.array([r["shares"][str(n)] for r in mine]) for n in CHECKPOINTS]
        cells = [f"{s.mean():.3f} ± {s.std(ddof=1) / np.sqrt(len(s)) if len(s) > 1 else 0:.3f}" for s in shares]
        used = sum(r["used"] for r in mine)
        lines.append(f"| {'none' if low == 1 else low} | {len(mine)} | {used} | {span} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _searched(one: RealWorld, spec: StudySpec) -> State:
    """The state of a study whose first search is over, by the real loop."""
    tables = {part: slice_table(one, spec, part) for part in (VALIDATION, TEST)}
    core = StudyCore(
        spec,
        started(one, spec, tables[VALIDATION]),
        journal=MemoryJournal(),
        store=MemoryStore(),
        table=tables[VALIDATION],
        metric=find_metric("accuracy", "classification", "."),
        engine=_engine(one, spec),
        clock=lambda: 0.0,
    )
    while not core.state.challengers:
        for trial in core.ask(1):
            outputs = one.train(trial.plan, trial.seed, trial.fidelity)
            done = Completion(number=trial.number, attempt=0, status="done", outputs={VALIDATION: outputs[VALIDATION]})
            core.tell(trial, core.score(trial, done))
    return core.state


def _share(one: RealWorld, spec: StudySpec, state: State, charged: float) -> float:
    """Share of the gap of what is recommended after this charge of search trainings."""
    seen, spent = [], 0.0
    for t in state.trials:
        if t.trial.phase == "search":
            spent += t.trial.fidelity
        if spent > charged + 0.5 or t.trial.phase not in ("calibration", "search"):
            break
        values: Mapping[str, float] = {} if t.outcome is None else t.outcome.slices
        trial = t.trial
        seen.append(
            Observation(number=trial.number, plan=trial.plan, seed=trial.seed, values=values, fidelity=trial.fidelity)
        )
    return one.share(_engine(one, spec).recommend(seen).plan)


def _engine(one: RealWorld, spec: StudySpec) -> Any:
    return make_engine("mixture", one.problem, seeds.integer(spec.seed, "engine"))


if __name__ == "__main__":
    main()
