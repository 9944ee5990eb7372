"""Null nights: whatever the loop makes of a pool and a generator of the base's own kind, how often is any of it kept?

    OMP_NUM_THREADS=1 python -m benchmarks.loop.null [--nights 14] [--only digits] [--fresh]

Whole studies by the real loop with every proposer that applies, nothing given (benchmarks/loop/null_worlds.py). A night
that is in results/loop_null_raw.jsonl is not run again; `--fresh` forgets them. What was made is also trained on the
spot, at weight 1 with the settings that the night ended with, and held against the base alone on test rows that no
decision saw: this is what a keep is truly worth. Writes results/loop_null.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import beta

from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.adapters.journal import state_of
from autodc.adapters.sources import read_source
from autodc.data.catalogue import open_test
from autodc.propose.proposal import Proposal
from autodc.study.journal.state import State
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.trial.executor import TrainerRef
from autodc.trial.trainer import TrainPart
from autodc.verbs.run import run
from autodc.wire.inputs import read_inputs
from benchmarks import lines
from benchmarks.loop.null_worlds import ENOUGH, FEW, WORLDS, written
from benchmarks.loop.training import outputs
from benchmarks.tables import table

Array = np.ndarray[Any, Any]

NIGHTS, SMALL_NIGHTS = 14, 3
BUDGET = {"trainings": 70, "trials": 18, "rounds": 2}
FIRST = 500
RESULTS = Path(__file__).resolve().parents[1] / "results"
HEAD = """# Null nights

    OMP_NUM_THREADS=1 python -m benchmarks.loop.null

Base, pool and generator are of one kind and no weakness is planted; nothing is given. Proposers: pool, generate,
relabel, prune, deduplicate, outliers, rebalance, edge_cases, augment. {trainings} trainings at most, {rounds} rounds ×
{trials} of search; in every second night rows of pool and generator have a price. Target: anything kept in at most 10%
of 40 nights or more. Gains are in points of accuracy on test rows that no decision saw, ± the standard error over
nights."""
KINDS = {
    ENOUGH: "## Enough rows: all the pool beside the tuned base brings nothing\n\nThese count.",
    FEW: "## Few rows: more of the same truly helps\n\nThese do not count: here a keep is mostly right.",
}
COLUMNS = (
    *("world", "nights", "nights that keep anything (90% interval)", "nights that keep settings", "tuned base, %"),
    *("all the pool beside it", "made a night", "confirmed findings", "error budget asked", "trainings"),
)
MADE = ("by", "made", "worth beside the tuned base", "kept")
PAGE, RAW = RESULTS / "loop_null.md", RESULTS / "loop_null_raw.jsonl"


def main() -> None:
    """Run the nights that are not there yet and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=NIGHTS, help="of each world")
    parser.add_argument("--small", type=int, default=SMALL_NIGHTS, help="of each world whose base is small")
    parser.add_argument("--only", choices=sorted(WORLDS))
    parser.add_argument("--fresh", action="store_true", help="forget the nights that were run before")
    parser.add_argument("--page", action="store_true", help="write the page of what is there, and run nothing")
    told = parser.parse_args()
    if told.fresh:
        RAW.unlink(missing_ok=True)
    wanted = [(name, ENOUGH, FIRST + i) for i in range(told.nights) for name in WORLDS]
    wanted += [(name, FEW, FIRST + i) for i in range(told.small) for name in WORLDS]
    known = {(one["world"], one["kind"], one["seed"]) for one in lines.read(RAW)}
    for which in wanted:
        if told.page or which in known or told.only not in (None, which[0]):
            continue
        one = night(*which)
        lines.add(RAW, [one])  # several processes may run, one a world
        print(json.dumps({key: one[key] for key in ("world", "kind", "seed", "kept", "tuned", "seconds")}), flush=True)
    PAGE.write_text(page(lines.read(RAW)), encoding="utf-8")


def night(name: str, kind: str, number: int) -> dict[str, Any]:
    """Live through one night, then measure what everything that was made is truly worth."""
    began = _cpu()
    with tempfile.TemporaryDirectory() as work:
        path = written(name, kind, number, Path(work), BUDGET)
        spec, out = load(path), Path(work) / "out"
        content = run(spec, MachineSpec(runner="inline"), out).content
        seconds = _cpu() - began
        state = state_of(out)
        worth = worths(spec, state, out)
        return {
            "world": name,
            "kind": kind,
            "seed": number,
            "kept": {one: _card(state, one) for one in content["kept"]},
            "made": {one: _card(state, one) for one in state.candidates},
            "unmade": len(state.unmade),
            "findings": [[f.id, f.status, f.round] for f in state.findings.values()],
            "tuned": any(d["kind"] == "tuning" and d["verdict"] == "keep" for d in content["decisions"]),
            "asked": [_asked(one) for one in state.comparisons],
            "worth": worth,
            "test": content["test"],
            "priced": bool(number % 2),
            "spent": {key: content["spent"][key] for key in ("trainings", "by_phase")},
            "seconds": round(seconds, 1),
        }


def _cpu() -> float:
    """Seconds of this process and of those it waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def worths(spec: StudySpec, state: State, out: Path) -> dict[str, Any]:
    """What all the pool and each dataset that was made add to the base alone on test rows, [points, standard error].

    Also the rows of the test and the accuracy of the base alone (`base`), by the settings that the base was tuned to.
    """
    inputs = read_inputs(spec)
    base, pool, classes = inputs.catalogue.base, inputs.catalogue.pool, list(inputs.catalogue.classes or ())
    assert pool is not None
    test = open_test(spec, read_source, inputs.catalogue)
    held = test.x, np.asarray(test.y)
    plans = [event.plans["tuned"] for event in state.proposals] or [state.question.start]
    settings = dict(plans[-1]["hyperparameters"])
    whole = _part("base", base.x, base.y, base.metadata)
    beside = {"all the pool": [whole, _part("pool", pool.x, pool.y, pool.metadata)]}
    store = ArtefactStore(out / "datasets")
    for name in state.candidates:
        card = state.card(name)
        own = _part(name, *open_part(store.folder(str(card["fingerprint"]))))
        beside[name] = [own] if Proposal.of(card["how"]).replaces else [whole, own]

    def right(parts: Sequence[TrainPart], at: Mapping[str, Any]) -> Array:
        return _right(spec, parts, held, at, len(classes))

    alone = right([whole], settings)
    found: dict[str, Any] = {"rows": len(alone), "base": round(float(alone.mean()), 4)}
    found |= {name: _told(right(parts, settings) - alone) for name, parts in beside.items()}
    if state.kept:  # a mended base stands in the place of the base, several are not composed here
        mended = [name for name in state.kept if len(beside[name]) == 1][:1]
        kept = [*(beside[mended[0]] if mended else [whole])]
        kept += [beside[name][1] for name in state.kept if len(beside[name]) > 1]
        assert state.incumbent is not None
        end = dict(state.incumbent.hyperparameters)
        found["kept"] = {
            "by the settings of the tuned base": _told(right(kept, settings) - alone),
            "by those of the end": _told(right(kept, end) - right([whole], end)),
            "settings alone": _told(right([whole], end) - alone),
        }
    return found


def _told(gain: Array) -> list[float]:
    """In points, with its standard error."""
    return [round(100 * float(v), 3) for v in (gain.mean(), gain.std(ddof=1) / np.sqrt(len(gain)))]


def _right(
    spec: StudySpec, parts: Sequence[TrainPart], held: tuple[Any, Array], settings: Mapping[str, Any], classes: int
) -> Array:
    """On which test rows a model is right, shape (n,) of 0 and 1."""
    trainer = TrainerRef(name=spec.task.trainer, options=spec.task.options, folder=spec.folder)
    found = outputs(trainer, parts, {"test": held[0]}, settings, 1, classes=classes)
    return np.asarray(found["test"].argmax(axis=1) == held[1], dtype=float)


def _part(name: str, x: Any, y: Any, metadata: pd.DataFrame) -> TrainPart:
    return TrainPart(
        name=name, x=x, y=np.asarray(y), metadata=metadata, weight=1.0, stage="main", folder=Path(), tags=()
    )


def _card(state: State, name: str) -> dict[str, Any]:
    card = state.card(name)
    how = Proposal.of(card["how"])
    decided = state.decided(name)
    told = None if decided is None else [decided.purpose, decided.verdict, list(decided.reasons)]
    return {
        "by": card["by"],
        "round": card["round"],
        "rows": card["rows"],
        "cost": card.get("cost") or 0.0,
        "control": bool(how.control_of),
        "replaces": how.replaces,
        "finding": how.finding,
        "decided": told,
    }


def _asked(one: Any) -> dict[str, Any]:
    last = one.looks[-1] if one.looks else None
    return {
        "round": one.round,
        "purpose": one.purpose,
        "members": list(one.members),
        "verdict": one.verdict,
        "reasons": list(one.reasons),
        "alpha": round(one.alpha, 5),
        "share": round(one.share, 5),
        "pairs": 0 if last is None else last["pairs"],
        "objective": None if last is None else last["objective"],
    }


def page(found: Sequence[Mapping[str, Any]]) -> str:
    """The results as they stand in benchmarks/results/loop_null.md."""
    parts = [HEAD.format(**BUDGET)]
    for kind, words in KINDS.items():
        mine = [one for one in found if one["kind"] == kind]
        if mine:
            groups = {"all": mine} | {name: [one for one in mine if one["world"] == name] for name in WORLDS}
            rows = [_summary(name, group, kind) for name, group in groups.items() if group]
            parts += [words, table(COLUMNS, rows)]
    parts += ["## What was kept", _kept(found), "## What the makers made, in worlds of enough rows"]
    parts += [table(MADE, _makers([one for one in found if one["kind"] == ENOUGH]))]
    return "\n\n".join(parts) + "\n"


def _summary(name: str, group: Sequence[Mapping[str, Any]], kind: str) -> Sequence[object]:
    """A line of the table."""
    keeps = sum(bool(one["kept"]) for one in group)
    low, high = beta.ppf([0.05, 0.95], [keeps or 1, keeps + 1], [len(group) - keeps + 1, max(1, len(group) - keeps)])
    told = f"{keeps} of {len(group)}: {100 * keeps / len(group):.1f}%"
    pool = [one["worth"]["all the pool"] for one in group]
    return (
        name,
        len(group),
        f"{told} ({100 * low if keeps else 0:.0f} to {100 * high if keeps < len(group) else 100:.0f})",
        sum(one["tuned"] for one in group),
        f"{100 * np.mean([one['worth']['base'] for one in group]):.1f}",
        _mean([gain for gain, _ in pool]),
        f"{np.mean([len(one['made']) for one in group]):.1f}",
        f"{np.mean([sum(f[1] == 'confirmed' for f in one['findings']) for one in group]):.2f}",
        f"{np.mean([sum(a['share'] for a in one['asked']) for one in group]):.3f}",
        f"{np.mean([one['spent']['trainings'] for one in group]):.0f}",
    )


def _kept(found: Sequence[Mapping[str, Any]]) -> str:
    """Each night that kept anything, and what that is truly worth."""
    words = []
    for one in found:
        if one["kept"]:
            told = one["worth"]["kept"]
            gain, error = told["by the settings of the tuned base"]
            by = [a for a in one["asked"] if a["verdict"] == "keep"]
            asked = ", ".join(f"{a['purpose']} at {a['alpha']:g} ({' '.join(a['reasons'])})" for a in by)
            words.append(
                f"- {one['world']} {one['seed']}, {one['kind']}{', priced' if one['priced'] else ''}: "
                f"{', '.join(one['kept'])}. On the test {gain:+.2f} ± {error:.2f} points by the settings of the "
                f"tuned base, {told['by those of the end'][0]:+.2f} by those of the end; settings alone "
                f"{told['settings alone'][0]:+.2f}. Shown by {asked}"
            )
    return "\n".join(words) or "Nothing."


def _makers(found: Sequence[Mapping[str, Any]]) -> list[Sequence[object]]:
    """What each kind of dataset is worth beside the tuned base, or in its place."""
    worth: dict[str, list[float]] = {}
    kept: dict[str, int] = {}
    for one in found:
        for name, card in one["made"].items():
            kind = f"{card['by']}{', by chance' if card['control'] else ''}"
            worth.setdefault(kind, []).append(one["worth"][name][0])
            kept[kind] = kept.get(kind, 0) + (name in one["kept"])
    return [(kind, len(values), _mean(values), kept[kind]) for kind, values in sorted(worth.items())]


def _mean(values: Sequence[float]) -> str:
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{np.mean(values):+.2f} ± {error:.2f}"


if __name__ == "__main__":
    main()
