"""A verb from outside: a use case that is also a Python call, and a command that shows what it found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from autodc.cli.main import cli
from autodc.errors import InputError
from autodc.review import views
from autodc.verbs.outputs import open_result


def kept(folder: str) -> dict[str, list[str]]:
    """What `verbs/kept.py` would hold: every dataset that was kept → the gate's reasons."""
    state, result = open_result(folder)
    return {name: list(views.why(state, name)["comparisons"][-1]["reasons"]) for name in result["kept"]}


@click.command("kept")
@click.argument("folder")
@click.option("--json", "as_json", is_flag=True)
def command(folder: str, as_json: bool) -> None:
    """Print the datasets that were kept."""
    found = kept(folder)
    click.echo(json.dumps(found) if as_json else "\n".join(found))


@pytest.fixture(scope="module")
def autodc_with_it() -> click.Group:
    """The command line with one verb more."""
    return click.Group("autodc", commands={**cli.commands, "kept": command})


def said(group: click.Group, *words: object) -> Result:
    return CliRunner().invoke(group, list(map(str, words)))


def test_it_tells_of_a_finished_study_what_the_result_says(autodc_with_it: click.Group, finished: Any) -> None:
    _, folder, ran = finished
    plain, as_json = said(autodc_with_it, "kept", folder), said(autodc_with_it, "kept", folder, "--json")
    assert (plain.exit_code, as_json.exit_code) == (0, 0)
    assert plain.output.split() == list(json.loads(as_json.output)) == json.loads(ran.out)["kept"] == ["lamps"]
    assert all(json.loads(as_json.output).values())


def test_it_stands_beside_the_others_and_fails_as_they_do(autodc_with_it: click.Group, tmp_path: Path) -> None:
    assert "Print the datasets that were kept." in said(autodc_with_it, "--help").output
    for verb in ("kept", "status"):
        failed = said(autodc_with_it, verb, tmp_path / "nowhere")
        assert isinstance(failed.exception, InputError)
        assert failed.exception.code == "ADC-RUN-005"
