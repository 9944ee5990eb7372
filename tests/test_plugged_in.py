"""A metric, a source and a sampler from outside: by file, by module, and by the name a package installs them under."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.adapters.trainers.options import BUILT_IN
from autodc.adapters.trainers.registry import HOMES
from autodc.errors import InputError
from autodc.evaluation.metrics import METRICS
from autodc.search import make_engine
from autodc.studyfile import names
from autodc.testing.sampler_contract import problem_of
from autodc.testing.world import CANDIDATES, write_world
from autodc.wire.inputs import read_inputs

THEIRS = """
import numpy as np
import pandas as pd
from autodc.data.rows import checked
from autodc.data.source import RawRows
from autodc.search import make_engine


class Hits:
    better = "higher"

    def value(self, outputs, targets):
        return float(self.rows(outputs, targets).mean())

    def rows(self, outputs, targets):
        return (outputs.argmax(1) == targets).astype(float)


def rows(file):
    with np.load(file) as kept:
        return kept["x"], kept["y"], {k: kept[k] for k in kept.files if k not in ("x", "y")}


class Packed:
    def __init__(self, request):
        self.request = request

    def read(self, targets):
        with np.load(self.request.options.get("file", self.request.path)) as kept:
            metadata = pd.DataFrame({k: kept[k] for k in kept.files if k not in ("x", "y")})
            raw = RawRows(x=kept["x"], y=kept["y"] if targets else None, metadata=metadata)
            return checked(self.request, raw, targets=targets)


def drawn(problem, seed):
    return make_engine("random", problem, seed)


def broken(problem, seed):
    raise RuntimeError("no licence")


no_engine = dict
"""
ENTRIES = """
[autodc.metrics]
hits = theirs_installed:Hits
[autodc.sources]
.packed = theirs_installed:Packed
[autodc.samplers]
drawn = theirs_installed:drawn
"""
SMALL = {"search__trials_per_round": 3, "budget__trainings": 12, "loop__rounds": 1, "gate__calibration": 2}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution as pip leaves it."""
    info = tmp_path / "site" / "theirs_installed-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs-installed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(textwrap.dedent(ENTRIES))
    (tmp_path / "site" / "theirs_installed.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


def study(folder: Path, lamps: dict[str, Any], **changes: Any) -> autodc.StudySpec:
    """The little world, with another source of one candidate."""
    sources = [{"name": n, "source": f"data/{n}.npz"} for n in CANDIDATES if n != "lamps"]
    return autodc.load(write_world(folder, data__candidates=[{"name": "lamps", **lamps}, *sources], **SMALL | changes))


def whole(spec: autodc.StudySpec, folder: Path) -> list[Any]:
    """What a study comes to."""
    found = autodc.run(spec, autodc.MachineSpec(runner="inline"), folder / "out").to_dict()
    return [found["kept"], found["decisions"], found["incumbent"], found["validation"], found["spent"]["trainings"]]


@pytest.mark.slow
def test_a_study_runs_on_what_a_package_brings(tmp_path: Path, installed: None) -> None:
    """As on what is built in: here the metric, the source and the sampler do the same."""
    data, mine = tmp_path / "data", tmp_path / "mine"
    plain = study(tmp_path, {"source": "data/lamps.npz"}, search__sampler="random")
    spec = study(mine, {"source": "data/lamps.packed"}, metrics__primary="hits", search__sampler="drawn")
    (mine / "data" / "lamps.packed").write_bytes((data / "lamps.npz").read_bytes())
    assert whole(spec, mine) == whole(plain, tmp_path)


@pytest.mark.parametrize("where", ["theirs.py:", "theirs_installed:", ""])
def test_a_file_a_module_and_a_name_are_read_alike(where: str, tmp_path: Path, installed: None) -> None:
    (tmp_path / "theirs.py").write_text(THEIRS)
    plain, file = read_inputs(study(tmp_path, {"source": "data/lamps.npz"})), tmp_path / "data" / "lamps.npz"
    lamps = {"source": f"{where}rows", "options": {"file": str(file)}} if where else {"source": "data/lamps.packed"}
    (tmp_path / "data" / "lamps.packed").write_bytes(file.read_bytes())
    metric = f"{where}Hits" if where else "hits"
    mine = read_inputs(study(tmp_path, lamps, metrics__primary=metric, search__sampler=f"{where}drawn"))
    assert mine.metric.own
    assert mine.catalogue.fingerprint == plain.catalogue.fingerprint


def test_a_class_in_a_file_is_a_source_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(THEIRS)
    file = {"file": str(tmp_path / "data" / "lamps.npz")}
    own = read_inputs(study(tmp_path, {"source": "theirs.py:Packed", "options": file}))
    plain = read_inputs(study(tmp_path, {"source": "data/lamps.npz"}))
    np.testing.assert_array_equal(own.catalogue["lamps"].x, plain.catalogue["lamps"].x)


@pytest.mark.parametrize(
    ("sampler", "code", "words"),
    [
        ("mixtuer", "ADC-SRCH-001", "did you mean mixture?"),
        ("drawm", "ADC-SRCH-001", "did you mean drawn?"),
        ("theirs.py:broken", "ADC-SRCH-060", "RuntimeError: no licence"),
        ("theirs.py:no_engine", "ADC-SRCH-060", "TypeError"),
        ("theirs.py:dawn", "ADC-TRAIN-021", "theirs.py has no dawn"),
    ],
)
def test_a_sampler_that_is_none_is_refused_before_a_training(
    sampler: str, code: str, words: str, tmp_path: Path, installed: None
) -> None:
    (tmp_path / "theirs.py").write_text(THEIRS)
    with pytest.raises(InputError, match=words) as caught:
        read_inputs(study(tmp_path, {"source": "data/lamps.npz"}, search__sampler=sampler))
    assert caught.value.code == code


def test_the_names_of_what_ships_have_what_they_name() -> None:
    assert list(names.METRICS) == list(METRICS)
    assert list(names.TRAINERS) == list(BUILT_IN) == list(HOMES)
    for name in names.SAMPLERS:
        assert make_engine(name, problem_of(3), 0).suggest(0, [], []).plan.mixture.weight("base") == 1
