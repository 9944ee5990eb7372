"""What `check` says of the data that a night is to make: rows to draw, overlap, labels, and what it costs at most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodc
from autodc.cli.show_before import show_preflight
from autodc.errors import InputError
from autodc.testing.worlds.cells import write_world
from autodc.verbs.check import preflight
from autodc.wire.inputs import read_inputs

GENERATOR = """
import numpy as np

class Lamps:
    parameters = {"light": {"type": "float", "low": 0.0, "high": 1.0}}

    def generate(self, parameters, rows, seed):
        raise RuntimeError("nobody asks it before the night")
"""


def checked(folder: Path, **changes: Any) -> Any:
    return preflight(
        autodc.load(write_world(folder, **{"loop__rounds": 2, "data__test": None, "data__candidates": [], **changes}))
    )


def pool_of(folder: Path, *parts: str) -> None:
    write_world(folder)
    found = [np.load(folder / "data" / f"{part}.npz") for part in parts]
    np.savez(folder / "data" / "pool.npz", **{k: np.concatenate([one[k] for one in found]) for k in found[0].files})


def test_pool_and_generators_are_told_with_what_they_cost_at_most(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool_of(tmp_path, "lamps", "base")
    (tmp_path / "lamps.py").write_text(GENERATOR)
    found = checked(
        tmp_path,
        data__pool={"source": "data/pool.npz", "cost_per_row": 0.5},
        data__generators=[{"name": "lamps", "generator": "lamps.py:Lamps", "rows": 40, "cost_per_row": 0.1}],
        loop__propose=["pool", "generate", "relabel", "rebalance"],
        loop__findings=3,
        budget__cost=30,
    )
    made = found["proposals"]
    lamps, base = (len(np.load(tmp_path / "data" / f"{part}.npz")["y"]) for part in ("lamps", "base"))
    assert made["pool"]["rows"] == lamps + base
    assert made["pool"]["in_base"] >= base
    assert 0 < made["pool"]["free"] <= lamps
    assert sum(made["pool"]["labels"].values()) == lamps + base - made["pool"]["held_out"]
    by_name = {one["name"]: one for one in made["proposers"]}
    assert list(by_name) == ["pool", "generate: lamps", "relabel", "rebalance"]
    generate = by_name["generate: lamps"]
    assert (generate["datasets"], generate["rows"], generate["cost"]) == (3, 80, 24.0)
    assert made["cost_at_most"] == 30
    assert [one["rows"] for one in found["datasets"] if one["name"] == "pool"] == [lamps + base]
    monkeypatch.setenv("COLUMNS", "80")
    show_preflight(found)
    told = capsys.readouterr().out
    assert "rows of its own, by light" in told
    assert "budget.cost is 30" in told


def test_a_pool_that_the_base_has_whole_is_said_before_the_night(tmp_path: Path) -> None:
    pool_of(tmp_path, "base")
    found = checked(tmp_path, data__pool={"source": "data/pool.npz"}, loop__propose=["pool"])
    assert any("nothing can be drawn: 0 of its" in one for one in found["warnings"])


def test_the_cost_is_what_generator_and_pool_can_come_to_in_all_rounds(tmp_path: Path) -> None:
    pool_of(tmp_path, "lamps", "lamps")
    (tmp_path / "lamps.py").write_text(GENERATOR)
    found = checked(
        tmp_path,
        data__pool={"source": "data/pool.npz", "cost_per_row": 100},
        data__generators=[{"name": "lamps", "generator": "lamps.py:Lamps", "rows": 500, "cost_per_row": 0.01}],
        loop__propose=["generate", "pool"],
        loop__rounds=4,
        loop__findings=1,
    )["proposals"]
    generate, drawn = found["proposers"]
    assert (generate["rows"], generate["cost"]) == (4000, 40.0)
    left = found["pool"]["rows"] - found["pool"]["held_out"] - found["pool"]["in_base"]
    assert left > found["pool"]["free"], "a control may have doubles"
    assert found["cost_at_most"] == 5 + 10 + 20 + 40 + 100 * min(left, 4 * drawn["datasets"] * drawn["rows"])


@pytest.mark.parametrize("which", ["parameters", "transform"])
def test_attributes_that_fail_where_they_are_read_are_told_with_their_line(tmp_path: Path, which: str) -> None:
    own = f"    @property\n    def {which}(self):\n        raise RuntimeError('not today')\n"
    (tmp_path / "lamps.py").write_text(f"{GENERATOR}\n{own}")
    generators = [{"name": "lamps", "generator": "lamps.py:Lamps"}]
    with pytest.raises(InputError) as caught:
        checked(tmp_path, data__generators=generators, loop__propose=["generate"])
    assert caught.value.code == "ADC-PROP-010"
    assert "RuntimeError: not today" in caught.value.got
    assert caught.value.place.endswith("data.generators[0].generator")


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"generator": "imagee"}, "ADC-PROP-010"),
        ({"generator": "lamps.py:Lamp"}, "ADC-PROP-010"),
        ({"generator": "image", "options": {"varies": []}}, "ADC-PROP-014"),
    ],
)
def test_a_generator_that_is_named_wrongly_is_told_before_anything_is_trained(
    tmp_path: Path, told: dict[str, Any], code: str
) -> None:
    (tmp_path / "lamps.py").write_text(GENERATOR)
    study = write_world(tmp_path, data__generators=[{"name": "g", **told}], loop__propose=["given", "generate"])
    with pytest.raises(InputError) as caught:
        read_inputs(autodc.load(study))
    assert caught.value.code == code
    assert "data.generators" in caught.value.place
