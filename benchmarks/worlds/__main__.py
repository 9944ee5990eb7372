"""What is planted in the worlds, and where their oracles are.

python -m benchmarks.worlds --table digits 0          # what each set does alone and beside the cures
python -m benchmarks.worlds --summary                 # the same over several worlds; writes results/worlds.md
python -m benchmarks.worlds --measure digits 0 1 2    # tune base and oracle alike; writes gaps.json
python -m benchmarks.worlds --enumerate 0             # every subset of the world `subsets`; writes its table
"""

from __future__ import annotations

import argparse

from benchmarks.worlds import world
from benchmarks.worlds.subsets import enumerate_subsets, path_of
from benchmarks.worlds.truth import measured, summary, table, write, write_page

SUMMARY = {"digits": (0, 1, 2), "fashion": (0, 1, 2), "tabular": (0, 1), "convention": (0, 1), "null": (0, 1)}


def main() -> None:
    """Print the table of a world, or measure gaps."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--table", nargs=2, metavar=("NAME", "SEED"), help="what each set does")
    options.add_argument("--summary", action="store_true", help="what each kind of set does; writes a page")
    options.add_argument("--measure", nargs="+", metavar="NAME SEED", help="a world's name and its seeds")
    options.add_argument("--enumerate", nargs="+", type=int, metavar="SEED", help="train every subset")
    given = options.parse_args()
    if given.table:
        print(table(world(given.table[0], int(given.table[1]))))
    if given.summary:
        write_page([summary([world(name, seed) for seed in numbers]) for name, numbers in SUMMARY.items()])
    if given.measure:
        for seed in given.measure[1:]:
            write(measured(world(given.measure[0], int(seed))))
    for seed in given.enumerate or ():
        one = world("subsets", seed)
        enumerate_subsets(one).to_csv(path_of(one), lineterminator="\n")
        print(path_of(one).name, one.gap, flush=True)


if __name__ == "__main__":
    main()
