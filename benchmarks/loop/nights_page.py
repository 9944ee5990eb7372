"""The page of `benchmarks/loop/nights.py`: what is on file, world by world, beside the targets."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import lines
from benchmarks.tables import table

RAW = Path(__file__).resolve().parents[1] / "results" / "loop_nights_raw.jsonl"
PAGE = RAW.with_name("loop_nights.md")
CURED, WHOLE = 0.75, 0.8
"""Share of the gap that is a cure; share of the image worlds that are to be cured whole."""
SMALL = 0.05
"""A gap below that is no weakness that an oracle can tell."""
PEERS: Mapping[str, str] = {
    "base": "settings alone",
    "everything": "all of the pool",
    "random": "as many rows by chance",
    "autodc": "AutoDC's recipe",
}
DATA: Mapping[str, str] = {"digits": "digits", "fashion": "Fashion-MNIST", "table": "a table", "text": "a text"}


def closed(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Planted kind → share of the gap from tuned base to oracle that was closed; None where there is hardly a gap."""
    arms, found = row["arms"], dict[str, float | None]()
    for name in row["weak"]:
        gap = arms["oracle"][name] - arms["base"][name]
        found[name] = None if gap < SMALL else (arms["ours"][name] - arms["base"][name]) / gap
    return found


def is_whole(row: Mapping[str, Any]) -> bool:
    """Whether every planted kind with a gap is cured."""
    shares = [share for share in closed(row).values() if share is not None]
    return bool(shares) and min(shares) >= CURED


def in_a_line(row: Mapping[str, Any]) -> str:
    """A world in a line of a log."""
    shares = {name: None if share is None else round(share, 2) for name, share in closed(row).items()}
    arms = {name: round(values["all"], 3) for name, values in row["arms"].items()}
    return f"{row['world']}: {shares} {arms}, {row['rows']} rows, {row['trainings']} trainings"


def write() -> None:
    """Write the page of all that is on file."""
    rows = lines.read(RAW)
    if rows:
        PAGE.write_text("\n\n".join(_parts(rows)) + "\n", encoding="utf-8")


def _parts(rows: Sequence[dict[str, Any]]) -> list[str]:
    from benchmarks.loop import nights

    text = (nights.__doc__ or "").split("\n\n")
    commits = ", ".join(dict.fromkeys(row["commit"] for row in rows))
    return [
        "# Nights of the closed loop on planted weaknesses",
        text[1],
        " ".join(text[-1].split()),
        f"{platform.machine()}, {os.cpu_count()} cores, one used; commit {commits}.",
        "## Against the targets",
        table(["measure", "target", "found"], list(_targets(rows))),
        "## World by world",
        "Share of the gap that was closed on the sealed test, of each planted kind (its accuracy: tuned base → end, "
        "oracle). –: the oracle is less than 5 points ahead of the base, so there is no gap to close.",
        table(["world", "planted", "whole", "rows", "trainings"], [_world(row) for row in rows]),
        "## Beside the peers",
        "Accuracy on the whole test, in which every planted kind is as frequent as plain rows (images).",
        table(["world", "ours", "oracle", *PEERS.values()], [_beside(row) for row in rows]),
        "## The generator of another condition",
        "What it varies is not planted. Kept counts also where it was kept within a block; worth: accuracy of the test "
        "of the base with its rows, less that of the base, at the settings that the night begins with.",
        table(["world", "dataset", "verdict", "worth"], [one for row in rows for one in _wrong(row)]),
    ]


def _targets(rows: Sequence[dict[str, Any]]) -> list[Sequence[object]]:
    found = list[Sequence[object]]()
    for kind, name in DATA.items():
        shares = [s for row in rows if row["kind"] == kind for s in closed(row).values() if s is not None]
        if shares:
            found.append([f"gap closed, {name}: mean of {len(shares)} planted", "≥ 75%", f"{np.mean(shares):.0%}"])
    pictures = [row for row in rows if row["kind"] in ("digits", "fashion")]
    whole = sum(map(is_whole, pictures))
    found.append(["image worlds cured whole", "≥ 8 of 10", f"{whole} of {len(pictures)}"])
    made = [one for row in pictures for one in _wrong(row)]
    kept = sum(one[2] == "keep" for one in made)
    if made:
        told = f"{1 - kept / len(made):.0%} of {len(made)} datasets"
        found.append(["wrong-condition generator not kept", "≥ 95%", told])
    for arm, name in PEERS.items():
        there = [row for row in rows if arm in row["arms"]]
        ahead = sum(row["arms"]["ours"]["all"] > row["arms"][arm]["all"] for row in there)
        found.append([f"ahead of {name}", "each", f"{ahead} of {len(there)}"])
    return found


def _world(row: Mapping[str, Any]) -> list[object]:
    told = []
    for name, share in closed(row).items():
        base, ours, oracle = (row["arms"][arm][name] for arm in ("base", "ours", "oracle"))
        told.append(f"{name} {'–' if share is None else f'{share:.0%}'} ({base:.2f} → {ours:.2f}, {oracle:.2f})")
    return [row["world"], "; ".join(told), "yes" if is_whole(row) else "**no**", row["rows"], f"{row['trainings']:g}"]


def _beside(row: Mapping[str, Any]) -> list[object]:
    arms = row["arms"]
    return [row["world"], *(f"{arms[n]['all']:.3f}" if n in arms else "" for n in ("ours", "oracle", *PEERS))]


def _wrong(row: Mapping[str, Any]) -> list[list[object]]:
    found = list[list[object]]()
    for one in row["story"]["made"]:
        if str(one["name"]).partition("-")[0] == "wrong":
            worth = row["worth"].get(one["name"])
            told = "" if worth is None else f"{100 * (worth - row['plain']):+.1f} points"
            found.append([row["world"], one["name"], one["verdict"], told])
    return found
