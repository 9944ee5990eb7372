"""The loop on real cases, beside what people do instead.

    python -m benchmarks.real                      # six nights a case, whole and with half the trainings; writes
    python -m benchmarks.real --quick              # one night of three cases; prints, writes nothing
    python -m benchmarks.real --cases bikes text --nights 2   # these; prints, writes nothing
    python -m benchmarks.real --whole              # without the nights of half the trainings
    python -m benchmarks.real --half               # these alone
    python -m benchmarks.real --page               # the page again from the nights on file

Writes benchmarks/results/real.md and real_raw.jsonl. Two processes. What peers and references said is read from here
(benchmarks.real.measure measures them); trainings that a night made before are read from the cache.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.real import raw
from benchmarks.real.cases import CASES, case
from benchmarks.real.figures import told
from benchmarks.real.measure import NIGHTS, peers
from benchmarks.real.night import TRAININGS
from benchmarks.real.page import page
from benchmarks.real.reference import reference
from benchmarks.real.runs import run

QUICK = ("text", "bikes", "digits")


def main() -> None:
    """Run the nights and print the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="in three minutes; writes nothing")
    options.add_argument("--cases", nargs="+", choices=list(CASES), help="these alone; writes nothing")
    options.add_argument("--nights", type=int, help=f"nights a case, {NIGHTS} by default; writes nothing")
    options.add_argument("--half", action="store_true", help=f"{TRAININGS // 2} trainings alone; writes nothing")
    options.add_argument("--whole", action="store_true", help=f"{TRAININGS} trainings alone; writes nothing")
    options.add_argument("--page", action="store_true", help="no night: the page from the nights on file")
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args()
    if given.page:
        raw.PAGE.write_text(written(raw.read(), 0.0) + "\n", encoding="utf-8")
        return
    names = given.cases or (QUICK if given.quick else list(CASES))
    count = given.nights or (1 if given.quick else NIGHTS)
    budgets = [TRAININGS // 2] if given.half else [TRAININGS]
    if not (given.half or given.whole or given.quick):
        budgets.append(TRAININGS // 2)
    began = time.perf_counter()
    jobs = [(name, seed, budget) for budget in budgets for seed in range(count) for name in names]
    records = run(jobs, given.processes)
    text = written(records, time.perf_counter() - began)
    print(text)
    if not (given.quick or given.cases or given.nights or given.half or given.whole):
        raw.PAGE.write_text(text + "\n", encoding="utf-8")
        raw.write(records)


def written(records: Sequence[dict[str, Any]], seconds: float) -> str:
    """The page of these nights."""
    names = [name for name in CASES if any(r["case"] == name for r in records)]
    references = {name: found for name in names if (found := reference(name)) is not None}
    measured = {name: peers(name) for name in names}
    found = [told(r, measured[r["case"]], references.get(r["case"])) for r in records]
    whole = [n for n in found if n.budget == TRAININGS]
    half = [n for n in found if n.budget != TRAININGS]
    return page(whole, half, references, {name: case(name).title for name in names}, seconds)


if __name__ == "__main__":
    main()
