"""All that is wrong with a study is told in one run: in the file, with the trainer, the slices and the data."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from autodc.errors import InputError
from autodc.testing.worlds.cells import write_world
from autodc.verbs.reading import read_study

LINE = re.compile(r"^(?P<file>\S+?):(?P<line>\d+):(?P<column>\d+): (?P<key>\S+?)(?: \(.*?\))?: ", re.MULTILINE)
SKLEARN = {"task__trainer": "sklearn", "task__options": {"estimater": "X"}}
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "all five at once": (
        {
            **SKLEARN,
            "metrics__primary": "acuracy",
            "budjet": {},
            "slices": [
                {"name": "overall", "role": "tarjet"},
                {"name": "dark", "where": "regoin = 1", "role": "target"},
            ],
            "data__candidates": [{"name": "lamps", "source": "data/lamsp.npz"}],
        },
        ["estimater", "lamsp.npz", "acuracy", "tarjet", "regoin", "budjet"],
    ),
    "a missing base is no other shape": (
        {"data__base": {"source": "data/bsae.npz"}, "budjet": {}},
        ["bsae.npz", "budjet"],
    ),
    "a base without a path hides no missing candidate": (
        {"data__base": {"source": 7}, "data__candidates": [{"name": "a", "source": "a.npz"}]},
        ["data.base.source", "a.npz"],
    ),
    "options in the wrong place are not read without": (
        {"data__base": {"source": "data/base.npz", "target": "y"}},
        ["data.base.target"],
    ),
    "an unknown metric is not told twice": ({"metrics__primary": "xyzzy"}, ["xyzzy"]),
    "an unknown trainer has no options": ({"task__trainer": "xyzzy", "task__options": {"a": 1}}, ["xyzzy"]),
    "an unknown kind says nothing of the data": ({"task__kind": 7}, ["task.kind"]),
    "a broken space says nothing of what it would be": (
        {**SKLEARN, "task__options": {}, "search_space": {"max_iter": {"type": "int", "low": 3}, "lr": {"type": 1}}},
        ["max_iter", "knows no such hyperparameter", "lr.type"],
    ),
    "a parameter whose range is none still has a name": (
        {**SKLEARN, "task__options": {}, "search_space": {"max_itre": {"type": "int", "low": 3, "high": 1}}},
        ["low must be below high", "did you mean max_iter?"],
    ),
    "names twice": (
        {"data__candidates": [{"name": "a", "source": "data/lamps.npz"}, {"name": "a", "source": "data/wrong.npz"}]},
        ["candidates[1].name"],
    ),
    "no target": ({"slices": [{"name": "a", "role": "guard"}]}, ["slices[0]", "slices"]),
    "a rule that cannot be read, though a candidate is missing": (
        {
            "slices": [{"name": "dark", "where": "regoin = 'dark'", "role": "target"}],
            "data__candidates": [{"name": "far", "source": "far.npz"}],
        },
        ["far.npz", "regoin"],
    ),
    "looks that fall, and the trainer": ({**SKLEARN, "gate__looks": [3, 1]}, ["estimater", "gate"]),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_told_once_in_the_order_of_the_file(autodc: Any, tmp_path: Path, case: str) -> None:
    changes, words = CASES[case]
    study = write_world(tmp_path, **changes)
    said = autodc("check", study)
    assert (said.code, said.out) == (2, "")
    places = [(m["file"], int(m["line"]), int(m["column"])) for m in LINE.finditer(said.err.replace("autodc: ", ""))]
    assert [file for file, *_ in places] == [str(study)] * len(words), said.err
    assert places == sorted(places)
    for word in words:
        assert word in said.err
    if len(words) > 1:
        assert said.err.startswith(f"autodc: {len(words)} problems in {study}:\n")


def test_the_place_is_that_of_the_source_and_the_nearest_file_is_named(autodc: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, data__candidates=[{"name": "lamps", "source": "data/lamsp.npz"}])
    said = autodc("check", study)
    (spot,) = LINE.finditer(said.err.replace("autodc: ", ""))
    line = study.read_text().splitlines()[int(spot["line"]) - 1]
    assert line[int(spot["column"]) - 1 :].startswith(("source", '"source"'))
    assert "data.candidates[0].source (lamps)" in said.err
    assert "did you mean `lamps.npz`?" in said.err


def test_an_option_of_a_source_is_told_at_its_own_line(autodc: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, data__base={"source": "data/base.npz", "options": {"tarhet": "y"}})
    said = autodc("check", study)
    assert "data.base.options.tarhet: unknown option `tarhet`" in said.err
    assert "did you mean `target`?" in said.err


def test_a_study_in_json_is_told_by_line_and_column(autodc: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, metrics__primary="acuracy")
    tree = {"schema_version": 1, "name": "x", "metrics": {"primary": "acuracy"}, "slices": [{"nmae": "a"}]}
    study.write_text(json.dumps(tree, indent=1))
    said = autodc("check", study)
    assert f"{study}:5:14: metrics.primary: there is no such metric" in said.err
    assert f"{study}:9:4: slices[0].nmae: unknown key" in said.err


def test_what_is_wrong_in_an_included_file_has_its_name(autodc: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, search_space="HERE", metrics__primary="acuracy")
    study.write_text(study.read_text().replace('"HERE"', "!include space.yaml").replace("HERE", "!include space.yaml"))
    (tmp_path / "space.yaml").write_text("smooth:\n  type: floot\n  low: 1\n  high: 2\n")
    said = autodc("check", study)
    assert f"{tmp_path}/space.yaml:2:9: search_space.smooth.type" in said.err
    assert said.err.index("metrics.primary") < said.err.index("space.yaml:2:9")


def test_of_many_problems_the_number_comes_first(autodc: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, data__candidates=[{"name": f"d{i}", "source": f"d{i}.npz"} for i in range(50)])
    said = autodc("check", study)
    assert said.err.startswith("autodc: 50 problems in ")
    assert said.err.endswith("and 30 more\n")
    assert len(said.err.splitlines()) <= 60


def test_run_and_simulate_tell_all_of_it_and_write_nothing(autodc: Any, tmp_path: Path) -> None:
    changes, words = CASES["all five at once"]
    study = write_world(tmp_path, **changes)
    for verb in ("run", "simulate"):
        said = autodc(verb, study, "--out", tmp_path / "out", "--json")
        assert (said.code, said.out) == (2, "")
        assert all(word in said.err for word in words)
    assert not (tmp_path / "out").exists()


def test_large_data_is_not_read_for_a_slip_of_the_keyboard(autodc: Any, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("def rows(**options):\n    raise SystemExit('it was called')\n")
    candidates = [{"name": name, "source": f"slow.py:{name}"} for name in ("rows", "rosw")]
    said = autodc("check", write_world(tmp_path, budjet={}, data__candidates=candidates))
    assert "it was called" not in said.err
    assert "slow.py has no rosw" in said.err


def test_tables_are_looked_at_as_columns_of_the_base(autodc: Any, tmp_path: Path) -> None:
    def rows(first: int) -> str:
        found = [f"{first + i % 20},{i * first % 97 / 8},{'basic' if i % 2 else 'pro'},{i % 3 % 2}" for i in range(60)]
        return "\n".join(["age,spend,plan,label", *found, ""])

    for name, text in (("base", rows(20)), ("far", rows(41).replace("45,", "thirty,", 1)), ("validation", rows(63))):
        (tmp_path / f"{name}.csv").write_text(text)
    options = "options: {target: label}"
    study = tmp_path / "study.yaml"
    study.write_text(
        "schema_version: 1\nname: table\nbudjet: {}\ntask: {kind: classification, trainer: sklearn}\n"
        f"data:\n  base: {{source: base.csv, {options}}}\n"
        f"  candidates:\n    - {{name: far, source: far.csv, {options}}}\n"
        f"  validation: {{source: validation.csv, {options}}}\nmetrics: {{primary: accuracy}}\n"
        "slices:\n  - {name: all, role: target}\n  - {name: pro, role: guard, margin: 0.1, where: \"plann = 'pro'\"}\n"
    )
    said = autodc("check", study)
    assert said.code == 2
    assert said.err.startswith(f"autodc: 3 problems in {study}:\n{study}:3:1: budjet")
    assert f"{study}:8:19: data.candidates[0].source (far)" in said.err
    assert "thirty" in said.err
    assert "did you mean `plan`?" in said.err


ANYTHING = (
    None,
    True,
    -3,
    2.5,
    "target",
    "dark",
    "sgd",
    "yes",
    "",
    [],
    {},
    [1, "a"],
    {"name": "x"},
    "lampz",
    "x" * 300,
)
KEYS = ("name", "source", "when", "role", "nmae", "targets", "options", "where", "sorce", "target")


@pytest.mark.slow
def test_whatever_is_wrong_is_told_and_nothing_else_is_raised(tmp_path: Path) -> None:
    file = write_world(tmp_path)
    tree, draw, told = YAML(typ="safe").load(file), random.Random(5), list[str]()
    for _ in range(150):
        changed = json.loads(json.dumps(tree))
        for _ in range(draw.randint(1, 4)):
            parent = draw.choice([one for one in below(changed) if isinstance(one, dict | list) and one])
            key: Any = draw.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
            if isinstance(parent, dict) and draw.random() < 0.3:
                parent[draw.choice(KEYS)] = draw.choice(ANYTHING)
            elif draw.random() < 0.7:
                parent[key] = draw.choice(ANYTHING)
            else:
                del parent[key]
        file.write_text(json.dumps(changed, indent=1))
        try:
            read_study(file)
        except InputError as error:
            told.append(str(error))
    assert len(told) > 100
    assert all("\n\n" not in text and len(text) < 12_000 for text in told)


def below(value: Any) -> list[Any]:
    """A value of JSON and all that is in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(one for child in inner for one in below(child))]
