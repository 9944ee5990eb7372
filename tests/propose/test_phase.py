"""Rows of a pool join a study for what it found: settled first, made, let in; the same however it is interrupted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.journal import open_for_reading
from autodc.evaluation import objective
from autodc.propose.actions import Weighed
from autodc.propose.proposal import MISSING, Proposal
from autodc.review import status, views
from autodc.study.driver import Interrupted
from autodc.study.journal import events as ev
from autodc.study.journal.fold import fold
from autodc.study.phases.order import view_of
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.verbs.run import run
from autodc.verbs.study import Study
from autodc.wire.declaring import declared
from autodc.wire.inputs import read_inputs
from autodc.wire.wishes import is_lack_asked

CLUSTER = {"basis": "cluster", "rule": ""}
INLINE = MachineSpec(runner="inline")


def sensors(n: int, seed: int, night_share: float) -> dict[str, np.ndarray[Any, Any]]:
    """A sensor that stands too high at night, which `hour` tells and `noise` does not."""
    rng = np.random.default_rng(seed)
    night, signal = rng.random(n) < night_share, rng.normal(size=n)
    x = np.column_stack([signal + 2.5 * night + rng.normal(0, 0.15, n), night + rng.normal(0, 0.05, n)])
    hour = np.where(night, rng.integers(0, 5, n), rng.integers(7, 20, n))
    return {
        "x": x.astype(np.float32),
        "y": (signal > 0).astype(int),
        "hour": hour,
        "noise": rng.normal(size=n).round(3),
    }


def written(folder: Path, **data: Any) -> Path:
    """A study of a base that knows no night, and a pool in which a tenth is night."""
    (folder / "data").mkdir(parents=True)
    for name, n, seed, share in (("base", 500, 1, 0.0), ("validation", 1600, 2, 0.2), ("pool", 4000, 4, 0.1)):
        np.savez(folder / "data" / f"{name}.npz", **sensors(n, seed, share))
    study = {
        "schema_version": 1,
        "name": "sensors",
        "seed": 4,
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "DecisionTreeClassifier"}},
        "data": {
            **{name: {"source": f"data/{name}.npz"} for name in ("base", "validation")},
            "pool": {"source": "data/pool.npz", "cost_per_row": 0.01},
            **data,
        },
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "search_space": {"min_samples_leaf": {"type": "int", "low": 1, "high": 10}},
        "loop": {"rounds": 1, "propose": ["pool"]},
        "search": {"trials_per_round": 8},
        "budget": {"trainings": 40},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(study))
    return folder / "study.yaml"


def told(folder: Path) -> list[ev.Event]:
    with open_for_reading(folder / "journal.sqlite") as journal:
        return [event for _, event in journal.read()]


def decisions(events: list[ev.Event]) -> list[Mapping[str, Any]]:
    """All that was settled: plans, what was made, verdicts; without times."""
    kinds = (ev.ProposalsMade, ev.DatasetAdmitted, ev.TrialPlanned, ev.VerdictReached, ev.IncumbentMoved)
    found = [event.to_dict() for event in events if isinstance(event, kinds)]
    for one in found:
        for key in ("time", "awake"):
            del one[key]
        one.pop("card", {}).pop("made", None)
    return found


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished night: the file of the study; its folder beside it."""
    path = written(tmp_path_factory.mktemp("sensors"))
    run(load(path), INLINE, path.parent / "out")
    return path


@pytest.mark.slow
def test_rows_of_the_pool_cure_what_was_found(study: Path) -> None:
    result = json.loads((study.parent / "out" / "result.json").read_text())
    assert "pool-F1" in result["kept"]
    pool = np.load(study.parent / "data" / "pool.npz")
    (made,) = [e for e in told(study.parent / "out") if isinstance(e, ev.DatasetAdmitted) and e.name == "pool-F1"]
    origin = pd.read_parquet(study.parent / "out" / "datasets" / f"{made.card['fingerprint']}.origin.parquet")
    assert (pool["hour"][origin["position"]] < 6).mean() >= 0.9
    assert (made.card["finding"], made.card["by"]) == ("F1", "pool")
    assert made.card["cost"] == pytest.approx(0.01 * len(origin))
    before, after = (result["validation"][when]["overall"] for when in ("before", "after"))
    assert after > before + 0.05


@pytest.mark.slow
def test_a_control_of_as_many_rows_by_chance_stands_beside(study: Path) -> None:
    events = told(study.parent / "out")
    (made,) = [e for e in events if isinstance(e, ev.ProposalsMade)]
    mined = [one for one in made.proposals if one.get("finding")]
    (control,) = [one for one in made.proposals if one.get("control_of")]
    assert control["rows"] == max(one["rows"] for one in mined)
    rows = [row for one in made.proposals for row in one["arguments"]["rows"]]
    assert len(rows) == len(set(rows))


@pytest.mark.slow
def test_what_is_made_was_weighed_by_what_it_costs_and_the_journal_says_so(study: Path) -> None:
    (made,) = [e for e in told(study.parent / "out") if isinstance(e, ev.ProposalsMade)]
    found = Weighed.of(made.weighed or {})
    names = [one["name"] for one in made.proposals if not one.get("control_of")]
    assert (found.pick, list(found.made)) == (names[0], names)
    first = found.actions[0]
    assert (first.finding, first.fate) == ("F1", "taken")
    assert first.expected is not None
    assert first.expected > 0.02
    assert first.trainings > 4, "its control is paid for too"
    assert sum(one.trainings for one in found.actions if one.fate == "taken") <= found.room + first.trainings


@pytest.mark.slow
def test_status_why_and_report_say_what_came_first_and_why(study: Path) -> None:
    folder = study.parent / "out"
    with open_for_reading(folder / "journal.sqlite") as journal:
        state = fold(event for _, event in journal.read())
    words = status.status(state)["next"]
    assert words.startswith("round 1: rows for F1 (pool-F1) first: +0.")
    assert "it stops when nothing is expected above 0.002" in words
    assert "was expected of it for" in views.why(state, "pool-F1")["expected"]
    page = (folder / "report" / "index.html").read_text()
    story = page[page.index('id="made"') : page.index("<h2>Verdicts</h2>")]
    order = ["The model of the start was looked at", "F1: ", "What was done, and why", "pool-F1", "A better model took"]
    assert sorted(order, key=story.index) == order


@pytest.mark.slow
def test_what_the_base_lacks_is_asked_for_and_the_page_says_so(study: Path) -> None:
    (made,) = [e for e in told(study.parent / "out") if isinstance(e, ev.ProposalsMade)]
    (one,) = [Proposal.of(each) for each in made.proposals if MISSING in each.get("tags", ())]
    assert 0.1 < one.arguments["missing"] < 0.25
    hours = np.load(study.parent / "data" / "pool.npz")["hour"]
    assert (hours[one.arguments["rows"]] < 6).mean() > 0.8, "beside those that F1 took already"
    words = "rows of the pool: validation has their like and what is trained on lacks it, "
    assert words in one.words
    assert words in (study.parent / "out" / "report" / "index.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("rules", "asked"), [(6, False), (7, True)])
def test_a_study_of_before_is_not_asked_what_the_base_lacks(study: Path, rules: int, *, asked: bool) -> None:
    with open_for_reading(study.parent / "out" / "journal.sqlite") as journal:
        state = fold(event for _, event in journal.read() if not isinstance(event, ev.ProposalsMade))
    state.started = replace(state.question, rules=rules)
    assert is_lack_asked(state) == asked


@pytest.mark.slow
def test_what_is_made_is_settled_before_it_is_made(study: Path) -> None:
    kinds = [type(event) for event in told(study.parent / "out")]
    first = kinds.index(ev.ProposalsMade)
    assert first < kinds.index(ev.TaskPlanned) < kinds.index(ev.TaskFinished) < kinds.index(ev.DatasetAdmitted)


@pytest.mark.slow
def test_what_is_made_for_a_finding_declares_its_slice_of_the_gate_rows_before_any_training(study: Path) -> None:
    events = told(study.parent / "out")
    (settled,) = [e for e in events if isinstance(e, ev.ProposalsMade)]
    (joined,) = [e for e in events if isinstance(e, ev.SliceAdmitted)]
    rule = next(e.rule for e in events if isinstance(e, ev.FindingMade) and e.id == "F1")
    assert settled.slices == ({"name": "finding-F1", "finding": "F1", "where": rule},)
    assert (joined.name, joined.finding, joined.card["role"]) == ("finding-F1", "F1", "finding")
    by_name = {one["name"]: one for one in settled.proposals}
    assert by_name["pool-F1"]["targets"] == ["overall", "finding-F1"]
    assert all("targets" not in one for one in settled.proposals if one.get("control_of") or not one.get("finding"))
    assert events.index(settled) + 1 == events.index(joined)
    inputs, night = read_inputs(load(study)), np.load(study.parent / "data" / "validation.npz")["hour"] < 6
    assert inputs.sides is not None
    assert joined.card["rows"] == pytest.approx(night[inputs.sides.gate["validation"]].sum(), rel=0.1)


@pytest.mark.slow
def test_the_slice_is_a_demand_of_what_was_made_for_it_and_no_part_of_the_objective(study: Path) -> None:
    state = fold(told(study.parent / "out"))
    assert objective.weights(state.question.slices) == {"overall": 1.0}
    for comparison in state.comparisons:
        for look in comparison.typed_looks:
            seen = look.slices["finding-F1"]
            assert seen.declared == ("pool-F1" in comparison.members)
            assert look.objective.difference == pytest.approx(look.slices["overall"].difference)
    result = json.loads((study.parent / "out" / "result.json").read_text())
    before, after = (result["validation"][when]["finding-F1"] for when in ("before", "after"))
    assert after > before + 0.2
    assert "slice of finding F1, gate rows" in (study.parent / "out" / "report" / "index.html").read_text()


@pytest.mark.slow
def test_a_study_of_before_declares_nothing(study: Path) -> None:
    inputs, state = read_inputs(load(study)), fold(told(study.parent / "out"))
    (settled,) = state.proposed[1]
    found = [replace(Proposal.of(one), targets=None) for one in settled.proposals]
    state.started = replace(state.question, rules=3)
    assert declared(inputs, view_of(state), found) == (found, (), ())


@pytest.mark.slow
def test_too_few_gate_rows_or_no_rule_leave_the_targets_as_they_are(study: Path) -> None:
    inputs, state = read_inputs(load(study)), fold(told(study.parent / "out"))
    found = [replace(Proposal.of(one), targets=None) for one in state.proposed[1][0].proposals]
    state.admitted, narrow = [], {"rule": "hour < 3 AND noise > 1.9"}
    for changed, code in ((narrow, "ADC-PROP-052"), ({"rule": "x.y <"}, "ADC-PROP-053"), (CLUSTER, "ADC-PROP-053")):
        known = fold(told(study.parent / "out"))
        known.findings = {name: replace(one, **changed) for name, one in state.findings.items()}
        same, own, notes = declared(inputs, view_of(known), found)
        assert (same, own, {note["code"] for note in notes}) == (found, (), {code})


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(ev.ProposalsMade, marks=pytest.mark.slow),
        ev.SliceAdmitted,
        pytest.param(ev.TaskPlanned, marks=pytest.mark.slow),
        pytest.param(ev.TaskFinished, marks=pytest.mark.slow),
        pytest.param(ev.DatasetAdmitted, marks=pytest.mark.slow),
    ],
)
def test_a_night_ended_anywhere_goes_on_to_the_same_decisions(study: Path, tmp_path: Path, last: type) -> None:
    folder = tmp_path / "out"

    def seen() -> bool:
        return (folder / "journal.sqlite").exists() and any(isinstance(e, last) for e in told(folder))

    with pytest.raises(Interrupted):
        run(load(study), INLINE, folder, stop=seen)
    run(load(study), INLINE, folder)
    assert decisions(told(folder)) == decisions(told(study.parent / "out"))


@pytest.mark.slow
def test_who_owns_the_loop_gets_what_is_made_too(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    with Study.open(load(study), folder) as mine:
        while trials := mine.ask(1):
            for trial in trials:
                job = mine.job(trial)
                hot = any(part.name.startswith("pool") for part in job.train)
                outputs = {name: _scores(np.asarray(part), knows_nights=hot) for name, part in job.predict.items()}
                mine.tell(trial, mine.outcome(trial, outputs))
        assert any(name.startswith("pool-") for name in mine.result()["kept"])


def _scores(x: np.ndarray[Any, Any], *, knows_nights: bool) -> np.ndarray[Any, Any]:
    right = x[:, 0] - 2.5 * (x[:, 1] > 0.5) * knows_nights > 0
    return np.column_stack([~right, right]).astype(float)
