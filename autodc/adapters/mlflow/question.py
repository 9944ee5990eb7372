"""What is studied, as far as MLflow is told of it: the study file, its datasets, slices and metric, as they now are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

from autodc.adapters.mlflow.changes import DatasetInput
from autodc.adapters.mlflow.run_names import study_name
from autodc.study.journal import events as ev
from autodc.studyfile.names import METRICS

COLUMNS = {"integer": "long", "number": "double", "boolean": "boolean", "date": "datetime"}
"""Kind of a column → as MLflow calls it; others are strings."""
_LONGEST_DIGEST = 36


@final
class Question:
    """Fed with the events that change it."""

    def __init__(self) -> None:
        self.started: ev.StudyStarted | None = None
        self.name = ""
        """Of the study's run."""
        self.folder = ""
        """Of the study file, as the last session had it."""

    def feed(self, event: ev.Event) -> None:
        """Take in what an event changes."""
        if isinstance(event, ev.StudyStarted):
            self.started, self.name = event, study_name(event.name, event.time)
            return
        if self.started is None:
            return
        match event:
            case ev.SessionStarted():
                self.folder = event.folder or self.folder
            case ev.StudyExtended():
                self.started = replace(
                    self.started,
                    fingerprint=event.fingerprint,
                    spec=event.spec,
                    datasets={**self.started.datasets, **event.datasets},
                    slices=event.slices,
                    parts=event.parts,
                )
            case ev.DatasetAdmitted():
                self.started = replace(self.started, datasets={**self.started.datasets, event.name: event.card})
            case ev.MetricTold():
                self.started = replace(self.started, metric=event.metric)
            case ev.SliceAdmitted():
                self.started = replace(self.started, slices={**self.started.slices, event.name: event.card})

    @property
    def spec(self) -> Mapping[str, Any]:
        """The study file; empty before the study has started."""
        return self.started.spec if self.started else {}

    @property
    def cards(self) -> Mapping[str, Mapping[str, Any]]:
        """Dataset → its card."""
        return self.started.datasets if self.started else {}

    @property
    def terms(self) -> Mapping[str, Mapping[str, Any]]:
        """Slice → its card."""
        return self.started.slices if self.started else {}

    @property
    def targets(self) -> list[str]:
        """The slices that should improve."""
        return [name for name, card in self.terms.items() if card.get("role") == "target"]

    @property
    def sign(self) -> float:
        """−1 where the metric is better when lower: the journal's scores are turned so that up is better."""
        told = self.started.metric.get("better") if self.started else None
        known = METRICS.get(str(self.part("metrics").get("primary")))
        return -1.0 if (told or (known.better if known is not None else "higher")) == "lower" else 1.0

    @property
    def facts(self) -> dict[str, str]:
        """What a person filters by, the same on the study's run and on all below it: filters lose the nesting."""
        if self.started is None:
            return {}
        return {
            "autodc.study": self.started.name,
            "autodc.run": self.name,
            "autodc.fingerprint": self.started.fingerprint,
            "autodc.trainer": str(self.part("task").get("trainer", "")),
            "autodc.metric": str(self.part("metrics").get("primary", "")),
            "mlflow.source.name": "autodc",
        }

    @property
    def parameters(self) -> dict[str, str]:
        """Of the study's run."""
        search = self.part("search")
        told = {
            "trainer": self.part("task").get("trainer"),
            "metric": self.part("metrics").get("primary"),
            "sampler": search.get("sampler"),
            "trials_per_round": search.get("trials_per_round"),
        }
        return {name: str(value) for name, value in told.items() if value is not None}

    @property
    def candidates(self) -> list[str]:
        """Datasets on offer, those of the study file first."""
        given = self.part("data").get("candidates") or ()
        later = [name for name, card in self.cards.items() if "by" in card]
        return [*dict.fromkeys([*(candidate["name"] for candidate in given), *later])]

    def part(self, name: str) -> Mapping[str, Any]:
        """A part of the study file."""
        value = self.spec.get(name)
        return value if isinstance(value, Mapping) else {}

    def dataset(self, name: str, context: str, tags: Mapping[str, str]) -> DatasetInput:
        """A dataset as MLflow knows it."""
        card, data = self.cards.get(name, {}), self.part("data")
        given = {c["name"]: c for c in data.get("candidates") or ()}
        source = (given.get(name) or data.get(name) or {}).get("source", "")
        return DatasetInput(
            name=name,
            digest=str(card.get("fingerprint") or "unknown")[:_LONGEST_DIGEST],
            source_type="given" if source else "generated",
            source=json.dumps(
                {"source": source} if source else {"by": card.get("by", ""), "of": card.get("parent", [])}
            ),
            profile=json.dumps({"num_rows": card["rows"]}) if "rows" in card else "{}",
            schema=_schema(self.cards.get("base", {}).get("inputs") or {}),
            tags={"mlflow.data.context": context, **tags},
        )


def _schema(inputs: Mapping[str, Any]) -> str:
    """What a row is, as MLflow writes it of datasets; empty where the journal does not tell."""
    if inputs.get("kind") == "arrays":
        spec = {"dtype": inputs["dtype"], "shape": [-1, *inputs["shape"]]}
        features = json.dumps([{"type": "tensor", "tensor-spec": spec}])
        return json.dumps({"mlflow_tensorspec": {"features": features, "targets": None}})
    if inputs.get("kind") == "table":
        columns = [{"name": name, "type": COLUMNS.get(kind, "string")} for name, kind in inputs["columns"].items()]
        return json.dumps({"mlflow_colspec": columns})
    return ""
