"""`simulate` and `check` on a study's own rows: figures that are the same again, noise that is measured once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.errors import InputError
from autodc.lab.joint import Together
from autodc.lab.nights import Played
from autodc.study.driver import Interrupted
from autodc.studyfile.study import GateSpec, MachineSpec
from autodc.testing.worlds.cells import write_world
from autodc.verbs.check import preflight
from autodc.verbs.simulate import SimulationResult
from autodc.wire.assumed import RESIDUAL_VARIANCE, SEED_SD

INLINE = MachineSpec(runner="inline")
SOFT = [
    {"name": "overall", "role": "guard", "margin": 0.05},
    {"name": "bright", "where": "region = 'bright'", "role": "guard", "margin": 0.05},
    {"name": "dark", "where": "region = 'dark'", "role": "target", "margin": 0.05},
]
EACH = GateSpec(evidence="each")
SMALL = {"nights": 3, "gains": (0.1, 0.3)}


def together_in(found: SimulationResult) -> Together:
    assert isinstance(found.played, Together)
    return found.played


def each_in(found: SimulationResult) -> Played:
    assert isinstance(found.played, Played)
    return found.played


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("simulated")
    file = write_world(folder)
    return file, folder / "out", autodc.simulate(autodc.load(file), INLINE, folder / "out", **SMALL)


@pytest.mark.slow
def test_figures_are_the_same_again_and_nothing_is_trained_twice(simulated: Any) -> None:
    file, out, first = simulated
    assert first.calibration.trained == first.calibration.count == 6
    told = []
    again = autodc.simulate(
        autodc.load(file), INLINE, out, **SMALL, progress=lambda what, done, total: told.append(what)
    )
    assert again.calibration.trained == 0
    assert set(told) == {"simulating"}
    assert again.played == first.played
    other = autodc.simulate(autodc.load(file), INLINE, out, **SMALL, seed=99)
    assert other.played != first.played


def test_it_stops_when_asked_and_keeps_what_was_trained(simulated: Any) -> None:
    file, out, _ = simulated
    told = []
    with pytest.raises(Interrupted):
        autodc.simulate(
            autodc.load(file),
            INLINE,
            out,
            **SMALL,
            progress=lambda what, done, total: told.append(done),
            stop=lambda: len(told) > 2,
        )
    assert told == [0, 1, 2]


@pytest.mark.slow
def test_figures_are_the_same_on_any_number_of_processes(simulated: Any) -> None:
    file, out, first = simulated
    assert autodc.simulate(autodc.load(file), INLINE, out, **SMALL, processes=2).played == first.played


def test_plain_gains_are_found_together_and_harm_is_not_kept(simulated: Any) -> None:
    found = simulated[2].to_dict()
    assert found == json.loads(json.dumps(found))
    assert (found["evidence"], found["datasets"], found["decisions"]) == ("together", 4, 0)
    assert [one["gain"] for one in found["joint"]] == [0.1, 0.3]
    assert found["joint"][1]["found"]["hits"] >= 2
    assert found["joint"][1]["reached"]["mean"] > 0.15
    assert found["mixed"]["harmful"]["hits"] == 0
    assert found["mixed"]["cures"]["of"] == found["useless"]["keeping"]["of"] == 3
    assert found["verdict"].startswith("Of 3 nights of 4 useless datasets, ")
    assert found["calibration"] == {"runs": 6, "source": found["calibration"]["source"], "trained_now": 6}


@pytest.mark.slow
def test_where_each_dataset_proves_itself_plain_gains_are_found_and_chance_is_not(simulated: Any) -> None:
    file, out, _ = simulated
    found = autodc.simulate(autodc.load(file, ["gate.evidence=each"]), INLINE, out, **SMALL).to_dict()
    assert found["evidence"] == "each"
    assert [p["gain"] for p in found["planted"][:2]] == [0.1, 0.3]
    assert found["planted"][1]["kept"]["share"] >= 0.8
    assert found["null"]["kept"]["hits"] == 0
    assert [p["kept"]["hits"] for p in found["planted"][2:]] == [0, 0]
    assert found["detectable"] in (0.1, 0.3)
    assert found["verdict"].startswith("Of 3 nights of 10 useless datasets, none kept anything")


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"gate__looks": [2, 4]},
        {"data__candidates": [{"name": "wrong", "source": "data/wrong.npz", "targets": ["dark"]}]},
        {"gate__score": "soft", "slices": SOFT},
        {"loop__rounds": 1},
    ],
    ids=["gate", "candidates", "soft", "rounds"],
)
def test_another_gate_or_candidate_does_not_train_the_start_again(simulated: Any, changes: Any) -> None:
    file, out, first = simulated
    changed = write_world(file.parent, **changes)
    try:
        found = autodc.simulate(autodc.load(changed), INLINE, out, **SMALL)
    finally:
        write_world(file.parent)
    assert found.calibration.trained == 0
    assert found.played != first.played


@pytest.mark.slow
def test_a_metric_that_is_no_mean_and_a_row_in_two_targets(tmp_path: Path) -> None:
    """Pseudo-values of macro F1 differ by slice; a row in two slices is one row all the same."""
    slices = [
        {"name": "overall", "role": "target", "margin": 0.05},
        {"name": "dark", "where": "region = 'dark'", "role": "target"},
        {"name": "bright", "where": "region = 'bright'", "role": "guard", "margin": 0.05},
    ]
    study = write_world(tmp_path, metrics__primary="macro_f1", slices=slices)
    together = autodc.simulate(autodc.load(study), INLINE, tmp_path / "out", nights=2, gains=[0.3])
    assert together_in(together).joint[0].found.hits == 2
    assert together_in(together).substitutes.one.hits == 2
    alone = autodc.load(study, ["gate.evidence=each"])
    found = autodc.simulate(alone, INLINE, tmp_path / "out", nights=2, gains=[0.3])
    assert each_in(found).planted[0].found.kept.value >= 0.8
    assert each_in(found).null.kept.hits == 0
    assert [one["name"] for one in found.slices] == ["overall", "dark", "bright", "objective"]


@pytest.mark.slow
def test_regression_in_units_of_its_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    write_world(tmp_path)
    for name in ("base", "lamps", "validation"):
        x = rng.uniform(-3, 3, size=(300, 2))
        y = 100 * np.sin(x[:, 0]) + 20 * rng.normal(size=300)
        np.savez(tmp_path / "data" / f"{name}.npz", x=x, y=y, region=np.where(x[:, 1] > 0, "dark", "bright"))
    study = write_world(
        tmp_path / "other",
        task={
            "kind": "regression",
            "trainer": "sklearn",
            "options": {"estimator": "RandomForestRegressor", "params": {"n_estimators": 5}},
        },
        metrics__primary="mae",
        data={name: {"source": str(tmp_path / "data" / f"{name}.npz")} for name in ("base", "validation")}
        | {"candidates": [{"name": "lamps", "source": str(tmp_path / "data" / "lamps.npz")}]},
        slices=[
            {"name": "overall", "role": "guard", "margin": 3.0},
            {"name": "dark", "where": "region = 'dark'", "role": "target"},
        ],
        search_space={"max_depth": {"type": "int", "low": 3, "high": 8}},
    )
    spec = autodc.load(study)
    unknown = preflight(spec)
    assert unknown["noise"]["measured"] is False
    assert "no scale" in unknown["noise"]["text"]
    assert all(value is None for one in unknown["slices"] for value in one["shows"].values())
    together = autodc.simulate(spec, INLINE, tmp_path / "out", nights=2)
    assert together_in(together).joint[-1].gain > 0.5
    assert together_in(together).joint[-1].found.hits == 2
    found = autodc.simulate(autodc.load(study, ["gate.evidence=each"]), INLINE, tmp_path / "out", nights=2)
    small, *_, large = [p for p in each_in(found).planted if p.helpful]
    assert large.gain > 1.0
    assert large.found.kept.value > small.found.kept.value
    known = preflight(spec, tmp_path / "out")
    assert known["noise"]["measured"] is True
    assert all(value > 0.5 for one in known["slices"] for value in one["shows"].values())


def test_check_reads_the_noise_of_a_run_or_of_simulate(simulated: Any, tmp_path: Path) -> None:
    file, out, first = simulated
    spec = autodc.load(file)
    assumed, measured = preflight(spec), preflight(spec, out)
    assert assumed["noise"]["seed_sd"] == SEED_SD
    assert assumed["slices"][0]["residual_variance"] == RESIDUAL_VARIANCE
    assert "simulate" in assumed["noise"]["text"]
    assert measured["noise"]["measured"] is True
    prior = first.calibration.pools.of("dark")
    dark = next(one for one in measured["slices"] if one["name"] == "dark")
    assert dark["residual_variance"] == pytest.approx(prior.residual)
    assert list(first.slices) == measured["slices"]
    with autodc.Study.open(spec, tmp_path / "run") as study:
        for trial in study.ask(4):
            rng = np.random.default_rng(trial.seed)
            job = study.job(trial)
            study.tell(trial, study.outcome(trial, {n: rng.random((len(x), 3)) for n, x in job.predict.items()}))
    ran = preflight(spec, tmp_path / "run")
    assert "3 trainings of the start" in ran["noise"]["text"]


def test_folders_without_calibration_or_of_something_else_are_refused(simulated: Any, tmp_path: Path) -> None:
    file, out, _ = simulated
    with pytest.raises(InputError, match="ADC-SIM-001"):
        preflight(autodc.load(file), tmp_path)
    other = write_world(tmp_path, search_space__width={"type": "int", "low": 2, "high": 8})
    with pytest.raises(InputError, match="another start") as caught:
        preflight(autodc.load(other), out)
    assert caught.value.code == "ADC-SIM-002"
    data = dict(np.load(tmp_path / "data" / "validation.npz"))
    np.savez(tmp_path / "data" / "validation.npz", **{name: array[:500] for name, array in data.items()})
    shorter = autodc.load(tmp_path / "study.yaml", ["search_space.width.low=1", "search_space.width.high=12"])
    with pytest.raises(InputError, match="other rows of validation"):
        preflight(shorter, out)


@pytest.mark.slow
def test_a_deterministic_learner_is_told_and_never_sold_as_a_noise_of_zero(tmp_path: Path) -> None:
    learner = {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "LogisticRegression"}}
    space = {"C": {"type": "float", "low": 0.1, "high": 10.0, "log": True}}
    spec = autodc.load(write_world(tmp_path, task=learner, search_space=space))
    found = autodc.simulate(spec, INLINE, tmp_path / "out", nights=1)
    assert found.to_dict()["deterministic"] is True
    assert found.verdict.startswith("The 6 calibration trainings are identical: this learner is deterministic")
    assert all(one.gain > 0 for one in together_in(found).joint)
    alone = autodc.simulate(spec.model_copy(update={"gate": EACH}), INLINE, tmp_path / "out", nights=1)
    assert alone.to_dict()["deterministic"] is True
    assert all(planted.gain != 0 for planted in each_in(alone).planted)
    checked = preflight(spec, tmp_path / "out")
    assert checked["noise"]["measured"] is False
    assert "deterministic" in checked["noise"]["text"]
    for one in (*found.slices, *checked["slices"]):
        assert all(value > 0 for value in one["shows"].values())


@pytest.mark.parametrize(("how", "code"), [({"nights": 0}, "ADC-SIM-003"), ({"gains": [-0.1]}, "ADC-SIM-004")])
def test_nonsense_is_refused_before_anything_is_trained(simulated: Any, tmp_path: Path, how: Any, code: Any) -> None:
    with pytest.raises(InputError, match=code):
        autodc.simulate(autodc.load(simulated[0]), INLINE, tmp_path / "out", **how)
    assert not (tmp_path / "out").exists()


def test_a_start_that_cannot_be_trained_is_told(tmp_path: Path) -> None:
    study = write_world(tmp_path, task__options={"fail": "all"})
    with pytest.raises(InputError, match="ADC-RUN-001"):
        autodc.simulate(autodc.load(study), INLINE, tmp_path / "out", **SMALL)


def test_groups_count_as_one_and_small_slices_are_warned_of(tmp_path: Path) -> None:
    file = write_world(tmp_path)
    data = dict(np.load(tmp_path / "data" / "validation.npz"))
    data["patient"] = np.arange(600) // 6
    np.savez(tmp_path / "data" / "validation.npz", **data)
    grouped = autodc.load(
        write_world(
            tmp_path / "grouped",
            data__validation={"source": str(tmp_path / "data" / "validation.npz"), "options": {"group": "patient"}},
            data__candidates=None,
            data__test=None,
        )
    )
    alone, together = ({one["name"]: one for one in preflight(spec)["slices"]} for spec in (autodc.load(file), grouped))
    assert (alone["overall"]["counting_rows"], together["overall"]["counting_rows"]) == (360, 60)
    ratio = together["overall"]["shows"]["unlimited"] / alone["overall"]["shows"]["unlimited"]
    assert ratio == pytest.approx(6**0.5, rel=1e-3)
    assert together["overall"]["rows_for_margin"] == pytest.approx(6 * alone["overall"]["rows_for_margin"], abs=6)
    found = preflight(autodc.load(file, ["slices[0].margin=0.001", "gate.min_rows=300"]))
    assert any("rows would do" in w or "no number of rows" in w for w in found["warnings"])
    assert any("fewer than gate.min_rows" in w and "slice dark" in w for w in found["warnings"])
