"""The gate on nights of real trainings: whole studies, search included, in worlds whose truth is known.

    python -m benchmarks.gate.real_nights               # writes benchmarks/results/gate_real.md
    python -m benchmarks.gate.real_nights --nights 10   # so many null nights; writes nothing
    python -m benchmarks.gate.real_nights --quick       # 4 null nights, 2 mixed ones; writes nothing

A null night has ten candidates that are resamples of the base. A mixed night has twelve: cures, a second copy of one,
half of another, two halves that help together alone, a trade-off, wrong labels, rubbish, copies and a resample of the
base; in the world `convention` nine, one of which helps before a fine-tuning alone. Worlds: benchmarks/worlds. Two
processes. Beside it the rule of the article the project grew from: add a set, train once, keep it where the mean rose.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from autodc import seeds
from autodc.search import Plan
from benchmarks.tables import table
from benchmarks.worlds import RealWorld, StudyRun, world

RESULTS = Path(__file__).resolve().parent.parent / "results" / "gate_real.md"
NULL_NIGHTS, QUICK_NULL = 48, 4
MIXED = tuple((name, seed) for name in ("digits", "fashion") for seed in range(10, 17))
HELD_OUT = tuple((name, seed) for name in ("digits", "fashion") for seed in (901, 902))
OTHER_LABELS = tuple(("convention", seed) for seed in (0, 1, 2, 901, 902))
QUICK_MIXED = MIXED[:1] + MIXED[7:8]
NULL_SEED = 5000
NULL_BUDGET = {"trainings": 130, "trials": 60, "rounds": 1}
MIXED_BUDGET = {"trainings": 240, "trials": 160, "rounds": 3}
BUDGETS = {"null": NULL_BUDGET}
USELESS = frozenset({"resample", "useless", "copy"})
HARMFUL = frozenset({"mislabelled", "off_domain", "trade_off"})
NO_USE = USELESS | HARMFUL
TRUTH_SEEDS = 12
GROUPS = {
    "digits": [which for which in MIXED if which[0] == "digits"],
    "fashion": [which for which in MIXED if which[0] == "fashion"],
    "held out (both)": HELD_OUT,
    "all of these": (*MIXED, *HELD_OUT),
    "convention": OTHER_LABELS,
}
COLUMNS = (
    *("worlds", "nights", "cures kept (≥ 95%)", "by a decision of their own", "harmful kept (0)"),
    *("useless kept alone (0)", "useless riding in a block (≤ 10%)", "undecided a night", "gate trainings"),
    *("share of the gap, test (≥ 1.03)", "least"),
)
PEER_COLUMNS = (
    *("worlds", "numbers", "kept of all cures", "useless or harmful kept a night"),
    *("share of the gap, test", "least"),
)
NIGHT_COLUMNS = (
    *("world", "proposed", "kept", "useless or harmful kept"),
    *("twins kept beside their cure: worth, points", "share"),
)
HEAD = """# The gate on real nights

`python -m benchmarks.gate.real_nights`, {minutes:.0f} minutes in two processes, Python {version}. Whole studies by the
real loop, every training real (benchmarks/worlds).

## Null nights

Digits, ten candidates that are resamples of the base, {null[trainings]} trainings at most, {null[rounds]} ×
{null[trials]} of search."""
MIXED_HEAD = """## Mixed nights

Twelve candidates, {mixed[trainings]} trainings at most, {mixed[rounds]} × {mixed[trials]} of search; convention: nine.
Of a cure and its second copy one counts, for the rows are the same. Harmful: wrong labels, off-domain, trade-offs. The
held-out worlds are those on which no constant of the search was chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What the article's rule kept: useless or harmful sets, cures, and the share of the gap that gave."""

    wrong: int
    cures: int
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One finished night. cures: cures there are, of two copies one; proposed: those in a recommended challenger;
    kept: how many of these; found: kept, proposed or not; alone: of these by a decision of their own; halves: cures
    whose half alone was kept; useless: sets that there are, and what became of them; wrong: useless or harmful sets
    that were kept, extra: twins kept beside their cure, each with what it is worth on the test set in points and the
    standard error; missed: what became of cures that were proposed and not kept;
    tuned: a gain of hyperparameters alone was kept as that."""

    world: str
    seed: int
    cures: int
    proposed: int
    kept: int
    found: int
    alone: int
    halves: int
    useless: int
    harmful_kept: int
    useless_alone: int
    useless_riding: int
    wrong: tuple[str, ...]
    extra: tuple[str, ...]
    missed: tuple[str, ...]
    tuned: bool
    undecided: int
    gate: int
    share: float | None
    article: Peer
    flattered: Peer


def main() -> None:
    """Run the nights and print the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--nights", type=int, help=f"null nights, {NULL_NIGHTS} by default; writes nothing")
    options.add_argument("--quick", action="store_true", help="a few nights of each kind; writes nothing")
    given = options.parse_args()
    nulls = given.nights or (QUICK_NULL if given.quick else NULL_NIGHTS)
    mixed = QUICK_MIXED if given.quick else (*MIXED, *HELD_OUT, *OTHER_LABELS)
    began = time.perf_counter()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        dark = list(pool.map(night, [("null", NULL_SEED + i) for i in range(nulls)]))
        bright = list(pool.map(night, mixed))
    text = page(dark, bright, time.perf_counter() - began)
    print(text)
    if not given.quick and not given.nights:
        RESULTS.write_text(text + "\n", encoding="utf-8")


def night(which: tuple[str, int]) -> Night:
    """Live through one night."""
    name, seed = which
    one = world(name, seed)
    run = one.study(seed, **BUDGETS.get(name, MIXED_BUDGET))
    cures = sorted(c for c in one.cures)
    covered = {c: {c, *(t for t, of in one.twins.items() if of == c and one.kinds[t] == "duplicate")} for c in cures}
    halves = {c: {t for t, of in one.twins.items() if of == c} - covered[c] for c in cures}
    kept, proposed = set(run.result["kept"]), set(run.proposed)
    wrong = {n for n in kept if one.kinds[n] in NO_USE or _mixed_in(one, run.incumbent, n)}
    good = kept - wrong
    alone = {d["subject"] for d in run.result["decisions"] if d["verdict"] == "keep" and d["kind"] == "dataset"}
    useless = {n for n in kept if one.kinds[n] in USELESS}
    return Night(
        world=name,
        seed=seed,
        cures=len(cures),
        proposed=sum(bool(covered[c] & proposed) for c in cures),
        kept=sum(bool(covered[c] & proposed) and bool(covered[c] & good) for c in cures),
        found=sum(bool(covered[c] & good) for c in cures),
        alone=sum(bool(covered[c] & good & alone) for c in cures),
        useless=sum(kind in USELESS for kind in one.kinds.values()),
        harmful_kept=len(wrong - useless),
        useless_alone=len(useless & alone),
        useless_riding=len(useless - alone),
        halves=sum(bool(halves[c] & kept) for c in cures if not covered[c] & good),
        wrong=tuple(_extra(one, run, n) for n in sorted(wrong)),
        extra=tuple(_extra(one, run, n) for n in sorted(kept) if one.twins.get(n) in kept),
        missed=tuple(_story(one, run, c) for c in cures if covered[c] & proposed and not covered[c] & good),
        tuned=any(d["kind"] == "tuning" and d["verdict"] == "keep" for d in run.result["decisions"]),
        undecided=len(run.result["undecided"]),
        gate=run.result["spent"]["by_phase"]["gate"],
        share=one.share(run.incumbent) if name != "null" else None,
        article=_peer(one, one.problem.start, covered),
        flattered=_peer(one, Plan.of({}, dict(run.incumbent.hyperparameters), run.incumbent.recipe), covered),
    )


def articles_rule(one: RealWorld, plan: Plan) -> Plan:
    """Add one set after another at weight 1, train once, keep it where the mean of the targets rose."""
    best = one.objective(plan, [seeds.integer(one.seed, "article", 0)], "validation")
    for number, name in enumerate(one.problem.datasets, start=1):
        more = Plan.of(plan.mixture.with_weight(name, 1.0).to_dict(), dict(plan.hyperparameters), plan.recipe)
        value = one.objective(more, [seeds.integer(one.seed, "article", number)], "validation")
        if value > best:
            plan, best = more, value
    return plan


def worth(one: RealWorld, plan: Plan, name: str) -> tuple[float, float]:
    """What a dataset adds to the test objective of a plan, in points, with its standard error over paired seeds."""
    fresh = one.fresh_seeds(TRUTH_SEEDS)
    pairs = [one.objective(plan, [s]) - one.objective(plan.without(name), [s]) for s in fresh]
    return 100 * float(np.mean(pairs)), 100 * float(np.std(pairs, ddof=1) / np.sqrt(len(pairs)))


def _peer(one: RealWorld, start: Plan, covered: Mapping[str, set[str]]) -> Peer:
    plan = articles_rule(one, start)
    wrong = {n for n in plan.mixture.added if one.kinds[n] in NO_USE or _mixed_in(one, plan, n)}
    return Peer(
        wrong=len(wrong),
        cures=sum(bool(names & (set(plan.mixture.added) - wrong)) for names in covered.values()),
        share=one.share(plan) if one.name != "null" else None,
    )


def _mixed_in(one: RealWorld, plan: Plan, name: str) -> bool:
    """Whether a set that helps before a fine-tuning alone is in the mixture."""
    return one.kinds[name] == "pretrain_only" and plan.stage(name) != "pretrain"


def _extra(one: RealWorld, run: StudyRun, name: str) -> str:
    mean, error = worth(one, run.incumbent, name)
    return f"{name} ({one.kinds[name]}) {mean:+.1f} ± {error:.1f}"


def _story(one: RealWorld, run: StudyRun, name: str) -> str:
    """What became of a cure: every decision on it or on a twin of it."""
    twins = {name, *(t for t, of in one.twins.items() if of == name)}
    found = [d for d in run.result["decisions"] if d["subject"] in twins]
    told = [f"{d['subject']} {d['purpose']} {d['verdict']} {' '.join(d['reasons'])}, {d['seeds']} pairs" for d in found]
    kept = [t for t in twins if t in run.result["kept"]]
    beside = f"; kept: {', '.join(f'{t} ({one.kinds[t]})' for t in kept)}" if kept else ""
    return f"{one.name} {one.seed}: {name} ({one.kinds[name]}): {'; '.join(told) or 'no test'}{beside}"


def page(nulls: Sequence[Night], mixed: Sequence[Night], seconds: float) -> str:
    """The results as they stand in benchmarks/results/gate_real.md."""
    keeping = [n.article.wrong for n in nulls]
    any_kept = sum(bool(n.wrong) for n in nulls)
    rows = [
        ("nights", "≥ 40", len(nulls)),
        ("nights that keep any candidate", "≤ 10%", f"{100 * any_kept / len(nulls):.1f}% ({any_kept})"),
        ("nights that keep a tuning, as tuning", "", sum(n.tuned for n in nulls)),
        ("gate trainings a night", "", f"{_mean(n.gate for n in nulls):.1f}"),
        ("the article's rule: nights that keep any", "", f"{sum(k > 0 for k in keeping)} of {len(nulls)}"),
        ("the article's rule: candidates kept a night", "", f"{_mean(keeping):.1f} of 10"),
    ]
    groups = {name: [n for n in mixed if (n.world, n.seed) in which] for name, which in GROUPS.items()}
    known = {name: group for name, group in groups.items() if group}
    peers = [
        _peers(name, numbers, [getattr(n, peer) for n in group], sum(n.cures for n in group))
        for name, group in known.items()
        for numbers, peer in (("start's", "article"), ("ours", "flattered"))
    ]
    each = [
        (
            f"{n.world} {n.seed}",
            f"{n.proposed} of {n.cures}",
            n.found,
            *map(_listed, (n.wrong, n.extra)),
            f"{n.share:.2f}",
        )
        for n in mixed
    ]
    stories = [story for n in mixed for story in n.missed]
    stories += [f"{n.world} {n.seed}: {', '.join(n.wrong)}" for n in (*nulls, *mixed) if n.wrong]
    parts = [
        HEAD.format(minutes=seconds / 60, null=NULL_BUDGET, version=platform.python_version()),
        table(["measure", "target", "measured"], rows),
        MIXED_HEAD.format(mixed=MIXED_BUDGET),
        table(COLUMNS, (_summary(name, group) for name, group in known.items())),
        "The article's rule on the same nights, with the numbers a study starts from (it has no search), and with\n"
        "those our study ended with, a gift:",
        table(PEER_COLUMNS, peers),
        "## Night by night",
        table(NIGHT_COLUMNS, each),
    ]
    if stories:
        parts += ["## What went wrong", "\n".join(f"- {story}" for story in stories)]
    return "\n\n".join(parts)


def _summary(name: str, group: Sequence[Night]) -> Sequence[object]:
    cures, halves = sum(n.cures for n in group), sum(n.halves for n in group)
    shares = [n.share for n in group if n.share is not None]
    found, alone = (sum(getattr(n, field) for n in group) for field in ("found", "alone"))
    riding, useless = (sum(getattr(n, field) for n in group) for field in ("useless_riding", "useless"))
    return (
        name,
        len(group),
        f"{100 * (found + halves) / cures:.1f}% ({found + halves} of {cures}, {halves} by its half)",
        f"{100 * alone / cures:.1f}% ({alone})",
        sum(n.harmful_kept for n in group),
        sum(n.useless_alone for n in group),
        f"{100 * riding / max(1, useless):.0f}% ({riding} of {useless})",
        f"{_mean(n.undecided for n in group):.1f}",
        f"{_mean(n.gate for n in group):.0f}",
        f"{np.mean(shares):.2f}",
        f"{min(shares):.2f}",
    )


def _peers(name: str, numbers: str, peers: Sequence[Peer], cures: int) -> Sequence[object]:
    shares, kept = [p.share for p in peers if p.share is not None], f"{100 * sum(p.cures for p in peers) / cures:.0f}%"
    return name, numbers, kept, f"{_mean(p.wrong for p in peers):.1f}", f"{np.mean(shares):.2f}", f"{min(shares):.2f}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "–"


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


if __name__ == "__main__":
    main()
