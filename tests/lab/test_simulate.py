"""The gate on trainings whose truth is known: how often it calls chance a gain, and what it finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autodc import seeds
from autodc.gate.noise import Pools
from autodc.gate.power import critical
from autodc.lab.calibrated import Runs, calibrated, calibrated_slice
from autodc.lab.counts import Share, summarise
from autodc.lab.simulate import Campaign, CandidateKind, simulate_campaign
from autodc.lab.slices import Draws, KnownSlice, SliceSet, changed
from autodc.stats.variance import crossed, moderate
from autodc.studyfile.study import GateSpec
from autodc.testing.worlds.slices import synthetic_slice

ONE_SIDED = 1.6449
USELESS = CandidateKind(name="useless", share=1.0)


def _size(pairs: int, seed_scale: float, repeats: int) -> float:
    """Share of repeats in which a useless candidate passes a one-sided test of one slice at 5%."""
    rows = synthetic_slice("s", "target", 5000, seeds.generator(11, "rows"))
    passed = 0
    for repeat in range(repeats):
        rng = seeds.generator(11, "size", pairs, repeat)
        old = replace(rows, base=rng.choice(rows.base, 400), rows=np.arange(400))
        (new,), _ = changed([old], {"s": 0.0}, 0.3, rng.standard_normal(400), seed_scale)
        runs = np.stack([old.train(rng) for _ in range(6)])
        pool = Pools.calibrated({"s": runs}, {}, {}).of("s")
        trained = np.stack([new.train(rng, seed_scale) for _ in range(pairs)])
        beside = np.stack([old.train(rng) for _ in range(pairs)])
        found = moderate(crossed(trained - beside), pool)
        passed += found.mean / found.standard_error > critical(ONE_SIDED, found.df)
    return passed / repeats


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [2, 8])
def test_size_of_a_slice(pairs: Any) -> None:
    assert _size(pairs, 1.0, 250) <= 0.055


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [2, 3, 5, 8])
@pytest.mark.parametrize("seed_scale", [1.0, 3.0])
def test_size_of_a_slice_with_many_repeats(pairs: Any, seed_scale: Any) -> None:
    """Also where the challenger's seed noise is three times what filled the pool."""
    assert _size(pairs, seed_scale, 2000) <= 0.055


def _decide(gain: float, guard: float, rows: int, seed: int) -> str:
    rng = seeds.generator(12, "one", seed)
    kind = CandidateKind(name="one", share=1.0, gain=(gain, gain), guard=(guard, guard), helpful=gain > 0)
    slices = (
        synthetic_slice("dark", "target", rows, rng),
        synthetic_slice("overall", "guard", rows, rng, margin=0.02),
    )
    world = Campaign(slices=slices, kinds=(kind,), candidates=1)
    return simulate_campaign(world, GateSpec(fdr=0.05), seed).decisions[0].verdict


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gain", "guard", "least", "most"), [(0.03, 0.0, 0.92, 1.0), (0.0, 0.0, 0.0, 0.03), (0.04, -0.03, 0.0, 0.02)]
)
def test_one_decision_with_a_thousand_rows(gain: Any, guard: Any, least: Any, most: Any) -> None:
    kept = np.mean([_decide(gain, guard, 1000, seed) == "keep" for seed in range(40)])
    assert least <= kept <= most


@pytest.mark.parametrize(("others", "verdict"), [("target", "keep"), ("guard", "drop")])
def test_a_cure_that_costs_the_others_a_little_is_kept_where_they_are_targets(others: Any, verdict: Any) -> None:
    """Declaring every other slice a guard loses true cures: docs/decisions/targets-and-guards.md."""
    cure = CandidateKind(name="cure", share=1.0, gain=(0.3, 0.3), others=(-0.03, -0.03), helpful=True)
    found = []
    for seed in range(10):
        rng = seeds.generator(18, "cure", seed)
        margin = 0.02 if others == "guard" else None
        slices = [synthetic_slice("dark", "target", 500, rng, accuracy=0.5)]
        slices += [
            synthetic_slice(name, others, 500, rng, accuracy=0.5, margin=margin) for name in ("fog", "rain", "snow")
        ]
        world = Campaign(slices=tuple(slices), kinds=(replace(cure, uneven=0.1),), candidates=1, declare=True)
        found.append(simulate_campaign(world, GateSpec(), seed).decisions[0])
    assert sum(d.verdict == verdict for d in found) >= 8


@pytest.mark.slow
def test_a_night_of_useless_candidates_keeps_nothing_and_costs_little() -> None:
    rng = seeds.generator(13, "night")
    slices = (
        synthetic_slice("dark", "target", 400, rng),
        synthetic_slice("fog", "target", 600, rng),
        synthetic_slice("overall", "guard", 800, rng, margin=0.02),
    )
    found = summarise([simulate_campaign(Campaign(slices=slices, kinds=(USELESS,), candidates=60), GateSpec(), 2)])
    assert found.kept.hits == 0
    assert found.pairs.value <= 2.5


def test_a_campaign_is_the_same_again() -> None:
    rng = seeds.generator(14, "same")
    world = Campaign(slices=(synthetic_slice("dark", "target", 300, rng),), kinds=(USELESS,), candidates=5)
    assert simulate_campaign(world, GateSpec(), 3) == simulate_campaign(world, GateSpec(), 3)
    assert simulate_campaign(world, GateSpec(), 3) != simulate_campaign(world, GateSpec(), 4)


def test_a_synthetic_slice_is_as_noisy_as_asked() -> None:
    rng = seeds.generator(15, "slice")
    world = synthetic_slice("s", "target", 20_000, rng, accuracy=0.8, churn=0.10, seed_sd=0.01)
    runs = np.stack([world.train(rng) for _ in range(60)])
    assert runs.mean() == pytest.approx(0.8, abs=0.01)
    assert np.mean(runs[::2] != runs[1::2]) == pytest.approx(0.10, abs=0.01)
    assert runs.mean(axis=1).std() == pytest.approx(0.01, rel=0.35)


@pytest.mark.parametrize("hits", [True, False])
def test_a_calibrated_slice_has_the_noise_of_its_runs(hits: Any) -> None:
    rng = seeds.generator(16, "calibrated")
    source = synthetic_slice("s", "target", 3000, rng, seed_sd=0.01)
    runs = np.stack([source.train(rng) for _ in range(12)])
    runs = runs if hits else runs + 0.1 * rng.normal(size=runs.shape)
    world = calibrated_slice(Runs(name="s", role="target", scores=runs, rows=np.arange(3000)))
    again = np.stack([world.train(rng) for _ in range(12)])
    assert again.mean() == pytest.approx(runs.mean(), abs=0.03)
    assert crossed(again).residual == pytest.approx(crossed(runs).residual, rel=0.25)


def test_a_gain_is_planted_as_large_as_asked() -> None:
    rng = seeds.generator(17, "gain")
    (old,) = SliceSet(slices=(synthetic_slice("s", "target", 20_000, rng),)).placed().slices
    (new,), truth = changed([old], {"s": 0.05}, 0.3, rng.standard_normal(20_000), 3.0)
    gained = np.mean([new.train(rng, 3.0).mean() - old.train(rng).mean() for _ in range(60)])
    assert gained == pytest.approx(0.05, abs=0.01)
    assert truth["s"] == pytest.approx(0.05)


def _nested(rng: Any, hits: bool, runs: int = 40) -> tuple[list[Runs], np.ndarray]:
    """Runs of `overall`, 2,000 rows in pairs of one group, and of `dark`, its first 800; one seed moves both."""
    base = rng.normal(0.5, 1.0, 2000)
    groups = np.arange(2000) // 2
    latent = base + 0.2 * rng.normal(size=(runs, 1)) + 0.7 * rng.normal(size=(runs, 1000))[:, groups]
    latent += 0.7 * rng.normal(size=(runs, 2000))
    scores = (latent > 0).astype(float) if hits else 5 * latent
    dark = np.arange(800)
    return [
        Runs(name="overall", role="guard", margin=0.02, scores=scores, rows=np.arange(2000), clusters=groups),
        Runs(name="dark", role="target", scores=scores[:, dark], rows=dark, clusters=groups[dark]),
    ], scores


@pytest.mark.slow
@pytest.mark.parametrize("hits", [True, False])
def test_a_calibrated_ground_moves_as_its_runs_do(hits: Any) -> None:
    """Noise of seeds, of rows, of groups, and what two slices share, all as in the runs it was made from."""
    rng = seeds.generator(19, "ground", int(hits))
    runs, scores = _nested(rng, hits)
    ground = calibrated(runs)
    draws = Draws(ground)
    again = []
    for _ in range(200):
        seed, rest = draws.seeds(rng), draws.rows(rng)
        again.append([s.score(u, rest[s.rows]) for s, u in zip(ground.slices, seed, strict=True)])
    whole = np.stack([a[0] for a in again])
    before, after = crossed(scores, runs[0].clusters), crossed(whole, runs[0].clusters)
    assert after.mean == pytest.approx(before.mean, abs=0.03 if hits else 0.15)
    assert after.seed == pytest.approx(before.seed, rel=0.5)
    assert after.residual == pytest.approx(before.residual, rel=0.15)
    assert ground.together == pytest.approx(0.5, abs=0.1)
    assert ground.correlation[0, 1] > 0.9
    dark = np.stack([a[1] for a in again])
    assert np.mean(dark == whole[:, :800]) > 0.99 if hits else dark == pytest.approx(whole[:, :800], abs=1.0)


def test_a_change_reaches_the_slices_that_share_its_rows_and_no_others() -> None:
    rng = seeds.generator(20, "shared")
    rows = rng.normal(0.5, 1.0, 1000)

    def part(name: Any, at: Any, role: Any = "target", margin: Any = None) -> Any:
        return KnownSlice(name=name, role=role, base=rows[at], seed_sd=0.0, rows=at, margin=margin)

    slices = [
        part("dark", np.arange(200)),
        part("overall", np.arange(1000), "guard", 0.02),
        part("day", np.arange(500, 1000)),
    ]
    new, truth = changed(slices, {"dark": 0.05}, 0.0, np.zeros(1000))
    gained = {s.name: s.expected() - o.expected() for s, o in zip(new, slices, strict=True)}
    assert gained == pytest.approx({"dark": 0.05, "overall": 0.01, "day": 0.0}, abs=1e-6)
    assert truth == pytest.approx(gained, abs=1e-6)
    both, truth = changed(slices, {"dark": 0.05, "overall": -0.03}, 0.0, np.zeros(1000))
    assert truth["dark"] == pytest.approx(0.05)
    assert truth["overall"] == pytest.approx(-0.03)
    assert truth["day"] == pytest.approx(-0.05)
    assert both[1].expected() - slices[1].expected() == pytest.approx(-0.03, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("hits", [True, False])
def test_campaigns_on_calibration_runs_of_grouped_rows(hits: Any) -> None:
    """Plain help is kept, uselessness is not, whatever the scores: hits, or values of any size."""
    runs, _ = _nested(seeds.generator(21, "runs", int(hits)), hits, runs=6)
    unit = 1.0 if hits else 25.0
    runs[0] = replace(runs[0], margin=0.03 * unit)
    ground = calibrated(runs)
    help_ = CandidateKind(name="help", share=0.5, gain=(0.1 * unit, 0.1 * unit), helpful=True)
    world = Campaign(
        slices=ground.slices,
        kinds=(replace(USELESS, share=0.5), help_),
        candidates=4,
        correlation=ground.correlation,
        together=ground.together,
    )
    found = summarise([simulate_campaign(world, GateSpec(), seed) for seed in range(6)], at=0.05 * unit)
    assert found.power.value >= 0.9
    assert found.false_keeps.hits == 0
    assert found.guard_harmed.hits == 0


def test_shares_have_wilsons_interval() -> None:
    assert Share(0, 0).interval == (0.0, 1.0)
    low, high = Share(5, 100).interval
    assert (low, high) == pytest.approx((0.0215, 0.1118), abs=1e-3)
