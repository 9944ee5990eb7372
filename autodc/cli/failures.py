"""The verbs that look at where a model fails: on rows that are known, and on a stream of production."""

from __future__ import annotations

import json
import os

import click

from autodc.cli.options import JSON, MACHINE, SET, STUDY, load_study
from autodc.cli.streams import echo
from autodc.errors import INTERRUPTED


@click.command()
@click.argument("study", metavar="STUDY|DIR", type=click.Path())
@click.option("--method", metavar="METHOD", help="With a study file: diagnose this instead of its start trained once.")
@click.option("--quick", is_flag=True, help="Look neither for the nearest inputs that pass nor at training rows.")
@click.option("--curves", is_flag=True, help="With a study file: train on parts of the base too; what more would do.")
@click.option(
    "--offer",
    "offers",
    multiple=True,
    metavar="NAME=ROWS",
    help="With a study file: what a candidate that is a sample of so many rows would be worth whole.",
)
@click.option(
    "--annotators",
    multiple=True,
    metavar="COLUMN",
    help="Metadata columns with labels of several people, as in 'rater_*'. Left out: annotator*.",
)
@click.option(
    "--finder",
    "finders",
    metavar="FINDER",
    multiple=True,
    help="Who looks beside the usual ones: sliceline, hdbscan, file.py:Object, an installed finder; repeatable.",
)
@click.option(
    "--decoder",
    type=click.Choice(["pca", "vae"]),
    help="Where the nearest pictures that pass are looked for: principal components (pca, left out) or an autoencoder.",
)
@click.option(
    "--promote", metavar="FINDING", help="With a run's folder: make a confirmed finding a target slice of it."
)
@click.option("--out", type=click.Path(), help="Folder of the page. Left out: DIR/diagnosis, or runs/NAME-diagnosis.")
@MACHINE
@SET
@JSON
def diagnose(
    study: str,
    method: str | None,
    promote: str | None,
    quick: bool,
    finders: tuple[str, ...],
    curves: bool,
    offers: tuple[str, ...],
    annotators: tuple[str, ...],
    decoder: str | None,
    out: str | None,
    machine: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say where a model fails and why, with evidence from rows it was not found on; write a page."""
    is_run = os.path.isdir(study)
    if is_run and (overrides or machine is not None):
        raise click.UsageError("--set and --machine go with a study file: a run is what it was")
    if decoder is not None and (quick or promote is not None):
        raise click.UsageError("--decoder is for the nearest inputs that pass: --quick and --promote look for none")
    from autodc.studyfile import load_machine

    where = None if machine is None else load_machine(machine)
    asked = study if is_run else load_study(study, overrides)
    from autodc.cli.live import Bar, Stop
    from autodc.cli.show_findings import show_diagnosis
    from autodc.study.driver import Interrupted
    from autodc.verbs.diagnose import diagnose as look

    with Bar() as bar, Stop(bar.say) as stop:
        try:
            found = look(
                asked,
                where,
                out,
                method=method,
                promote=promote,
                quick=quick,
                finders=finders,
                curves=curves,
                offers=offers,
                annotators=annotators,
                decoder=decoder or "pca",
                stage=bar.say,
                stop=stop,
            )
        except Interrupted:
            left = "what was found is in the journal" if is_run else "nothing is left behind"
            echo(f"stopped; {left}", err=True)
            return INTERRUPTED
    echo(json.dumps(found.to_dict(), indent=2)) if as_json else show_diagnosis(found)
    return 0


@click.command()
@STUDY
@click.option(
    "--model", "method", metavar="METHOD", required=True, help="What predicts: a run folder, a model, an object."
)
@click.option("--stream", metavar="SOURCE", required=True, help="Unlabelled rows: a file, a folder of files, a URL.")
@click.option("--out", type=click.Path(), required=True, help="A folder for the sheet; it must not be there yet.")
@click.option("--pick", type=int, default=200, show_default=True, help="How many rows to label.")
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="How the stream is read, as in text=body."
)
@SET
@JSON
def shadow(
    study: str,
    method: str,
    stream: str,
    out: str,
    pick: int,
    options: tuple[str, ...],
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Mine an unlabelled stream of production for likely failures, and write a sheet to label them."""
    spec = load_study(study, overrides)
    from autodc.cli.live import Bar
    from autodc.cli.show_shadow import show_shadow
    from autodc.verbs.shadow import option_values
    from autodc.verbs.shadow import shadow as mine

    with Bar() as bar:
        found = mine(
            spec, method, stream, out, pick=pick, options=option_values(options), progress=bar.update
        ).to_dict()
    echo(json.dumps(found, indent=2)) if as_json else show_shadow(found)
