"""The verb that puts runs side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from autodc.cli.options import JSON
from autodc.cli.streams import echo


@click.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path())
@click.option("--milestone", metavar="NAME", help="Give the incumbent of DIR, as it is now, a name: later DIR@NAME.")
@JSON
def compare(folders: tuple[str, ...], milestone: str | None, as_json: bool) -> None:
    """Put runs side by side: mixtures, slices, cost, paired differences.

    DIR is a run's folder and stands for its incumbent; DIR@NAME is a milestone of it, DIR@start what it began with.
    """
    if milestone is not None:
        if len(folders) > 1:
            raise click.UsageError("--milestone names the incumbent of one run")
        from autodc.verbs.milestone import milestone as give_name

        named = give_name(folders[0], milestone)
        where = None if named.model is None else str(named.model)
        told = {"name": named.name, "folder": str(named.folder), **named.plan.to_dict(), "model": where}
        echo(json.dumps(told, indent=2)) if as_json else _show_milestone(told)
        return
    from autodc.verbs.compare import compare as put_side_by_side

    found = put_side_by_side(*folders).to_dict()
    if as_json:
        echo(json.dumps(found, indent=2))
        return
    from autodc.cli.show_compared import show_compared

    show_compared(found)


def _show_milestone(told: Mapping[str, Any]) -> None:
    echo(f"{told['folder']}@{told['name']}: {', '.join(told['mixture'])}")
    echo(f"model: {told['model']}" if told["model"] else "the run has handed over no model yet; its scores are kept")
    echo(f"later: autodc compare {told['folder']}@{told['name']} {told['folder']}")
