"""How often the gate is wrong, and what it misses, on nights whose truth is known; what people do instead beside it.

    python -m benchmarks.gate.campaigns               # writes benchmarks/results/gate.md
    python -m benchmarks.gate.campaigns --scale 0.1   # a tenth of the repeats; writes nothing

Trainings are simulated (autodc/lab/simulate.py, the code of `autodc simulate`), the decisions are those of a study:
judge, levels and pools of autodc/gate. A night calibrates on 6 runs, tests candidate after candidate and advances what
it keeps. Each rule lives through the same nights. SEED is for evaluation alone: no constant was chosen on its nights.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

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
from autodc.lab.counts import Mean, Share, summarise
from autodc.lab.simulate import Campaign, CampaignResult, CandidateKind, Judge, simulate_campaign
from autodc.lab.slices import KnownSlice, SliceSet, changed
from autodc.stats.variance import crossed, moderate
from autodc.studyfile.study import GateSpec
from autodc.testing.worlds.slices import synthetic_slice
from benchmarks.tables import table

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
HEAD = f"""# The gate on nights whose truth is known

Written by `python -m benchmarks.gate.campaigns` (`make bench-gate`); trainings are simulated, decisions are those of \
a study. In brackets: 95% intervals for the number of repeats. {{took}}, Python {platform.python_version()}, \
numpy {np.__version__}."""


def main() -> None:
    """Run every part, print it, and write the page when nothing was scaled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="repeats in units of the default")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=sorted(PARTS), help="one part; writes nothing")
    asked = parser.parse_args()
    began = time.monotonic()
    told = []
    with Parallel(n_jobs=asked.processes, batch_size=1) as pool:
        for name, part in PARTS.items():
            if asked.only in (None, name):
                told.append(part(asked.scale, pool))
                print(told[-1], flush=True)
                print(f"({time.monotonic() - began:.0f} s so far)\n", flush=True)
    if asked.scale == 1.0 and asked.only is None:
        took = f"{time.monotonic() - began:.0f} s with {asked.processes} processes"
        RESULTS.write_text("\n\n".join([HEAD.format(took=took), *told]) + "\n")


def null_nights(scale: float, pool: Parallel) -> str:
    """Nights in which nothing is worth keeping."""
    found = _all_nights(pool, "null", null_night, _count(NULL_NIGHTS, scale), _count(PEER_NIGHTS, scale), rules())
    rows = []
    for name, results in found.items():
        told = summarise(results)
        keeps = Mean.over(len(r.kept) for r in results)
        rows.append((name, told.nights, _share(told.nights_keeping), f"{keeps.value:.2f}", f"{told.pairs.value:.2f}"))
    return _part(
        "Null nights of 200 useless candidates",
        "Six slices of 400 to 1,000 rows, three targets and three guards with a margin of 2 points. Target of the "
        "gate: at most 10% of nights keep anything, at most 2.0 pairs a candidate.",
        ("rule", "nights", "nights that keep any", "keeps a night", "pairs a candidate"),
        rows,
    )


def mixed_nights(scale: float, pool: Parallel) -> str:
    """Nights of 100: 60% useless, 15% harmful or trade-offs, 25% helpful."""
    nights, peers = _count(MIXED_NIGHTS, scale), _count(PEER_NIGHTS, scale)
    declared = {"this gate, candidates name their target": (judge, EIGHT)}
    ours, *others = _all_nights(pool, "mixed", mixed_night, nights, peers, rules()).items()
    rows = []
    for name, results in (ours, *_all_nights(pool, "mixed", declared_night, nights, peers, declared).items(), *others):
        told = summarise(results)
        shares = map(_share, (told.false_keeps, told.guard_harmed, told.power, told.undecided))
        rows.append((name, len(results), told.kept.hits, *shares, f"{told.pairs.value:.2f}"))
    return _part(
        "Mixed nights of 100 candidates",
        "60 useless, 8 harmful, 7 that trade a target against a guard, 25 that gain 1 to 5 points on one target. "
        "Target of the gate: false keeps at most 5%, keeps that harm a guard beyond its margin at most 3%, power at "
        "2 points or more at least 75%, at most 3.0 pairs.",
        ("rule", "nights", "keeps", "false keeps", "harm a guard", "power at ≥ 2", "undecided", "pairs a candidate"),
        rows,
    )


def single_decisions(scale: float, pool: Parallel) -> str:
    """One comparison, one target, one guard."""
    repeats = _count(DECISIONS, scale)
    rows = []
    for title, size, gain, guard, level, goal in (
        ("+2 points, 1,000 rows", 1000, 0.02, 0.0, DECISION, "≥ 80%"),
        ("+3 points, 1,000 rows", 1000, 0.03, 0.0, DECISION, "≥ 92%"),
        ("useless, 1,000 rows", 1000, 0.0, 0.0, DECISION, "≤ 3%"),
        ("+4 on the target, −3 on the guard, 500 rows", 500, 0.04, -0.03, DECISION, "≤ 8%"),
        ("+4 on the target, −3 on the guard, 1,000 rows", 1000, 0.04, -0.03, DECISION, "≤ 2%"),
        ("+2 points, 1,000 rows, level 0.005", 1000, 0.02, 0.0, DECISION / 5, ""),
        ("+3 points, 1,000 rows, level 0.005", 1000, 0.03, 0.0, DECISION / 5, ""),
    ):
        results = pool(delayed(one_decision)(size, gain, guard, seed, level) for seed in range(repeats))
        found = summarise(results, at=0.0)
        shares = map(_share, (found.kept, found.dropped, found.undecided))
        rows.append((title, goal, *shares, f"{found.pairs.value:.2f}"))
    return _part(
        "One decision, up to 8 pairs",
        f"One target and one guard (margin 2 points) of the same size, {repeats} repeats each. The level is "
        "0.025, and in the last two rows 0.005: that of the first of 20 comparisons.",
        ("candidate", "kept: target", "kept", "dropped", "undecided", "pairs"),
        rows,
    )


def per_slice_size(scale: float, pool: Parallel) -> str:
    """A fixed one-sided test of a single slice at 5%, on a candidate that changes rows but not their mean."""
    repeats, rows = _count(SIZES, scale), []
    for seed_scale in (1.0, 3.0):
        hits = (sum(pool(delayed(_passed)(n, seed_scale, k) for k in range(repeats))) for n in (2, 3, 5, 8, 10))
        rows.append((f"{seed_scale:g} ×", *(_share(Share(one, repeats)) for one in hits)))
    return _part(
        "Size of one slice at a nominal 5%",
        f"500 rows, six calibration runs, no sequential bound, {repeats} repeats. Target: at most 5.5%.",
        ("seed noise of the challenger", "2 pairs", "3", "5", "8", "10"),
        rows,
    )


PARTS: dict[str, Callable[[float, Parallel], str]] = {
    "null": null_nights,
    "mixed": mixed_nights,
    "single": single_decisions,
    "size": per_slice_size,
}


def _passed(pairs: int, seed_scale: float, repeat: int, rows: int = 500) -> int:
    """Whether a useless candidate is called better on one slice."""
    rng = seeds.generator(SEED, "size", pairs, repeat)
    (old,) = SliceSet(slices=(synthetic_slice("s", "target", rows, rng),)).placed().slices
    (new,), _ = changed([old], {"s": 0.0}, 0.3, rng.standard_normal(rows), seed_scale)
    pool = Pools.calibrated({"s": np.stack([old.train(rng) for _ in range(EIGHT.calibration)])}, {}, {})
    table = np.stack([new.train(rng, seed_scale) - old.train(rng) for _ in range(pairs)])
    found = moderate(crossed(table), pool.of("s"))
    return int(found.mean / found.standard_error > critical(float(stats.norm.isf(NOMINAL)), found.df))


def one_decision(rows: int, gain: float, guard: float, seed: int, level: float = DECISION) -> CampaignResult:
    """Test one candidate on one target and one guard."""
    rng = seeds.generator(SEED, "one", rows, seed)
    kind = CandidateKind(name="one", share=1.0, gain=(gain, gain), guard=(guard, guard), helpful=gain > 0)
    slices = (
        synthetic_slice("target", "target", rows, rng),
        synthetic_slice("guard", "guard", rows, rng, margin=MARGIN),
    )
    gate = EIGHT.model_copy(update={"fdr": level})
    return simulate_campaign(
        Campaign(slices=slices, kinds=(kind,), candidates=1), gate, seeds.integer(SEED, "one", seed)
    )


def null_night(seed: int) -> Campaign:
    """200 candidates that change rows and help nothing."""
    useless = CandidateKind(name="useless", share=1.0)
    return Campaign(slices=six_slices(seed), kinds=(useless,), candidates=200)


def mixed_night(seed: int) -> Campaign:
    """100 candidates, a quarter of them helpful."""
    return Campaign(slices=six_slices(seed), kinds=(USELESS, HARMFUL, TRADE, HELPFUL), candidates=100)


def declared_night(seed: int) -> Campaign:
    """The same, and every candidate says which target it is meant for."""
    return replace(mixed_night(seed), declare=True)


def six_slices(seed: int) -> tuple[KnownSlice, ...]:
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
        "paired test over rows, 1 pair": at(1, _shown(partial(stats.ttest_1samp, popmean=0.0), 0)),
        "paired t over seeds, 3 pairs": at(3, _shown(partial(stats.ttest_1samp, popmean=0.0), 1)),
        "paired t over seeds, 5 pairs": at(5, _shown(partial(stats.ttest_1samp, popmean=0.0), 1)),
        "Wilcoxon signed-rank over seeds, 5 pairs": at(5, _shown(stats.wilcoxon, 1, method="exact")),
        "Wilcoxon signed-rank over rows, 5 pairs": at(5, _shown(stats.wilcoxon, 0, method="asymptotic")),
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


def _shown(test: Callable[..., Any], axis: int, **options: Any) -> Callable[[Mapping[str, SliceEvidence]], bool]:
    """Shown better at 5% on any target by a test over means along an axis, and no guard seen below its margin."""

    def better(table: np.ndarray) -> bool:
        means = table.mean(axis=axis)
        return bool(means.any() and test(means, alternative="greater", **options).pvalue <= NOMINAL)

    def keeps(evidence: Mapping[str, SliceEvidence]) -> bool:
        return _within(evidence) and any(better(seen.differences) for seen in evidence.values() if seen.declared)

    return keeps


_NOTHING = SliceLook(
    role="target", difference=0.0, low=0.0, high=0.0, rows=0, pairs=0, standard_error=0.0, df=1.0, z=0.0, bound=None
)


def _all_nights(
    pool: Parallel,
    name: str,
    world: Callable[[int], Campaign],
    nights: int,
    peers: int,
    listed: Mapping[str, tuple[Judge, GateSpec]],
) -> dict[str, list[CampaignResult]]:
    """Each rule's nights, the longest first. peers: nights of the rules that are not the gate's."""
    found: dict[str, list[CampaignResult]] = {rule_name: [] for rule_name in listed}
    jobs = [(n, night) for n, (rule, _) in listed.items() for night in range(nights if rule is judge else peers)]
    results = pool(delayed(_night)(name, world, night, *listed[rule_name]) for rule_name, night in jobs)
    for (rule_name, _), result in zip(jobs, results, strict=True):
        found[rule_name].append(result)
    return found


def _night(name: str, world: Callable[[int], Campaign], night: int, rule: Judge, gate: GateSpec) -> CampaignResult:
    return simulate_campaign(world(night), gate, seeds.integer(SEED, name, night), rule)


def _count(repeats: int, scale: float) -> int:
    return max(1, round(repeats * scale))


def _share(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.1%} ({100 * low:.1f}–{100 * high:.1f})"


def _part(title: str, text: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return f"## {title}\n\n{text}\n\n{table(head, rows)}"


if __name__ == "__main__":
    main()
