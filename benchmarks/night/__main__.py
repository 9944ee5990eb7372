"""The table of a night, beside the usual wiring by hand.

    python -m benchmarks.night                     # what results/night_raw.jsonl lacks; writes results/night.md
    python -m benchmarks.night busy journal        # these parts
    python -m benchmarks.night busy --quick        # small arguments, in a minute; prints, writes nothing
    python -m benchmarks.night busy --again        # measures what is there already again
    python -m benchmarks.night busy --only '5 s'   # cases that have this in their name

A case is measured in a process of its own and takes minutes; what was measured is kept, so that the same command goes
on where it was stopped. `make bench-night` is the first line.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import lines
from benchmarks.night import busy, cluster, growth, long_journal, proposals, scale, shared_memory, two_nodes
from benchmarks.night.part import Part
from benchmarks.tables import table

PARTS: Mapping[str, Part] = {
    "busy": busy.PART,
    "journal": long_journal.PART,
    "proposals": proposals.PART,
    "memory": shared_memory.PART,
    "growth": growth.PART,
    "cluster": cluster.PART,
    "nodes": two_nodes.PART,
    "scale": scale.PART,
}
RESULTS = Path(__file__).resolve().parents[1] / "results"
RAW, PAGE = RESULTS / "night_raw.jsonl", RESULTS / "night.md"


def main() -> None:
    """Measure what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="left out: all")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--only", default="", help="cases that have this in their name")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case is not None:
        (part,) = asked.parts
        print(json.dumps(dict(PARTS[part].cases[asked.case](asked.quick))))
        return
    measured = [] if asked.quick or asked.again else lines.read(RAW)
    known = {(one["part"], one["case"]) for one in measured}
    for name in asked.parts or PARTS:
        for case in PARTS[name].cases:
            if (name, case) in known or asked.only not in case:
                continue
            found = _measure(name, case, asked.quick)
            print(name, case, json.dumps(found), sep=" · ", flush=True)
            if not asked.quick:
                lines.add(RAW, [found])
    if not asked.quick:
        PAGE.write_text(page(lines.read(RAW)), encoding="utf-8")


def page(measured: Sequence[Mapping[str, Any]]) -> str:
    """All of it; of a case that was measured again the last."""
    last = {(one["part"], one["case"]): one for one in measured}
    text = [
        "# A night and its machine",
        "",
        f"`python -m benchmarks.night` on {os.cpu_count()} cores. Load: processes that were ready to run (one minute's "
        "mean) when the case began; on a machine of two cores whatever is above some 0.3 took from what is measured. "
        "Ruler: CPU milliseconds of a fixed piece of Python, before and after: where it takes twice as long, so do "
        "figures of CPU.",
    ]
    for name, part in PARTS.items():
        mine = [last[name, case] for case in part.cases if (name, case) in last]
        if not mine:
            continue
        head = list(dict.fromkeys(column for one in mine for column in one["figures"]))
        rows = [[one["case"], *(one["figures"].get(c, "") for c in head), one["load"], one["ruler"]] for one in mine]
        text += ["", f"## {part.title}", "", part.words, "", table(["", *head, "load", "ruler"], rows)]
    return "\n".join(text) + "\n"


def _measure(part: str, case: str, quick: bool) -> dict[str, Any]:
    load, before = os.getloadavg()[0], _ruler()
    words = [sys.executable, "-m", "benchmarks.night", part, "--case", case, *(["--quick"] if quick else [])]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    if done.returncode:
        sys.exit(f"{part}, {case}: {done.stderr[-3000:]}")
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    at = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M")
    ruler = f"{(before + _ruler()) / 2:.0f}"
    return {"part": part, "case": case, "figures": figures, "load": f"{load:.1f}", "ruler": ruler, "at": at}


def _ruler() -> float:
    """CPU milliseconds of a fixed piece of Python: by as much as it is longer beside others, so is what is measured."""
    begun = time.process_time()
    for _ in range(20):
        sorted(str(i) for i in range(20_000))
    return 1e3 * (time.process_time() - begun)


if __name__ == "__main__":
    main()
