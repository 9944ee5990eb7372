"""The tables of a study as MLflow shows them among the artifacts of its run: decisions, slices, candidates and more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autodc.review.numbers import listed
from autodc.review.reasons import sentence

FOLDER = "tables"

Rows = Sequence[Mapping[str, Any]]


def tables_of(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Path among the artifacts → a table in the form MLflow draws. content: of result.json."""
    rows: dict[str, Rows] = {
        "decisions": _decisions(content.get("decisions", ())),
        "decisions_slices": [*_decided_slices(content.get("decisions", ()))],
        "slices": [*_slices(content)],
        "baselines": [_flat("arm", arm, one) for arm, one in (content.get("baselines") or {}).items()],
        "candidates": [_flat("dataset", name, one) for name, one in content.get("candidates", {}).items()],
        "findings": [_finding(one) for one in content.get("findings", ())],
        "requests": [_flat("request", one["id"], one) for one in content.get("requests", ())],
        "credit": [*_credit(content.get("credit") or {})],
    }
    return {f"{FOLDER}/{name}.json": _table(found) for name, found in rows.items() if found}


def _decisions(decisions: Rows) -> Rows:
    return [
        {
            "round": one["round"],
            "subject": one["subject"],
            "kind": one["kind"],
            "verdict": one["verdict"],
            "why": " ".join(sentence(code) or code for code in one["reasons"]),
            "reasons": ", ".join(one["reasons"]),
            "members": listed(one["members"], ""),
            **{f"objective {key}": one["objective"].get(key) for key in ("difference", "low", "high")},
            "seeds": one["seeds"],
            "trainings": one["trainings"],
        }
        for one in decisions
    ]


def _decided_slices(decisions: Rows) -> Iterable[Mapping[str, Any]]:
    for one in decisions:
        for name, seen in one["slices"].items():
            keys = ("role", "difference", "low", "high", "rows")
            told = {key: seen.get(key) for key in keys}
            yield {"round": one["round"], "subject": one["subject"], "verdict": one["verdict"], "slice": name, **told}


def _slices(content: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    validation, test = content["validation"], content.get("test") or {}
    for name in {**validation["before"], **validation["after"]}:
        seen = test.get("differences", {}).get(name, {})
        yield {
            "slice": name,
            "validation before": validation["before"].get(name),
            "validation after": validation["after"].get(name),
            "test before": test.get("before", {}).get(name),
            "test after": test.get("after", {}).get(name),
            **{f"test {key}": seen.get(key) for key in ("difference", "low", "high", "rows")},
        }


def _finding(one: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        **{key: one[key] for key in ("id", "status", "round", "rule", "code", "kind")},
        **{f"error {key}": one["error"].get(key) for key in ("inside", "outside", "difference", "low", "high")},
        "rows": one["rows"]["confirmed"] or one["rows"]["found"],
        "causes": listed([cause["attribute"] for cause in one["causes"]], ""),
    }


def _credit(credit: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    keys = ("difference", "low", "high")
    for part in ("total", "data", "hyperparameters", "interaction"):
        if part in credit:
            yield {"of": part, **{key: credit[part].get(key) for key in keys}, "how": credit.get("how")}
    for name, one in (credit.get("datasets") or {}).items():
        yield {"of": name, **{key: one.get(key) for key in keys}, "how": one.get("how")}


def _flat(key: str, name: str, one: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record as one row: what is in it as JSON text."""
    told = {k: json.dumps(v, sort_keys=True) if isinstance(v, (dict, list)) else v for k, v in one.items()}
    return {key: name, **told}


def _table(rows: Rows) -> bytes:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    data = [[row.get(column) for column in columns] for row in rows]
    return json.dumps({"columns": columns, "data": data}, allow_nan=False, default=str).encode()
