"""The verb that writes a training set out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from autodc.cli.options import FOLDER, JSON
from autodc.cli.streams import echo


@click.command()
@FOLDER
@click.option("--out", metavar="FOLDER", type=click.Path(), required=True, help="A folder that is not there yet.")
@click.option("--license", "license_url", metavar="URL", help="Of the rows, for the Croissant file.")
@JSON
def export(folder: str, out: str, license_url: str | None, as_json: bool) -> None:
    """Write what a run's model was trained on: rows, weights, and where each row comes from."""
    from autodc.verbs.export import export as write

    found = write(folder, out, license_url=license_url).to_dict()
    echo(json.dumps(found, indent=2)) if as_json else show_export(found)


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
