"""The verb that writes a run out for other programs: its training set, or a copy of its search."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from autodc.cli.options import FOLDER, JSON
from autodc.cli.streams import echo

TRAINING_SET, OPTUNA, TENSORBOARD = "training-set", "optuna", "tensorboard"


@click.command()
@FOLDER
@click.option("--out", metavar="PATH", type=click.Path(), required=True, help="A folder that is not there yet.")
@click.option(
    "--as",
    "form",
    type=click.Choice([TRAINING_SET, OPTUNA, TENSORBOARD]),
    default=TRAINING_SET,
    help="optuna: PATH is a .log or SQLite file, or a storage URL; tensorboard: a folder of event files.",
)
@click.option("--license", "license_url", metavar="URL", help="Of the rows, for the Croissant file.")
@JSON
def export(folder: str, out: str, form: str, license_url: str | None, as_json: bool) -> None:
    """Write what a run's model was trained on, with lineage; or its search for other tools.

    The training set: rows, weights, and where each row comes from.
    """
    if form != TRAINING_SET:
        if license_url is not None:
            raise click.UsageError("--license is of a training set")
        copied = _optuna(folder, out) if form == OPTUNA else _tensorboard(folder, out)
        echo(
            json.dumps(copied, indent=2) if as_json else f"{copied['trainings']} trainings; open with: {copied['open']}"
        )
        return
    from autodc.verbs.export import export as write

    found = write(folder, out, license_url=license_url).to_dict()
    echo(json.dumps(found, indent=2)) if as_json else show_export(found)


def _optuna(folder: str, out: str) -> dict[str, Any]:
    from autodc.verbs.copies import optuna_study

    storage = out if "://" in out or out.endswith(".log") else f"sqlite:///{Path(out).absolute()}"
    study = optuna_study(folder, storage)
    opened = f"optuna-dashboard {storage}"
    return {"study": study.study_name, "trainings": len(study.trials), "out": storage, "open": opened}


def _tensorboard(folder: str, out: str) -> dict[str, Any]:
    from autodc.verbs.copies import to_tensorboard

    where = to_tensorboard(folder, out)
    runs = sum(path.is_dir() for path in where.iterdir()) - 1  # one is of the whole search
    return {"trainings": runs, "out": str(where), "open": f"tensorboard --logdir {where}"}


def show_export(found: Mapping[str, Any]) -> None:
    """What was written, and how to read it."""
    from autodc.cli.terminal import Column, console, print_table

    out = console()
    out.print(f"{found['study']}: {found['rows']} rows in {found['out']}", soft_wrap=True)
    columns = [Column(name="dataset"), Column(name="rows", right=True), Column(name="weight", right=True)]
    columns += [Column(name="by", drop=1), Column(name="verdict", drop=2)]
    rows = [
        [one["name"], str(one["rows"]), f"{one['weight']:g}", one["by"], one["verdict"] or ""]
        for one in found["datasets"]
    ]
    print_table(out, columns, rows)
    read = {**found["read"], "source": f"{found['out']}/{found['read']['source']}".rstrip("/")}
    out.print("README.md says what lies there. In a study file:")
    out.print(f"    base: {json.dumps(read)}", soft_wrap=True)
