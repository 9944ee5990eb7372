"""How often the intervals that a study prints hold the truth, and what its nights of real gains come to.

    python -m benchmarks.gate.coverage               # writes benchmarks/results/coverage.md
    python -m benchmarks.gate.coverage --quick       # 2 nights a setting; writes nothing
    python -m benchmarks.gate.coverage --only steps --fresh

Nights of many small helpers, of cures among small ones, useless and harmful sets; learners with and without seed noise.
Truth: the difference of the very two plans of a comparison on rows drawn afresh from the population, over many seeds.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.study.beside import INTERVAL_LEVEL
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.studyfile.study import ParameterSpec
from benchmarks.gate import nights
from benchmarks.gate.intervals import COVERED, covered, grouped, interval, printed, rescaled
from benchmarks.gate.learners import LEARNERS
from benchmarks.gate.nights import Night, points, share
from benchmarks.gate.population import OBJECTIVE, TARGETS, Law, PopulationWorld, planted, tuned
from benchmarks.tables import table
from benchmarks.worlds.planting import Rows

NIGHTS, QUICK = 24, 2
VALIDATION = (2000, 8000)
SMALL_SHARES = tuple(float(share) for share in np.round(np.linspace(0.006, 0.016, 20), 4))
CURE_SHARES = (0.12, 0.12)
LAW = Law(dimensions=10, relevant=6, shares=(*SMALL_SHARES, *CURE_SHARES))
CURES = (21, 22)
"""Domains of the cures; those before are small."""
BASE, CURE, SMALL, OTHER = 3000, 300, 80, 200
HARMFUL = ((700, 7), (1800, 8))
"""Rows of a harmful set, and the coordinate their labels follow, of which no other label knows."""
TRUTH_ROWS, TRUTH_SEEDS, WORTH_SEEDS = 200_000, 80, 12
BUDGET = {"trainings": 170, "trials": 60}
TUNINGS = 60
SEED = 41907733
BEHIND, TOO_MUCH = 0.003, -0.015
"""Behind everything tuned; a set that costs so much beside the rest."""
WORTH_A_SHARE = 0.005
"""The least mean gain of everything tuned of which a share says something."""
SPACE: Mapping[str, ParameterSpec] = {
    "l2": ParameterSpec(type="float", low=1e-4, high=1.0, log=True),
    "shift": ParameterSpec(type="float", low=-0.1, high=0.2),
    "tilt": ParameterSpec(type="float", low=-0.2, high=0.1),
    "idle": ParameterSpec(type="float", low=0.0, high=1.0),
}
MIXES: Mapping[str, Mapping[str, int]] = {
    "nine small": {"small": 9, "useless": 2, "harmful": 1},
    "twenty small": {"small": 20},
    "cures": {"cure": 2, "small": 5, "useless": 3, "harmful": 2},
}
"""small: rows of a domain of .6 to 1.6% of the population; cure: of one of 12%; useless: fresh rows of the base's own
domain; harmful: such rows under labels that are another quantity's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One night to live through."""

    mix: str
    learner: str
    rows: int
    number: int
    gate: tuple[tuple[str, object], ...] = ()
    trainings: int = BUDGET["trainings"]
    trials: int = BUDGET["trials"]
    tunings: int = TUNINGS
    truth_rows: int = TRUTH_ROWS

    @property
    def key(self) -> str:
        """The name of the night on file."""
        return f"{self.mix.replace(' ', '_')}-{self.learner}-m{self.rows}-{self.number:04d}"


def world(case: Case) -> PopulationWorld:
    """Draw the night's data; the learner does not change them."""
    seed = seeds.integer(SEED, case.mix, case.rows, case.number)
    rng = seeds.generator(seed, "data")
    base = LAW.draw(BASE, rng, domain=0)
    wanted = [kind for kind, count in MIXES[case.mix].items() for _ in range(count)]
    small, cures, harms = list(rng.permutation(len(SMALL_SHARES)) + 1), list(CURES), list(HARMFUL)
    made: dict[str, tuple[str, Rows]] = {}
    for number, place in enumerate(rng.permutation(len(wanted))):
        name, kind = f"set_{number:02d}", wanted[place]
        if kind == "small":
            made[name] = (kind, LAW.draw(SMALL, rng, domain=int(small.pop())))
        elif kind == "cure":
            made[name] = (kind, LAW.draw(CURE, rng, domain=cures.pop()))
        elif kind == "harmful":
            count, says = harms.pop()
            made[name] = (kind, LAW.draw(count, rng, domain=0, says=says))
        else:
            made[name] = (kind, LAW.draw(OTHER, rng, domain=0))
    return PopulationWorld(
        name="coverage",
        seed=seed,
        law=LAW,
        learner=case.learner,
        planted=planted(LAW, base, made, case.rows, rng),
        space=SPACE,
        truth_rows=case.truth_rows,
    )


class Truths:
    """The truth of plans of one world, each worked out once."""

    def __init__(self, one: PopulationWorld) -> None:
        self._one, self._known = one, dict[Plan, dict[str, Any]]()

    def of(self, plan: Plan) -> dict[str, Any]:
        """Slice → accuracy by seed."""
        if plan not in self._known:
            self._known[plan] = self._one.truth(plan, TRUTH_SEEDS)
        return self._known[plan]

    def mean(self, plan: Plan) -> float:
        """The objective."""
        return float(self.of(plan)[OBJECTIVE].mean())

    def difference(self, challenger: Plan, incumbent: Plan) -> dict[str, float]:
        """Slice → what the first is ahead."""
        a, b = self.of(challenger), self.of(incumbent)
        return {name: float(a[name].mean() - b[name].mean()) for name in a}


def night(case: Case) -> Night:
    """Live through one night; hold every interval it printed and what it ended with against the population."""
    one, began = world(case), time.perf_counter()
    run = one.study(trainings=case.trainings, trials=case.trials, gate=dict(case.gate))
    took, end, start = time.perf_counter() - began, run.incumbent, one.problem.start
    truth = Truths(one)
    ended = [c for c in run.state.comparisons if c.verdict is not None and c.looks]
    everything = tuned(one, one.everything, case.tunings)
    return {
        **{key: value for key, value in asdict(case).items() if key != "gate"},
        "start": truth.mean(start),
        "end": truth.mean(end),
        "base_tuned": truth.mean(tuned(one, start, case.tunings)),
        "everything_tuned": truth.mean(everything),
        "worth": _worth(one, one.everything),
        "kinds": dict(one.planted.kinds),
        "kept": list(run.result["kept"]),
        "dropped": list(run.result["dropped"]),
        "worth_at_end": _worth(one, end),
        "comparisons": [*(_compared(c, truth) for c in ended), *_reported(run.state, truth)],
        "spent": run.result["spent"]["by_phase"],
        "seconds": took,
    }


def _worth(one: PopulationWorld, plan: Plan) -> dict[str, float]:
    """Dataset of a plan → what the objective loses without it."""
    whole = one.truth(plan, WORTH_SEEDS)[OBJECTIVE].mean()
    return {n: float(whole - one.truth(plan.without(n), WORTH_SEEDS)[OBJECTIVE].mean()) for n in plan.mixture.added}


def _compared(c: ComparisonState, truth: Truths) -> Night:
    """A comparison as it was printed, and what is true of its two plans."""
    look, true = c.typed_looks[-1], truth.difference(c.challenger, c.incumbent)
    shown = {OBJECTIVE: look.objective, **{name: look.slices[name] for name in TARGETS if name in look.slices}}
    return {
        "purpose": c.purpose,
        "kind": c.kind,
        "members": len(c.members),
        "verdict": c.verdict,
        "pairs": look.pairs,
        "drawn": _draws(c.challenger, c.incumbent),
        "slices": {name: interval(seen) | {"truth": true[name]} for name, seen in shown.items()},
    }


def _reported(state: State, truth: Truths) -> list[Night]:
    """What is printed of start and end: on validation where the gain is taken apart, and on the sealed test set."""
    start, end = state.start, state.incumbent
    if start is None or end is None or start == end:
        return []
    shown: dict[str, Mapping[str, Any]] = {}
    if state.credited is not None and state.credited.credit is not None:
        total = state.credited.credit["total"]
        shown["end against start, validation"] = {**total["slices"], OBJECTIVE: total}
    if state.measured is not None:
        shown["end against start, sealed test"] = state.measured.differences
    true = truth.difference(end, start)
    drawn = _draws(start, end)
    return [
        {
            "purpose": purpose,
            "kind": "report",
            "members": 0,
            "verdict": "",
            "pairs": None,
            "drawn": drawn,
            "slices": {
                name: rescaled(one["difference"], one["low"], one["high"], INTERVAL_LEVEL, None) | {"truth": true[name]}
                for name, one in slices.items()
                if name in (OBJECTIVE, *TARGETS)
            },
        }
        for purpose, slices in shown.items()
    ]


def _draws(*plans: Plan) -> bool:
    """Whether a plan draws rows anew with each seed."""
    return any(not float(weight).is_integer() for plan in plans for _, weight in plan.mixture)


def joint(found: Iterable[Night]) -> tuple[int, float, float]:
    """Keeps of a bundle or of several datasets at once: how many, the mean gain printed and the mean truth."""
    kept = [c["slices"][OBJECTIVE] for one in found for c in one["comparisons"] if _is_joint(c)]
    if not kept:
        return 0, float("nan"), float("nan")
    return len(kept), float(np.mean([k["difference"] for k in kept])), float(np.mean([k["truth"] for k in kept]))


def _is_joint(c: Mapping[str, Any]) -> bool:
    return bool(c["verdict"] == "keep" and (c["members"] > 1 or c["kind"] in ("bundle", "block")))


ENDS = (
    *("setting", "nights", "keep anything", "end − start", "end − tuned base", "end − everything tuned"),
    *("> .3 behind everything tuned", "of its gain", "cures kept", "small kept", "useless kept", "harmful kept (0)"),
    "worth −1.5 or less beside the rest, kept (0)",
    *("joint gain printed ÷ truth (.9–1.1)", "gate trainings"),
)


def ends(name: str, group: Sequence[Night]) -> Sequence[object]:
    """What some nights came to, as `ENDS` names it."""
    count, said, true = joint(group)
    mine = sum(n["end"] - n["start"] for n in group)
    theirs = sum(n["everything_tuned"] - n["start"] for n in group)

    def kept(kind: str) -> str:
        return share(name in n["kept"] for n in group for name, planted_as in n["kinds"].items() if planted_as == kind)

    return (
        name,
        len(group),
        share(bool(n["kept"]) for n in group),
        *(
            points(float(np.mean([n["end"] - n[o] for n in group])))
            for o in ("start", "base_tuned", "everything_tuned")
        ),
        share(n["end"] < n["everything_tuned"] - BEHIND for n in group),
        f"{mine / theirs:.2f}" if theirs > WORTH_A_SHARE * len(group) else "–",
        *(kept(kind) for kind in ("cure", "small", "useless", "harmful")),
        share(name in n["kept"] for n in group for name, worth in n["worth"].items() if worth <= TOO_MUCH),
        f"{said / true:.2f} ({points(said)} of {count})" if count and true > 0 else "–",
        f"{np.mean([n['spent']['gate'] for n in group]):.1f}",
    )


HEAD = """# Coverage of printed intervals

`python -m benchmarks.gate.coverage`: whole studies by the real loop, {trainings} trainings at most, {trials} of search.
An interval is that of a comparison's last look, of the objective or of a target; truth is the difference of its two
plans on {rows:,} fresh rows over {seeds} seeds (one where all seeds give one model). Each was printed at a level of its
own; here it is also scaled to 90%. In brackets 95% intervals (Wilson) and counts; intervals of one night share rows, so
the counts are not independent. `tuned base` and `everything tuned` were tuned by TPE on all validation rows with
{tunings} trainings. Commits: {commits}."""


def page(found: Sequence[Night]) -> str:
    """The results as they stand in benchmarks/results/coverage.md."""
    cells: dict[str, list[Night]] = defaultdict(list)
    for one in found:
        cells[f"{one['mix']}, {one['learner']}, {one['rows']:,} rows"].append(one)
    worth = {
        kind: [n["worth"][name] for n in found for name, mine in n["kinds"].items() if mine == kind]
        for kind in ("cure", "small", "useless", "harmful")
    }
    told = [
        (kind, points(float(np.mean(w))), *(points(float(q)) for q in np.quantile(w, (0.1, 0.9))))
        for kind, w in worth.items()
        if w
    ]
    return "\n\n".join(
        [
            HEAD.format(**BUDGET, rows=TRUTH_ROWS, seeds=TRUTH_SEEDS, tunings=TUNINGS, commits=nights.commits(found)),
            table(COVERED, [covered(name, group) for name, group in grouped(printed(found)).items()]),
            "## What the nights came to",
            table(ENDS, [ends(name, group) for name, group in [("all", list(found)), *cells.items()]]),
            "## What the sets are worth beside all others, in points",
            table(("kind", "mean", "a tenth below", "a tenth above"), told),
        ]
    )


def cases(count: int, gate: tuple[tuple[str, Any], ...]) -> list[Case]:
    """So many nights of every setting."""
    return [
        Case(mix=mix, learner=learner, rows=rows, number=number, gate=gate)
        for number in range(count)
        for mix in MIXES
        for learner in LEARNERS
        for rows in VALIDATION
    ]


def main() -> None:
    """Live through the nights and print the page."""
    nights.told(__doc__, "coverage", (NIGHTS, QUICK), cases, night, page)


if __name__ == "__main__":
    main()
