"""How often the gate is wrong, and what it misses, on nights whose truth is known; what people do instead beside it.

    python benchmarks/gate/campaigns.py               # writes benchmarks/results/gate.md
    python benchmarks/gate/campaigns.py --scale 0.1   # a tenth of the repeats; writes nothing

Trainings are simulated (autodc/lab/simulate.py, the code of `autodc simulate`), the decisions are those of a study:
judge, levels and pools of autodc/gate. A night calibrates on 6 runs, tests candidate after candidate and advances what
it keeps. Each rule lives through the same nights. SEED is for evaluation alone: no constant was chosen on its nights.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from joblib import Parallel, delayed
from scipy import stats

from autodc import seeds
from autodc.evaluation.evidence import SliceEvidence
from autodc.gate.judge import judge
from autodc.gate.noise import Pools
from autodc.gate.power import critical
from autodc.gate.types import Look, SliceLook, Verdict
from autodc.lab.counts import Mean, Share, Summary, summarise
from autodc.lab.simulate import CampaignResult, CandidateKind, Judge, World, simulate_campaign
from autodc.lab.worlds import Ground, SliceWorld, changed, synthetic_slice
from autodc.stats.sequential import bounds
from autodc.stats.variance import crossed, moderate
from autodc.studyfile.study import GateSpec

RESULTS = Path(__file__).resolve().parent.parent / "results" / "gate.md"
SEED = 77003141
TARGETS = {"dark": 400, "fog": 700, "small": 1000}
GUARDS = {"overall": 1000, "day": 600, "near": 500}
MARGIN = 0.02
NOMINAL = 0.05
POINT = 0.005
"""Half a point, the threshold of a rule that looks at points alone."""
DECISION = 0.025
"""Level of a single decision."""

USELESS = CandidateKind(name="useless", share=0.60)
HARMFUL = CandidateKind(name="harmful", share=0.08, gain=(-0.04, -0.01), others=(-0.02, 0.0))
TRADE = CandidateKind(name="trade-off", share=0.07, gain=(0.01, 0.05), guard=(-0.06, -0.03))
HELPFUL = CandidateKind(name="helpful", share=0.25, gain=(0.01, 0.05), others=(-0.002, 0.002), helpful=True)
EIGHT = GateSpec(looks=(1, 2, 3, 5, 8))

NULL_NIGHTS, MIXED_NIGHTS, PEER_NIGHTS, DECISIONS, SIZES = 40, 24, 4, 400, 2000
"""Repeats of each part at scale 1."""
BATCH = 20
"""Decisions, and a tenth of the sizes, that one process takes at once."""

Night = Callable[[int], World]


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the page."""

    title: str
    text: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return the part as it stands on the page."""
        lines = [f"## {self.title}", "", self.text, "", _line(self.head), _line(["---"] * len(self.head))]
        return "\n".join([*lines, *map(_line, self.rows)])


def main() -> None:
    """Run every part, print it, and write the page when nothing was scaled."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="repeats in units of the default")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=sorted(PARTS), help="one part; writes nothing")
    asked = parser.parse_args()
    began = time.monotonic()
    told = []
    with Parallel(n_jobs=asked.processes, batch_size=1) as pool:
        for name, part in PARTS.items():
            if asked.only in (None, name):
                told.append(part(asked.scale, pool).markdown())
                print(told[-1], flush=True)
                print(f"({time.monotonic() - began:.0f} s so far)\n", flush=True)
    if asked.scale == 1.0 and asked.only is None:
        RESULTS.write_text(_page(told, time.monotonic() - began, asked.processes))


def published_bounds(scale: float, pool: Parallel) -> Part:
    """Critical values beside those in the literature."""
    known = {
        "O'Brien–Fleming, α 0.025, t = ¼, ½, ¾, 1": ("obrien_fleming", 4, (4.333, 2.963, 2.359, 2.014)),
        "Pocock, α 0.025, five looks": ("pocock", 5, (2.438, 2.427, 2.410, 2.397, 2.386)),
    }
    rows = []
    for name, (spending, looks, goal) in known.items():
        found = bounds(0.025, [(k + 1) / looks for k in range(looks)], spending)  # type: ignore[arg-type]
        worst = max(abs(a - b) for a, b in zip(found, goal, strict=True))
        rows.append((name, ", ".join(f"{g:.3f}" for g in goal), ", ".join(f"{f:.3f}" for f in found), f"{worst:.4f}"))
    return Part(
        "Bounds", "Target: each within 0.002.", ("bounds", "published", "found", "largest difference"), tuple(rows)
    )


def standard_errors(scale: float, pool: Parallel) -> Part:
    """The unmoderated, unfloored standard error beside OLS with errors clustered both ways."""
    import statsmodels.api as sm

    rows = []
    for pairs, count, seed_sd, row_sd, rest_sd in (
        (8, 500, 0.05, 0.3, 0.3),
        (8, 1000, 0.2, 0.1, 0.5),
        (12, 400, 0.02, 0.8, 0.2),
        (12, 400, 0.1, 0.0, 1.0),
    ):
        for size in (1, 4):
            rng = seeds.generator(SEED, "standard error", pairs, count, size)
            clusters = np.arange(count) // size
            table = seed_sd * rng.normal(size=(pairs, 1)) + row_sd * rng.normal(size=count)[clusters]
            table = table + rest_sd * rng.normal(size=(pairs, count))
            groups = np.column_stack([np.repeat(np.arange(pairs), count), np.tile(clusters, pairs)])
            fit = sm.OLS(table.ravel(), np.ones(table.size)).fit(cov_type="cluster", cov_kwds={"groups": groups})
            own, other = math.sqrt(crossed(table, clusters).variance), float(fit.bse[0])
            shape = f"{pairs} × {count}" + ("" if size == 1 else f", rows in groups of {size}")
            noise = f"{seed_sd:g}, {row_sd:g}, {rest_sd:g}"
            rows.append((shape, noise, f"{own:.5f}", f"{other:.5f}", f"{own / other - 1:+.1%}"))
    return Part(
        "Standard error of a mean difference",
        "Beside statsmodels' OLS with errors clustered by pair and by row. Target: within 10%.",
        ("pairs × rows", "sd of seed, row, rest", "ours", "statsmodels", "difference"),
        tuple(rows),
    )


def null_nights(scale: float, pool: Parallel) -> Part:
    """Nights in which nothing is worth keeping."""
    nights = _count(NULL_NIGHTS, scale)
    found: dict[str, list[CampaignResult]] = {"this gate": []}
    found |= _all_nights(pool, "null", null_night, nights, _count(PEER_NIGHTS, scale))
    rows = []
    for name, results in found.items():
        told = summarise(results)
        keeps = Mean.over(len(r.kept) for r in results)
        rows.append(
            (name, str(told.nights), _share(told.nights_keeping), f"{keeps.value:.2f}", f"{told.pairs.value:.2f}")
        )
    return Part(
        "Null nights of 200 useless candidates",
        "Six slices of 400 to 1,000 rows, three targets and three guards with a margin of 2 points. Target of the "
        "gate: at most 10% of nights keep anything, at most 2.0 pairs a candidate.",
        ("rule", "nights", "nights that keep any", "keeps a night", "pairs a candidate"),
        tuple(rows),
    )


def mixed_nights(scale: float, pool: Parallel) -> Part:
    """Nights of 100: 60% useless, 15% harmful or trade-offs, 25% helpful."""
    nights = _count(MIXED_NIGHTS, scale)
    found = _all_nights(pool, "mixed", mixed_night, nights, _count(PEER_NIGHTS, scale))
    declared = {"this gate, candidates name their target": (judge, EIGHT)}
    found |= _all_nights(pool, "mixed", declared_night, nights, nights, declared)
    ordered = sorted(found, key=lambda name: not name.startswith("this gate"))
    rows = [(name, str(len(found[name])), *_mixed(summarise(found[name]))) for name in ordered]
    return Part(
        "Mixed nights of 100 candidates",
        "60 useless, 8 harmful, 7 that trade a target against a guard, 25 that gain 1 to 5 points on one target. "
        "Target of the gate: false keeps at most 5%, keeps that harm a guard beyond its margin at most 3%, power at "
        "2 points or more at least 75%, at most 3.0 pairs.",
        ("rule", "nights", "keeps", "false keeps", "harm a guard", "power at ≥ 2", "undecided", "pairs a candidate"),
        tuple(rows),
    )


def single_decisions(scale: float, pool: Parallel) -> Part:
    """One test, one target, one guard."""
    repeats = _count(DECISIONS, scale)
    cases = [
        ("+2 points, 1,000 rows", 1000, 0.02, 0.0, DECISION, "≥ 80%"),
        ("+3 points, 1,000 rows", 1000, 0.03, 0.0, DECISION, "≥ 92%"),
        ("useless, 1,000 rows", 1000, 0.0, 0.0, DECISION, "≤ 3%"),
        ("+4 on the target, −3 on the guard, 500 rows", 500, 0.04, -0.03, DECISION, "≤ 8%"),
        ("+4 on the target, −3 on the guard, 1,000 rows", 1000, 0.04, -0.03, DECISION, "≤ 2%"),
        ("+2 points, 1,000 rows, level 0.005", 1000, 0.02, 0.0, DECISION / 5, ""),
        ("+3 points, 1,000 rows, level 0.005", 1000, 0.03, 0.0, DECISION / 5, ""),
    ]
    rows = []
    for title, size, gain, guard, level, goal in cases:
        starts = range(0, repeats, BATCH)
        jobs = (delayed(_decisions)(size, gain, guard, level, k, min(k + BATCH, repeats)) for k in starts)
        found = summarise([r for batch in pool(jobs) for r in batch], at=0.0)
        shares = map(_share, (found.kept, found.dropped, found.undecided))
        rows.append((title, goal, *shares, f"{found.pairs.value:.2f}"))
    return Part(
        "One decision, up to 8 pairs",
        f"One target and one guard (margin 2 points) of the same size, {repeats} repeats each. The level is "
        "0.025, and in the last two rows 0.005: that of the first of 20 tests.",
        ("candidate", "kept: target", "kept", "dropped", "undecided", "pairs"),
        tuple(rows),
    )


def per_slice_size(scale: float, pool: Parallel) -> Part:
    """A fixed one-sided test of a single slice at 5%, on a candidate that changes rows but not their mean."""
    repeats = _count(SIZES, scale)
    rows = []
    for seed_scale in (1.0, 3.0):
        found = []
        for pairs in (2, 3, 5, 8, 10):
            starts = range(0, repeats, 10 * BATCH)
            jobs = (delayed(_passed)(pairs, seed_scale, k, min(k + 10 * BATCH, repeats)) for k in starts)
            found.append(Share(sum(pool(jobs)), repeats))
        rows.append((f"{seed_scale:g} ×", *map(_share, found)))
    return Part(
        "Size of one slice at a nominal 5%",
        f"500 rows, six calibration runs, no sequential bound, {repeats} repeats. Target: at most 5.5%.",
        ("seed noise of the challenger", "2 pairs", "3", "5", "8", "10"),
        tuple(rows),
    )


PARTS: dict[str, Callable[[float, Parallel], Part]] = {
    "bounds": published_bounds,
    "errors": standard_errors,
    "null": null_nights,
    "mixed": mixed_nights,
    "single": single_decisions,
    "size": per_slice_size,
}


def _passed(pairs: int, seed_scale: float, first: int, last: int, rows: int = 500) -> int:
    """In how many repeats a useless candidate is called better on one slice."""
    bound = float(stats.norm.isf(NOMINAL))
    hits = 0
    for repeat in range(first, last):
        rng = seeds.generator(SEED, "size", pairs, repeat)
        (old,) = Ground(slices=(synthetic_slice("s", "target", rows, rng),)).placed().slices
        (new,), _ = changed([old], {"s": 0.0}, 0.3, rng.standard_normal(rows), seed_scale)
        pool = Pools.calibrated({"s": np.stack([old.train(rng) for _ in range(EIGHT.calibration)])}, {}, {})
        table = np.stack([new.train(rng, seed_scale) - old.train(rng) for _ in range(pairs)])
        found = moderate(crossed(table), pool.of("s"))
        hits += found.mean / found.standard_error > critical(bound, found.df)
    return int(hits)


def _decisions(rows: int, gain: float, guard: float, level: float, first: int, last: int) -> list[CampaignResult]:
    return [one_decision(rows, gain, guard, k, level) for k in range(first, last)]


def one_decision(rows: int, gain: float, guard: float, seed: int, level: float = DECISION) -> CampaignResult:
    """Test one candidate on one target and one guard."""
    rng = seeds.generator(SEED, "one", rows, seed)
    kind = CandidateKind(name="one", share=1.0, gain=(gain, gain), guard=(guard, guard), helpful=gain > 0)
    slices = (
        synthetic_slice("target", "target", rows, rng),
        synthetic_slice("guard", "guard", rows, rng, margin=MARGIN),
    )
    gate = EIGHT.model_copy(update={"fdr": level})
    return simulate_campaign(World(slices=slices, kinds=(kind,), candidates=1), gate, seeds.integer(SEED, "one", seed))


def null_night(seed: int) -> World:
    """200 candidates that change rows and help nothing."""
    useless = CandidateKind(name="useless", share=1.0)
    return World(slices=six_slices(seed), kinds=(useless,), candidates=200)


def mixed_night(seed: int) -> World:
    """100 candidates, a quarter of them helpful."""
    return World(slices=six_slices(seed), kinds=(USELESS, HARMFUL, TRADE, HELPFUL), candidates=100)


def declared_night(seed: int) -> World:
    """The same, and every candidate says which target it is meant for."""
    return replace(mixed_night(seed), declare=True)


def six_slices(seed: int) -> tuple[SliceWorld, ...]:
    """Three targets and three guards; 65% of rows are hit, so that there is room for a night of gains."""
    rng = seeds.generator(SEED, "slices", seed)
    return (
        *(synthetic_slice(name, "target", rows, rng, accuracy=0.65) for name, rows in TARGETS.items()),
        *(synthetic_slice(name, "guard", rows, rng, accuracy=0.65, margin=MARGIN) for name, rows in GUARDS.items()),
    )


def rules() -> dict[str, tuple[Judge, GateSpec]]:
    """Return the gate and what people do instead, each with the looks it takes."""

    def at(pairs: int, keeps: Callable[[Mapping[str, SliceEvidence]], bool]) -> tuple[Judge, GateSpec]:
        return _rule(keeps), GateSpec(looks=(pairs,))

    return {
        "this gate": (judge, EIGHT),
        "any slice rose, 1 pair": at(1, _any_rose),
        "the article's rule: the mean over slices rose, 1 pair": at(1, _mean_rose),
        "the mean over slices rose, 5 pairs": at(5, _mean_rose),
        "points: a target +0.5, guards within margin, 1 pair": at(1, _points),
        "points: a target +0.5, guards within margin, 5 pairs": at(5, _points),
        "paired test over rows, 1 pair": at(1, _shown(_over_rows)),
        "paired t over seeds, 3 pairs": at(3, _shown(_over_seeds)),
        "paired t over seeds, 5 pairs": at(5, _shown(_over_seeds)),
        "Wilcoxon signed-rank over seeds, 5 pairs": at(5, _shown(_ranks_of_seeds)),
        "Wilcoxon signed-rank over rows, 5 pairs": at(5, _shown(_ranks_of_rows)),
    }


def _rule(keeps: Callable[[Mapping[str, SliceEvidence]], bool]) -> Judge:
    def decide(evidence: Mapping[str, SliceEvidence], pools: Pools, gate: GateSpec, alpha: float) -> Look:
        verdict: Verdict = "keep" if keeps(evidence) else "drop"
        return Look(pairs=gate.looks[-1], verdict=verdict, reasons=(), slices={}, objective=_NOTHING, alpha=alpha)

    return decide


def _any_rose(evidence: Mapping[str, SliceEvidence]) -> bool:
    return any(seen.differences.mean() > 0 for seen in evidence.values())


def _mean_rose(evidence: Mapping[str, SliceEvidence]) -> bool:
    return float(np.mean([seen.differences.mean() for seen in evidence.values()])) > 0


def _within(evidence: Mapping[str, SliceEvidence]) -> bool:
    """No guard is seen below its margin."""
    return all(seen.margin is None or seen.differences.mean() >= -seen.margin for seen in evidence.values())


def _points(evidence: Mapping[str, SliceEvidence]) -> bool:
    """Thresholds on points, as in TensorFlow Model Analysis."""
    return _within(evidence) and any(seen.differences.mean() > POINT for seen in evidence.values() if seen.declared)


def _shown(pvalue: Callable[[np.ndarray], float]) -> Callable[[Mapping[str, SliceEvidence]], bool]:
    """Shown better at 5% on any target, and no guard seen below its margin."""

    def keeps(evidence: Mapping[str, SliceEvidence]) -> bool:
        tables = [seen.differences for seen in evidence.values() if seen.declared]
        return _within(evidence) and any(pvalue(table) <= NOMINAL for table in tables)

    return keeps


def _over_seeds(table: np.ndarray) -> float:
    return float(stats.ttest_1samp(table.mean(axis=1), 0.0, alternative="greater").pvalue)


def _over_rows(table: np.ndarray) -> float:
    return float(stats.ttest_1samp(table.mean(axis=0), 0.0, alternative="greater").pvalue)


def _ranks_of_seeds(table: np.ndarray) -> float:
    return float(stats.wilcoxon(table.mean(axis=1), alternative="greater", method="exact").pvalue)


def _ranks_of_rows(table: np.ndarray) -> float:
    of_row = table.mean(axis=0)
    if not of_row.any():
        return 1.0
    return float(stats.wilcoxon(of_row, alternative="greater", method="asymptotic").pvalue)


_NOTHING = SliceLook(
    role="target", difference=0.0, low=0.0, high=0.0, rows=0, pairs=0, standard_error=0.0, df=1.0, z=0.0, bound=None
)


def _all_nights(
    pool: Parallel,
    name: str,
    world: Night,
    nights: int,
    peers: int,
    asked: Mapping[str, tuple[Judge, GateSpec]] | None = None,
) -> dict[str, list[CampaignResult]]:
    """Each rule's nights, the longest first. peers: nights of the rules that are not the gate's."""
    listed = asked or rules()
    jobs = [
        (rule_name, night, gate, rule)
        for rule_name, (rule, gate) in listed.items()
        for night in range(nights if rule is judge else peers)
    ]
    results = pool(delayed(_night)(name, world, night, gate, rule) for _, night, gate, rule in jobs)
    found: dict[str, list[CampaignResult]] = {}
    for (rule_name, *_), result in zip(jobs, results, strict=True):
        found.setdefault(rule_name, []).append(result)
    return found


def _night(name: str, world: Night, night: int, gate: GateSpec, rule: Judge) -> CampaignResult:
    return simulate_campaign(world(night), gate, seeds.integer(SEED, name, night), rule)


def _mixed(found: Summary) -> Iterable[str]:
    shares = (found.false_keeps, found.guard_harmed, found.power, found.undecided)
    return (str(found.kept.hits), *map(_share, shares), f"{found.pairs.value:.2f}")


def _count(repeats: int, scale: float) -> int:
    return max(1, round(repeats * scale))


def _share(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.1%} ({100 * low:.1f}–{100 * high:.1f})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _page(parts: list[str], seconds: float, processes: int) -> str:
    intro = (
        "# The gate on nights whose truth is known\n\n"
        "Written by `python benchmarks/gate/campaigns.py` (`make bench-gate`); trainings are simulated, decisions are "
        "those of a study. In brackets: 95% intervals for the number of repeats. "
        f"{seconds:.0f} s with {processes} processes, Python {platform.python_version()}, numpy {np.__version__}."
    )
    return "\n\n".join([intro, *parts]) + "\n"


if __name__ == "__main__":
    main()
