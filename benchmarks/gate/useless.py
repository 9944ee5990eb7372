"""Nights in which no candidate is worth anything: whole studies by the real loop, the search included.

    python -m benchmarks.gate.useless               # writes benchmarks/results/useless.md
    python -m benchmarks.gate.useless --quick       # 10 nights a setting; writes nothing
    python -m benchmarks.gate.useless --fresh       # runs again what is on file (build/nights)
    python -m benchmarks.gate.useless --only K50 --gate '{"evidence": "each"}'

A setting is a number of candidates and of validation rows. In its nights take turns: what the candidates are, the
learner (one without seed noise, two with), and five hyperparameters of which either all are flat or idle, or some are
worth something. Truth: accuracy on rows drawn afresh from the population.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.studyfile.study import ParameterSpec
from benchmarks.gate import nights
from benchmarks.gate.learners import LEARNERS
from benchmarks.gate.nights import Night, points, share
from benchmarks.gate.population import OBJECTIVE, Law, PopulationWorld, planted, tuned
from benchmarks.tables import table
from benchmarks.worlds.planting import Rows

NIGHTS, QUICK = 210, 10
CANDIDATES, VALIDATION = (2, 10, 50), (600, 2000, 8000)
LAW = Law(dimensions=12, relevant=6)
BASE, SMALL, OTHER = 6000, 600, 300
"""Rows of a base to which more of the same teach nothing; of one whose own rows come again; of a candidate."""
FLIPPED = 0.04
JITTER = 0.02
TRUTH_ROWS, TRUTH_SEEDS = 200_000, 48
BUDGET = {"trainings": 120, "trials": 60}
TUNINGS = 40
"""Trainings of who tunes the base, or everything, and nothing else."""
SEED = 88210177
BEHIND = 0.003


def _float(low: float, high: float, log: bool = False) -> ParameterSpec:
    return ParameterSpec(type="float", low=low, high=high, log=log)


SPACES: Mapping[str, Mapping[str, ParameterSpec]] = {
    "flat": {
        "l2": _float(1e-4, 1e-2, log=True),
        "shift": _float(-0.06, 0.06),
        "tilt": _float(-0.1, 0.1),
        "idle": _float(0.0, 1.0),
        "idle_too": _float(1e-3, 1.0, log=True),
    },
    "real": {
        "l2": _float(1e-3, 10.0, log=True),
        "shift": _float(-0.15, 0.45),
        "tilt": _float(-0.1, 0.5),
        "idle": _float(0.0, 1.0),
        "idle_too": _float(1e-3, 1.0, log=True),
    },
}
"""flat: the start is as good as it gets, and the rest changes rows; real: the start is off."""


def _fresh(base: Rows, rng: np.random.Generator) -> Rows:
    return LAW.draw(OTHER, rng)


def _noise(base: Rows, rng: np.random.Generator) -> Rows:
    rows = LAW.draw(OTHER, rng)
    return Rows(x=rows.x, y=np.where(rng.random(OTHER) < FLIPPED, 1 - rows.y, rows.y))


def _copy(base: Rows, rng: np.random.Generator) -> Rows:
    rows = base.at(rng.permutation(len(base))[:OTHER])
    moved = rows.x + (JITTER * rng.standard_normal(rows.x.shape)).astype(np.float32)
    moved[:, 0] = 1.0
    return Rows(x=moved, y=rows.y)


def _resample(base: Rows, rng: np.random.Generator) -> Rows:
    return base.at(rng.integers(len(base), size=OTHER))


KINDS: Mapping[str, tuple[Callable[[Rows, np.random.Generator], Rows], ...]] = {
    "fresh": (_fresh,),
    "noise": (_noise,),
    "copies": (_copy,),
    "resamples": (_resample,),
    "mixed": (_fresh, _noise, _copy, _resample),
}
"""fresh: fresh rows of the base's own source; noise: such rows, a few labels wrong; copies: the base's rows, moved by
a hair; resamples: a small base's rows drawn again, which moves a model most; mixed: in turn."""
TURNS = tuple(product(KINDS, LEARNERS, SPACES))
STRIDE = 7
"""From night to night, so that a few nights are a little of everything; no divisor of the turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One night to live through."""

    candidates: int
    rows: int
    number: int
    gate: tuple[tuple[str, object], ...] = ()
    trainings: int = BUDGET["trainings"]
    trials: int = BUDGET["trials"]
    tunings: int = TUNINGS
    truth_rows: int = TRUTH_ROWS

    @property
    def turn(self) -> tuple[str, str, str]:
        """Kind, learner and space."""
        return TURNS[STRIDE * self.number % len(TURNS)]

    @property
    def key(self) -> str:
        """The name of the night on file."""
        return f"K{self.candidates}-m{self.rows}-{self.number:04d}"


def world(case: Case) -> PopulationWorld:
    """Draw the night's data."""
    kind, learner, space = case.turn
    seed = seeds.integer(SEED, "night", case.candidates, case.rows, case.number)
    rng = seeds.generator(seed, "data")
    base = LAW.draw(SMALL if kind == "resamples" else BASE, rng)
    makers = KINDS[kind]
    made = {
        f"set_{number:02d}": (makers[number % len(makers)].__name__[1:], makers[number % len(makers)](base, rng))
        for number in range(case.candidates)
    }
    return PopulationWorld(
        name="useless",
        seed=seed,
        law=LAW,
        learner=learner,
        planted=planted(LAW, base, made, case.rows, rng),
        space=SPACES[space],
        truth_rows=case.truth_rows,
    )


def night(case: Case) -> Night:
    """Live through one night and hold what it kept against the population."""
    one, began = world(case), time.perf_counter()
    run = one.study(trainings=case.trainings, trials=case.trials, gate=dict(case.gate))
    took, state, end = time.perf_counter() - began, run.state, run.incumbent
    kind, learner, space = case.turn
    keeps = [
        {
            "kind": c.kind,
            "purpose": c.purpose,
            "members": list(c.members),
            "settings": c.challenger.hyperparameters != c.incumbent.hyperparameters,
            "printed": c.typed_looks[-1].objective.difference,
            "truth": _truth(one, c.challenger) - _truth(one, c.incumbent),
        }
        for c in state.comparisons
        if c.verdict == "keep"
    ]
    start = one.problem.start
    base, everything = (tuned(one, plan, case.tunings) for plan in (start, one.everything))
    plans = {"start": start, "end": end, "bare": end.without(*end.mixture.added)}
    return {
        **{key: value for key, value in asdict(case).items() if key != "gate"},
        "kind": kind,
        "learner": learner,
        "space": space,
        **{name: _truth(one, plan) for name, plan in plans.items()},
        "base_tuned": _truth(one, base),
        "everything_tuned": _truth(one, everything),
        "everything": _truth(one, one.everything),
        "kept": list(run.result["kept"]),
        "keeps": keeps,
        "undecided": len(run.result["undecided"]),
        "spent": run.result["spent"]["by_phase"],
        "seconds": took,
    }


def _truth(one: PopulationWorld, plan: Plan) -> float:
    return float(one.truth(plan, TRUTH_SEEDS)[OBJECTIVE].mean())


def any_kept(one: Night) -> bool:
    """Whether a dataset was kept."""
    return bool(one["kept"])


def unconfirmed(one: Night) -> bool:
    """Whether a comparison that kept other settings is not confirmed by the population."""
    return any(k["settings"] and k["kind"] in ("tuning", "bundle") and k["truth"] <= 0 for k in one["keeps"])


COLUMNS = (
    *("nights", "keep any dataset (≤ 10%)", "keep a tuning that fresh rows do not confirm (≤ 5%)", "keep a tuning"),
    *("end − start", "end − tuned base", "end − everything tuned", "> .3 behind the start", "what was kept is worth"),
    *("gate trainings", "trainings", "seconds"),
)


def row(group: Sequence[Night]) -> Sequence[object]:
    """The figures of some nights, as `COLUMNS` names them."""

    def gain(over: str) -> str:
        return points(_mean([n["end"] - n[over] for n in group]))

    kept = [n["end"] - n["bare"] for n in group if n["kept"]]
    return (
        len(group),
        share(any_kept(n) for n in group),
        share(unconfirmed(n) for n in group),
        share(any(k["settings"] for k in n["keeps"]) for n in group),
        *(gain(over) for over in ("start", "base_tuned", "everything_tuned")),
        share(n["end"] < n["start"] - BEHIND for n in group),
        points(_mean(kept)) if kept else "–",
        f"{_mean([n['spent']['gate'] for n in group]):.1f}",
        f"{_mean([sum(n['spent'].values()) for n in group]):.0f}",
        f"{_mean([n['seconds'] for n in group]):.1f}",
    )


HEAD = """# Nights of useless candidates

`python -m benchmarks.gate.useless`: whole studies by the real loop, the search included, {trainings} trainings at most,
{trials} of search. Rows come from a population without end; gains are in points of the objective on {rows:,} fresh rows
and, where the learner is noisy, {seeds} trainings. In brackets 95% intervals (Wilson) and counts. A tuning is a keep of
kind `tuning` or `bundle` that changed settings; it is not confirmed where its challenger is no better than its
incumbent on the population. `tuned base` and `everything tuned` were tuned by TPE on all validation rows with {tunings}
trainings. Commits: {commits}."""


def page(found: Sequence[Night]) -> str:
    """The results as they stand in benchmarks/results/useless.md."""
    settings = [(k, m) for k in CANDIDATES for m in VALIDATION]
    by_setting = [
        (f"K = {k}, {m:,} rows", [n for n in found if (n["candidates"], n["rows"]) == (k, m)]) for k, m in settings
    ]
    parts = [
        HEAD.format(**BUDGET, rows=TRUTH_ROWS, seeds=TRUTH_SEEDS, tunings=TUNINGS, commits=nights.commits(found)),
        table(("setting", *COLUMNS), [(name, *row(g)) for name, g in [*by_setting, ("all", found)] if g]),
    ]
    for title, key in (("What the candidates are", "kind"), ("The learner", "learner"), ("The settings", "space")):
        groups = [(value, [n for n in found if n[key] == value]) for value in dict.fromkeys(n[key] for n in found)]
        parts += [f"## {title}", table((key, *COLUMNS), [(value, *row(group)) for value, group in groups])]
    everything = {kind: [n["everything"] - n["start"] for n in found if n["kind"] == kind] for kind in KINDS}
    worth = [(kind, points(_mean(gains))) for kind, gains in everything.items() if gains]
    parts += ["## How useless they are", table(("candidates", "everything at weight 1 − start, mean"), worth)]
    cells = sorted({(n["candidates"], n["rows"], n["kind"]) for n in found})
    each = [
        (f"K = {k}, {m:,} rows, {kind}", len(g), *(share(f(n) for n in g) for f in (any_kept, unconfirmed)))
        for k, m, kind in cells
        for g in [[n for n in found if (n["candidates"], n["rows"], n["kind"]) == (k, m, kind)]]
    ]
    parts += ["## Cell by cell", table(("cell", "nights", "keep any dataset", "keep an unconfirmed tuning"), each)]
    return "\n\n".join(parts)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def cases(count: int, gate: tuple[tuple[str, Any], ...]) -> list[Case]:
    """So many nights of every setting."""
    return [
        Case(candidates=k, rows=m, number=number, gate=gate)
        for number in range(count)
        for k in CANDIDATES
        for m in VALIDATION
    ]


def main() -> None:
    """Live through the nights and print the page."""
    nights.told(__doc__, "useless", (NIGHTS, QUICK), cases, night, page)


if __name__ == "__main__":
    main()
