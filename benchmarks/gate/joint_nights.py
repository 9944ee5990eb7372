"""How often evidence together is wrong on nights whose truth is known, and what it finds; the code of `simulate`.

    python -m benchmarks.gate.joint_nights               # writes benchmarks/results/gate_joint.md
    python -m benchmarks.gate.joint_nights --scale 0.1   # a tenth of the nights; writes nothing

One slice of hits and misses (accuracy 0.85), 40% of its rows explore rows, five settings of which none matters. A
search of 100 random mixtures and one round, or three rounds of 48; an error budget of 0.1. Searches and trainings are
simulated (autodc/lab/world.py), questions and verdicts are those of a study. No constant was chosen on SEED.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from joblib import Parallel, delayed

from autodc import seeds
from autodc.lab.counts import Mean, Share
from autodc.lab.slices import SliceSet
from autodc.lab.together import Night, Terms, simulate_night
from autodc.lab.world import Planted, World
from autodc.studyfile.study import GateSpec
from autodc.testing.worlds.slices import synthetic_slice
from benchmarks.tables import table

RESULTS = Path(__file__).resolve().parent.parent / "results" / "gate_joint.md"
SEED = 52014887
SETTINGS = 5
BEHIND = 0.003
"""A night that ends so far below everything counts as short of it."""


@dataclass(frozen=True)
class Case:
    """Nights of one kind. sets: kind → (how many, gain of each, whether they are alike)."""

    name: str
    rows: int
    sets: tuple[tuple[str, int, float, bool], ...]
    nights: int
    rounds: int = 1

    @property
    def datasets(self) -> int:
        """In a night."""
        return sum(count for _, count, _, _ in self.sets)


def useless(count: int, rows: int, nights: int, rounds: int = 1) -> Case:
    """Nothing is worth keeping."""
    return Case(f"{count} useless", rows, (("useless", count, 0.0, False),), nights, rounds)


TRAININGS = {1: 100, 3: 48}
"""Rounds → trainings of the search in each."""
NULL = [useless(count, rows, 200) for rows in (600, 2000, 8000) for count in (2, 10, 50)]
NULL += [useless(count, 2000, 200, 3) for count in (2, 10, 50)]
SMALL_20, SMALL_9 = (("small", 20, 0.0016, False),), (("small", 9, 0.0016 / 0.9, False),)
MIXED = (("cure", 2, 0.03, False), ("small", 3, 0.003, False), ("useless", 5, 0.0, False), ("harmful", 2, -0.02, False))
TWINS = (("substitute", 2, 0.03, True), ("small", 4, 0.003, False), ("useless", 4, 0.0, False))
REAL = [
    Case("20 small, +3.2 together", 2000, SMALL_20, 100),
    Case("9 small, +1.6 together", 2000, SMALL_9, 100),
    Case("9 small, +1.6 together", 8000, SMALL_9, 60),
    Case("2 cures +3, 3 small, 5 useless, 2 harmful −2", 2000, MIXED, 100),
    Case("2 stand-ins +3, 4 small, 4 useless", 2000, TWINS, 100),
    Case("20 small, +3.2 together, three rounds", 2000, SMALL_20, 60, 3),
    Case("9 small, +1.6 together, three rounds", 2000, SMALL_9, 60, 3),
]


def play(case: Case, number: int) -> Night:
    """One night."""
    rng = seeds.generator(SEED, case.name, case.rows, number)
    known = SliceSet(slices=(synthetic_slice("overall", "target", case.rows, rng, accuracy=0.85),)).placed()
    explored = np.sort(rng.permutation(case.rows)[: int(0.4 * case.rows)])
    sets = [
        Planted(name=f"{kind} {i}", kind=kind, gains={"overall": gain}, like=kind if alike else None)
        for kind, count, gain, alike in case.sets
        for i in range(count)
    ]
    settings = [Planted(name=f"setting {i}", kind="setting") for i in range(SETTINGS)]
    planned = case.rounds * (case.datasets + 1)
    terms = Terms(gate=GateSpec(), planned=planned, rounds=case.rounds, per_round=TRAININGS[case.rounds], matters=0.002)
    return simulate_night(World(known, explored, sets, settings, rng), terms, seeds.integer(SEED, case.name, number))


def null_table(played: Sequence[tuple[Case, list[Night]]]) -> str:
    """Nights in which nothing is worth keeping."""
    rows = []
    for case, nights in played:
        keeping, tuning = Share.counted(bool(n.kept) for n in nights), Share.counted(n.tuned for n in nights)
        cost = np.mean([n.trainings for n in nights])
        rows.append((case.name, case.rows, case.rounds, len(nights), _share(keeping), _share(tuning), f"{cost:.0f}"))
    head = ("datasets", "rows", "rounds", "nights", "keep a dataset", "keep other settings", "trainings of the gate")
    return "## Useless nights\n\n" + table(head, rows)


def real_table(played: Sequence[tuple[Case, list[Night]]]) -> str:
    """Nights with something to be found."""
    rows = []
    for case, nights in played:
        shown = [n for n in nights if n.seen is not None and n.true is not None]
        seen = Mean.over(100 * (n.seen or 0.0) - 100 * (n.true or 0.0) for n in shown)
        rows.append(
            (
                case.name,
                case.rows,
                len(nights),
                _share(Share.counted(bool(n.kept) for n in nights)),
                f"{100 * np.mean([n.gain for n in nights]):+.2f}",
                f"{100 * np.mean([n.gain - n.everything for n in nights]):+.2f}",
                _share(Share.counted(n.gain < n.everything - BEHIND for n in nights)),
                f"{seen.value:+.2f} ± {2 * seen.error:.2f}",
                f"{np.mean([n.trainings for n in nights]) / case.datasets:.1f}",
            )
        )
    head = ("datasets", "rows", "nights", "keep any", "gain", "against everything", "more than .3 behind")
    return "## Something to be found\n\nGains in points.\n\n" + table(
        (*head, "whole as shown − truth", "trainings a dataset"), rows
    )


def kinds_table(played: Sequence[tuple[Case, list[Night]]]) -> str:
    """What became of the datasets of a kind."""
    rows = []
    for case, nights in played:
        for kind in dict.fromkeys(kind for kind, *_ in case.sets):
            members = [m for n in nights for m in n.members if m.kind == kind]
            flags = ((m.kept for m in members), (m.alone for m in members), (m.left for m in members))
            shares = [_share(Share.counted(one)) for one in (*flags, (m.is_open for m in members))]
            rows.append((case.name, case.rows, kind, *shares))
    head = ("datasets", "rows", "kind", "kept", "by a decision of its own", "shown harmful or missed by nobody", "open")
    return "## Dataset by dataset\n\n" + table(head, rows)


def main() -> None:
    """Play every case, print the tables, and write the page when nothing was scaled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="nights in units of the default")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    began = time.monotonic()
    played = []
    with Parallel(n_jobs=asked.processes, batch_size=1) as pool:
        for case in (*NULL, *REAL):
            count = max(1, round(asked.scale * case.nights))
            played.append((case, pool(delayed(play)(case, number) for number in range(count))))
            kept = sum(bool(n.kept) for n in played[-1][1])
            print(f"{case.name}, {case.rows} rows: {kept} of {count}, {time.monotonic() - began:.0f} s", flush=True)
    null, real = played[: len(NULL)], played[len(NULL) :]
    took = f"{time.monotonic() - began:.0f} s with {asked.processes} processes"
    intro = "\n".join(line.strip() for line in (__doc__ or "").split("\n\n")[-1].strip().splitlines())
    head = (
        "# Evidence together on nights whose truth is known\n\nWritten by `python -m benchmarks.gate.joint_nights`. "
        f"{intro}\nIn brackets: 95% intervals for the number of nights. {took}, Python {platform.python_version()}, "
        f"numpy {np.__version__}."
    )
    page = "\n\n".join([head, null_table(null), real_table(real), kinds_table(real)]) + "\n"
    print(page)
    if asked.scale == 1.0:
        RESULTS.write_text(page)


def _share(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.0%} ({100 * low:.0f}–{100 * high:.0f})" if share.of else "–"


if __name__ == "__main__":
    main()
