"""Whether measures of how unlike the base a row is (distance, rarity, nearest_share …) help rules or bury the reason.

    OMP_NUM_THREADS=1 python -m benchmarks.diagnose.unlikeness census digits tabular reviews

Studies whose base lacks conditions that validation has: their target slices. The start is trained once, and rules and
clusters are looked for with and without these measures, with the metadata that tell the condition and without it. A
finding is pure where seven tenths of its rows lie in target slices; found is a target slice that a pure confirmed
finding of the first five mostly (half its rows) lies in. Prints the findings and a table. `embedding` is not asked: of
pictures and texts there are then no such measures.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import autodc
from autodc.diagnose.rule import quoted
from autodc.verbs.models import trained_once
from autodc.wire import explored
from autodc.wire.diagnosis import look
from autodc.wire.explored import known_of
from autodc.wire.inputs import Inputs, read_inputs
from benchmarks.tables import table

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
UNLIKE = explored.BESIDE_BASE
PURE, FIRST = 0.7, 5
HEAD = ("study", "metadata", "measures of unlikeness", "confirmed", "of these by unlikeness", "pure", "slices found")


def lines(name: str) -> list[tuple[Any, ...]]:
    spec = autodc.load(str(CONFIGS / name / "study.yaml"))
    inputs = read_inputs(spec)
    with tempfile.TemporaryDirectory() as folder:
        outputs = trained_once(inputs, None, Path(folder))
    found = []
    for told in (True, False):
        for with_them in (False, True):
            explored.BESIDE_BASE = frozenset() if with_them else UNLIKE
            known = known_of(inputs)
            if not told:
                given = [c for c in inputs.catalogue.validation.metadata if c not in inputs.catalogue.base.features]
                known = replace(known, attributes=known.attributes.drop(columns=given, errors="ignore"))
            found.append((name, "with" if told else "without", "with" if with_them else "without"))
            found[-1] += _counts(inputs, look(inputs, outputs, FIRST, known))
    explored.BESIDE_BASE = UNLIKE
    return found


def _counts(inputs: Inputs, looked: Any) -> tuple[Any, ...]:
    lacking = {s.name: np.asarray(s.rows) for s in inputs.table.slices if s.role == "target" and s.part == "validation"}
    every = np.unique(np.concatenate(list(lacking.values())))
    sure = [one for one in looked.findings if one.status == "confirmed"]
    by = [one for one in sure if any(f"{quoted(name)} " in f"{one.rule} " for name in UNLIKE)]
    pure = [one for one in sure if np.isin(one.ids, every).mean() >= PURE]
    named = {name for name, rows in lacking.items() if any(np.isin(one.ids, rows).mean() >= 0.5 for one in pure)}
    for one in looked.findings:
        share = np.isin(one.ids, every).mean()
        print(f"    {one.status:10} {one.error.difference:+.2f} [{share:.0%} lacking] {one.by}: {one.rule}", flush=True)
    return (len(sure), len(by), len(pure), f"{len(named)} of {len(lacking)}")


def main(names: list[str]) -> None:
    found = []
    for name in names:
        print(name, flush=True)
        found += lines(name)
    print(table(HEAD, found))


if __name__ == "__main__":
    main(sys.argv[1:])
