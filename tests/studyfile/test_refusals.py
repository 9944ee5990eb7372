"""Every kind of bad study file: one clear problem, with its code, its place and the word that matters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autodc.errors import Problems
from autodc.studyfile import dropped, load, load_machine

LR = "lr: {type: float, low: 1e-4, high: 1e-1, log: true}"
CASES = {
    "unknown key": (("seed: 7", "budgett: {}\nseed: 7"), "020", "3:1: budgett", "did you mean budget?"),
    "unknown key inside": (("cost: 120", "cots: 120"), "020", "10:41: data.candidates[0].cots", "did you mean cost?"),
    "key of another section": (("seed: 7", "rounds: 3\nseed: 7"), "020", "3:1: rounds", "rounds belongs in loop"),
    "key like no other": (("rounds: 5", "xyzzy: 5"), "020", "23:8: loop.xyzzy", "loop knows: rounds, propose"),
    "misspelt required key": (("  validation:", "  vaildation:"), "020", "12:3: data.vaildation", "mean validation?"),
    "missing key": (("metrics:\n  primary: accuracy\n", ""), "021", "1:1: metrics", "missing"),
    "missing key inside": (("kind: classification\n  ", ""), "021", "4:1: task.kind", "classification"),
    "key twice": (("seed: 7", "seed: 7\nseed: 8"), "007", "4:1: seed", "3:1"),
    "text for a whole number": (("seed: 7", "seed: seven"), "022", "3:7: seed", '"seven"'),
    "quoted number": (("seed: 7", 'seed: "7"'), "022", "3:7: seed", "leave the quotes out: 7"),
    "true for a number": (("seed: 7", "seed: true"), "022", "3:7: seed", "found true"),
    "number for text": (("name: night-shift", "name: 2024"), "022", "2:7: name", 'put it in quotes: "2024"'),
    "no for false": (("log: true", "log: no"), "022", "19:49: search_space.lr.log", "write false"),
    "text for a list": (
        ("recipes: [concat, pretrain_finetune]", "recipes: concat"),
        "022",
        "22:10: recipes",
        "[concat]",
    ),
    "path for a source": (
        ("base: {source: data/base.npz}", "base: data/base.npz"),
        "022",
        "8:9: data.base",
        "write {source: data/base.npz}",
    ),
    "key without a value": (("gate: {looks: [1, 2, 3]}", "gate:"), "022", "25:1: gate", "no value"),
    "name with a space": (("night-shift", "night shift"), "025", "2:7: name", "night shift"),
    "duration": (("8h", "8 hours"), "025", "26:22: budget.wall_clock", "1h30m"),
    "not finite": (("seed: 7", "seed: .inf"), "008", "3:7: seed", "finite"),
    "unknown tag": (("name: night-shift", "name: !!python/name:os.system x"), "008", "2:7: name", "!include"),
    "half a character": (("name: night-shift", 'name: "\\ud800"'), "008", "2:7: name", "half a character"),
    "half a character in a key": (("seed: 7", '"\\ud800": 7'), "008", "3:1", "plain text"),
    "a list as key": (("seed: 7", "[seed]: 7"), "008", "3:1", "found a list"),
    "merge of no mapping": (("seed: 7", "<<: 7"), "008", "3:5", "found 7"),
    "unknown choice": (("classification", "clasification"), "024", "5:9: task.kind", "did you mean classification?"),
    "unknown role": (("role: target", "role: targte"), "024", "17:51: slices[1].role", "target, guard"),
    "unknown recipe": (("pretrain_finetune", "pretrain"), "024", "22:19: recipes[1]", "pretrain_finetune"),
    "recipe twice": (("pretrain_finetune", "concat"), "040", "22:19: recipes[1]", "concat"),
    "unknown trainer": (("torch_image", "torch_imag"), "024", "6:12: task.trainer", "did you mean torch_image?"),
    "unknown metric": (("primary: accuracy", "primary: acuracy"), "024", "14:12: metrics.primary", "mean accuracy?"),
    "metric of another task": (
        ("primary: accuracy", "primary: mae"),
        "052",
        "14:12: metrics.primary",
        "classification",
    ),
    "margin below 0": (("margin: 0.01", "margin: -0.1"), "023", "16:42: slices[0].margin", "0 or more; found -0.1"),
    "seed too large": (("seed: 7", f"seed: {2**63}"), "023", "3:7: seed", str(2**63)),
    "weight of a slice": (("role: target", "role: target, weight: 0"), "023", "17:67: slices[1].weight", "above 0"),
    "guard without margin": ((", margin: 0.01", ""), "027", "16:5: slices[0]", "margin"),
    "guard with weight": (("margin: 0.01", "margin: 0.01, weight: 2"), "027", "16:5: slices[0]", "weight"),
    "where and source": (("role: target", "role: target, source: d.npz"), "027", "17:5: slices[1]", "not both"),
    "low above high": (("low: 1e-4", "low: 2"), "027", "19:3: search_space.lr", "found low 2 and high 0.1"),
    "low equals high": (("low: 1e-4", "low: 1e-1"), "027", "19:3: search_space.lr", "low must be below high"),
    "wider than any number": (
        (LR, "lr: {type: float, low: -1e308, high: 1e308}"),
        "027",
        "19:3: search_space.lr",
        "wider than any number",
    ),
    "log of 0": (("low: 1e-4", "low: 0"), "027", "19:3: search_space.lr", "log needs low above 0"),
    "float without high": ((LR, "lr: {type: float, low: 1}"), "027", "19:3: search_space.lr", "low and high"),
    "int with a broken step": (
        (LR, "lr: {type: int, low: 1, high: 9, step: 1.5}"),
        "027",
        "19:3: search_space.lr",
        "step",
    ),
    "step too wide": (
        (LR, "lr: {type: int, low: 1, high: 9, step: 9}"),
        "027",
        "19:3: search_space.lr",
        "found step 9",
    ),
    "no choices": (("[sgd, adam]", "[]"), "026", "20:34: search_space.optimiser.choices", "1 entry"),
    "choice twice": (("[sgd, adam]", "[sgd, sgd]"), "027", "20:3: search_space.optimiser", "twice"),
    "choice of a mapping": (("adam]", "{a: 1}]"), "022", "20:49: search_space.optimiser.choices[1]", "null or a list"),
    "the same list twice": (("adam]", "[1, 2], [1.0, 2]]"), "027", "20:3: search_space.optimiser", "twice"),
    "looks that fall": (("[1, 2, 3]", "[1, 3, 2]"), "027", "25:1: gate", "found 1, 3, 2"),
    "candidate twice": (("name: night,", "name: fog,"), "040", "11:14: data.candidates[1].name", "data.candidates[0]"),
    "candidate called base": (("name: night,", "name: base,"), "041", "11:14: data.candidates[1].name", "base"),
    "slice twice": (("{name: overall", "{name: dark"), "040", "17:12: slices[1].name", "found dark"),
    "targets no slice": (
        ("targets: [dark]", "targets: [drak]"),
        "043",
        "11:55: data.candidates[1].targets[0]",
        "mean dark?",
    ),
    "targets a guard": (
        ("targets: [dark]", "targets: [overall]"),
        "044",
        "11:55: data.candidates[1].targets[0]",
        "guard",
    ),
    "targets nothing": (("targets: [dark]", "targets: []"), "026", "11:45: data.candidates[1].targets", "every target"),
    "unknown proposer": (("[given]", "[givn]"), "024", "23:29: loop.propose[0]", "did you mean given?"),
    "when names nothing": (
        ("when: {optimiser: sgd}", "when: {optimizr: sgd}"),
        "045",
        "21:51: search_space.momentum.when.optimizr",
        "did you mean optimiser?",
    ),
    "when impossible choice": (
        ("when: {optimiser: sgd}", "when: {optimiser: sdg}"),
        "046",
        "21:62: search_space.momentum.when.optimiser",
        "did you mean sgd?",
    ),
    "when out of range": (
        ("when: {optimiser: sgd}", "when: {lr: 3}"),
        "046",
        "21:55: search_space.momentum.when.lr",
        "lr runs from 0.0001 to 0.1",
    ),
    "when nothing": (
        ("when: {optimiser: sgd}", "when: {optimiser: []}"),
        "046",
        "21:51: search_space.momentum.when.optimiser",
        "found []",
    ),
    "when in a circle": (
        ("choices: [sgd, adam]", "choices: [sgd, adam], when: {momentum: 0.5}"),
        "047",
        "20:56: search_space.optimiser.when",
        "optimiser -> momentum -> optimiser",
    ),
    "when itself": (
        ("when: {optimiser: sgd}", "when: {momentum: 0.5}"),
        "047",
        "21:44: search_space.momentum.when",
        "momentum -> momentum",
    ),
    "when another recipe": (
        ("when: {optimiser: sgd}", "when: {recipe: continue}"),
        "048",
        "21:59: search_space.momentum.when.recipe",
        "recipes of the study: concat, pretrain_finetune",
    ),
    "parameter called recipe": (("  lr:", "  recipe:"), "041", "19:3: search_space.recipe", "when"),
    "enqueue names nothing": (("{fog: 1.0}", "{fgo: 1.0}"), "049", "24:43: search.enqueue[0].fgo", "mean fog?"),
    "enqueue too heavy": (("{fog: 1.0}", "{fog: 2.5}"), "050", "24:48: search.enqueue[0].fog", "which is 2; found 2.5"),
    "enqueue below 0": (("{fog: 1.0}", "{fog: -1}"), "050", "24:48: search.enqueue[0].fog", "found -1"),
    "objective twice": (
        ("enqueue:", "objectives: [model_mb, model_mb], enqueue:"),
        "040",
        "24:55: search.objectives[1]",
        "model_mb",
    ),
    "objective that nobody measures": (
        ("enqueue:", "objectives: [predict], enqueue:"),
        "024",
        "24:45: search.objectives[0]",
        "predict_ms",
    ),
    "enqueue another base": (("{fog: 1.0}", "{base: 2}"), "050", "24:49: search.enqueue[0].base", "weight 1"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_problem_with_its_place(refused: Any, case: Any) -> None:
    change, code, place, word = CASES[case]
    (problem,) = refused(change)
    assert (problem.code, problem.place) == (f"ADC-SPEC-{code}", f"study.yaml:{place}")
    assert word in str(problem)


def test_no_target_slice(refused: Any) -> None:
    (problem,) = refused(("role: target}", "role: guard, margin: 0.1}"), (", targets: [dark]", ""))
    assert (problem.code, problem.place) == ("ADC-SPEC-042", "study.yaml:15:1: slices")
    assert "target" in problem.problem


def test_all_problems_at_once_in_reading_order(refused: Any) -> None:
    found = refused(
        ("seed: 7", "sed: -7"),
        ("name: night,", "name: fog,"),
        ("margin: 0.01", "margin: -1"),
        ("low: 1e-4", "low: 5"),
        ("optimiser: sgd", "optimiser: sdg"),
        ("rounds: 5", "rounds: 0"),
        overrides=("gate.fdr=2",),
    )
    codes = [p.code[-3:] for p in found]
    assert codes == ["020", "023", "040", "023", "027", "046", "023", "023"]
    assert [p.place.split(":")[1] for p in found[:-1]] == ["3", "3", "11", "16", "19", "21", "23"]
    assert found[-1].place == "--set gate.fdr"


def test_a_misspelt_key_hides_nothing_and_is_told_once(refused: Any) -> None:
    found = refused(("validation: {source: data/validation.npz}", "vaildation: {sorce: 3}"))
    assert [(p.code[-3:], p.place) for p in found] == [
        ("020", "study.yaml:12:3: data.vaildation"),
        ("020", "study.yaml:12:16: data.vaildation.sorce"),
    ]


def test_a_future_version_is_refused_in_one_sentence(refused: Any) -> None:
    (problem,) = refused(
        ("schema_version: 1", "schema_version: 99\nnew_key: 1"), ("lr:", "lr: !include gone.yaml\n  r:")
    )
    assert (problem.code, problem.place) == ("ADC-SPEC-006", "study.yaml:1:17: schema_version")
    assert "99" in str(problem)
    assert len(str(problem).splitlines()) == 1


@pytest.mark.parametrize("version", ["0", "one", "1.5"])
def test_no_version_of_ours(refused: Any, version: Any) -> None:
    (problem,) = refused(("schema_version: 1", f"schema_version: {version}"))
    assert (problem.code, problem.place) == ("ADC-SPEC-024", "study.yaml:1:17: schema_version")


def test_an_anchor_that_contains_itself(refused: Any) -> None:
    (problem,) = refused(("trainer: torch_image", "trainer: torch_image\n  options: {a: &a [*a]}"))
    assert (problem.code, problem.place) == ("ADC-SPEC-008", "study.yaml:7:16: task.options.a[0]")


INCLUDED = {
    "missing": (None, "001", "study.yaml:18:15: search_space", "space.yaml: there is no such file"),
    "empty": ("", "004", "space.yaml", "empty"),
    "syntax": ("lr: {type: float\nlow: 1", "003", "space.yaml:2:4", "not YAML"),
    "itself": ("lr: !include space.yaml", "010", "space.yaml:1:5: search_space.lr", "circle"),
    "the study": ("lr: !include study.yaml", "010", "space.yaml:1:5: search_space.lr", "circle"),
    "no path": ("lr: !include", "009", "space.yaml:1:5: search_space.lr", "path"),
    "no mapping": ("- a", "022", "study.yaml:18:1: search_space", "mapping"),
    "unknown key": ("lr: {type: int, low: 1, hihg: 2}", "020", "space.yaml:1:25: search_space.lr.hihg", "mean high?"),
    "key twice": ("lr: {type: int, low: 1, high: 2}\nlr: {}", "007", "space.yaml:2:1: search_space.lr", "1:1"),
    "range": ("lr: {type: int, low: 3, high: 2}", "027", "space.yaml:1:1: search_space.lr", "low 3 and high 2"),
}


@pytest.mark.parametrize("case", INCLUDED)
def test_problems_of_an_included_file(problems_of: Any, write: Any, tmp_path: Path, case: Any) -> None:
    text, code, place, word = INCLUDED[case]
    path = write()
    study = path.read_text()
    head, tail = study.index("search_space:"), study.index("recipes:")
    path.write_text(study[:head] + "search_space: !include space.yaml\n" + study[tail:])
    if text is not None:
        (tmp_path / "space.yaml").write_text(text)
    (problem,) = problems_of(lambda: load(path), tmp_path)
    assert (problem.code, problem.place) == (f"ADC-SPEC-{code}", place)
    assert word in str(problem)


def test_machine_file(problems_of: Any, tmp_path: Path) -> None:
    path = tmp_path / "machine.yaml"
    path.write_text("runer: ray\nretries: -1\ntrial_timeout: soon\n")
    found = problems_of(lambda: load_machine(path), tmp_path)
    assert [(p.code[-3:], p.place) for p in found] == [
        ("020", "machine.yaml:1:1: runer"),
        ("023", "machine.yaml:2:10: retries"),
        ("025", "machine.yaml:3:16: trial_timeout"),
    ]


def test_several_problems_are_one_error_with_every_place(write: Any) -> None:
    with pytest.raises(Problems) as caught:
        load(write(("seed: 7", "seed: -7"), ("rounds: 5", "rounds: 0")))
    text = str(caught.value)
    assert "study.yaml:3:7: seed" in text
    assert "study.yaml:23:16: loop.rounds" in text


@pytest.mark.parametrize("path", [".".join(map(str, path)) for path in dropped.DROPPED])
def test_a_key_of_earlier_files_is_refused_in_one_sentence(refused: Any, path: str) -> None:
    section, key = path.split(".")
    old = {"gate": "gate: {", "metrics": "metrics:\n  "}[section]
    new = f"{old}{key}: 0.3{', ' if section == 'gate' else chr(10) + '  '}"
    (problem,) = refused((old, new))
    line = {"gate": "25:8", "metrics": "14:3"}[section]
    assert (problem.code, problem.place) == ("ADC-SPEC-063", f"study.yaml:{line}: {path}")
    assert len(str(problem).splitlines()) == 1
    assert str(problem).endswith("in every study: remove the line [ADC-SPEC-063]") or "pair by pair" in str(problem)


def test_a_dropped_key_hides_no_other_problem(refused: Any) -> None:
    found = refused(("rounds: 5", "rounds: 0"), overrides=("gate.futility_rest=0.1",))
    assert [(p.code[-3:], p.place) for p in found] == [
        ("023", "study.yaml:23:16: loop.rounds"),
        ("063", "--set gate.futility_rest"),
    ]
