"""Replay of published runs: which of 512 trained mixtures is best, after how few of them?

    python -m benchmarks.search.replay --data DIR

DIR holds `train_mixture_1m.csv` and `train_pile_loss_1m.csv` of github.com/sail-sg/regmix, folder data. Adds its rows
to results/search_raw.jsonl and writes results/search.md again.
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.search import page, raw
from benchmarks.search.published import LONGEST, METHODS, REPEATS, Table, replay


def main() -> None:
    """Replay every method and write the page again."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="folder with the two tables")
    options.add_argument("--repeats", type=int, default=REPEATS)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--methods", default="", help=f"with semicolons: {'; '.join(METHODS)}")
    given = options.parse_args()
    table = Table.read(given.data)
    wanted = [m for m in METHODS if not given.methods or m in given.methods.split(";")]
    jobs = [(method, repeat) for method in wanted for repeat in range(given.repeats)]
    with ProcessPoolExecutor(given.processes, multiprocessing.get_context("spawn")) as pool:
        raw.add(pool.map(partial(replay, table, length=LONGEST), jobs))
    print(page.write())


if __name__ == "__main__":
    main()
