"""The fault suite: kills at every kind of event and at random, power cuts, and what was synced.

    python -m benchmarks.chaos                        # all of it, an hour or so; writes benchmarks/results/chaos.md
    python -m benchmarks.chaos --part kinds           # one part, or several; writes nothing
    python -m benchmarks.chaos --kills 20 --ray 0 --cuts 50
    make chaos KILLS=20 RAY=0

Exit 1 where anything was otherwise than promised (docs/guide/overnight.md).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.chaos import kills, kinds, power, synced
from benchmarks.night.part import RUNNERS
from benchmarks.tables import table

RESULTS = Path(__file__).parents[1] / "results" / "chaos.md"
PARTS = ("synced", "kinds", "power", "random")
KILLS, RAY, CUTS, WHOLE_RUNS, SEED = 200, 12, 240, 24, 0
HEAD = ("runner", "kills", "SIGTERM: ended within 5 s", "same decisions and trainings", "trained again", "cut off")


def main() -> None:
    """Run the parts that are asked for, and say what came of them."""
    asked = _arguments()
    root = str(Path(__file__).parents[2])
    os.environ.update(OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="", PYTHONPATH=root)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        text, problems = _all(asked, Path(folder))
    minutes = (time.monotonic() - begun) / 60
    page = "\n".join([*_head(minutes), *text, *(f"- **{one}**" for one in problems)])
    print(page)
    if set(asked.part) == set(PARTS) and (asked.kills, asked.ray, asked.cuts) == (KILLS, RAY, CUTS):
        RESULTS.write_text(page + "\n")
    sys.exit(1 if problems else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--part", action="append", choices=PARTS, help="this part; may be given again")
    parser.add_argument("--kills", type=int, default=KILLS, help="random kills of runs without Ray")
    parser.add_argument("--ray", type=int, default=RAY, help="random kills of runs on Ray")
    parser.add_argument("--cuts", type=int, default=CUTS, help="power cuts")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    asked.part = asked.part or list(PARTS)
    return asked


def _all(asked: argparse.Namespace, folder: Path) -> tuple[list[str], list[str]]:
    """The lines of the page, and what is not as promised."""
    lines, problems = list[str](), list[str]()
    for part in PARTS:
        if part in asked.part:
            more, wrong = {"synced": _synced, "kinds": _kinds, "power": _power, "random": _random}[part](asked, folder)
            lines += more
            problems += wrong
    return lines, problems


def _kinds(asked: argparse.Namespace, folder: Path) -> tuple[list[str], list[str]]:
    found = kinds.at_every_kind(folder / "kinds", _say)
    lines = [
        "\n## Killed at every kind of event\n",
        f"{found.fell} kills, right before and right after the append of the first and the last event of each of "
        f"{len(found.kills)} kinds, in {found.studies} folders of six studies. After each kill the journal was a "
        f"beginning of that of the calm run; {found.same} of {found.studies} ended with its very decisions and "
        f"trainings. Trained again after it was journalled: {found.late}; cut off and begun again: {found.again}.\n",
        *(f"- {kind}: {words}" for kind, words in kinds.ELSEWHERE.items() if kind not in found.kills),
    ]
    wrong = [f"no study here writes {kind}, and nobody says where it is tested" for kind in found.unknown]
    wrong += [f"{found.late} trainings were repeated"] if found.late else []
    return lines, [*found.problems, *(f"not met: {one}" for one in found.missed), *wrong]


def _random(asked: argparse.Namespace, folder: Path) -> tuple[list[str], list[str]]:
    machines = {"runner: inline": asked.kills}
    machines |= {f"runner: {name}\nmax_concurrent: 2": asked.ray for name in RUNNERS}
    found = [
        kills.at_random(folder / f"random-{number}", machine, count, asked.seed + number, _say)
        for number, (machine, count) in enumerate(machines.items())
        if count
    ]
    rows = [kills.row(one) for one in found]
    lines = [
        "\n## Killed at random\n",
        "Whole `autodc run` commands, each a process forked from one that has imported autodc: `kill -9`, a fifth of "
        "them announced by SIGTERM, as of a spot machine, with 5 s of grace; then the same command again. *Trained "
        "again*: after the outcome was journalled. *Cut off*: under way when the run was killed, and trained once "
        "more.\n",
        table(HEAD, rows),
    ]
    late = sum(one.late for one in found)
    wrong = [f"{late} trainings were repeated"] if late else []
    return lines, [*(problem for one in found for problem in one.problems), *wrong]


def _power(asked: argparse.Namespace, folder: Path) -> tuple[list[str], list[str]]:
    found = power.torn(folder / "power", asked.cuts, WHOLE_RUNS, asked.seed, _say)
    lines = [
        "\n## Power cuts\n",
        f"{found.copies} copies of a run under way, their write-ahead log cut at {asked.cuts} places, any byte and the "
        "edges of pages, half of the time with zeros behind. Opened, a beginning of what was written, and written on: "
        f"{found.opened[0]}; refused with exit 3: {found.opened[3]}. Of {sum(found.went_on.values())} that went on by "
        f"the same command, {found.went_on[0]} ended with the same decisions and trainings, {found.went_on[3]} with "
        f"exit 3 and a word of what is damaged. Databases torn in the midst of a checkpoint with nothing lost: "
        f"{found.checkpoints} of {found.copies}.",
    ]
    return lines, found.problems


def _synced(asked: argparse.Namespace, folder: Path) -> tuple[list[str], list[str]]:
    found = synced.synced(folder / "synced")
    traced = (
        f"Of a whole run, as strace saw it: {found.commits} appends, {found.syncs} syncs of the journal's log; "
        f"{found.renamed} files and folders were synced before they got their names, and the journal went on only when "
        "the disk had the names."
        if found.traced
        else "strace may not be used here: the order of calls was not looked at."
    )
    return ["\n## Synced\n", f"`synchronous` of the journal is {found.pragma} (FULL: 2). {traced}"], found.problems


def _head(minutes: float) -> Iterator[str]:
    yield "# Chaos\n"
    yield (
        f"`python -m benchmarks.chaos` on {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{minutes:.0f} minutes."
    )


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
