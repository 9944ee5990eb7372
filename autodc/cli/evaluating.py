"""The verb that looks at any method at all."""

from __future__ import annotations

import json

import click

from autodc.cli.options import JSON, SET, STUDY, load_study
from autodc.cli.streams import echo
from autodc.errors import INTERRUPTED, ConditionError


@click.command()
@STUDY
@click.option(
    "--method",
    metavar="METHOD",
    required=True,
    help="A run folder, a model folder, a model of MLflow, file.py:Object, a program, or constant, linear, median.",
)
@click.option("--against", metavar="METHOD", help="Another: exit with 4 where the first is shown worse on a slice.")
@click.option("--out", type=click.Path(), help="Folder of the page. Left out: below runs/NAME-evaluation.")
@click.option("--junit", "junit_file", metavar="FILE", type=click.Path(), help="JUnit XML: a test case a slice.")
@click.option("--timeout", type=float, default=3600.0, show_default=True, help="Seconds that a method may take.")
@click.option("--threads", type=int, help="Cores that a method may use. Left out: all of this machine.")
@click.option("--no-track", is_flag=True, help="Add no run to the study's MLflow experiment.")
@SET
@JSON
def evaluate(
    study: str,
    method: str,
    against: str | None,
    out: str | None,
    junit_file: str | None,
    timeout: float,
    threads: int | None,
    no_track: bool,
    overrides: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say what any method is worth on every slice, what it costs, and whether it is worse than another."""
    spec = load_study(study, overrides)
    from autodc.cli.live import Bar, Stop
    from autodc.cli.show_evaluation import show_evaluation
    from autodc.review.evaluation import regression_words
    from autodc.study.driver import Interrupted
    from autodc.verbs.evaluate import evaluate as look

    with Bar() as bar, Stop(bar.say) as stop:
        try:
            found = look(
                spec,
                method,
                against,
                out=out,
                junit_file=junit_file,
                timeout=timeout,
                threads=threads,
                track=not no_track,
                stage=bar.say,
                stop=stop,
            )
        except Interrupted:
            echo("stopped; nothing is left behind", err=True)
            return INTERRUPTED
    content = found.to_dict()
    echo(json.dumps(content, indent=2)) if as_json else show_evaluation(content)
    if found.regressions:
        raise ConditionError(
            "ADC-EVAL-001", "the method is worse than the other", "--against", regression_words(content)
        )
    return 0
