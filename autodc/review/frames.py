"""Tidy tables of a study: trainings, decisions, slices, evidence. Values of the metric are in its own units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from autodc.evaluation import objective
from autodc.review import tables
from autodc.study.direction import natural
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "trials": {
        "number": "of the training, from 0, in the order they were planned",
        "round": "in which it was planned",
        "phase": "calibration, search, gate, sweep, credit, test …",
        "origin": "why it was planned: how the search came to it, or the comparison it is a pair of",
        "of": "the training it repeats, where it does",
        "seed": "of the training",
        "fidelity": "share of a full training, by which it is charged",
        "status": "done, failed, cancelled (the study's own clock ended it), or running",
        "recipe": "how its mixture was trained",
        "objective": "weighted mean of the targets on the rows that decide",
        "searched": "the same on the rows that the search sees, which it is led by",
        "weight.NAME": "of each dataset; 0 where it is left out",
        "setting.NAME": "each hyperparameter",
        "gate.SLICE": "the metric of each slice on the rows that decide",
        "explore.SLICE": "the same on the rows that the search sees; no such column where rows are not cut",
        "seconds": "it took, with all that is not training",
        "train_seconds": "of training alone",
        "predict_ms": "a row",
        "model_mb": "of its model",
        "ended": "when, UTC",
        "error": "why it failed, else empty",
    },
    "decisions": {
        "comparison": "its number",
        "round": "in which it was made",
        "subject": "what was asked about: a dataset, several, `tuning`",
        "kind": "dataset, block, tuning or bundle",
        "purpose": "what it was for; of harm and pruning the challenger is the one without the members",
        "members": "the datasets in question, a + between them",
        "verdict": "keep, drop, undecided; none while it is open",
        "reasons": "codes, a space between them",
        "pairs": "of trainings at the last look",
        "looks": "how many",
        "trainings": "it took",
        "alpha": "its error level",
        "share": "what it took of the error budget",
        "difference": "challenger minus incumbent on the targets together, up is better",
        "low": "the end of its interval",
        "high": "the other",
        "level": "of the interval",
    },
    "slices": {
        "slice": "its name",
        "role": "target, guard, or of a finding",
        "margin": "what a guard may lose",
        "weight": "in the objective",
        "part": "validation (the rows that decide) or test",
        "when": "before: the start; after: the incumbent",
        "value": "of the metric, mean over trainings",
        "least": "of those trainings; validation alone",
        "most": "the same",
        "trainings": "that the value is of; validation alone",
        "rows": "of the slice that decide; validation alone",
        "difference": "after minus before, up is better; test alone, in the rows of after",
        "low": "the end of its 95% interval",
        "high": "the other",
    },
    "evidence": {
        "comparison": "its number",
        "subject": "what was asked about",
        "look": "which look, from 1",
        "slice": "its name; `objective` is the targets together",
        "role": "target, guard, or of a finding",
        "pairs": "of trainings at this look",
        "rows": "of the slice",
        "difference": "mean paired difference, up is better",
        "low": "the end of its interval",
        "high": "the other",
        "level": "of the interval",
        "standard_error": "of the difference, for new seeds and new rows",
        "df": "degrees of freedom",
        "z": "the statistic, in standard errors",
        "bound": "what it had to cross",
        "margin": "what a guard may lose",
        "gained": "of a target: improved, not_shown, not_tested",
        "step": "of a guard, against the incumbent: holds, harmed, not_settled",
        "since_start": "of a guard, against the start",
    },
}
"""Frame → column → what it says. A name with capitals stands for several."""


def trials(state: State, content: Mapping[str, Any]) -> pd.DataFrame:
    """A row a training."""
    import pandas as pd

    weights = objective.weights(state.question.slices)
    rows = [_trial(state, one, weights, objective.searched(state.question.slices)) for one in state.trials]
    return pd.DataFrame(rows, columns=None if rows else [c for c in COLUMNS["trials"] if "." not in c])


def _trial(state: State, one: TrialState, decide: Mapping[str, float], searched: Mapping[str, float]) -> dict[str, Any]:
    trial, outcome = one.trial, one.outcome
    plan = trial.plan

    def value(seen: Mapping[str, float], weights: Mapping[str, float]) -> float | None:
        mean = objective.mean(seen, weights)
        return None if mean is None else natural(state, mean)

    found: dict[str, Any] = {
        "number": trial.number,
        "round": one.round,
        "phase": trial.phase,
        "origin": one.origin,
        "of": one.of,
        "seed": trial.seed,
        "fidelity": trial.fidelity,
        "status": "running" if outcome is None else outcome.status,
        "recipe": plan.recipe,
        "objective": None if outcome is None else value(outcome.slices, decide),
        "searched": None if outcome is None else value(outcome.searched, searched),
    }
    found |= {f"weight.{name}": plan.mixture.weight(name) for name in ("base", *state.candidates)}
    found |= {f"setting.{name}": told for name, told in plan.settings.items()}
    if outcome is None:
        return found
    found |= {f"gate.{name}": natural(state, v) for name, v in outcome.slices.items()}
    found |= {f"explore.{name}": natural(state, v) for name, v in outcome.explore.items()}
    return found | {
        "seconds": outcome.took,
        "train_seconds": outcome.train_seconds,
        "predict_ms": outcome.predict_ms,
        "model_mb": outcome.model_mb,
        "ended": datetime.fromtimestamp(outcome.ended, UTC) if outcome.ended else None,
        "error": outcome.error,
    }


def decisions(state: State, content: Mapping[str, Any]) -> pd.DataFrame:
    """A row a comparison of the gate, those under way too."""
    import pandas as pd

    rows = []
    for one in state.comparisons:
        look = one.typed_looks[-1] if one.looks else None
        rows.append(
            {
                "comparison": one.id,
                "round": one.round,
                "subject": one.subject,
                "kind": one.kind,
                "purpose": one.purpose,
                "members": "+".join(one.members),
                "verdict": one.verdict,
                "reasons": " ".join(one.reasons),
                "pairs": 0 if look is None else look.pairs,
                "looks": len(one.looks),
                "trainings": one.trainings,
                "alpha": one.alpha,
                "share": one.share,
                **{
                    key: None if look is None else getattr(look.objective, key)
                    for key in ("difference", "low", "high", "level")
                },
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS["decisions"]))


def slices(state: State, content: Mapping[str, Any]) -> pd.DataFrame:
    """A row a slice, part and side."""
    import pandas as pd

    rows = []
    for one in tables.slice_rows(state, content):
        known = {key: one[key] for key in ("role", "margin", "weight")}
        for at, when in enumerate(("before", "after")):
            least, most, count = one["spread"][at] or (None, None, None)
            rows.append(
                {
                    "slice": one["name"],
                    **known,
                    "part": "validation",
                    "when": when,
                    "value": one["validation"][at],
                    "least": least,
                    "most": most,
                    "trainings": count,
                    "rows": one["rows"],
                }
            )
            if one["test"][at] is not None:
                moved = one["difference"] if when == "after" and one["difference"] else {}
                rows.append(
                    {
                        "slice": one["name"],
                        **known,
                        "part": "test",
                        "when": when,
                        "value": one["test"][at],
                        **{key: moved.get(key) for key in ("difference", "low", "high")},
                    }
                )
    return pd.DataFrame(rows, columns=list(COLUMNS["slices"]))


def evidence(state: State, content: Mapping[str, Any]) -> pd.DataFrame:
    """A row a look and slice."""
    import pandas as pd

    rows = []
    for one in state.comparisons:
        for number, look in enumerate(one.typed_looks, 1):
            for name, seen in [*look.slices.items(), ("objective", look.objective)]:
                rows.append(
                    {
                        "comparison": one.id,
                        "subject": one.subject,
                        "look": number,
                        "slice": name,
                        **{key: getattr(seen, key) for key in list(COLUMNS["evidence"])[4:]},
                    }
                )
    return pd.DataFrame(rows, columns=list(COLUMNS["evidence"]))


FRAMES: Mapping[str, Callable[[State, Mapping[str, Any]], pd.DataFrame]] = {
    "trials": trials,
    "decisions": decisions,
    "slices": slices,
    "evidence": evidence,
}


def compared_frame(content: Mapping[str, Any], name: str) -> pd.DataFrame:
    """Runs side by side as a table: `studies`, `slices` or `differences`."""
    import pandas as pd

    if name == "studies":
        kept = ("label", "name", "folder", "of", "finished", "recipe")
        rows = [
            {
                **{key: one[key] for key in kept},
                "objective": one["objective"] and one["objective"]["value"],
                "kept": "+".join(one["kept"]),
                **{key: one["spent"][key] for key in ("trainings", "wall_seconds", "cost")},
                **{f"weight.{n}": w for n, w in one["mixture"].items()},
                **{f"setting.{n}": v for n, v in one["hyperparameters"].items()},
            }
            for one in content["studies"]
        ]
    elif name == "slices":
        rows = [
            {"label": one["label"], "slice": s, **seen}
            for one in content["studies"]
            for s, seen in one["slices"].items()
        ]
    else:
        rows = [
            {"of": one["of"], "beside": one["beside"], "slice": s, "pairs": one["pairs"], **seen}
            for one in content["differences"]
            if one["comparable"]
            for s, seen in [*one["slices"].items(), *([("objective", one["objective"])] if one["objective"] else [])]
        ]
    return pd.DataFrame(rows)
