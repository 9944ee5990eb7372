"""Rows a second into a trial, beside a plain torch DataLoader and pandas in the same run.

    python -m benchmarks.rows                       # writes benchmarks/results/rows.md
    python -m benchmarks.rows images table --rounds 3

Every measurement begins with what lies on the disk and ends with the last batch, or with the rows that an estimator is
given; the pages of the files are warm. Ours goes the way of a training: the stored datasets are opened, rows are drawn
by weight from two of them, read and made tensors; the check of the stored files against their digests, once in a
process, is left out, and so is the training. A peer reads the same rows from one file, each once an epoch, shuffled,
with no draw by weight. Ours and the peers take turns; a ratio is of one turn, and its median is told.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.rows_of_images import image_arrays, image_files
from benchmarks.rows_of_tables import tables
from benchmarks.rows_shared import Case, Turn
from benchmarks.tables import table

RESULTS = Path(__file__).parent / "results" / "rows.md"
CASES: dict[str, Callable[[Path], list[Case]]] = {"images": image_arrays, "files": image_files, "table": tables}


def rate(turn: Turn) -> float:
    """Rows a second."""
    start = time.perf_counter()
    rows = turn()
    return rows / (time.perf_counter() - start)


def measured(case: Case, rounds: int) -> list[tuple[object, ...]]:
    """Take turns; the median rates and the median ratio to the peer whose median is best."""
    import torch

    sides = {**case.ours, **case.peers}
    rates: dict[str, list[float]] = {name: [] for name in sides}
    torch.set_num_threads(case.threads)
    for ours in case.ours.values():  # imports, and the digests of the files
        case.afresh()
        ours()
    for at in range(rounds):
        for name in list(sides)[:: 1 if at % 2 else -1]:
            case.afresh()
            rates[name].append(rate(sides[name]))
    peer = max(case.peers, key=lambda name: statistics.median(rates[name]))
    others = ", ".join(f"{name} {statistics.median(rates[name]):,.0f}" for name in case.peers if name != peer) or "–"
    return [(*_row(name, peer, rates), others) for name in case.ours]


def _row(name: str, peer: str, rates: Mapping[str, list[float]]) -> tuple[object, ...]:
    ratios = sorted(one / other for one, other in zip(rates[name], rates[peer], strict=True))
    own, other = (f"{statistics.median(rates[side]):,.0f}" for side in (name, peer))
    return name, own, other, peer, f"{statistics.median(ratios):.2f}", f"{ratios[0]:.2f} – {ratios[-1]:.2f}"


HEAD = (
    "case",
    "ours, rows/s",
    "peer, rows/s",
    "the better peer",
    "ratio, median",
    "least – most",
    "other peers, rows/s",
)
PAGE = """\
# Rows a second into a trial

`python -m benchmarks.rows` on {cores} cores, Python {python}, torch {torch}, {rounds} turns each, {seconds:.0f} s;
load of the machine before {before:.1f}, after {after:.1f}. Goal: at least 1.0 × the better peer of each line.

From what lies on the disk to the last batch, or to the rows an estimator is given; pages of files are warm. Ours goes
the way of a training: stored datasets are opened, rows drawn by weight from two of them, read and made tensors. The
peer reads the same rows from one file, shuffled, without weights. A trial has one thread, two where image files are
decoded for the first time; DataLoader has its workers beside it. A ratio is of one turn.

{table}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="images, files, table; all where none is named, and a page is written")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    before, start, rows = os.getloadavg()[0], time.monotonic(), list[tuple[object, ...]]()
    with tempfile.TemporaryDirectory(prefix="autodc-rows-") as root:
        for name in asked.cases or CASES:
            for case in CASES[name](Path(root) / name):
                for row in measured(case, asked.rounds):
                    rows.append(row)
                    print(*row, sep=" · ", file=sys.stderr, flush=True)
    import torch

    page = PAGE.format(
        cores=len(os.sched_getaffinity(0)), python=platform.python_version(), torch=torch.__version__,
        rounds=asked.rounds, seconds=time.monotonic() - start, before=before, after=os.getloadavg()[0],
        table=table(HEAD, rows),
    )  # fmt: skip
    if not asked.cases:
        RESULTS.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
