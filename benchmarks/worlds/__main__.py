"""What is planted in the worlds, and where their oracles are.

python -m benchmarks.worlds --summary                 # what each kind of set does; writes results/worlds.md
python -m benchmarks.worlds --measure digits 0 1 2    # tune base and oracle alike; writes gaps.json
python -m benchmarks.worlds --enumerate 0             # every subset of the world `subsets`; writes its table
"""

from __future__ import annotations

import argparse

from benchmarks.worlds import world
from benchmarks.worlds.truth import enumerate_subsets, measure, summary, write_page

SUMMARY = {"digits": (0, 1, 2), "fashion": (0, 1, 2), "tabular": (0, 1), "convention": (0, 1), "null": (0, 1)}


def main() -> None:
    """Measure what is asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--summary", action="store_true", help="what each kind of set does; writes a page")
    options.add_argument("--measure", nargs="+", default=[], metavar="NAME SEED", help="a world's name and its seeds")
    options.add_argument("--enumerate", nargs="+", default=[], type=int, metavar="SEED", help="train every subset")
    given = options.parse_args()
    if given.summary:
        write_page([summary([world(name, seed) for seed in numbers]) for name, numbers in SUMMARY.items()])
    for seed in given.measure[1:]:
        measure(world(given.measure[0], int(seed)))
    for seed in given.enumerate:
        enumerate_subsets(world("subsets", seed))


if __name__ == "__main__":
    main()
