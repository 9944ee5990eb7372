"""The rows of results/search_raw.jsonl: what was measured, part by part, each with when and at which commit."""

from __future__ import annotations

import json
import subprocess
import traceback
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from benchmarks import lines
from benchmarks.search import costs, runs
from benchmarks.search.costs import CostRecord, CostTask
from benchmarks.search.runs import Record, Task

RESULTS = Path(__file__).resolve().parent.parent / "results"
RAW = RESULTS / "search_raw.jsonl"

Row = Record | CostRecord
KINDS: dict[str, type[Any]] = {"run": Record, "cost": CostRecord}


def work(job: Task | CostTask) -> Any:
    """Do one job on one thread, in a process of the pool; return its row, or the traceback where it failed."""
    warnings.simplefilter("ignore")
    try:
        with threadpool_limits(limits=1):
            return runs.run(job) if isinstance(job, Task) else costs.run(job)
    except Exception:
        return traceback.format_exc()


def read() -> list[Row]:
    """Every row on file; those of kinds that only earlier versions knew are passed over."""
    return [
        KINDS[kind](**{name: tuple(v) if isinstance(v, list) else v for name, v in line.items()})
        for line in lines.read(RAW)
        if (kind := line.pop("kind")) in KINDS
    ]


def add(fresh: Iterable[Row]) -> None:
    """Put rows in place of those of the same part."""
    mark = stamp()
    stamped = [replace(row, stamp=mark) for row in fresh]
    parts, names = {part(row) for row in stamped}, {kind: name for name, kind in KINDS.items()}
    kept = [{"kind": names[type(row)], **asdict(row)} for row in [r for r in read() if part(r) not in parts] + stamped]
    earlier = [line for line in lines.read(RAW) if line["kind"] not in KINDS]
    text = "\n".join(json.dumps(row, separators=(",", ":")) for row in [*kept, *earlier])
    RAW.write_text(text + "\n", encoding="utf-8")


def part(row: Row | Task | CostTask) -> tuple[str, ...]:
    """What is measured in one go and replaced in one go: a world and a peer, or the costs."""
    return (row.world, row.peer) if isinstance(row, Task) else ("costs",)


def stamp() -> str:
    """The day and the commit, with a plus where files of the program differ from it."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    return f"{day} {_git('rev-parse', '--short', 'HEAD')}{'+' if _git('status', '--porcelain', 'autodc') else ''}"


def stamps(rows: Sequence[Row]) -> str:
    """Every stamp there is, in order."""
    return ", ".join(sorted({row.stamp for row in rows}))


def _git(*words: str) -> str:
    found = subprocess.run(
        ["git", "-C", str(RESULTS.parent.parent), *words], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or ("" if words[0] == "status" else "unknown")
