"""How often the gate is wrong, and what it misses, on nights whose truth is known; simple rules beside it.

    python benchmarks/gate/campaigns.py               # writes benchmarks/results/gate.md
    python benchmarks/gate/campaigns.py --scale 0.1   # a tenth of the repeats; writes nothing

Trainings are simulated (autodc/gate/simulate.py), the decisions are those of a study: judge, levels and pools of
autodc/gate. A night calibrates on 6 runs, tests candidate after candidate and advances what it keeps. Each rule lives
through the same nights.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy import stats

from autodc import seeds
from autodc.evaluation.evidence import SliceEvidence
from autodc.gate.counts import Summary, summarise
from autodc.gate.judge import judge
from autodc.gate.noise import Pools
from autodc.gate.power import critical
from autodc.gate.simulate import CampaignResult, CandidateKind, Judge, World, simulate_campaign
from autodc.gate.types import Look, SliceLook, Verdict
from autodc.gate.worlds import Ground, SliceWorld, changed, synthetic_slice
from autodc.spec.study import GateSpec
from autodc.stats.variance import crossed, moderate

RESULTS = Path(__file__).resolve().parent.parent / "results" / "gate.md"
SEED = 20261124
TARGETS = {"dark": 400, "fog": 700, "small": 1000}
GUARDS = {"overall": 1000, "day": 600, "near": 500}
MARGIN = 0.02
NOMINAL = 0.05
DECISION = 0.025
"""Level of a single decision."""

USELESS = CandidateKind(name="useless", share=0.60)
HARMFUL = CandidateKind(name="harmful", share=0.08, gain=(-0.04, -0.01), others=(-0.02, 0.0))
TRADE = CandidateKind(name="trade-off", share=0.07, gain=(0.01, 0.05), guard=(-0.06, -0.03))
HELPFUL = CandidateKind(name="helpful", share=0.25, gain=(0.01, 0.05), others=(-0.002, 0.002), helpful=True)
EIGHT = GateSpec(looks=(1, 2, 3, 5, 8))

NULL_NIGHTS, MIXED_NIGHTS, PEER_NIGHTS, DECISIONS, SIZES = 40, 24, 4, 400, 2000
"""Repeats of each part at scale 1."""


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
    scale: float = parser.parse_args().scale
    began = time.process_time()
    told = []
    for part in (null_nights, mixed_nights, single_decisions, per_slice_size):
        told.append(part(scale).markdown())
        print(told[-1], flush=True)
        print(f"({time.process_time() - began:.0f} s of CPU so far)\n", flush=True)
    if scale == 1.0:
        RESULTS.write_text(_page(told, time.process_time() - began))


def null_nights(scale: float) -> Part:
    """Nights in which nothing is worth keeping."""
    nights = _count(NULL_NIGHTS, scale)
    rows = []
    for name, (rule, gate) in rules().items():
        few = nights if rule is judge else _count(PEER_NIGHTS, scale)
        found = summarise(_nights(few, "null", null_night, gate, rule))
        keeping = _share(found.nights_keeping.value)
        rows.append((name, str(few), keeping, f"{found.kept.hits / few:.2f}", f"{found.pairs.value:.2f}"))
    return Part(
        "Null nights of 200 useless candidates",
        "Six slices of 400 to 1,000 rows, three targets and three guards with a margin of 2 points. Target of the "
        "gate: at most 10% of nights keep anything, at most 2.0 pairs a candidate.",
        ("rule", "nights", "nights that keep any", "keeps a night", "pairs a candidate"),
        tuple(rows),
    )


def mixed_nights(scale: float) -> Part:
    """Nights of 100: 60% useless, 15% harmful or trade-offs, 25% helpful."""
    rows = []
    for name, (rule, gate) in rules().items():
        few = _count(MIXED_NIGHTS if rule is judge else PEER_NIGHTS, scale)
        found = summarise(_nights(few, "mixed", mixed_night, gate, rule))
        rows.append((name, str(few), *_mixed(found)))
    few = _count(MIXED_NIGHTS, scale)
    declared = summarise(_nights(few, "mixed", lambda night: replace(mixed_night(night), declare=True), EIGHT, judge))
    rows.insert(1, ("this gate, candidates name their target", str(few), *_mixed(declared)))
    return Part(
        "Mixed nights of 100 candidates",
        "60 useless, 8 harmful, 7 that trade a target against a guard, 25 that gain 1 to 5 points on one target. "
        "Target of the gate: false keeps at most 5%, keeps that harm a guard beyond its margin at most 3%, power at "
        "2 points or more at least 75%, at most 3.0 pairs.",
        ("rule", "nights", "keeps", "false keeps", "harm a guard", "power at ≥ 2", "undecided", "pairs a candidate"),
        tuple(rows),
    )


def single_decisions(scale: float) -> Part:
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
        results = [one_decision(size, gain, guard, k, level) for k in range(repeats)]
        verdicts = [r.decisions[0].verdict for r in results]
        pairs = sum(r.pairs for r in results) / repeats
        shares = (_share(verdicts.count(v) / repeats) for v in ("keep", "drop", "undecided"))
        rows.append((title, goal, *shares, f"{pairs:.2f}"))
    return Part(
        "One decision, up to 8 pairs",
        f"One target and one guard (margin 2 points) of the same size, {repeats} repeats each. The level is "
        "0.025, and in the last two rows 0.005: that of the first of 20 tests.",
        ("candidate", "kept: target", "kept", "dropped", "undecided", "pairs"),
        tuple(rows),
    )


def per_slice_size(scale: float) -> Part:
    """A fixed one-sided test of a single slice at 5%, on a candidate that changes rows but not their mean."""
    repeats = _count(SIZES, scale)
    rows = []
    for seed_scale in (1.0, 3.0):
        found = [size(pairs, seed_scale, repeats) for pairs in (2, 3, 5, 8, 10)]
        rows.append((f"{seed_scale:g} ×", *map(_share, found)))
    return Part(
        "Size of one slice at a nominal 5%",
        f"500 rows, six calibration runs, no sequential bound; {repeats} repeats, so two standard errors are "
        f"{200 * (NOMINAL * (1 - NOMINAL) / repeats) ** 0.5:.1f} points. Target: at most 5.5%.",
        ("seed noise of the challenger", "2 pairs", "3", "5", "8", "10"),
        tuple(rows),
    )


def size(pairs: int, seed_scale: float, repeats: int, rows: int = 500) -> float:
    """Share of repeats in which a useless candidate is called better on one slice."""
    bound = float(stats.norm.isf(NOMINAL))
    hits = 0
    for repeat in range(repeats):
        rng = seeds.generator(SEED, "size", pairs, repeat)
        (old,) = Ground(slices=(synthetic_slice("s", "target", rows, rng),)).placed().slices
        (new,), _ = changed([old], {"s": 0.0}, 0.3, rng.standard_normal(rows), seed_scale)
        pool = Pools.calibrated({"s": np.stack([old.train(rng) for _ in range(EIGHT.calibration)])}, {}, {})
        table = np.stack([new.train(rng, seed_scale) - old.train(rng) for _ in range(pairs)])
        found = moderate(crossed(table), pool.of("s"))
        hits += found.mean / found.standard_error > critical(bound, found.df)
    return hits / repeats


def one_decision(rows: int, gain: float, guard: float, seed: int, level: float = DECISION) -> CampaignResult:
    """Test one candidate on one target and one guard."""
    rng = seeds.generator(SEED, "one", rows, seed)
    kind = CandidateKind(name="one", share=1.0, gain=(gain, gain), guard=(guard, guard), helpful=gain > 0)
    slices = (
        synthetic_slice("target", "target", rows, rng),
        synthetic_slice("guard", "guard", rows, rng, margin=MARGIN),
    )
    gate = EIGHT.model_copy(update={"fdr": level})
    return simulate_campaign(World(slices=slices, kinds=(kind,), candidates=1), gate, seed)


def null_night(seed: int) -> World:
    """200 candidates that change rows and help nothing."""
    useless = CandidateKind(name="useless", share=1.0)
    return World(slices=six_slices(seed), kinds=(useless,), candidates=200)


def mixed_night(seed: int) -> World:
    """100 candidates, a quarter of them helpful."""
    return World(slices=six_slices(seed), kinds=(USELESS, HARMFUL, TRADE, HELPFUL), candidates=100)


def six_slices(seed: int) -> tuple[SliceWorld, ...]:
    """Three targets and three guards; 65% of rows are hit, so that there is room for a night of gains."""
    rng = seeds.generator(SEED, "slices", seed)
    return (
        *(synthetic_slice(name, "target", rows, rng, accuracy=0.65) for name, rows in TARGETS.items()),
        *(synthetic_slice(name, "guard", rows, rng, accuracy=0.65, margin=MARGIN) for name, rows in GUARDS.items()),
    )


def rules() -> dict[str, tuple[Judge, GateSpec]]:
    """Return the gate and what people do instead, each with the looks it takes."""
    return {
        "this gate": (judge, EIGHT),
        "any slice rose, 1 pair": (_rule(_any_rose), GateSpec(looks=(1,))),
        "mean of the slices rose, 1 pair": (_rule(_mean_rose), GateSpec(looks=(1,))),
        "paired t over seeds, 3 pairs": (_rule(_paired_t), GateSpec(looks=(3,))),
        "paired t over seeds, 5 pairs": (_rule(_paired_t), GateSpec(looks=(5,))),
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


def _paired_t(evidence: Mapping[str, SliceEvidence]) -> bool:
    """Shown better over seeds at 5% on any target, and no guard seen below its margin."""
    for seen in evidence.values():
        of_seed = seen.differences.mean(axis=1)
        if seen.margin is not None and of_seed.mean() < -seen.margin:
            return False
    means = [seen.differences.mean(axis=1) for seen in evidence.values() if seen.declared]
    return any(stats.ttest_1samp(m, 0.0, alternative="greater").pvalue < NOMINAL for m in means)


_NOTHING = SliceLook(
    role="target", difference=0.0, low=0.0, high=0.0, rows=0, pairs=0, standard_error=0.0, df=1.0, z=0.0, bound=None
)


def _nights(
    count: int, name: str, world: Callable[[int], World], gate: GateSpec, rule: Judge
) -> Iterator[CampaignResult]:
    for night in range(count):
        yield simulate_campaign(world(night), gate, seeds.integer(SEED, name, night), rule)


def _mixed(found: Summary) -> tuple[str, ...]:
    shares = (found.false_keeps, found.guard_harmed, found.power, found.undecided)
    return (str(found.kept.hits), *(_share(s.value) for s in shares), f"{found.pairs.value:.2f}")


def _count(repeats: int, scale: float) -> int:
    return max(1, round(repeats * scale))


def _share(share: float) -> str:
    return f"{share:.1%}"


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _page(parts: list[str], seconds: float) -> str:
    intro = (
        "# The gate on nights whose truth is known\n\n"
        "Written by `python benchmarks/gate/campaigns.py`; trainings are simulated, decisions are those of a study. "
        f"{seconds:.0f} s of CPU on one core, Python {platform.python_version()}, numpy {np.__version__}."
    )
    return "\n\n".join([intro, *parts]) + "\n"


if __name__ == "__main__":
    main()
