"""Many nights of a benchmark in two processes, each kept as JSON, so that a run that was cut short goes on."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from autodc.lab.counts import Share

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
CACHE = ROOT / "build" / "nights"
"""Nights of before; the name of one says what was asked, not by which code: `--fresh` after the code has changed."""
POINT = 100.0
"""Points in a share."""
TELL = 50
"""Nights between two words of how far it is."""

Night = dict[str, Any]
"""A night as JSON."""


def arguments(text: str | None, nights: int, quick: int) -> argparse.Namespace:
    """Read the command line that these benchmarks share. nights, quick: nights of a setting, in full and to try."""
    options = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--nights", type=int, default=nights, help=f"of each setting, {nights} by default")
    options.add_argument("--quick", action="store_true", help=f"{quick} nights of each setting; writes nothing")
    options.add_argument("--fresh", action="store_true", help="run again what is on file")
    options.add_argument("--only", default="", help="settings whose name has this in it; writes nothing")
    options.add_argument("--gate", default="{}", help="keys of the study file's `gate`, as JSON; writes nothing")
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args()
    given.nights = quick if given.quick else given.nights
    given.gate = json.loads(given.gate)
    given.writes = not (given.quick or given.only or given.gate)
    return given


def lived(
    name: str, night: Callable[[Any], Night], cases: Sequence[tuple[str, Any]], given: argparse.Namespace
) -> list[Night]:
    """The nights of these cases, in their order; what is on file is read. cases: key and what `night` takes."""
    folder = CACHE / "-".join([name, *(f"{key}={value}" for key, value in sorted(given.gate.items()))])
    folder.mkdir(parents=True, exist_ok=True)
    one = partial(_lived, night, folder, given.fresh, commit())
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        found = []
        for each in pool.map(one, cases):
            found.append(each)
            if len(found) % TELL == 0:
                print(f"{len(found)} of {len(cases)} nights", file=sys.stderr, flush=True)
        return found


def told(
    text: str | None,
    name: str,
    sizes: tuple[int, int],
    cases: Callable[[int, tuple[tuple[str, Any], ...]], Sequence[Any]],
    night: Callable[[Any], Night],
    page: Callable[[Sequence[Night]], str],
) -> None:
    """Live through the nights of a command line and print their page. sizes: nights of a setting, in full and to try.

    cases: so many nights of each setting, under these keys of `gate`; each has a `key`.
    """
    given = arguments(text, *sizes)
    every = cases(given.nights, tuple(sorted(given.gate.items())))
    asked = [(case.key, case) for case in every if given.only in case.key]
    shown = page(lived(name, night, asked, given))
    print(shown)
    if given.writes:
        (RESULTS / f"{name}.md").write_text(shown + "\n", encoding="utf-8")


def _lived(night: Callable[[Any], Night], folder: Path, again: bool, made_by: str, case: tuple[str, Any]) -> Night:
    key, asked = case
    file = folder / f"{key}.json"
    if file.exists() and not again:
        known: Night = json.loads(file.read_text(encoding="utf-8"))
        return known
    found = {**night(asked), "commit": made_by}
    scratch = file.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(found), encoding="utf-8")
    scratch.replace(file)
    return found


def commit() -> str:
    """Which code this is; a + where files differ from it."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def commits(nights: Iterable[Night]) -> str:
    """The commits that nights are of."""
    return ", ".join(sorted({str(night["commit"]) for night in nights}))


def share(flags: Iterable[bool]) -> str:
    """A share with Wilson's 95% interval and its hits."""
    found = Share.counted(flags)
    if not found.of:
        return "–"
    low, high = found.interval
    return f"{found.value:.1%} ({100 * low:.1f}–{100 * high:.1f}; {found.hits} of {found.of})"


def points(value: float | None) -> str:
    """A difference in points, with its sign."""
    return "–" if value is None else f"{POINT * value:+.2f}"
