"""Where what a model was trained on comes from: its datasets, and the way of one row back to its source, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodc.plan.mixture import BASE
from autodc.review import findings, together
from autodc.study.journal.state import State
from autodc.study.view import spec_of

GIVEN = "given"
INBOX = "inbox"
POOL = "pool"


def trained_on(state: State) -> dict[str, float]:
    """Dataset → weight in the mixture of the incumbent; one that takes another's place has its weight."""
    weights = {} if state.incumbent is None else state.incumbent.mixture.to_dict()
    for name in list(weights):
        replaced = proposal_of(state, name).get("replaces")
        if replaced is not None and name in weights:
            weights[name] = weights.pop(replaced, weights[name])
    return {name: weights[name] for name in (BASE, *state.candidates) if name in weights}


def proposal_of(state: State, name: str) -> Mapping[str, Any]:
    """How a dataset was made, as the journal has its proposal; nothing of one that was given."""
    return state.roster.get(name, {}).get("how") or {}


def maker_of(state: State, name: str) -> str:
    """Who proposed a dataset; the base and the pool are given."""
    return str(state.card(name).get("by") or GIVEN)


def dataset_lineage(state: State, name: str) -> dict[str, Any]:
    """What the journal tells of one dataset: source, maker, finding, verdict with its reasons, cost, content."""
    card = state.card(name)
    spec = spec_of(state)
    own = {BASE: spec.data.base, POOL: spec.data.pool}.get(name)
    comparison = together.telling(state, name) if name in state.roster else None
    reasons = []
    if comparison is not None:
        texts = together.why(comparison)
        reasons = [{"code": c, "text": t} for c, t in zip(comparison.reasons, texts, strict=True)]
    return {
        "name": name,
        "source": card.get("source") or ("" if own is None else own.source),
        "by": maker_of(state, name),
        "how": dict(proposal_of(state, name)),
        "made": dict(card.get("made") or {}),
        "finding": finding_of(state, card.get("finding")),
        "targets": card.get("targets"),
        "tags": list(card.get("tags") or ()),
        "round": int(card.get("round") or 0),
        "parents": list(card.get("parent") or ()),
        "verdict": state.verdict(name) if name in state.roster else None,
        "reasons": reasons,
        "cost": float(card.get("cost") or 0.0),
        "rows": card.get("rows"),
        "left_out": card.get("left_out", 0),
        "fingerprint": card.get("fingerprint", state.question.parts.get(name)),
    }


def finding_of(state: State, name: str | None) -> dict[str, Any] | None:
    """The finding that something was made for: its rule, in words too, its round, and whether it is confirmed."""
    one = None if name is None else state.findings.get(name)
    if one is None:
        return None if name is None else {"id": name}
    words = findings.view(one, spec_of(state).task.kind == "classification")["words"]
    return {"id": one.id, "rule": one.rule, "words": words, "status": one.status, "round": one.round}


def row_words(chain: Sequence[Mapping[str, Any]]) -> list[str]:
    """The way of a row back to its source, one sentence a step."""
    return [_given(step) if step["made"] is None else _made(step) for step in chain]


def _given(step: Mapping[str, Any]) -> str:
    told = f"row {step['row']} of `{step['dataset']}`, {_by(step)}"
    if step["file"]:
        return f"{told}: {step['file']}"
    at = "" if step["source_row"] is None else f"row {step['source_row']} of "
    return f"{told}: {at}{step['source']}" if step["source"] else told


def _made(step: Mapping[str, Any]) -> str:
    made = step["made"]
    told = f"row {step['row']} of `{step['dataset']}`, "
    told += _by(step) if step["by"] == INBOX else f"made in round {step['round']} by {step['by']}"
    if made["words"]:
        told += f": {made['words']}"
    if step["changed"]:
        told += f"; {', '.join(f'{name} {_value(value)}' for name, value in step['changed'].items())}"
    finding = step["finding"]
    if finding is not None:
        about = f", {finding['status']} in round {finding['round']}: {finding['words']}" if "words" in finding else ""
        told += f"; made for finding {finding['id']}{about}"
    return told


def verdict_words(step: Mapping[str, Any]) -> str:
    """What was decided of a dataset, and why; empty where nothing is ever decided of it."""
    if step["verdict"] is None:
        return ""
    why = " ".join(one["text"] for one in step["reasons"])
    return f"`{step['dataset']}`: {step['verdict']}{f'. {why}' if why else ''}"


def _by(step: Mapping[str, Any]) -> str:
    if step["by"] == GIVEN:
        return "given by the study file"
    if step["by"] == INBOX:
        return f"delivered to the inbox in round {step['round']}"
    return f"proposed in round {step['round']} by {step['by']}"


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
