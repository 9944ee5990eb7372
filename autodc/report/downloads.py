"""The data behind the page, in it: tidy tables as CSV and JSON, and the result, each a link that loads nothing."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from autodc.evaluation import objective
from autodc.study.journal.state import State

Row = Mapping[str, Any]


def downloads(state: State, result: Mapping[str, Any], sign: float) -> list[dict[str, Any]]:
    """What can be had: {name, what, size, files}. sign: from oriented scores to the units a user knows."""
    tables = {
        "trials": ("every training with its plan, its scores and its costs", trials(state, sign)),
        "decisions": ("every comparison with its interval, a line a slice", decisions(result)),
        "slices": ("every slice at start and end, validation and test", slices(state, result)),
    }
    found = [
        {
            "name": name,
            "what": f"{what}: {len(rows):,} rows",
            "files": [_file(f"{name}.csv", "text/csv", as_csv(rows)), _file(f"{name}.json", JSON, as_split(rows))],
        }
        for name, (what, rows) in tables.items()
        if rows
    ]
    whole = _file("result.json", JSON, _compact(result))
    study = _file("study.json", JSON, json.dumps(state.question.spec, indent=1))
    return [
        *found,
        {"name": "result", "what": "result.json, and the study file as it was read", "files": [whole, study]},
    ]


JSON = "application/json"


def trials(state: State, sign: float) -> list[dict[str, Any]]:
    """One row a training; scores in natural units, `explore` those that the search saw."""
    weights = objective.weights(state.question.slices)
    rows = []
    for one in state.trials:
        plan, outcome = one.trial.plan, one.outcome
        row: dict[str, Any] = {
            "trial": one.trial.number,
            "round": one.round,
            "phase": one.trial.phase,
            "origin": one.origin,
            "seed": one.trial.seed,
            "fidelity": one.trial.fidelity,
            "recipe": plan.recipe,
            **{f"weight.{name}": weight for name, weight in plan.mixture.to_dict().items()},
            **{f"setting.{name}": value for name, value in plan.settings.items()},
            "status": "under way" if outcome is None else outcome.status,
        }
        if outcome is not None:
            value = objective.mean(outcome.slices, weights)
            row |= {"objective": None if value is None else _rounded(sign * value)}
            row |= {f"slice.{name}": _rounded(sign * score) for name, score in outcome.slices.items()}
            row |= {f"explore.{name}": _rounded(sign * score) for name, score in outcome.explore.items()}
            row |= {name: _rounded(getattr(outcome, name)) for name in ("train_seconds", "predict_ms", "model_mb")}
            row |= {"seconds": _rounded(outcome.took), "attempts": outcome.attempts, "error": outcome.error[:200]}
        rows.append(row)
    return rows


def decisions(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a comparison and slice, and one for the objective."""
    rows = []
    for number, one in enumerate(result["decisions"]):
        head = {
            "decision": number,
            **{key: one[key] for key in ("round", "subject", "kind", "purpose", "verdict", "seeds", "trainings")},
            "members": " ".join(one["members"]),
            "reasons": " ".join(one["reasons"]),
        }
        rows += [{**head, "slice": name, **seen} for name, seen in one["slices"].items()]
        rows.append({**head, "slice": "(objective)", **one["objective"]})
    return rows


def slices(state: State, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a slice."""
    test = result["test"] or {"before": {}, "after": {}, "differences": {}}
    return [
        {
            "slice": name,
            **{key: card.get(key) for key in ("role", "margin", "weight", "rows")},
            **{f"validation.{side}": result["validation"][side].get(name) for side in ("before", "after")},
            **{f"test.{side}": test[side].get(name) for side in ("before", "after")},
            **{f"test.{key}": value for key, value in test["differences"].get(name, {}).items()},
        }
        for name, card in state.question.slices.items()
    ]


def as_csv(rows: Sequence[Row]) -> str:
    """The rows under all their columns, in the order they first come."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with io.StringIO(newline="") as text:
        written = csv.DictWriter(text, columns, restval="")
        written.writeheader()
        written.writerows(rows)
        return text.getvalue()


def as_split(rows: Sequence[Row]) -> str:
    """The rows as JSON that `pandas.read_json(…, orient="split")` reads: names of the columns, then a list a row."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return _compact({"columns": columns, "data": [[row.get(name) for name in columns] for row in rows]})


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _file(name: str, kind: str, content: str) -> dict[str, Any]:
    data = content.encode()
    address = Markup(f"data:{kind};base64,{base64.b64encode(data).decode()}")
    return {"name": name, "address": address, "size": f"{max(1, round(len(data) / 1000)):,} kB"}


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
