"""Nights of the closed loop on worlds with planted weaknesses: cured or not, beside an oracle and what people do else.

    OMP_NUM_THREADS=1 python -m benchmarks.loop.nights [--worlds NAME ...] [--quick] [--page]

writes benchmarks/results/loop_nights_raw.jsonl, one line a world, and benchmarks/results/loop_nights.md of it. A world
that is on file is not run again, one that was cut short goes on (build/loop_nights; `--fresh`: from its beginning).
`--quick`: the first world with a third of the trainings, on no page; `--page`: the page alone.

A night begins with base, pool and generators (benchmarks/loop/planted.py) and four rounds; `loop.propose` is
`[pool, generate]`, no slice tells what is planted. The test is kept from it: afterwards its end is trained again with
fresh seeds. Of each planted kind: the gap from the tuned base to the *oracle*, the base with as many rows as the night
ended with, all of them real and of the planted kinds, tuned; and the share of it that the night closed. Peers have as
many trainings as the night spent, all of them for settings, on all of validation.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autodc import seeds
from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.trainers import make_trainer
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.study.journal.state import State
from autodc.trial.executor import TrainerRef
from autodc.trial.trainer import TrainPart
from autodc.verbs.outputs import open_result
from autodc.verbs.study import Study
from autodc.wire.admitting import stored_dataset
from autodc.wire.study import DATASETS
from benchmarks import lines
from benchmarks.loop import nights_page
from benchmarks.loop.autodc_recipe import recipe
from benchmarks.loop.planted import WORLDS, Parts, Planted, parts
from benchmarks.loop.ruler import LEARNERS, POOL, Ruler, part_of, study_spec
from benchmarks.real.store import Store

Array = np.ndarray[Any, Any]

TRAININGS, PER_ROUND, ROUNDS = 120, 14, 4
QUICK = 3
"""A quick night has this part of the trainings."""
HOME = Path(__file__).resolve().parents[2] / "build" / "loop_nights"
"""Nights under way, by name and content of the world."""
LEAST = 100
"""Rows of the oracle for each planted kind, at least: a night may have ended with none."""


def main() -> None:
    """Measure what is not on file, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS), choices=list(WORLDS), metavar="NAME")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    told = parser.parse_args()
    if told.fresh:
        shutil.rmtree(HOME, ignore_errors=True)
    if told.quick:
        print(json.dumps(measured(WORLDS[told.worlds[0]], TRAININGS // QUICK), indent=1))
        return
    known = {one["world"] for one in lines.read(nights_page.RAW)}
    for name in () if told.page else told.worlds:
        if name in known:
            continue
        row = {**measured(WORLDS[name], TRAININGS), "commit": _commit()}
        lines.add(nights_page.RAW, [row])
        print(nights_page.in_a_line(row), flush=True)
        nights_page.write()
    nights_page.write()


def measured(world: Planted, trainings: int) -> dict[str, Any]:
    """One night with oracle and peers."""
    drawn = parts(world)
    folder = HOME / f"{world.name}-{trainings}-{drawn.digest}"
    store = Store(folder / "arms.sqlite")
    ruler = Ruler(world=world, parts=drawn, folder=folder / "ruler", store=store)
    row = night(world, drawn, ruler, folder / "night", trainings)
    spent, size = int(np.ceil(row["trainings"])), int(row["rows"])
    row["arms"] |= {name: ruler.tuned(train, spent, name) for name, train in rivals(world, drawn, ruler, size)}
    base, settings = part_of(ruler.known[BASE]), row["base_settings"]
    row["plain"] = ruler.measured([base], settings)["all"]
    row["worth"] = {name: ruler.measured([base, one], settings)["all"] for name, one in row.pop("_wrong").items()}
    return row


def night(world: Planted, drawn: Parts, ruler: Ruler, folder: Path, trainings: int) -> dict[str, Any]:
    """The loop on a world, its end on the test, and what it did on the way."""
    folder.mkdir(parents=True, exist_ok=True)
    learner = LEARNERS[world.kind]
    spec = study_spec(
        world,
        drawn,
        folder,
        data={
            "generators": [
                {"name": name, "generator": of, "options": {"vary": list(vary)} if vary else {}, "rows": 200}
                for name, (of, vary) in world.generators.items()
            ]
        },
        loop={"rounds": ROUNDS, "propose": ["pool", "generate"]},
        search={"sampler": "mixture", "trials_per_round": PER_ROUND},
        budget={"trainings": trainings},
    )
    trainer = make_trainer(TrainerRef(name=learner["trainer"], options=learner["options"], folder="."))
    with Study.open(spec, folder / "run") as study:
        while trials := study.ask(1):
            for trial in trials:
                job = study.job(trial)
                job.out.mkdir(parents=True, exist_ok=True)
                done = trainer.train(job)
                study.tell(trial, study.outcome(trial, done.outputs, done.train_seconds))
        state, content = open_result(folder / "run")
        plan = Plan.from_dict(content["incumbent"])
        known = {BASE: part_of(ruler.known[BASE]), **stored(state, folder / "run")}
        train = [_weighed(known[name], weight) for name, weight in plan.mixture]
        first = next(move for move in (state.incumbent, state.start) if move is not None)
        wrong = {name: one for name, one in known.items() if name.partition("-")[0] == world.wrong}
        return {
            "world": world.name,
            "kind": world.kind,
            "weak": list(world.weak),
            "trainings": content["spent"]["trainings"],
            "rows": sum(round(min(1.0, weight) * len(known[name].y)) for name, weight in plan.mixture if name != BASE),
            "plan": plan.to_dict(),
            "kept": content["kept"],
            "dropped": content["dropped"],
            "undecided": content["undecided"],
            "stopped": content["stopped_because"],
            "arms": {"ours": ruler.measured(train, plan.settings)},
            "base_settings": (state.start or first).settings,
            "story": story(world, drawn, state, known),
            "_wrong": {name: _weighed(one, 1.0) for name, one in wrong.items()},
        }


def stored(state: State, folder: Path) -> dict[str, TrainPart]:
    """All that was made, as the study keeps it."""
    store = ArtefactStore(folder / DATASETS)
    return {name: part_of(stored_dataset(store, state, name), name=name) for name in state.roster}


def rivals(world: Planted, drawn: Parts, ruler: Ruler, size: int) -> list[tuple[str, list[TrainPart]]]:
    """What else is trained: name → rows. size: rows that the night ended with beside the base."""
    base, pool, rng = part_of(ruler.known[BASE]), ruler.known[POOL], seeds.generator(world.seed, "rivals")
    each = max(LEAST, -(-size // len(world.weak)))
    oracle = [
        part_of(ruler.known[f"oracle-{name}"], np.arange(min(each, len(one)))) for name, one in drawn.oracle.items()
    ]
    some = rng.permutation(len(pool))[: max(size, LEAST)]
    found = [
        ("base", [base]),
        ("oracle", [base, *oracle]),
        ("everything", [base, part_of(pool)]),
        ("random", [base, part_of(pool, some)]),
    ]
    if world.kind in ("digits", "fashion"):
        x, y = recipe((base.x, base.y), (np.asarray(pool.x), np.asarray(pool.y)), world.seed)  # type: ignore[arg-type]
        found.append(("autodc", [replace(base, x=x, y=y, metadata=base.metadata.iloc[:0])]))
    return found


def story(world: Planted, drawn: Parts, state: State, known: Mapping[str, TrainPart]) -> dict[str, Any]:
    """What was found, made and decided, held against what is planted."""
    kinds, found = drawn.validation.kind, list[dict[str, Any]]()
    for one in state.findings.values():
        inside = kinds[np.asarray(one.ids, dtype=int)]
        found.append(
            {
                "id": one.id,
                "round": one.round,
                "status": one.status,
                "rule": one.rule[:90],
                "rows": len(inside),
                "of": {name: round(float((inside == name).mean()), 2) for name in world.weak},
                "covers": {
                    name: round(float((inside == name).sum() / (kinds == name).sum()), 2) for name in world.weak
                },
            }
        )
    made = []
    for told in state.to_make:
        name = str(told["name"])
        row = {
            "name": name,
            "finding": told.get("finding"),
            "verdict": state.verdict(name) if name in state.roster else "not made",
        }
        if told["by"] == POOL:
            taken = drawn.pool.kind[np.asarray(told["arguments"]["rows"], dtype=int)]
            row |= {"rows": len(taken), "of": {n: round(float((taken == n).mean()), 2) for n in world.weak}}
        elif name in state.roster:
            facts = state.card(name).get("made", {}).get("facts", {})
            row |= {"rows": len(known[name].y) if name in known else 0, "parameters": facts.get("parameters")}
        elif name in state.unmade:
            row["why"] = str(state.unmade[name].problems)[:200]
        made.append(row)
    decided = [
        [one.round, one.purpose, one.subject, list(one.members), one.verdict, list(one.reasons), one.trainings]
        for one in state.comparisons
    ]
    notes = [note for each in state.proposed.values() for one in each for note in one.notes]
    return {"findings": found, "made": made, "decided": decided, "notes": notes}


def _weighed(part: TrainPart, weight: float) -> TrainPart:
    """The same rows in memory, at another weight."""
    x = np.array(part.x) if isinstance(part.x, np.ndarray) else part.x
    return replace(part, x=x, weight=weight)


def _commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
