"""What a finding's slice as declared target is worth, and what it costs: the gate alone, on rows whose truth is known.

    python -m benchmarks.gate.declared                # writes benchmarks/results/gate_declared.md
    python -m benchmarks.gate.declared --only null    # one table of it; the others as they are on file (build)
    python -m benchmarks.gate.declared --quick        # a tenth of the nights; writes nothing

A night is a validation set of fresh rows, an incumbent and one challenger, trained with the same seeds. A model is
right about a row where ease + what its training rows do to the row + what the seed does is above 0; two models of
equally good training rows differ in both, so the null is exact: arms are exchangeable. Decisions are those of
`autodc.gate.judge`, look by look.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.special import ndtri

from autodc.diagnose.chances import wilson
from autodc.evaluation.evidence import FINDING, SliceEvidence
from autodc.gate.judge import judge
from autodc.gate.levels import level, level_of_whole
from autodc.gate.noise import Pools
from autodc.gate.thresholds import MATTERS
from autodc.studyfile.study import GateSpec
from benchmarks.tables import table

Array = np.ndarray[Any, Any]

GATE = GateSpec()
RUNS = 6
"""Calibration trainings."""
SEED = 71520
NIGHTS = 300
RESULTS, FILED = Path("benchmarks/results/gate_declared.md"), Path("build/gate_declared")
MEMBER = level(0.1, 64, 0)
"""Of a dataset alone, in a study of 4 rounds with 6 proposals each."""
WHOLE = level_of_whole(0.1, 4, first=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Nights of one kind."""

    name: str
    whole: bool = False
    rows: int = 1000
    """Gate rows, all of them the target `overall`."""
    slices: tuple[int, ...] = (50,)
    """Rows of each finding's slice; what is compared was made for all of them."""
    cured: tuple[float, ...] = ()
    """How much error the challenger takes of each of them."""
    elsewhere: float = 0.0
    """What it gains, or loses, on all other rows."""
    wrong: float = 0.5
    """Error of the incumbent inside the slices; .1 elsewhere."""
    data: float = 0.35
    seed: float = 0.5
    """Standard deviations of what training rows, and seeds, do to a row; its ease varies with 1."""
    alpha: float | None = None
    margin: float = 0.02
    """Of the guard: rows outside the findings."""

    @property
    def level(self) -> float:
        """Of the comparison."""
        return self.alpha or (WHOLE if self.whole else MEMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What came of many nights."""

    keeps: int
    nights: int
    pairs: float
    """Mean over all nights."""
    pairs_kept: float
    """Mean over nights that keep."""

    @property
    def words(self) -> str:
        """Share of nights that keep, with its interval."""
        low, high = wilson(self.keeps / self.nights, self.nights)
        return f"{self.keeps / self.nights:.2%} ({low:.2%}–{high:.2%})"


def night(setting: Setting, rng: np.random.Generator) -> tuple[Array, Array, Array, list[Array]]:
    """Hits of the calibration, of incumbent and challenger (pairs × rows), and the rows of each slice."""
    m, looks = setting.rows, GATE.looks[-1]
    inside = np.zeros(m, dtype=bool)
    places, first = [], 0
    for size in setting.slices:
        places.append(np.arange(first, first + size))
        first += size
    inside[:first] = True
    spread = np.sqrt(1 + setting.data**2 + setting.seed**2)
    right = np.where(inside, 1 - setting.wrong, 0.9)
    ease = rng.normal(size=m)
    of_incumbent, of_challenger = setting.data * rng.normal(size=(2, m))
    after = right.copy()
    for place, gain in zip(places, setting.cured, strict=False):
        after[place] += gain
    after[~inside] += setting.elsewhere

    def hits(share: Array, rows: Array, runs: int) -> Array:
        moved: Array = ease + ndtri(share) * spread + rows + setting.seed * rng.normal(size=(runs, m))
        return (moved > 0).astype(float)

    return (
        hits(right, of_incumbent, RUNS),
        hits(right, of_incumbent, looks),
        hits(after, of_challenger, looks),
        places,
    )


def decided(setting: Setting, rng: np.random.Generator, declared: bool) -> tuple[bool, int]:
    """Whether a challenger is kept, and after how many pairs."""
    runs, incumbent, challenger, places = night(setting, rng)
    guard = np.arange(sum(setting.slices), setting.rows)
    rows = {"overall": np.arange(setting.rows), "guard": guard}
    if declared:
        rows |= {f"finding-{k}": place for k, place in enumerate(places)}
    pools = Pools.calibrated({n: runs[:, at] for n, at in rows.items()}, dict.fromkeys(rows), {"overall": 1.0})
    pairs = 0
    for pairs in GATE.looks:
        moved = (challenger - incumbent)[:pairs]
        seen = {
            name: SliceEvidence(
                name=name,
                role="target" if name == "overall" else "guard" if name == "guard" else FINDING,
                weight=1.0,
                margin=setting.margin if name == "guard" else None,
                declared=name != "guard",
                differences=moved[:, at],
            )
            for name, at in rows.items()
        }
        look = judge(
            seen,
            pools,
            GATE,
            setting.level,
            novel=True,
            tolerated=MATTERS,
            whole=setting.whole,
            objective_alone=setting.whole,
            patient=setting.whole,
        )
        if look.verdict is not None:
            return look.verdict == "keep", pairs
    return False, pairs


def counted(setting: Setting, nights: int, declared: bool) -> Counted:
    """Many nights of one kind, the same with and without declared slices."""
    found = [decided(setting, np.random.default_rng([SEED, k]), declared) for k in range(nights)]
    kept = [pairs for keep, pairs in found if keep]
    return Counted(
        keeps=len(kept),
        nights=nights,
        pairs=float(np.mean([pairs for _, pairs in found])),
        pairs_kept=float(np.mean(kept)) if kept else float("nan"),
    )


NULL = (
    Setting(name="dataset alone, 50 rows", alpha=0.05),
    Setting(name="dataset alone, 20 rows", alpha=0.05, slices=(20,)),
    Setting(name="dataset alone, 150 rows", alpha=0.05, slices=(150,)),
    Setting(name="dataset alone, 30 rows, noisy seeds", alpha=0.05, slices=(30,), seed=1.0),
    Setting(name="dataset alone, 30 rows, seeds alike", alpha=0.05, slices=(30,), seed=0.05),
    Setting(name="dataset alone, 20 rows, at its level", slices=(20,)),
    Setting(name="whole for three findings", whole=True, slices=(50, 50, 50)),
    Setting(name="whole for five findings of 20 rows", whole=True, slices=(20,) * 5),
)
TRUE = (
    Setting(name="dataset alone: 5% of rows, .2 less error", cured=(0.2,)),
    Setting(name="the same, 2,000 rows", rows=2000, slices=(100,), cured=(0.2,)),
    Setting(name="the same, .3 less error", cured=(0.3,)),
    Setting(name="whole: 5% of rows, .2 less error", whole=True, cured=(0.2,)),
    Setting(name="whole for three findings, one cured by .2", whole=True, slices=(50,) * 3, cured=(0.2,)),
    Setting(name="whole for three findings, all cured by .2", whole=True, slices=(50,) * 3, cured=(0.2,) * 3),
    Setting(name="whole: nothing inside, .02 on all other rows", whole=True, elsewhere=0.02),
    Setting(name="dataset alone: nothing inside, .02 elsewhere", elsewhere=0.02),
)
HARM = (
    Setting(name="dataset alone: .3 less error inside, objective −.01", cured=(0.3,), elsewhere=-0.0263, margin=0.06),
    Setting(
        name="whole: .3 less error inside, objective −.01", whole=True, cured=(0.3,), elsewhere=-0.0263, margin=0.06
    ),
    Setting(name="dataset alone: .3 less error inside, objective −.002", cured=(0.3,), elsewhere=-0.0179, margin=0.06),
    Setting(
        name="whole: .3 less error inside, objective −.002", whole=True, cured=(0.3,), elsewhere=-0.0179, margin=0.06
    ),
)


def null_rows(nights: int) -> list[list[str]]:
    """Table rows: the level, and keeps with declared slices."""
    found = []
    for one in NULL:
        seen = counted(one, nights, declared=True)
        found.append([one.name, f"{one.level:.2%}", seen.words, str(seen.nights), f"{seen.pairs:.2f}"])
        print(" | ".join(found[-1]), flush=True)
    return found


def rows_of(settings: tuple[Setting, ...], nights: int) -> list[list[str]]:
    """Table rows: the level, keeps and pairs without and with declared slices."""
    found = []
    for one in settings:
        before, after = (counted(one, nights, declared) for declared in (False, True))
        found.append(
            [
                one.name,
                f"{one.level:.2%}",
                before.words,
                after.words,
                f"{before.pairs:.2f}",
                f"{after.pairs:.2f}",
                f"{before.pairs_kept:.2f}",
                f"{after.pairs_kept:.2f}",
            ]
        )
        print(" | ".join(found[-1]), flush=True)
    return found


HEAD = ["nights", "level", "kept, today", "kept, declared", "pairs, today", "declared", "pairs where kept", "declared"]


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--nights", type=int, default=NIGHTS)
    parser.add_argument("--only", choices=["null", "true", "harm"])
    asked = parser.parse_args()
    nights = asked.nights // 10 if asked.quick else asked.nights
    for name in [n for n in ("null", "true", "harm") if asked.only in (None, n)]:
        rows = null_rows(3 * nights) if name == "null" else rows_of({"true": TRUE, "harm": HARM}[name], nights)
        if not asked.quick:
            FILED.mkdir(parents=True, exist_ok=True)
            (FILED / f"{name}.json").write_text(json.dumps(rows))
    told = {path.stem: json.loads(path.read_text()) for path in FILED.glob("*.json")}
    if asked.quick or len(told) < 3:
        return
    RESULTS.write_text(
        "\n".join(
            [
                "# A finding's slice as declared target",
                "",
                f"Written by `python -m benchmarks.gate.declared`. {nights} nights a row, three times as many where "
                f"nothing is worth anything; the same nights with and without. About 4 minutes on one core, Python "
                f"{platform.python_version()}, numpy {np.__version__}. In brackets: 95% intervals for the number of "
                "nights. 1,000 gate rows, all of them the target; error .1, and .5 inside the slices; a guard of .02 "
                "on the rows outside (.06 in the last table). Today: only the "
                "target may gain. Declared: half of the level is for the "
                "slices of the findings for which what is compared was made.",
                "",
                "## Nothing is worth anything",
                "",
                "Promised: kept in no more nights than the level.",
                "",
                table(["nights", "level", "kept", "nights", "pairs"], told["null"]),
                "",
                "## A gain is true",
                "",
                table(HEAD, told["true"]),
                "",
                "## A cure at the objective's cost",
                "",
                table(HEAD, told["harm"]),
                "",
            ]
        )
    )


if __name__ == "__main__":
    main()
