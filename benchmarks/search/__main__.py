"""Our sampler beside its peers, all run for real, in worlds with known truth.

    python -m benchmarks.search           # everything, from scratch; under 25 minutes on two cores
    python -m benchmarks.search --quick   # two worlds, 40 trainings; prints, writes nothing
    python -m benchmarks.search --only digits --samplers mixture,tpe
    python -m benchmarks.search --only studies:digits,costs   # whole studies of a world; what a proposal costs
    python -m benchmarks.search --page    # writes the page again from the rows on file

Writes results/search_raw.jsonl (a part that is run again replaces its rows), search.md and search_curves.svg.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from benchmarks.search import campaign, costs, page, raw, studies
from benchmarks.search.jobs import Job, work
from benchmarks.search.peers import PEERS

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> int:
    """Run what is asked for and write the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="in 3 minutes; nothing is written")
    options.add_argument("--only", default="", help=f"with commas: {', '.join(parts())}")
    options.add_argument("--samplers", default="", help=f"with commas: {', '.join(PEERS)}")
    options.add_argument("--page", action="store_true", help="write the page from the rows on file")
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args()
    if given.page:
        print(page.write())
        return 0
    asked, peers = _words(given.only), _words(given.samplers)
    _refuse(options, "--only", asked, parts())
    _refuse(options, "--samplers", peers, tuple(PEERS))
    jobs: list[Job] = list(campaign.quick()) if given.quick else list(_jobs(asked or parts(), peers))
    found, broken = _run(jobs, given.processes)
    if given.quick:
        for world in campaign.QUICK:
            print(f"{campaign.SETTINGS[world].title}\n\n{page.table(found, world)}\n")
        return bool(broken)
    raw.add(row for row in found if raw.part(row) not in {raw.part(job) for job in broken})
    print(page.write())
    return bool(broken)


def parts() -> tuple[str, ...]:
    """What can be asked for by name."""
    return (*campaign.SETTINGS, *(f"studies:{world}" for world in studies.SEEDS), "costs")


def _jobs(asked: Sequence[str], peers: Sequence[str]) -> Iterator[Job]:
    """The longest first, so that both processes end at about the same time."""
    if "costs" in asked:
        yield from costs.tasks()
    yield from campaign.tasks([w for w in campaign.SETTINGS if w in asked], peers)
    yield from studies.tasks([w for w in studies.SEEDS if f"studies:{w}" in asked])


def _run(jobs: Sequence[Job], processes: int) -> tuple[list[raw.Row], list[Job]]:
    """Rows in the order of the jobs, and the jobs that failed."""
    began = time.monotonic()
    found: list[raw.Row] = []
    broken: list[Job] = []
    os.environ |= dict.fromkeys(THREADS, "1")
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for done, (job, row) in enumerate(zip(jobs, pool.map(work, jobs), strict=True), 1):
            if isinstance(row, str):
                broken.append(job)
                print(f"{job} failed; what is on file of it stays\n{row}", file=sys.stderr)
            else:
                found.append(row)
            talk = f"{done} of {len(jobs)}, {time.monotonic() - began:.0f} s"
            print(talk, file=sys.stderr, end="\r" if sys.stderr.isatty() else "\n", flush=True)
    return found, broken


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def _refuse(options: argparse.ArgumentParser, flag: str, words: Sequence[str], known: Sequence[str]) -> None:
    for word in words:
        if word not in known:
            options.error(f"{flag}: no {word!r}; one of {', '.join(known)}")


if __name__ == "__main__":
    sys.exit(main())
