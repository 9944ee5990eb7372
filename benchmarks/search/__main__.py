"""Our sampler beside its peers, all run for real, in worlds with known truth.

    python -m benchmarks.search           # everything, from scratch; under 25 minutes on two cores
    python -m benchmarks.search --quick   # two worlds, 40 trainings; prints, writes nothing
    python -m benchmarks.search --only digits,costs --samplers mixture,tpe   # these worlds; what a proposal costs
    python -m benchmarks.search --page    # writes the page again from the rows on file

Writes results/search_raw.jsonl (a part that is run again replaces its rows), search.md and search_curves.svg.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from benchmarks.search import campaign, costs, page, rows
from benchmarks.search.costs import CostTask
from benchmarks.search.peers import PEERS
from benchmarks.search.runs import Task

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PARTS = ("costs", *campaign.SETTINGS)


def main() -> int:
    """Run what is asked for and write the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="in 3 minutes; nothing is written")
    options.add_argument("--only", default="", help=f"with commas: {', '.join(PARTS)}")
    options.add_argument("--samplers", default="", help=f"with commas: {', '.join(PEERS)}")
    options.add_argument("--page", action="store_true", help="write the page from the rows on file")
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args()
    asked, peers = (tuple(filter(None, text.split(","))) for text in (given.only, given.samplers))
    if unknown := [word for word in asked if word not in PARTS] + [word for word in peers if word not in PEERS]:
        options.error(f"nobody knows {', '.join(unknown)}")
    if given.page:
        print(page.write())
        return 0
    worlds = [w for w in campaign.SETTINGS if not asked or w in asked]
    alone: Sequence[CostTask] = costs.TASKS if not asked or "costs" in asked else ()
    found, broken = _run(
        list(campaign.quick()) if given.quick else [*alone, *campaign.tasks(worlds, peers)], given.processes
    )
    if given.quick:
        for world in campaign.QUICK:
            mine = [r for r in found if r.world == world]
            print(f"{campaign.SETTINGS[world].title}\n\n{page.table(mine, world)}\n")
        return bool(broken)
    rows.add(row for row in found if rows.part(row) not in {rows.part(job) for job in broken})
    print(page.write())
    return bool(broken)


def _run(jobs: Sequence[Task | CostTask], processes: int) -> tuple[list[rows.Row], list[Task | CostTask]]:
    """Rows in the order of the jobs, and the jobs that failed."""
    began = time.monotonic()
    found: list[rows.Row] = []
    broken: list[Task | CostTask] = []
    os.environ |= dict.fromkeys(THREADS, "1")
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for done, (job, row) in enumerate(zip(jobs, pool.map(rows.work, jobs), strict=True), 1):
            if isinstance(row, str):
                broken.append(job)
                print(f"{job} failed; what is on file of it stays\n{row}", file=sys.stderr)
            else:
                found.append(row)
            talk = f"{done} of {len(jobs)}, {time.monotonic() - began:.0f} s"
            print(talk, file=sys.stderr, end="\r" if sys.stderr.isatty() else "\n", flush=True)
    return found, broken


if __name__ == "__main__":
    sys.exit(main())
