"""The docs are true: README's programs run as they stand, commands and paths that pages name exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from autodc.cli.main import cli
from autodc.studyfile import load

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[A-Za-z_.][\w.-]*(/[\w.-]+)*/?")
"""A word that may be a path: no blanks, no wildcards, no scheme."""
ROOMS = ("autodc/", "configs/", "docs/", "tests/", "benchmarks/", "search_spaces/", "deploy/")


def blocks(page: Any, language: Any) -> Any:
    return [m["body"] for m in FENCE.finditer(page.read_text(encoding="utf-8")) if m["language"] == language]


def commands() -> Any:
    """(page, words) of every `autodc …` in shell blocks and in running text."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line for body in blocks(page, "sh") for line in body.splitlines()]
        lines += CODE.findall(FENCE.sub("", text))
        for line in lines:
            match = re.match(r"(?:\.venv/bin/)?autodc +(?P<rest>[^…]*)", line.strip())
            if match and not match["rest"].startswith("-"):
                found.append((page.relative_to(ROOT).as_posix(), tuple(shlex.split(match["rest"], comments=True))))
    return sorted(set(found))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder with README's study and its rows; the programs that follow in README."""
    monkeypatch.chdir(tmp_path)
    rows, *programs = blocks(README, "python")
    run(rows)
    (study,) = blocks(README, "yaml")
    (tmp_path / "mine" / "study.yaml").write_text(study, encoding="utf-8")
    return programs


def run(program: Any) -> None:
    exec(compile(program, str(README), "exec"), {"__name__": "__readme__"})


def test_readme_study_loads(desk: Any) -> None:
    assert [c.name for c in load("mine/study.yaml").data.candidates] == ["night", "careless"]


@pytest.mark.slow
def test_readme_study_runs(desk: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(desk[0])
    assert "('night',)" in capsys.readouterr().out


@pytest.mark.slow
def test_readme_loop_of_ones_own_runs(desk: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(desk[1])
    assert capsys.readouterr().out.strip() == "['night']"


@pytest.mark.parametrize(("page", "words"), commands(), ids=lambda value: value if isinstance(value, str) else value[0])
def test_commands_exist(page: Any, words: Any) -> None:
    verb, *rest = words
    assert verb in cli.commands, f"{page}: autodc {verb}"
    known = {name for parameter in cli.commands[verb].params for name in parameter.opts}
    known |= set(cli.context_settings["help_option_names"])
    unknown = {word for word in rest if word.startswith("-")} - known
    assert not unknown, f"{page}: autodc {' '.join(words)}"


def test_docs_name_every_verb() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert not [verb for verb in cli.commands if f"autodc {verb}" not in text and f"`{verb}`" not in text]
    assert all(isinstance(command, click.Command) and command.help for command in cli.commands.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_paths_exist(page: Any) -> None:
    named = {word for word in CODE.findall(FENCE.sub("", page.read_text(encoding="utf-8"))) if PATH.fullmatch(word)}
    assert not sorted(word for word in named if word.startswith(ROOMS) and not (ROOT / word).exists())


def test_architecture_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {p.parent.name for p in (ROOT / "autodc").glob("*/__init__.py")} | {"seeds", "fingerprint", "errors"}
    first = {name.strip() for row in re.findall(r"^\| ([a-z, ]+) \|", page, re.MULTILINE) for name in row.split(",")}
    assert not sorted(rooms - first)


def test_shell_blocks_name_files_that_exist() -> None:
    lines = [line for page in PAGES for body in blocks(page, "sh") for line in body.splitlines()]
    words = {word for line in lines for word in shlex.split(line, comments=True)}
    assert not sorted(word for word in words if word.startswith(ROOMS) and not (ROOT / word).exists())
