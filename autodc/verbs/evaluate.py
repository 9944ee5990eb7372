"""`autodc evaluate`: any method on every slice of a study, what it costs, and whether it is worse than another."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.methods import method_problem
from autodc.adapters.mlflow.evaluation import Sent, logged
from autodc.adapters.mlflow.target import MlflowTarget
from autodc.adapters.pictures.many import cores
from autodc.adapters.simple_methods import constant_of
from autodc.errors import InputError, file_of, raise_all
from autodc.evaluation.slices import held_parts
from autodc.files import disk_told, write_whole
from autodc.masking import masked
from autodc.report.evaluation import write_evaluation
from autodc.report.junit import junit
from autodc.studyfile.study import StudySpec
from autodc.trial.outputs import checked_outputs
from autodc.verbs.judged import Judged, judged, scored
from autodc.verbs.measuring import Measured, lean, measuring
from autodc.verbs.predicting import where_it_lies
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.side_by_side import side_by_side
from autodc.wire.workers import local_workers

Array = np.ndarray[Any, Any]
Announce = Callable[[str], None]

METHOD, AGAINST = "--method", "--against"
TIMEOUT = 3600.0
PAGE, JSON = "index.html", "evaluation.json"
LONGEST_NAME = 60
"""Characters of a method's name in that of its folder."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationResult:
    """What a method is worth on every slice of a study."""

    content: Mapping[str, Any]
    """As `evaluation.json` and `--json` have it."""
    page: Path

    @property
    def regressions(self) -> tuple[str, ...]:
        """Slices on which it is shown worse than the other, and limits that it breaks; empty without another."""
        against = self.content["against"]
        return () if against is None else tuple(against["regressions"])

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return dict(self.content)


def evaluate(
    study: StudySpec,
    method: str,
    against: str | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    junit_file: str | os.PathLike[str] | None = None,
    timeout: float = TIMEOUT,
    threads: int | None = None,
    track: bool = True,
    stage: Announce = lambda words: None,
    stop: Callable[[], bool] = lambda: False,
) -> EvaluationResult:
    """Let a method predict every validation row once, and say what it is worth on each slice, with an interval.

    method, against: METHODs, paths from here or from the study file's folder; both get the same rows in the same order,
    inputs alone. The second is what the first is held to, by the paired statistics of the gate, all slices together.
    out: a folder for the page and its JSON, left out: below `runs/<name>-evaluation`; junit_file: gets the slices as
    test cases; timeout: seconds that a method may take; threads: cores that it may use, left out: all; track: whether a
    run is added to the study's MLflow experiment. The sealed test set is not touched. Raises InputError for what cannot
    be read, named or scored, ADC-EVAL-002 where a method fails: then nothing is written.
    """
    names = [(method, METHOD)] + ([(against, AGAINST)] if against is not None else [])
    _refuse(names, study.folder, timeout, threads)
    folder = (Path(out) if out is not None else _folder(study.name, names)).absolute()
    started, used = time.time(), threads or cores()
    stage("reading the data")
    with local_workers(stop) as workers:
        inputs = read_inputs(lean(study), workers=workers, quick=True)
    with measuring(inputs, timeout, used, stop) as measurer:
        seen: list[Measured] = []
        for name, place in names:
            stage(f"predicting with {masked(name)}")
            seen.append(measurer.measure(name, place))
        arms = [scored(inputs, one.outputs, masked(name)) for one, (name, _) in zip(seen, names, strict=True)]
        found = judged(inputs, arms, seen, scored(inputs, _constant(inputs), "constant"))
        if found.slow:
            stage("timing both again, in the other order: one seems to break a limit")
            other, mine = (measurer.measure(name, place) for name, place in reversed(names))
            found = found.timed_again(inputs, (mine, other))
    outputs = [one.outputs for one in seen]
    stage("writing the page")
    shown = side_by_side(inputs, outputs[0], outputs[1] if against is not None else None)
    content = _content(inputs, found, [masked(name) for name, _ in names], used, started)
    page, command = folder / PAGE, _command(study, names)
    write_evaluation(page, content | {"command": command}, shown)
    sent = _sent(study, found, content, page, started) if track else Sent()
    content |= {"page": str(page), "mlflow": sent.reference}
    if sent.complaint:
        content["notes"] = [*content["notes"], f"MLflow: {sent.complaint}"]
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    with disk_told(folder):
        write_whole(folder / JSON, text)
    if junit_file is not None:
        with disk_told(Path(junit_file)):
            write_whole(Path(junit_file).absolute(), junit(content))
    return EvaluationResult(content=content, page=page)


def _refuse(names: list[tuple[str, str]], folder: str, timeout: float, threads: int | None) -> None:
    problems = [method_problem(where_it_lies(name), folder, place) for name, place in names]
    for option, number in (("--timeout", timeout), ("--threads", threads)):
        if number is not None and not number > 0:
            got = f"{option} {number:g}"
            problems.append(InputError("ADC-EVAL-005", "this must be above 0", option, got))
    raise_all(one for one in problems if one is not None)


def _constant(inputs: Inputs) -> dict[str, Array]:
    """What the quickest thing that works predicts: the majority class, the mean, the commonest value of the base."""
    catalogue, kind = inputs.catalogue, inputs.spec.task.kind
    y = np.asarray(catalogue.base.y)
    shape = (len(catalogue.classes),) if catalogue.classes is not None else None if kind == "custom" else y.shape[1:]
    parts = {name: data.x for name, data in held_parts(catalogue).items()}
    return checked_outputs(parts, constant_of(kind, y, shape).predict(parts), shape, "constant")


def _content(inputs: Inputs, found: Judged, names: list[str], threads: int, started: float) -> dict[str, Any]:
    spec, metric = inputs.spec, inputs.metric
    other = None
    if found.other is not None:
        other = {"method": names[1], **found.other, **found.contrasts}
    return {
        "schema_version": 1,
        "study": spec.name,
        "metric": {"name": metric.name, "better": metric.better},
        "method": names[0],
        "rows": {name: len(data) for name, data in held_parts(inputs.catalogue).items()},
        **found.mine,
        "baselines": {"constant": found.plain},
        "against": other,
        "threads": threads,
        "started": round(started, 3),
        "notes": list(found.notes),
    }


def _sent(study: StudySpec, found: Judged, content: Mapping[str, Any], page: Path, started: float) -> Sent:
    """Add a run to the study's experiment in MLflow."""
    target = MlflowTarget.of(study)
    if target is None:
        return Sent()
    return logged(target, content, found.oriented, found.terms, page, started)


def _command(study: StudySpec, names: list[tuple[str, str]]) -> str:
    """The same command again."""
    said = " ".join(f"{place} {masked(name)}" for name, place in names)
    return f"autodc evaluate {file_of(study.place('schema_version')) or 'STUDY'} {said}"


def _folder(study: str, names: list[tuple[str, str]]) -> Path:
    """Where the page of these methods lies, where nobody says it."""
    words = [re.sub(r"[^\w.\-]+", "-", masked(name)).strip("-.")[-LONGEST_NAME:] or "method" for name, _ in names]
    return Path("runs") / f"{study}-evaluation" / "-against-".join(words)
