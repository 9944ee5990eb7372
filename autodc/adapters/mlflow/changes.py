"""What is to be true of a run in MLflow, as a value, and texts cut to what MLflow can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import final

from autodc.masking import masked

STUDY = "study"
"""Key of the study's own run; all others hang below it."""

NOTE = "study#note"
"""Key of what the study's run says of itself in words: a change of its own, sent when all it links to is there."""
LONG = "long"
"""Folder of a run's artifacts in which what is too long for a parameter or tag stands whole."""

_LONGEST_PARAMETER = 6000
_LONGEST_TAG = 8000
_LONGEST_NAME = 240


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInput:
    """A dataset as MLflow knows it."""

    name: str
    digest: str
    """At most 36 characters."""
    source_type: str
    source: str
    profile: str
    schema: str
    tags: Mapping[str, str]
    """Context, weight, stage."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunChange:
    """What is to be true of the run `key`. Times are milliseconds of Unix time."""

    key: str
    create: bool = False
    """The run is made if it is not there."""
    name: str = ""
    start: int = 0
    end: int | None = None
    status: str = ""
    """As MLflow calls it; empty: as it is."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, tuple[float, int, int]] = field(default_factory=dict)
    """Name → value, time, step."""
    history: Mapping[tuple[str, int], tuple[float, int]] = field(default_factory=dict)
    """(name, step) → value, time: metrics of which every step counts."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """A value may hold links: ⟦KEY⟧ is the id of the run KEY, ⟦experiment⟧ that of the experiment."""
    datasets: tuple[DatasetInput, ...] = ()
    experiment: Mapping[str, str] = field(default_factory=dict)
    """Tags of the experiment that the run is in; a value may hold links."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Path among the run's artifacts → text: what was too long for MLflow, whole."""

    @property
    def of(self) -> str:
        """Key of the run that it is about."""
        return self.key.partition("#")[0]

    def then(self, later: RunChange) -> RunChange:
        """This change and a later one of the same run as one."""
        return replace(
            self,
            create=self.create or later.create,
            name=later.name or self.name,
            start=self.start or later.start,
            end=later.end if later.status else self.end,
            status=later.status or self.status,
            parameters={**self.parameters, **later.parameters},
            metrics={**self.metrics, **later.metrics},
            history={**self.history, **later.history},
            tags={**self.tags, **later.tags},
            datasets=self.datasets + later.datasets,
            experiment={**self.experiment, **later.experiment},
            texts={**self.texts, **later.texts},
        )


def merged(changes: list[RunChange]) -> list[RunChange]:
    """One change per run, in the order in which the runs first appear."""
    by_key: dict[str, RunChange] = {}
    for change in changes:
        by_key[change.key] = by_key[change.key].then(change) if change.key in by_key else change
    return list(by_key.values())


def fitted(change: RunChange) -> RunChange:
    """The change as MLflow can hold it, without secrets. What is too long is cut, says so, and goes along whole."""
    texts: dict[str, str] = {}

    def fit(kind: str, values: Mapping[str, str], longest: int) -> dict[str, str]:
        found = {}
        for name, value in values.items():
            text, short = masked(value), short_name(name)
            if len(text) > longest:
                path = f"{LONG}/{kind}/{short.replace('/', '_')}.txt"
                texts[path] = text
                text = shortened(text, longest, path)
            found[short] = text
        return found

    parameters = fit("parameters", change.parameters, _LONGEST_PARAMETER)
    tags = fit("tags", change.tags, _LONGEST_TAG)
    return replace(change, parameters=parameters, tags=tags, texts={**change.texts, **texts})


def metrics_at(time: int, values: Mapping[str, float | None]) -> dict[str, tuple[float, int, int]]:
    """The values that are numbers, as metrics of this time: MLflow makes 1.8e308 of an infinity."""
    return {short_name(n): (float(v), time, 0) for n, v in values.items() if v is not None and math.isfinite(v)}


def short_name(name: str) -> str:
    """A name of a parameter, metric or tag with the characters that MLflow allows."""
    return re.sub(r"[^\w\-. /]", "_", name)[:_LONGEST_NAME]


def stepped(time: int, step: int, values: Mapping[str, float | None]) -> dict[tuple[str, int], tuple[float, int]]:
    """The values that are numbers, as one step of metrics."""
    return {(short_name(n), step): (float(v), time) for n, v in values.items() if v is not None and math.isfinite(v)}


def shortened(text: str, longest: int, whole: str = "") -> str:
    """Cut text that is too long for MLflow, and say in it how much was cut and among which artifacts it is whole."""
    if len(text) <= longest:
        return text
    where = f", whole in the artifact {whole}" if whole else ""
    note = f" … [{len(text)} characters{where}]"
    return text[: longest - len(note)] + note


def milliseconds(time: float) -> int:
    """Seconds of Unix time as MLflow counts them."""
    return int(time * 1000)
