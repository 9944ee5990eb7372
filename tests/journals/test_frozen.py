"""Studies that earlier code left behind open, tell, report and go on to the decisions they were on the way to."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

import autodc
from autodc.errors import SpecError
from autodc.report import write_report
from autodc.review import views
from autodc.review.status import status
from autodc.studyfile import dropped
from autodc.verbs.outputs import open_result

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "expected.json").read_text())
QUICK = ("diagnosing", "finished", "own-metric", "in-the-gate", "extended", "pruned")


@pytest.fixture
def study(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a frozen study, unpacked."""
    with tarfile.open(HERE / f"{request.param}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def each(names: Any) -> Any:
    return [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in sorted(names)]


def todays(path: Path) -> autodc.StudySpec:
    """The study file without the lines that its refusal asks to remove."""
    mended = dropped.without(json.loads(path.read_text()))
    if mended != json.loads(path.read_text()):
        with pytest.raises(SpecError, match=r"dropped.*remove the line \[ADC-SPEC-063\]"):
            autodc.load(path)
        path.write_text(json.dumps(mended))
    return autodc.load(path)


@pytest.mark.slow
@pytest.mark.parametrize("study", each(EXPECTED), indirect=True)
def test_it_opens_and_tells(study: Any) -> None:
    state, content = open_result(study / "run")
    assert status(state)["study"] == "world"
    for name in state.candidates:
        assert views.why(state, name)["verdict"] in ("keep", "drop", "undecided")
    page = write_report(state, content, study / "run")
    assert "lamps" in page.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("study", each(EXPECTED), indirect=True)
def test_the_same_command_ends_where_it_would_have_ended(study: Any, request: pytest.FixtureRequest) -> None:
    machine = autodc.MachineSpec(runner="inline")
    content = autodc.run(todays(study / "study.yaml"), machine, study / "run").to_dict()
    wanted = EXPECTED[request.node.callspec.params["study"]]
    assert content["kept"] == wanted["kept"]
    assert content["dropped"] == wanted["dropped"]
    assert content["incumbent"] == wanted["incumbent"]
    assert [[d["subject"], d["verdict"], d["seeds"]] for d in content["decisions"]] == wanted["decisions"]
    assert content["spent"]["trainings"] == wanted["trainings"]
    assert content["validation"] == wanted["validation"]
