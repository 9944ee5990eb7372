"""The verbs of `autodc`. Results go to stdout, talk to stderr; heavy rooms are entered only by verbs that need them.

Exit codes: 0 done, 1 a defect of ours, 2 bad input, 3 the surroundings failed, 4 a demanded condition was not met,
130 interrupted and resumable.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
from typing import TYPE_CHECKING

import click

from autodc.cli import comparing, controlling, doctoring, evaluating, exporting, failures, serving, tracking, watching
from autodc.cli.ending import ended
from autodc.cli.options import FOLDER, FROM, JSON, MACHINE, SET, STUDY, WARM, load_study
from autodc.cli.streams import echo
from autodc.errors import INTERRUPTED, AutodcError, ConditionError
from autodc.masking import masked_tree

if TYPE_CHECKING:
    from autodc.cli.live import Display


def main() -> None:
    """Run the command and exit with its code."""
    ended(lambda: cli.main(prog_name="autodc", standalone_mode=False))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="autodc-optimizer", prog_name="autodc")
def cli() -> None:
    """Search the training data as others search hyperparameters; keep what truly helps."""


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("--example", metavar="NAME", help="Which example to start from; left out: digits.")
@click.option("--from", "source", metavar="SOURCE", help="Your own data: a file, folder, URL or file.py:function.")
@click.option("--target", metavar="COLUMN", multiple=True, help="Its column of targets; again for several.")
@click.option("--candidates", metavar="FOLDER", help="A folder of files that might be added to the training rows.")
@JSON
def init(
    folder: str,
    example: str | None,
    source: str | None,
    target: tuple[str, ...],
    candidates: str | None,
    as_json: bool,
) -> None:
    """Write a study folder that runs as it is: an example, or one for your own data."""
    if source is not None and example is not None:
        raise click.UsageError("--example and --from exclude each other")
    if source is None and (target or candidates is not None):
        raise click.UsageError("--target and --candidates go with --from SOURCE")
    from autodc.cli.show_init import show_init
    from autodc.verbs.init import write_example, write_study

    made = (
        write_example(folder, example or "digits")
        if source is None
        else write_study(folder, source, target, candidates)
    )
    echo(json.dumps(made, indent=2)) if as_json else show_init(made)


@cli.command()
@STUDY
@FROM
@WARM
@SET
@JSON
def check(study: str, source: str | None, warm: str | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Read everything a study names and say what the night would show; train nothing."""
    spec = load_study(study, overrides, warm)
    from autodc.cli.alarms import tell
    from autodc.cli.show_before import show_preflight
    from autodc.verbs.check import preflight

    found = preflight(spec, source)
    tell(found["alarms"])
    echo(json.dumps(found, indent=2)) if as_json else show_preflight(found)


@cli.command()
@STUDY
@MACHINE
@click.option("--out", type=click.Path(), help="The study's folder. Left out: runs/NAME.")
@click.option("--until", metavar="TIME", help="Be done by this time: HH:MM, or a date and time, also with a zone.")
@WARM
@SET
@click.option("--open-test", is_flag=True, help="Stop here, open the sealed test set, and finish.")
@click.option("--force", is_flag=True, help="With --open-test: open it though it was opened before.")
@click.option(
    "--notify",
    metavar="CMD|URL",
    envvar="AUTODC_NOTIFY",
    help="Tell it, as JSON, of every new keep, when the study is done and when it is blocked.",
)
@click.option("--require-keep", is_flag=True, help="Exit with 4 unless at least one dataset is kept.")
@JSON
def run(
    study: str,
    machine: str | None,
    out: str | None,
    until: str | None,
    warm: str | None,
    overrides: tuple[str, ...],
    open_test: bool,
    force: bool,
    notify: str | None,
    require_keep: bool,
    as_json: bool,
) -> int:
    """Run a study, or go on where its folder stopped; the same command resumes."""
    if force and not open_test:
        raise click.UsageError("--force goes with --open-test: it opens the test set again")
    spec = load_study(study, overrides, warm)
    from autodc.studyfile import load_machine

    where = load_machine(machine)
    from autodc.cli.live import Display, Stop, until_time
    from autodc.cli.show import show_result
    from autodc.study.driver import Interrupted
    from autodc.verbs.folder import asked_until
    from autodc.verbs.run import run as run_study
    from autodc.verbs.run import without_test

    end = until_time(until, lambda: asked_until(out or os.path.join("runs", spec.name)))
    with Display(spec.name) as display, Stop(display.say, lambda: _stopped(display)) as stop:
        try:
            result = run_study(
                spec,
                where,
                out,
                until=end,
                open_test=open_test,
                force=force,
                command=_same_command(),
                progress=display.update,
                stage=display.say,
                stop=stop,
                notify=notify,
            )
        except Interrupted as why:
            _stopped(display, str(why))
            return INTERRUPTED
        except AutodcError:
            display.close()
            if (decided := without_test(spec, out)) is not None:
                echo(json.dumps(decided.to_dict(), indent=2)) if as_json else show_result(decided)
                echo(
                    "the test set could not be measured; all else is decided and stands in result.json and the report. "
                    "Mend what follows, then give the same command again",
                    err=True,
                )
            raise
    if as_json:
        echo(json.dumps(result.to_dict(), indent=2))
    else:
        show_result(result)
    if result.untracked:
        echo(f"MLflow is behind ({result.untracked}); the same command sends the rest", err=True)
    if result.refused:
        echo(f"MLflow has the study but for this: {result.refused}", err=True)
    if require_keep and not result.kept:
        raise ConditionError("ADC-RUN-010", "no dataset was kept", "--require-keep")
    return 0


@cli.command()
@STUDY
@MACHINE
@FROM
@click.option("--out", type=click.Path(), help="Where calibration runs are kept. Left out: runs/NAME-simulate.")
@click.option("--nights", type=int, help="Nights of each kind. Left out: as many as take a minute or two.")
@click.option(
    "--gain",
    "gains",
    type=float,
    multiple=True,
    help="A gain to plant, in metric units; may be given again. Left out: sizes around what the slices can show.",
)
@click.option("--seed", type=int, help="Another seed, other nights. Left out: the study's.")
@SET
@JSON
def simulate(
    study: str,
    machine: str | None,
    source: str | None,
    out: str | None,
    nights: int | None,
    gains: tuple[float, ...],
    seed: int | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> int:
    """Play nights with known truth on your own rows: how often would it be wrong, what could it detect."""
    spec = load_study(study, overrides)
    from autodc.studyfile import load_machine

    where = load_machine(machine)
    from autodc.cli.live import Bar, Stop
    from autodc.cli.show_simulation import show_simulation
    from autodc.study.driver import Interrupted
    from autodc.verbs.simulate import simulate as play

    go_on = f"stopped; what is trained is kept. Go on with:\n    {_same_command()}"
    with Bar() as bar, Stop(bar.say, lambda: echo(go_on, err=True)) as stop:
        try:
            found = play(
                spec, where, out, source=source, nights=nights, gains=gains, seed=seed, progress=bar.update, stop=stop
            ).to_dict()
        except Interrupted:
            echo(go_on, err=True)
            return INTERRUPTED
    echo(json.dumps(found, indent=2)) if as_json else show_simulation(found)
    return 0


@cli.command()
@FOLDER
@click.argument("dataset", metavar="NAME")
@click.option("--row", type=int, metavar="ROW", help="Where this row of the dataset comes from, back to its source.")
@JSON
def why(folder: str, dataset: str, row: int | None, as_json: bool) -> None:
    """Show the evidence behind a verdict, finding or request, or where a row comes from, in words and numbers."""
    from autodc.cli.show_why import show_row, show_why

    if row is not None:
        from autodc.verbs.origin import row_origin

        origin = row_origin(folder, dataset, row)
        echo(json.dumps(origin, indent=2)) if as_json else show_row(origin)
        return
    from autodc.review import findings, requests, views
    from autodc.verbs.outputs import open_result

    state, _ = open_result(folder)
    if dataset in state.requests:
        from autodc.cli.show_requests import show_request

        asked = requests.request(state, dataset)
        echo(json.dumps(asked, indent=2)) if as_json else show_request(asked)
        return
    if dataset in state.findings:
        from autodc.cli.show_findings import show_finding

        told = findings.why(state, dataset)
        echo(json.dumps(told, indent=2)) if as_json else show_finding(told)
        return
    found = views.why(state, dataset)
    echo(json.dumps(found, indent=2)) if as_json else show_why(found)


@cli.command()
@FOLDER
@click.option("--open", "open_it", is_flag=True, help="Open the page in the browser.")
def report(folder: str, open_it: bool) -> None:
    """Write the report again from the journal."""
    from pathlib import Path

    from autodc.report import write_report
    from autodc.verbs.outputs import exhibits_of, open_result

    state, content = open_result(folder)
    page = write_report(state, content, Path(folder), exhibits_of(Path(folder)))
    echo(str(page))
    if open_it:
        click.launch(str(page))


cli.add_command(doctoring.doctor)
cli.add_command(failures.diagnose)
cli.add_command(evaluating.evaluate)
cli.add_command(failures.shadow)
cli.add_command(exporting.export)
cli.add_command(comparing.compare)
cli.add_command(tracking.track)
cli.add_command(watching.status)
cli.add_command(serving.serve)
for verb in (controlling.pause, controlling.resume, controlling.slots):
    cli.add_command(verb)


def _stopped(display: Display, why: str = "") -> None:
    """Say how to go on; a terminal that went away hears nothing."""
    with contextlib.suppress(OSError):
        display.close()
        reason = f": {why}" if why else ""
        echo(f"stopped{reason}; the journal is whole. Go on with:\n    {_same_command()}", err=True)


def _same_command() -> str:
    """The command line, for people, without secrets."""
    from autodc.adapters.notify import hidden

    words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
    for k, word in enumerate(words):
        if word.startswith("--notify="):
            words[k] = f"--notify={hidden(word.partition('=')[2])}"
        elif words[k - 1] == "--notify":
            words[k] = hidden(word)
    return shlex.join(masked_tree(words))
