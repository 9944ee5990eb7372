"""How an experiment shows its runs: a description, and saved views with the columns of its study.

MLflow's table of runs begins as one row without a metric, and what somebody chooses there stays in his browser. A saved
view stands in a tag of the experiment instead and is offered to everybody, under "Views" and by a link.
"""

from __future__ import annotations

import json
from typing import Any

from autodc.adapters.mlflow.changes import short_name
from autodc.adapters.mlflow.question import Question
from autodc.adapters.mlflow.store import VIEW
from autodc.adapters.mlflow.trial import VALIDATION

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Tag of an experiment of trainings, so that MLflow offers its runs and not traces."""
TAG = "mlflow.note.content"
"""The tag that MLflow shows as a description, of an experiment, a run, a model."""
COMPARED = "autodc.compare"
"""The tag of the runs that are worth comparing, and as what."""
COMPARE, BEST = "autodc-compare", "autodc-best"
"""Keys of the saved views."""

_VIEWS = "mlflow.sharedViewState."
_MOST_COLUMNS = 8  # of slices, of weights and of hyperparameters each: a tag of an experiment holds 5000 characters


def view(key: str) -> str:
    """The page of a saved view."""
    return f"#/experiments/⟦experiment⟧/runs?{VIEW}&viewStateShareKey={key}"


def experiment_tags(question: Question, time: int) -> dict[str, str]:
    """What is to be true of the experiment of a study. time: in milliseconds, when the study began."""
    words = (
        "Studies by autodc: a run for each study, below it one for each training. "
        f"See [what is worth comparing]({view(COMPARE)}) or [all trainings, the best first]({view(BEST)})."
    )
    compared = _saved("Worth comparing", f"tags.`{COMPARED}` != ''", question, time)
    best = _saved("Trainings, the best first", "tags.`autodc.trial` != ''", question, time)
    return {**KIND, TAG: words, f"{_VIEWS}{COMPARE}": compared, f"{_VIEWS}{BEST}": best}


def is_ours(tag: str) -> bool:
    """Whether a tag of an experiment is set again where somebody changed it; others are set once."""
    return tag.startswith(f"{_VIEWS}autodc-")


def _saved(name: str, wanted: str, question: Question, time: int) -> str:
    """A saved view as MLflow's pages write it."""
    columns = [
        _column("tags", "autodc.role"),
        _column("metrics", "objective"),
        *(_column("metrics", f"{VALIDATION}{one}") for one in _first(question.targets, question.terms)),
        *(_column("params", f"weight.{one}") for one in question.candidates[:_MOST_COLUMNS]),
        *(_column("params", one) for one in list(question.part("search_space"))[:_MOST_COLUMNS]),
    ]
    state: dict[str, Any] = {
        "searchFilter": wanted,
        "orderByKey": _column("metrics", "objective"),
        "orderByAsc": question.sign < 0,
        "selectedColumns": columns,
    }
    return json.dumps({"name": name, "createdAt": time, "updatedAt": time, "state": json.dumps(state)})


def _first(targets: list[str], slices: Any) -> list[str]:
    return list(dict.fromkeys([*targets, *slices]))[:_MOST_COLUMNS]


def _column(kind: str, name: str) -> str:
    return f"{kind}.`{short_name(name)}`"
