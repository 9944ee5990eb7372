"""The rows of results/search_raw.jsonl: what was measured, part by part, each with when and at which commit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.search.costs import CostRecord, CostTask
from benchmarks.search.published import ReplayRecord
from benchmarks.search.runs import Record, Task
from benchmarks.search.studies import StudyRecord, StudyTask

RESULTS = Path(__file__).resolve().parent.parent / "results"
RAW = RESULTS / "search_raw.jsonl"

Row = Record | StudyRecord | CostRecord | ReplayRecord
KINDS: dict[str, type[Any]] = {"run": Record, "study": StudyRecord, "cost": CostRecord, "replay": ReplayRecord}


def read() -> list[Row]:
    """Every row on file."""
    if not RAW.exists():
        return []
    rows = [json.loads(line) for line in RAW.read_text(encoding="utf-8").splitlines()]
    return [KINDS[row.pop("kind")].from_dict(row) for row in rows]


def add(fresh: Iterable[Row]) -> None:
    """Put rows in place of those of the same part (world and peer, studies of a world, costs, method of the replay)."""
    mark = stamp()
    stamped = [replace(row, stamp=mark) for row in fresh]
    parts = {part(row) for row in stamped}
    rows = [row for row in read() if part(row) not in parts] + stamped
    names = {kind: name for name, kind in KINDS.items()}
    lines = [json.dumps({"kind": names[type(row)], **row.to_dict()}, separators=(",", ":")) for row in rows]
    RAW.write_text("\n".join(lines) + "\n", encoding="utf-8")


def part(row: Row | Task | StudyTask | CostTask) -> tuple[str, ...]:
    """What is measured in one go and replaced in one go."""
    if isinstance(row, Record | Task):
        return ("run", row.world, row.peer)
    if isinstance(row, StudyRecord | StudyTask):
        return ("study", row.world)
    if isinstance(row, ReplayRecord):
        return ("replay", row.method)
    return ("cost",)


def stamp() -> str:
    """The day and the commit, with a plus where files of the program differ from it."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    return f"{day} {_git('rev-parse', '--short', 'HEAD')}{'+' if _git('status', '--porcelain', 'autodc') else ''}"


def stamps(rows: Sequence[Row]) -> str:
    """Every stamp there is, in order."""
    return ", ".join(sorted({row.stamp for row in rows}))


def _git(*words: str) -> str:
    found = subprocess.run(["git", "-C", str(RESULTS), *words], capture_output=True, text=True, check=False)
    return found.stdout.strip() or ("" if words[0] == "status" else "unknown")
