"""Where a model fails: suspicions of all finders, found on one half of the rows and tried on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.diagnose.confirm import ALPHA, Confirmation, tried
from autodc.diagnose.finder import Finder, Suspicion
from autodc.diagnose.finding import Finding
from autodc.diagnose.unlabelled import among_unlabelled, told_of_unlabelled
from autodc.diagnose.view import LEAST_GROUPS, View
from autodc.diagnose.weight import Errors
from autodc.large import evenly
from autodc.plugins import told

Array = np.ndarray[Any, Any]

FINDINGS = 10
"""Suspicions of each finder, and findings of a diagnosis."""
MOST = 10_000
"""Rows that finders see at most, evenly of their half; the other half confirms whole."""
NEWS = 0.1
"""A confirmed finding is one of its own where so much of what it costs lies outside those before it."""
OWN = 0.5
"""What weighs nothing is tried where more than so much of its rows is outside those that are tried before it."""

OF_CLASS = 0.5
"""A rule that names the class weighs so much beside one that does not: less can be done about it."""

TOO_FEW, LEFT_OUT, NO_FAILURE = "ADC-DIAG-020", "ADC-DIAG-021", "ADC-DIAG-022"
"""Codes of notes."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a person should know of a diagnosis beside its findings."""

    code: str
    finder: str = ""
    """The finder that it is about."""
    got: str = ""
    """What was found: a number of groups, an error."""

    def to_dict(self) -> dict[str, str]:
        """JSON form."""
        return {name: v for name in ("code", "finder", "got") if (v := getattr(self, name))}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Diagnosis:
    """Where a model fails on the rows of a view."""

    findings: tuple[Finding, ...]
    """The confirmed first, those that weigh most before the others; then what is suspected."""
    suspicions: Mapping[str, Suspicion]
    """Id of a finding → what chooses its rows, of this view or of others."""
    notes: tuple[Note, ...] = ()

    @property
    def confirmed(self) -> tuple[Finding, ...]:
        """Those that hold on rows on which they were not found."""
        return tuple(one for one in self.findings if one.status == "confirmed")

    def mask(self, finding: str, view: View) -> Array:
        """The rows of a view that a finding means, shape (n,)."""
        return self.suspicions[finding].mask(view)

    def among_unlabelled(self, finding: str, view: View) -> Array:
        """The rows of a view that a finding may mean where their labels are not known, shape (n,).

        A rule over attributes and a ball in an embedding need no label; of a rule that names the class see
        `diagnose/unlabelled.py`.
        """
        one = self.suspicions[finding]
        if one.ball is not None or not one.rule.names_class:
            return one.mask(view)
        (told,) = (f.told["unlabelled"] for f in self.findings if f.id == finding)
        return among_unlabelled(one.rule, told["predicted"], view)


def diagnose(
    view: View, finders: Sequence[Finder], *, k: int = FINDINGS, seed: int = 0, alpha: float = ALPHA, first: int = 1
) -> Diagnosis:
    """Find on one half of the rows, confirm on the other; groups stay whole.

    view: the explore rows. k: at most so many suspicions of each finder, and so many findings in all; the confirmed
    come first. alpha: where nothing is true, at most this share of diagnoses confirms anything. first: number of the
    first finding, `F1`. A finder that raises or answers what it must not is left out and told in the notes.
    """
    groups = len(np.unique(view.groups)) if len(view) else 0
    if groups < LEAST_GROUPS:
        return Diagnosis(findings=(), suspicions={}, notes=(Note(code=TOO_FEW, got=str(groups)),))
    if not view.failed.any():
        return Diagnosis(findings=(), suspicions={}, notes=(Note(code=NO_FAILURE, got=str(len(view))),))
    one, two = view.halves(np.random.default_rng(seeds.child(seed, "diagnose", "halves")))
    found_on, tried_on = view.take(evenly(one, MOST)), view.take(two)
    suspicions, notes = _suspicions(found_on, tried_on, finders, k, seed)
    kept = _merged([s for s, _, _ in suspicions], [mask for _, mask, _ in suspicions], found_on, k)
    chosen = [suspicions[i] for i in kept]
    trials = tried([mask for _, _, mask in chosen], tried_on, alpha)
    ranked = _ranked(trials, tried_on.excess)
    findings, order = [], worst_first(view)
    for number, place in enumerate(ranked, start=first):
        suspicion, mask, _ = chosen[place]
        finding = _finding(f"F{number}", suspicion, int(mask.sum()), trials[place], view, order)
        if suspicion.ball is None and suspicion.rule.names_class:
            more = told_of_unlabelled(suspicion.rule, found_on, tried_on)
            finding = replace(finding, told={**finding.told, "unlabelled": more})
        findings.append(finding)
    by_id = {f.id: chosen[place][0] for f, place in zip(findings, ranked, strict=True)}
    return Diagnosis(findings=tuple(findings), suspicions=by_id, notes=notes)


def worst_first(view: View) -> Array:
    """Positions of the rows, those on which the model errs most, and is surest of it, first."""
    sure = np.zeros(len(view))
    if view.probabilities is not None:
        at = {str(label): place for place, label in enumerate(view.classes)}
        places = np.array([at.get(str(label), -1) for label in view.target])
        sure = np.where(places >= 0, 1 - view.probabilities[np.arange(len(view)), places], 1.0)
    return np.lexsort((np.arange(len(view)), -sure, -view.error))


def _suspicions(
    found_on: View, tried_on: View, finders: Sequence[Finder], k: int, seed: int
) -> tuple[list[tuple[Suspicion, Array, Array]], tuple[Note, ...]]:
    """Suspicions with their rows in either half, finder by finder in turns, and the finders that are left out."""
    answers, notes = [], []
    for finder in finders:
        name = str(getattr(finder, "name", type(finder).__name__))
        try:
            drawn = int(seeds.child(seed, "diagnose", name).generate_state(1)[0])
            answered = list(finder.find(found_on, k, drawn))[:k]
            answers.append([(s, _rows(s, found_on), _rows(s, tried_on)) for s in answered])
        except Exception as error:  # a user's own finder may do anything; the others go on
            ours = type(finder).__module__.startswith("autodc.")
            got = told(error.with_traceback(None) if ours else error)  # no line of a library says anything to a user
            notes.append(Note(code=LEFT_OUT, finder=name, got=got))
    deepest = max((len(answer) for answer in answers), default=0)
    return [answer[i] for i in range(deepest) for answer in answers if i < len(answer)], tuple(notes)


def _rows(suspicion: Suspicion, view: View) -> Array:
    mask = np.asarray(suspicion.mask(view))
    if mask.shape != (len(view),) or mask.dtype != bool:
        raise TypeError(f"a suspicion chose rows of shape {mask.shape} and type {mask.dtype}, not {len(view)} booleans")
    return mask


def _merged(suspicions: Sequence[Suspicion], masks: Sequence[Array], view: View, most: int) -> list[int]:
    """At most so many of what all finders suspect, the heaviest of rows that none before it has first.

    All are weighed alike on the rows they were found on, a rule that names the class at OF_CLASS. Then come those that
    weigh nothing by this measure and have rows that no other has: a finder may have a measure of its own.
    """
    errors, kept = Errors.of(view), list[int]()
    shape = (len(masks), len(view))
    inside = np.array(masks, dtype=bool).reshape(shape)
    counts = np.array([OF_CLASS if s.ball is None and s.rule.names_class else 1.0 for s in suspicions])
    while len(kept) < min(most, len(masks)):
        scores = errors.scores(inside) * counts
        scores[kept] = 0
        best = int(scores.argmax())
        if scores[best] <= 0:
            break
        kept.append(best)
        errors = errors.without(inside[best])
    covered = inside[kept].any(axis=0)
    for place, mask in enumerate(inside):
        if len(kept) < most and (mask & ~covered).sum() > OWN * mask.sum():
            kept.append(place)
            covered |= mask
    return kept


def _ranked(trials: Sequence[Confirmation], excess: Array) -> list[int]:
    """The confirmed in their order, those that tell nothing beside earlier ones left out; then the suspected.

    What holds the rows of another finding and many more is worse than the rest too, and says nothing. excess: of the
    rows on which they were tried.
    """
    kept: list[int] = []
    covered = np.zeros(len(excess), dtype=bool)
    for place, one in enumerate(trials):
        cost = excess - excess[~one.mask].mean() if one.confirmed else excess
        news = one.mask & ~covered
        if one.confirmed and cost[news].sum() >= NEWS * cost[one.mask].sum():
            kept.append(place)
            covered |= one.mask
    return [*kept, *(i for i, one in enumerate(trials) if not one.confirmed)]


def _finding(name: str, suspicion: Suspicion, found: int, trial: Confirmation, view: View, order: Array) -> Finding:
    inside = suspicion.mask(view)
    told: dict[str, Any] = {"cost": round(trial.cost, 4), **suspicion.told}
    if suspicion.ball is not None:
        told["ball"] = {
            "embedding": suspicion.ball.embedding,
            "centre": [float(v) for v in suspicion.ball.centre],
            "radius": suspicion.ball.radius,
        }
    return Finding(
        id=name,
        kind=suspicion.kind,
        rule=suspicion.rule.sql,
        status="confirmed" if trial.confirmed else "suspected",
        found=found,
        confirmed=int(trial.mask.sum()),
        error=trial.gap,
        by=suspicion.by,
        ids=tuple(int(i) for i in view.ids[order[inside[order]]]),
        told=told,
    )
