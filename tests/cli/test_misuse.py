"""A slip on the command line is told in one line, with what was meant."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autodc.testing.worlds.cells import write_world

SLIPS = {
    "verb": (("chek", "s.yaml"), "there is no such command; found chek", "did you mean check?"),
    "verb like no other": (("xyzzy",), "found xyzzy", "`autodc --help` lists them"),
    "option": (("run", "s.yaml", "--outt", "x"), "run: there is no such option; found --outt", "did you mean --out?"),
    "option in capitals": (("run", "s.yaml", "--JSON"), "found --JSON", "did you mean --json?"),
    "nothing to run": (("run",), "run: missing argument 'STUDY'", "usage: autodc run [OPTIONS] STUDY"),
    "too much": (("check", "a.yaml", "b.yaml"), "unexpected extra argument (b.yaml)", "usage: autodc check"),
    "no number": (("simulate", "a.yaml", "--nights", "x"), "'--nights': 'x' is not a valid integer", "usage: "),
    "no value": (("check", "a.yaml", "--set"), "option '--set' requires an argument", ""),
}


@pytest.mark.parametrize("case", SLIPS)
def test_it_is_told_with_what_was_meant(autodc: Any, case: str) -> None:
    words, problem, hint = SLIPS[case]
    said = autodc(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("autodc: ")
    assert problem in said.err
    assert hint in said.err
    assert len(said.err.splitlines()) == 1 + bool(hint)


def test_a_study_without_a_command(autodc: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path)
    said = autodc(study)
    assert said.code == 2
    assert f"name a command before it: autodc check {study}" in said.err


SETS = {
    "loop.ronds=2": "did you mean rounds?",
    "ronds=2": "did you mean loop.rounds?",
    "search.sampler=tpe": "did you mean TPESampler?",
    "metrics.primary=f1": "did you mean macro_f1?",
    "metrics.primary=Accuracy": "did you mean accuracy?",
    "task.kind=classifier": "did you mean classification?",
    "gate.trust=[lamsp]": "did you mean lamps?",
    "data.base.target=y": "options have a mapping of their own: write options: {target: ...}",
    "search.enqueue=[{lamsp: 1}]": "did you mean lamps?",
    "search_space.smooth.type=uniform": "did you mean float?",
}


@pytest.mark.parametrize("text", SETS)
def test_a_slip_in_a_key_or_a_name_is_told_with_what_was_meant(autodc: Any, tmp_path: Path, text: str) -> None:
    said = autodc("check", write_world(tmp_path), "--set", text)
    assert said.code == 2
    assert said.err.startswith(f"autodc: --set {text.partition('=')[0]}")
    assert SETS[text] in said.err


def test_a_slip_in_a_machine_file(autodc: Any, tmp_path: Path) -> None:
    (tmp_path / "machine.yaml").write_text("runer: inline\nretries: lots\n")
    said = autodc("run", write_world(tmp_path), "--machine", tmp_path / "machine.yaml")
    assert said.code == 2
    assert said.err.startswith(f"autodc: 2 problems in {tmp_path}/machine.yaml:\n")
    assert "did you mean runner?" in said.err
    missing = autodc("run", write_world(tmp_path), "--machine", tmp_path / "mashine.yaml")
    assert f"did you mean {tmp_path}/machine.yaml?" in missing.err


def test_a_word_glued_to_its_key_a_folder_and_a_candidate(autodc: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, data__test={"source": "dta/test.npz"})
    study.write_text(study.read_text().replace('"seed": ', '"seed:3": ').replace("seed: ", "seed:3: "))
    said = autodc("check", study)
    assert "there is no folder `dta`: did you mean `data`?" in said.err
    assert "put a space after the colon: `seed: 3`" in said.err


@pytest.mark.slow
def test_on_a_terminal_whole_words_are_wrapped_and_a_log_has_long_lines(tmp_path: Path) -> None:
    study = write_world(tmp_path, metrics__primary="acuracy", data__test={"source": "data/tset.npz"})
    program = "import sys; sys.argv = ['autodc', 'check', 'study.yaml']; from autodc.cli import main; {}main()"
    said = {}
    for where, before in (("log", ""), ("terminal", "sys.stderr.isatty = lambda: True; ")):
        words = [sys.executable, "-c", program.format(before)]
        environment = {**os.environ, "COLUMNS": "60"}
        done = subprocess.run(words, cwd=study.parent, env=environment, capture_output=True, text=True, check=False)
        said[where] = done.stderr
    assert said["log"].split() == said["terminal"].split()
    assert max(map(len, said["log"].splitlines())) > 60
    assert max(map(len, said["terminal"].splitlines())) <= 60
    assert "\n    did you mean accuracy?" in said["terminal"]


def test_a_function_or_a_file_of_ones_own_that_is_not_there(autodc: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def pipeline():\n    return None\n")
    for name, hint in (
        ("mine.py:pipelin", "did you mean mine.py:pipeline?"),
        ("mien.py:pipeline", "did you mean mine.py:pipeline?"),
    ):
        said = autodc("check", write_world(tmp_path, task__trainer=name))
        assert said.code == 2
        assert hint in said.err
