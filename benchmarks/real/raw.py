"""Nights on file: what is needed to write the page again, and to look at a night after it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.real.measure import rounded

RESULTS = Path(__file__).resolve().parent.parent / "results" / "real_raw.jsonl"
PAGE = RESULTS.with_name("real.md")
LEFT_OUT = ("ledger", "pareto", "credit", "mlflow", "findings", "requests", "fingerprint", "test")
DECISION = ("round", "subject", "kind", "members", "purpose", "verdict", "reasons", "seeds", "trainings", "objective")


def shortened(night: Mapping[str, Any]) -> dict[str, Any]:
    """A night without the parts of its result.json that are long and that no figure here needs."""
    result = {key: value for key, value in night["result"].items() if key not in LEFT_OUT}
    result["decisions"] = [{key: one[key] for key in DECISION if key in one} for one in result["decisions"]]
    short: dict[str, Any] = rounded({**night, "result": result})
    return short


def write(records: Iterable[Mapping[str, Any]]) -> None:
    """Keep nights, one a line."""
    lines = "".join(json.dumps(one, separators=(",", ":"), default=str) + "\n" for one in records)
    RESULTS.write_text(lines, encoding="utf-8")


def read() -> list[dict[str, Any]]:
    """The nights on file."""
    return [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]
