"""What a release is made of: the image of the driver, the versions that are claimed, the menu of the site."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RECIPE = (ROOT / "deploy" / "Containerfile").read_text()


def steps() -> list[tuple[str, str]]:
    lines = [line for line in RECIPE.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    return [(step, rest) for step, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_is_made_of_what_is_there() -> None:
    known = {"FROM", "WORKDIR", "RUN", "COPY", "ARG", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert {step for step, _ in steps()} <= known
    for step, rest in steps():
        if step == "COPY" and "--from" not in rest:
            *sources, _ = shlex.split(rest)
            assert [name for name in sources if not (ROOT / name).exists()] == []
    copied = " ".join(rest for step, rest in steps() if step == "COPY")
    from_setup = re.search(r"FOLDERS = \((.+?)\)", (ROOT / "setup.py").read_text())
    assert from_setup is not None
    assert all(name in copied.split() for name in re.findall(r'"(\w+)"', from_setup[1]))
    extras = next(rest for step, rest in steps() if step == "ARG").partition("=")[2].split(",")
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    assert re.search(r"python:3\.11-", RECIPE), "the version on which all tests run"


def test_the_image_runs_the_command_without_rights() -> None:
    told = [step for step, _ in steps()]
    users = [rest for step, rest in steps() if step == "USER"]
    assert users[-1] != "root"
    assert told.index("USER") < told.index("ENTRYPOINT")
    assert dict(steps())["ENTRYPOINT"] == '["autodc"]'


def test_classifiers_claim_what_was_tried() -> None:
    claimed = {text.rpartition(" ")[2] for text in PROJECT["classifiers"] if "Python :: 3." in text}
    tried = re.findall(r"^\| (3\.\d+) \| everything", (ROOT / "docs" / "releasing.md").read_text(), re.MULTILINE)
    assert claimed == set(tried)


@pytest.mark.parametrize("name", ["docs/cli.md", "docs/api.md"])
def test_pages_that_are_written_are_not_empty(name: str) -> None:
    assert (ROOT / name).read_text().count("\n## ") >= 2
