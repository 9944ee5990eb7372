"""Writes `report/index.html` from the state and the result: one file that loads nothing and runs no script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from autodc.evaluation.images import STRONGER
from autodc.files import write_whole
from autodc.report import charts, front, over_time, sections
from autodc.report.downloads import downloads
from autodc.report.findings import Exhibits, drawn, nothing
from autodc.report.galleries import before_and_after
from autodc.report.labels import label_section
from autodc.report.progress import search_progress
from autodc.report.rounds import told_rounds
from autodc.report.usage import usage
from autodc.review import account, beside, findings, forgetting, more_rows, requests, rounds, story, tables
from autodc.review.concerns import concerns
from autodc.review.failed import failed
from autodc.review.morning import morning
from autodc.review.numbers import count, duration, listed, short, tenths
from autodc.review.reproduce import reproduce
from autodc.review.unit_tests import unit_test_words
from autodc.review.wording import BECAUSE, PURPOSES, VERDICTS
from autodc.study.beside import INTERVAL_LEVEL
from autodc.study.direction import better
from autodc.study.journal.state import State
from autodc.study.rules.ledger import ledger
from autodc.study.view import spec_of

PAGE = Path("report") / "index.html"


def write_report(state: State, result: Mapping[str, Any], folder: Path, exhibits: Exhibits = nothing) -> Path:
    """Write the page and return its path. An unfinished study has a page too.

    result: the content of result.json; exhibits: what is kept to be shown of the findings.
    """
    path = folder / PAGE
    write_whole(path, render(state, result, exhibits, named(folder)))
    return path


def render(state: State, result: Mapping[str, Any], exhibits: Exhibits = nothing, folder: str = "DIR") -> str:
    """Return the page as text. folder: of the run, as a person would name it."""
    return environment().get_template("page.html.j2").render(_content(state, result, exhibits, folder))


def named(folder: Path) -> str:
    """The folder from where the command is given, where it lies below; else from the root."""
    whole, here = folder.absolute(), Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) and whole != here else str(whole)


@cache
def environment() -> Environment:
    """Where templates are and how they are read."""
    found = Environment(
        loader=PackageLoader("autodc.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"duration": duration, "short": short, "listed": listed, "tenths": tenths, "prose": _prose}
    found.globals |= {"count": count, "stronger": STRONGER}
    return found


def _prose(text: str) -> Markup:
    """A paragraph in which names between backticks are set as names; everything in it is escaped."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(pieces))


def _content(state: State, result: Mapping[str, Any], exhibits: Exhibits, folder: str) -> dict[str, Any]:
    spec = spec_of(state)
    numbers = tables.scales(state, result)
    doubts = concerns(state, result, numbers)
    lower = better(state) == "lower"
    sign = -1.0 if lower else 1.0
    return {
        "study": state.question.name,
        "fingerprint": state.question.fingerprint,
        "result": result,
        "finished": state.finished is not None,
        "because": BECAUSE.get(str(result["stopped_because"]), result["stopped_because"]),
        "round": state.round,
        "rounds": spec.loop.rounds,
        "metric": spec.metrics.primary,
        "lower": lower,
        "n": numbers,
        "headline": story.headline(state),
        "morning": morning(state, result, numbers, doubts, folder),
        "beside": sections.beside_rows(result, numbers),
        "beside_rows": beside.ROWS,
        "simple": beside.simple_shown(result["baselines"] or {}),
        "sure": story.sureness(state),
        "warnings": doubts,
        "verdicts": sections.verdicts(state),
        "forest": sections.forest(state),
        "over_rounds": over_time.slices_over_rounds(state, numbers),
        "mixtures": over_time.mixture_over_rounds(state),
        "progress": search_progress(state, sign),
        "usage": usage(state),
        "failed": failed(state),
        "gallery": before_and_after(state, exhibits),
        "again": reproduce(state, folder),
        "files": downloads(state, result, sign),
        "slices": sections.slice_rows(state, result),
        **_failures(state, result, exhibits),
        **_labels(state, exhibits),
        "made": told_rounds(rounds.rounds(state, numbers), exhibits),
        "asked": requests.views(state),
        "unit_test_words": unit_test_words(result["unit_tests"]),
        "evidence": sections.evidence(state),
        "others": sections.others(state),
        "ledger": ledger(state).to_dict(),
        "arms": PURPOSES,
        "recipe": tables.recipe(state, result),
        "forgotten": forgetting.words(result.get("forgetting", []), numbers),
        "phases": sections.PHASES,
        "found": VERDICTS,
        "account": sections.gained(result, numbers),
        "promise": account.promise(result, numbers),
        "cheap": account.cheap(result),
        "front": front.section(state, result, sign),
        "chart": charts.objectives(state, sign, sections.levels(state)),
        "slots": max((s.most for s in state.sessions), default=0),
        "level": f"{INTERVAL_LEVEL:.0%}",
        "mlflow": tables.reference(result),
        "sealed": spec.data.test is not None,
    }


def _failures(state: State, result: Mapping[str, Any], exhibits: Exhibits) -> dict[str, Any]:
    """Where the incumbent fails: the last diagnosis in full, those before it in a line a finding."""
    looked, found = findings.last_looked(state), drawn(findings.views(state), exhibits)
    return {
        "diagnosed": 0 if looked is None else looked.made.rows,
        "of_end": looked is not None and looked.plan == state.incumbent,
        "confirmed": [one for one in found if one["status"] == "confirmed"],
        "suspected": [one for one in found if one["status"] != "confirmed"],
        "undiagnosed": findings.notes(state),
        "former": findings.former(state),
        "more_words": more_rows.slice_words(result["more_rows"]),
        "gone": findings.gone(state),
    }


def _labels(state: State, exhibits: Exhibits) -> dict[str, Any]:
    """What the diagnoses of the study found of labels."""
    found = state.labels
    addresses = found.get("exhibits", {})
    return label_section(found, lambda part: exhibits(addresses[part]) if part in addresses else None)
