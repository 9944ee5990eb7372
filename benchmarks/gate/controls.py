"""Rows by chance beside rows that were chosen: how often they ride in what is kept, and what it costs to ask them out.

    python -m benchmarks.gate.controls               # writes benchmarks/results/gate_controls.md
    python -m benchmarks.gate.controls --scale 0.1   # a tenth of the nights; writes nothing

Nights as in `benchmarks.gate.joint_nights`: 2,000 rows of which 40% are explore rows, accuracy 0.85, three settings of
which none matters, a search of 40 trainings. Each case is played twice on the same rows, datasets and trainings: the
control is one dataset like any other, as in studies begun by rules 4 and before; or it is known as a control.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from autodc import seeds
from autodc.lab.counts import Share
from autodc.lab.slices import SliceSet
from autodc.lab.together import CONTROL, Night, Terms, simulate_night
from autodc.lab.world import Planted, World
from autodc.studyfile.study import GateSpec
from autodc.testing.worlds.slices import synthetic_slice
from benchmarks.tables import table

RESULTS = Path(__file__).resolve().parent.parent / "results" / "gate_controls.md"
SEED, ROWS, NIGHTS, TRAININGS = 90417, 2000, 40, 40
CHOSEN, PLAIN = "chosen", "like any other"
CASES = ((2, 0.0, 0.0), (6, 0.0, 0.0), (2, 0.03, 0.0), (2, 0.03, 0.015))
CASES += ((4, 0.01, 0.0), (4, 0.01, 0.005), (2, 0.01, 0.01))
"""Chosen datasets, the gain of each, the gain of their control."""


def play(case: tuple[int, float, float], known: bool, number: int) -> Night:
    """One night. known: whether the control is known as one."""
    count, gain, other = case
    rng = seeds.generator(SEED, *map(str, case), number)
    held = SliceSet(slices=(synthetic_slice("overall", "target", ROWS, rng, accuracy=0.85),)).placed()
    explored = np.sort(rng.permutation(ROWS)[: int(0.4 * ROWS)])
    sets = [Planted(name=f"{CHOSEN} {i}", kind=CHOSEN, gains={"overall": gain}) for i in range(count)]
    sets += [Planted(name="random", kind=CONTROL if known else PLAIN, gains={"overall": other})]
    settings = [Planted(name=f"setting {i}", kind="setting") for i in range(3)]
    terms = Terms(gate=GateSpec(), planned=count + 2, rounds=1, per_round=TRAININGS, matters=0.002)
    return simulate_night(
        World(held, explored, sets, settings, rng), terms, seeds.integer(SEED, *map(str, case), "night", number)
    )


def main() -> None:
    """Play every case both ways, print the table, and write the page when nothing was scaled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="nights in units of the default")
    asked, began, rows = parser.parse_args(), time.process_time(), []
    count = max(1, round(asked.scale * NIGHTS))
    for case in CASES:
        for known in (False, True):
            rows.append(_row(case, known, [play(case, known, number) for number in range(count)]))
            print(*rows[-1], sep=" | ", flush=True)
    head = ("chosen", "the control", "nights that keep any", "keep the control", "chosen kept", "gain", "trainings")
    page = (
        "# Rows by chance beside rows that were chosen\n\nWritten by `python -m benchmarks.gate.controls`. "
        f"{' '.join((__doc__ or '').split(chr(10) * 2)[-1].split())} {count} nights a line, in brackets 95% intervals "
        f"for that number. Gains in points. {time.process_time() - began:.0f} s of a core, Python "
        f"{platform.python_version()}, numpy {np.__version__}.\n\n{table(head, rows)}\n"
    )
    print(page)
    if asked.scale == 1.0:
        RESULTS.write_text(page)


def _row(case: tuple[int, float, float], known: bool, nights: list[Night]) -> tuple[str, ...]:
    count, gain, other = case
    chosen = [m for night in nights for m in night.members if m.kind == CHOSEN]
    control = [m for night in nights for m in night.members if m.kind != CHOSEN]
    return (
        f"{count} of {100 * gain:+.1f} each",
        f"{100 * other:+.2f}, {'known as one' if known else PLAIN}",
        _share(Share.counted(bool(night.kept) for night in nights)),
        _share(Share.counted(m.kept for m in control)),
        _share(Share.counted(m.kept for m in chosen)),
        f"{100 * np.mean([night.gain for night in nights]):+.2f}",
        f"{np.mean([night.trainings for night in nights]):.1f}",
    )


def _share(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.0%} ({100 * low:.0f}–{100 * high:.0f})"


if __name__ == "__main__":
    main()
