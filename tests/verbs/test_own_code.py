"""Code of a user's own in a whole study: its errors end with its own line, and reading a study needs none of it."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.adapters.journal import SqliteJournal
from autodc.errors import AutodcError, InputError
from autodc.report import write_report
from autodc.review import views
from autodc.review.status import status
from autodc.study.direction import better
from autodc.study.journal import events as ev
from autodc.study.journal.codec import from_dict
from autodc.study.journal.fold import fold
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import write_world
from autodc.verbs.check import preflight
from autodc.verbs.outputs import open_result
from autodc.wire.inputs import read_inputs
from autodc.wire.study import open_study, warm_start

INLINE = MachineSpec(runner="inline")
SHORT = {"budget__trainings": 24, "loop__rounds": 1, "data__test": None}

MISSES = """
import numpy as np

class Misses:
    better = "lower"

    def value(self, outputs, targets):
        return float(self.rows(outputs, targets).mean())

    def rows(self, outputs, targets):
        return (outputs.argmax(1) != targets).astype(float)

class Logs(Misses):
    better = "higher"

    def rows(self, outputs, targets):
        return np.log(outputs[np.arange(len(targets)), targets] + 1e-9)

class Gains(Misses):
    better = "lower"

    def rows(self, outputs, targets):
        return -(outputs.argmax(1) == targets).astype(float)

misses = Misses()
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write the small world with a file of the user's own beside it, and load it."""

    def made(body: Any = "", name: Any = "mine.py", **changes: Any) -> Any:
        study = write_world(tmp_path, **{**SHORT, **changes})
        (tmp_path / name).write_text(textwrap.dedent(body))
        return autodc.load(study)

    return made


def told(spec: Any, out: Any, call: Any = None) -> Any:
    """What a run is refused with."""
    with pytest.raises(AutodcError) as caught:
        (call or (lambda: autodc.run(spec, INLINE, out)))()
    assert caught.value.exit_code == 2, caught.value
    return str(caught.value)


def events(folder: Any) -> Any:
    journal = SqliteJournal(folder / "journal.sqlite")
    try:
        return [event for _, event in journal.read()]
    finally:
        journal.close()


def as_of_an_older_autodc(folder: Any, target: Any) -> Any:
    """Write the events of a study anew without what the journal says of its metric."""
    target.mkdir()
    journal = SqliteJournal(target / "journal.sqlite")
    kept = []
    for event in events(folder):
        if isinstance(event, ev.StudyStarted):
            event = from_dict("StudyStarted", 1, {k: v for k, v in event.to_dict().items() if k != "metric"})
            assert event.metric == {}
        kept.append(event)
    journal.append(kept)
    journal.close()
    shutil.copytree(folder / "outcomes", target / "outcomes")
    return target


def read_all(folder: Any) -> Any:
    """What the reading verbs read."""
    state, content = open_result(folder)
    status(state)
    views.why(state, "lamps")
    return state, content, write_report(state, content, Path(folder)).read_text()


@pytest.mark.slow
def test_a_finished_study_is_read_without_its_metric(
    write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = write(MISSES, metrics__primary="mine.py:Misses")
    monkeypatch.chdir("/")
    result = autodc.run(spec, INLINE, tmp_path / "out")
    assert 0.05 < result.content["validation"]["before"]["overall"] < 0.9
    (tmp_path / "mine.py").unlink()
    moved = shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    state, content, page = read_all(moved)
    assert content["validation"] == result.content["validation"]
    assert better(state) == "lower"
    assert "mine.py:Misses, is better when it is <b>lower</b>" in page
    assert events(tmp_path / "elsewhere")[0].metric == {"name": "Misses", "better": "lower"}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "way"), [("misses", "lower"), ("Logs", "higher"), ("Gains", "lower")])
def test_direction_and_signs_are_those_of_the_metric_whatever_its_values(
    write: Any, tmp_path: Path, name: Any, way: Any
) -> None:
    """Values below zero of a metric that should rise, and of one that should fall, are shown as they are."""
    spec = write(MISSES, metrics__primary=f"mine.py:{name}", budget__trainings=16)
    autodc.run(spec, INLINE, tmp_path / "out")
    state, content, page = read_all(tmp_path / "out")
    assert better(state) == way
    value = content["validation"]["before"]["overall"]
    assert value > 0 if name == "misses" else value < 0
    assert f"({way} is better)" in page


def test_a_package_metric_needs_no_folder(write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = write(MISSES, name="measures_of_mine.py", metrics__primary="measures_of_mine:Misses", budget__trainings=16)
    monkeypatch.syspath_prepend(str(tmp_path))
    autodc.run(spec, INLINE, tmp_path / "out")
    monkeypatch.undo()
    assert better(read_all(tmp_path / "out")[0]) == "lower"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Misses", "Logs"])
def test_a_journal_of_an_older_autodc_opens_with_a_word_and_learns_the_direction(
    write: Any, tmp_path: Path, name: Any
) -> None:
    spec = write(MISSES, metrics__primary=f"mine.py:{name}", budget__trainings=16)
    first = autodc.run(spec, INLINE, tmp_path / "out")
    old = as_of_an_older_autodc(tmp_path / "out", tmp_path / "old")
    state, _, page = read_all(old)
    assert any("does not say whether" in words for words in state.question.warnings)
    assert "does not say whether" in page
    again = autodc.run(spec, INLINE, old)
    assert again.content["validation"] == first.content["validation"]
    state, content, page = read_all(old)
    assert better(state) == {"Misses": "lower", "Logs": "higher"}[name]
    assert content["validation"] == first.content["validation"]
    assert "does not say whether" not in page


@pytest.mark.slow
def test_a_journal_of_an_older_autodc_with_a_named_metric_needs_no_word(write: Any, tmp_path: Path) -> None:
    autodc.run(write(metrics__primary="log_loss", budget__trainings=16), INLINE, tmp_path / "out")
    old = as_of_an_older_autodc(tmp_path / "out", tmp_path / "old")
    state, content, _ = read_all(old)
    assert better(state) == "lower"
    assert content["validation"]["before"]["overall"] > 0
    assert not any("does not say" in words for words in state.question.warnings)


@pytest.mark.slow
def test_an_older_journal_with_an_opened_test_set_knows_the_direction_from_its_numbers(
    write: Any, tmp_path: Path
) -> None:
    spec = write(MISSES, metrics__primary="mine.py:Gains", data__test={"source": "data/test.npz"})
    autodc.run(spec, INLINE, tmp_path / "out")
    state = fold(events(as_of_an_older_autodc(tmp_path / "out", tmp_path / "old")))
    assert state.measured is not None
    assert better(state) == "lower"


@pytest.mark.slow
def test_a_metric_that_was_turned_round_is_not_taken_up(write: Any, tmp_path: Path) -> None:
    spec = write(MISSES, metrics__primary="mine.py:Misses", budget__trainings=16)
    autodc.run(spec, INLINE, tmp_path / "out")
    before = len(events(tmp_path / "out"))
    (tmp_path / "mine.py").write_text(MISSES.replace('"lower"', '"higher"'))
    words = told(spec, tmp_path / "out")
    assert "ADC-RUN-060" in words
    assert "'lower' in the journal" in words
    assert len(events(tmp_path / "out")) == before


@pytest.mark.slow
def test_a_warm_start_from_a_metric_that_falls_is_none_for_one_that_rises(write: Any, tmp_path: Path) -> None:
    autodc.run(write(MISSES, metrics__primary="mine.py:Misses", budget__trainings=16), INLINE, tmp_path / "first")
    turned = MISSES.replace('better = "lower"', 'better = "higher"', 1)
    spec = write(turned, metrics__primary="mine.py:Misses", search__warm_start=str(tmp_path / "first"))
    with pytest.raises(InputError, match="is better when lower, here when higher"):
        warm_start(read_inputs(spec))


@pytest.mark.slow
def test_a_metric_that_fails_on_some_trainings_makes_them_failed_trials(write: Any, tmp_path: Path) -> None:
    body = MISSES.replace("class Misses", "calls = []\n\nclass Misses", 1).replace(
        "        return (outputs",
        "        calls.append(1)\n        assert len(calls) not in (15, 17), 'too sure'\n        return (outputs",
        1,
    )
    result = autodc.run(write(body, metrics__primary="mine.py:Misses"), INLINE, tmp_path / "out")
    assert result.content["finished"]
    outcomes = [one.outcome for one in open_result(tmp_path / "out")[0].trials]
    failed = [one.error for one in outcomes if one.status == "failed"]
    assert len(failed) == 2
    assert all("mine.py:14: AssertionError: too sure" in error for error in failed)


EVERY = {
    "division": ("1 / int(outputs.max() > 2)", "ZeroDivisionError"),
    "missing file": ("open('/nowhere/at/all')", "FileNotFoundError"),
    "the end": ("raise SystemExit(0)", "SystemExit(0)"),
    "runtime": ("raise RuntimeError('no GPU')", "RuntimeError: no GPU"),
}


@pytest.mark.parametrize("case", EVERY)
@pytest.mark.parametrize("verb", [preflight, None], ids=["check", "run"])
def test_a_metric_that_always_fails_is_refused_by_its_line_before_the_first_training(
    write: Any, tmp_path: Path, case: Any, verb: Any
) -> None:
    code, words = EVERY[case]
    body = MISSES.replace("        return (outputs", f"        {code}\n        return (outputs", 1)
    spec = write(body, metrics__primary="mine.py:Misses")
    said = told(spec, tmp_path / "out", verb and (lambda: verb(spec)))
    assert f"mine.py:11: {words}" in said
    assert "study.yaml" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_metric_that_fails_on_real_predictions_alone_ends_the_calibration_with_its_line(
    write: Any, tmp_path: Path
) -> None:
    body = MISSES.replace(
        "        return (outputs",
        "        if len(np.unique(outputs)) < 100:\n            raise OSError('only few')\n        return (outputs",
        1,
    )
    said = told(write(body, metrics__primary="mine.py:Misses"), tmp_path / "out")
    assert "ADC-RUN-001" in said
    assert "mine.py:12: OSError: only few" in said
    assert "Traceback" not in said


TRAINERS = {
    "at import": ("import numpy\nnothing.at.all\nclass Mine:\n    pass", "mine.py:2: NameError: name 'nothing'"),
    "a module that is not there": ("import autodc_no_such\nclass Mine:\n    pass", "mine.py:1: ModuleNotFoundError"),
    "constructed": ("class Mine:\n    def __init__(self):\n        {}['key']", "mine.py:3: KeyError: 'key'"),
    "constructed with options it does not know": (
        "class Mine:\n    def __init__(self, depth):\n        pass",
        "'depth'",
    ),
    "without train": ("class Mine:\n    pass", "a trainer has a method `train`"),
    "trained": ("class Mine:\n    def train(self, job):\n        return 1 / 0", "mine.py:3: ZeroDivisionError"),
    "nothing given back": ("class Mine:\n    def train(self, job):\n        pass", "a trainer gives back a Trained"),
    "outputs that are no dict": (
        "from autodc.trial.trainer import Trained\nclass Mine:\n    def train(self, job):\n"
        "        return Trained(outputs=None, train_seconds=1, predict_ms=1, model_mb=1)",
        "outputs are a dict of arrays",
    ),
    "outputs that are ragged": (
        "from autodc.trial.trainer import Trained\nclass Mine:\n    def train(self, job):\n"
        "        outputs = {name: [[1, 2], [3]] for name in job.predict}\n"
        "        return Trained(outputs=outputs, train_seconds=1, predict_ms=1, model_mb=1)",
        "outputs are not numbers",
    ),
    "seconds that are no number": (
        "import numpy as np\nfrom autodc.trial.trainer import Trained\nclass Mine:\n    def train(self, job):\n"
        "        outputs = {name: np.ones((len(x), job.n_classes)) for name, x in job.predict.items()}\n"
        "        return Trained(outputs=outputs, train_seconds=None, predict_ms=1, model_mb=1)",
        "train_seconds is not a finite number",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", TRAINERS)
def test_a_trainer_that_fails_is_told_by_its_own_line(write: Any, tmp_path: Path, case: Any) -> None:
    body, words = TRAINERS[case]
    said = told(write(body, task__trainer="mine.py:Mine"), tmp_path / "out")
    assert words in said
    assert "ADC-RUN-001" in said


SKLEARN = {"trainer": "sklearn", "kind": "classification", "options": {"estimator": "mine.py:make"}}
ESTIMATORS = {
    "at import": ("import sys\nsys.exit(3)\ndef make():\n    pass", "mine.py:2: SystemExit(3)"),
    "called": ("def make():\n    return 1 / 0", "mine.py:2: ZeroDivisionError: division by zero"),
    "nothing": ("def make():\n    pass", "NoneType without fit, predict, get_params, set_params"),
    "no estimator": (
        "class make:\n    def fit(self, x, y):\n        pass",
        "make without predict, get_params, set_params",
    ),
    "a constructor that keeps nothing": (
        "from sklearn.base import BaseEstimator\nclass make(BaseEstimator):\n    def __init__(self, depth=1):\n"
        "        pass\n    def fit(self, x, y):\n        pass\n    def predict(self, x):\n        pass",
        "AttributeError: 'make' object has no attribute 'depth'",
    ),
}


@pytest.mark.parametrize("case", ESTIMATORS)
def test_an_estimator_that_cannot_be_made_is_refused_by_check(write: Any, case: Any) -> None:
    body, words = ESTIMATORS[case]
    spec = write(body, task=SKLEARN, search_space={})
    assert words in told(spec, None, lambda: preflight(spec))


PIPELINE = """
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer


def look(x):
    assert (x == -1).any(), "no marker"
    return x


def make():
    return make_pipeline(FunctionTransformer(look), SimpleImputer(missing_values=-1), LogisticRegression())
"""


@pytest.mark.slow
@pytest.mark.parametrize("scale", [None, False, True])
def test_a_pipeline_of_ones_own_sees_the_marker_of_what_is_missing(write: Any, tmp_path: Path, scale: Any) -> None:
    options = {"estimator": "mine.py:make"} if scale is None else {"estimator": "mine.py:make", "scale": scale}
    spec = write(PIPELINE, task={**SKLEARN, "options": options}, search_space={}, budget__trainings=16)
    for name in ("base", "lamps", "wrong", "copies", "chance", "validation"):
        rows = dict(np.load(tmp_path / "data" / f"{name}.npz"))
        rows["x"][::7, 1] = -1
        np.savez(tmp_path / "data" / f"{name}.npz", **rows)
    if scale:
        assert "mine.py:10: AssertionError: no marker" in told(spec, tmp_path / "out")
    else:
        assert autodc.run(spec, INLINE, tmp_path / "out").content["finished"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import torch\ndef net(shape, outputs, hyper):\n    return torch.nn.Linear(3, outputs, biass=True)",
         "mine.py:3: TypeError"),
        ("def net(shape, outputs, hyper):\n    return [1]", "a network function gives back a torch.nn.Module"),
        ("raise RuntimeError('no GPU')\ndef net(shape, outputs, hyper):\n    pass", "mine.py:1: RuntimeError: no GPU"),
        ("import torch\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
         "        self.last = torch.nn.Linear(16, 3)\n    def forward(self, x):\n        return self.last(x.lost)\n"
         "def net(shape, outputs, hyper):\n    return Net()",
         "mine.py:7: AttributeError: 'Tensor' object has no attribute 'lost'"),
    ],
    ids=["made", "no module", "imported", "run"],
)  # fmt: skip
def test_a_network_of_ones_own_is_told_by_its_own_line(write: Any, tmp_path: Path, body: Any, words: Any) -> None:
    task = {"trainer": "torch_image", "kind": "classification", "options": {"network": "mine.py:net", "steps": 2}}
    spec = write(body, task=task, search_space={}, budget__trainings=16)
    for name in ("base", "lamps", "wrong", "copies", "chance", "validation"):
        rows = dict(np.load(tmp_path / "data" / f"{name}.npz"))
        square = np.random.default_rng(len(name)).random((len(rows["x"]), 4, 4)).astype(np.float32)
        np.savez(tmp_path / "data" / f"{name}.npz", **{**rows, "x": square})
    assert words in told(spec, tmp_path / "out")


def test_a_slice_of_a_function_of_ones_own_is_told_by_its_own_line(write: Any, tmp_path: Path) -> None:
    slices = [
        {"name": "dark", "where": "region = 'dark'", "role": "target"},
        {"name": "fog", "source": "mine.py:rows", "role": "guard", "margin": 0.1},
    ]
    spec = write("def rows():\n    import json\n    return json.loads('')", slices=slices)
    said = told(spec, None, lambda: preflight(spec))
    assert "mine.py:3: JSONDecodeError" in said
    assert "slices[1].source (fog)" in said


SOFT = {"gate__score": "soft", "metrics__primary": "accuracy"}


def test_the_soft_score_without_a_margin_on_a_target_is_refused_with_the_mend(write: Any, tmp_path: Path) -> None:
    spec = write(**SOFT)
    for call in (lambda: preflight(spec), lambda: autodc.run(spec, INLINE, tmp_path / "out")):
        said = told(spec, None, call)
        assert "ADC-SPEC-062" in said
        assert "nothing holds the metric itself on target dark" in said
        assert "give it a margin" in said
        assert "slices[2]" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_soft_score_guards_the_metric_of_a_target_with_a_margin(write: Any, tmp_path: Path) -> None:
    slices = [{"name": "dark", "where": "region = 'dark'", "role": "target", "margin": 0.05}]
    result = autodc.run(write(**SOFT, slices=slices), INLINE, tmp_path / "out")
    judged = [one for one in result.content["decisions"] if one["slices"]]
    assert judged
    assert all(one["slices"]["dark.metric"]["role"] == "guard" for one in judged)


@pytest.mark.slow
def test_a_study_that_began_with_the_soft_score_and_no_margin_goes_on(write: Any, tmp_path: Path) -> None:
    """An older autodc began such studies; here the folder of any study lets the first event be written."""
    open_study(read_inputs(write()), tmp_path / "any")[1].close()
    spec = write(**SOFT)
    study, journal = open_study(read_inputs(spec, tmp_path / "any"), tmp_path / "out")
    trial = study.ask(1)[0]
    journal.close()
    with autodc.Study.open(spec, tmp_path / "out") as study:
        assert study.ask(1)[0] == trial
    assert autodc.run(spec, INLINE, tmp_path / "out").content["finished"]
    assert read_all(tmp_path / "out")[1]["finished"]
