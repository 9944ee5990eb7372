"""What several verbs are asked alike."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from autodc.studyfile.study import StudySpec

STUDY = click.argument("study", type=click.Path())
FOLDER = click.argument("folder", metavar="DIR", type=click.Path())
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
MACHINE = click.option(
    "--machine", type=click.Path(), help="A machine file: where and how trials run. Left out: Ray, all cores."
)
FROM = click.option(
    "--from",
    "source",
    metavar="DIR",
    type=click.Path(),
    help="Take the noise from the calibration runs of this folder, of `run` or `simulate`.",
)
WARM = click.option(
    "--warm-start",
    "warm",
    metavar="DIR",
    type=click.Path(),
    help="Let the search learn from the trainings of another study; the same as search.warm_start in the study file.",
)
SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a value of the study file, as in loop.rounds=2.",
)


def load_study(study: str, overrides: tuple[str, ...], warm: str | None = None) -> StudySpec:
    """The study file, changed by KEY=VALUE texts. Raises all that is wrong with the study."""
    from autodc.verbs.reading import read_study

    started = () if warm is None else (f"search.warm_start={json.dumps(os.path.abspath(warm))}",)
    return read_study(study, (*overrides, *started))
