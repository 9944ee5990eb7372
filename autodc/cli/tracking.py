"""The verb that writes a study into a store of MLflow."""

from __future__ import annotations

import json

import click

from autodc.cli.options import FOLDER, JSON
from autodc.cli.streams import echo


@click.command()
@FOLDER
@click.option("--uri", metavar="URI", required=True, help="The store: sqlite:///FILE, or the address of a server.")
@click.option("--experiment", metavar="NAME", help="Left out: as in the study file.")
@click.option("--register", metavar="NAME", help="Register the model by this name, with the alias champion.")
@JSON
def track(folder: str, uri: str, experiment: str | None, register: str | None, as_json: bool) -> None:
    """Write a study into an MLflow store, whole; what is there already stays, a second time changes nothing."""
    from autodc.cli.show_track import show_track
    from autodc.verbs.track import track as write

    echo("comparing the study with what the store has", err=True)
    found = write(folder, uri, experiment=experiment, register=register)
    echo(json.dumps(found.to_dict(), indent=2)) if as_json else show_track(found)
