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

_LONGEST_PARAMETER = 500
_LONGEST_TAG = 4000
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
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[DatasetInput, ...] = ()

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
            tags={**self.tags, **later.tags},
            datasets=self.datasets + later.datasets,
        )


def merged(changes: list[RunChange]) -> list[RunChange]:
    """One change per run, in the order in which the runs first appear."""
    by_key: dict[str, RunChange] = {}
    for change in changes:
        by_key[change.key] = by_key[change.key].then(change) if change.key in by_key else change
    return list(by_key.values())


def short_parameters(values: Mapping[str, object]) -> dict[str, str]:
    """Parameters as MLflow can hold them, without secrets."""
    return {short_name(name): shortened(masked(str(value)), _LONGEST_PARAMETER) for name, value in values.items()}


def short_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags as MLflow can hold them, without secrets."""
    return {short_name(name): shortened(masked(value), _LONGEST_TAG) for name, value in tags.items()}


def metrics_at(time: int, values: Mapping[str, float | None]) -> dict[str, tuple[float, int, int]]:
    """The values that are numbers, as metrics of this time: MLflow makes 1.8e308 of an infinity."""
    return {short_name(n): (float(v), time, 0) for n, v in values.items() if v is not None and math.isfinite(v)}


def short_name(name: str) -> str:
    """A name of a parameter, metric or tag with the characters that MLflow allows."""
    return re.sub(r"[^\w\-. /]", "_", name)[:_LONGEST_NAME]


def shortened(text: str, longest: int) -> str:
    """Cut text that is too long for MLflow, and say in it how much was cut."""
    if len(text) <= longest:
        return text
    note = f" … [{len(text)} characters]"
    return text[: longest - len(note)] + note


def milliseconds(time: float) -> int:
    """Seconds of Unix time as MLflow counts them."""
    return int(time * 1000)
