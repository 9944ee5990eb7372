"""Where a model fails: suspicions of all finders, found on either half of the rows and tried on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.diagnose.confirm import ALPHA, LEAST_INSIDE, Confirmation, tried
from autodc.diagnose.confirmation_order import confirmation_order
from autodc.diagnose.finder import Finder, Suspicion, alike
from autodc.diagnose.finding import Finding
from autodc.diagnose.named_slices import BY, Named, known, try_named
from autodc.diagnose.unlabelled import TOLD, told_of_unlabelled
from autodc.diagnose.view import LEAST_GROUPS, View
from autodc.large import distinct_values, evenly
from autodc.plugins import told

Array = np.ndarray[Any, Any]

FINDINGS = 10
"""Suspicions of each finder, those of all that are tried on other rows, and findings of a diagnosis."""
NAMED_SHARE = 0.5
"""Of alpha, for the slices that the study names, where it names any."""
MOST = 10_000
"""Rows that finders see at most, evenly of their half; the other half confirms whole."""
CROSSED = 2 * MOST
"""Up to so many rows either half is searched and confirms what was found on the other; of more, one is enough."""
RULE_FIRST = 1.25
"""A rule comes before a cluster on which so much more fails: a rule is read, and holds without an embedding."""
OF_CLASS = 0.5
"""A rule that names the class counts so much beside one that does not: less can be done about it."""
NEWS = 0.5
"""A confirmed finding is one of its own where so much of what it costs lies outside those that explain more."""

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
    """The confirmed first, then slices that the study names, then what is suspected; each by what it explains."""
    suspicions: Mapping[str, Suspicion]
    """Id of a finding → what chooses its rows, of this view or of others; slices that the study names are not here."""
    notes: tuple[Note, ...] = ()

    @property
    def confirmed(self) -> tuple[Finding, ...]:
        """Those that hold on rows on which they were not found."""
        return tuple(one for one in self.findings if one.status == "confirmed")

    def mask(self, finding: str, view: View) -> Array:
        """The rows of a view that a finding means, shape (n,)."""
        if finding in self.suspicions:
            return self.suspicions[finding].mask(view)
        (of_slice,) = (one for one in self.findings if one.id == finding)
        return np.isin(view.ids, of_slice.ids)


def diagnose(
    view: View,
    finders: Sequence[Finder],
    *,
    named: Sequence[Named] = (),
    k: int = FINDINGS,
    seed: int = 0,
    alpha: float = ALPHA,
    first: int = 1,
) -> Diagnosis:
    """Find on either half of the rows, confirm on the other; groups stay whole.

    view: the explore rows. named: slices that were suspected before any row was seen; all rows try them, at a part of
    alpha, and finders look for what those that are confirmed do not explain. k: at most so many suspicions of each
    finder, so many of all that are tried, and so many findings; the confirmed come first. alpha: where nothing is true,
    at most this share of diagnoses confirms anything. first: number of the first finding, `F1`. A finder that raises or
    answers what it must not is left out and told in the notes.
    """
    groups = len(distinct_values(view.groups)) if len(view) else 0
    if groups < LEAST_GROUPS:
        return Diagnosis(findings=(), suspicions={}, notes=(Note(code=TOO_FEW, got=str(groups)),))
    if not view.failed.any():
        return Diagnosis(findings=(), suspicions={}, notes=(Note(code=NO_FAILURE, got=str(len(view))),))
    one, two = view.halves(np.random.default_rng(seeds.child(seed, "diagnose", "halves")))
    ways = [(one, two), (two, one)] if len(view) <= CROSSED else [(one, two)]
    asked = try_named(named, view, alpha * NAMED_SHARE)
    sure = [one.mask for one, trial in asked if trial.confirmed]
    beside = replace(view, known=known(sure, view)) if sure else view
    found, notes, back = list[_Tried](), list[Note](), seeds.integer(seed, "diagnose", "the other way")
    for number, (look, other) in enumerate(ways):
        way = _Way(found_on=beside.take(evenly(look, MOST)), tried_on=beside.take(other))
        share = (1 - NAMED_SHARE if asked else 1.0) / len(ways)
        more, told_of = _one_way(way, finders, k, seed if not number else back, alpha * share)
        found += more
        notes += [note for note in told_of if note not in notes]
    masks = [one.suspicion.mask(view) for one in found]
    chosen: list[tuple[_Tried | Named, Array, Confirmation]] = [
        (found[i], masks[i], found[i].trial) for i in _ranked(found, masks, beside)
    ]
    chosen += [(one, one.mask, trial) for one, trial in asked if trial.gap.difference > 0]
    chosen.sort(key=lambda c: (_standing(c[0], c[2]), -c[2].explained))
    order, findings, by_id = worst_first(view), list[Finding](), dict[str, Suspicion]()
    for number, (which, mask, trial) in enumerate(chosen[:k], start=first):
        findings.append(_finding(f"F{number}", which, trial, view, order[mask[order]]))
        if isinstance(which, _Tried):
            by_id[f"F{number}"] = which.suspicion
    return Diagnosis(findings=tuple(findings), suspicions=by_id, notes=tuple(notes))


def worst_first(view: View) -> Array:
    """Positions of the rows, those on which the model errs most, and is surest of it, first."""
    sure = np.zeros(len(view))
    if view.probabilities is not None:
        at = {str(label): place for place, label in enumerate(view.classes)}
        places = np.array([at.get(str(label), -1) for label in view.target])
        sure = np.where(places >= 0, 1 - view.probabilities[np.arange(len(view)), places], 1.0)
    return np.lexsort((np.arange(len(view)), -sure, -view.error))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Way:
    """Rows to find on, and others to try on."""

    found_on: View
    tried_on: View


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tried:
    """A suspicion and what came of it."""

    suspicion: Suspicion
    way: _Way
    found: int
    """Rows inside, of those it was found on."""
    trial: Confirmation


def _one_way(
    way: _Way, finders: Sequence[Finder], k: int, seed: int, alpha: float
) -> tuple[list[_Tried], tuple[Note, ...]]:
    """Find on the one half, try on the other."""
    suspicions, notes = _suspicions(way, finders, k, seed)
    order = confirmation_order(
        [mask for _, mask, _ in suspicions], [_preferred(s) for s, _, _ in suspicions], way.found_on, k
    )
    trials = tried([suspicions[i][2] for i in order], way.tried_on, alpha)
    made = [
        _Tried(suspicion=suspicions[i][0], way=way, found=int(suspicions[i][1].sum()), trial=trial)
        for i, trial in zip(order, trials, strict=True)
    ]
    return made, notes


def _standing(one: _Tried | Named, trial: Confirmation) -> int:
    """Place of its kind among findings: of what is not confirmed a person hears first what they asked about."""
    if trial.confirmed:
        return 0
    return 1 if isinstance(one, Named) else 2


def _preferred(one: Suspicion) -> float:
    """By what its difference counts in the order of trial, beside a cluster."""
    if one.ball is not None:
        return 1.0
    return RULE_FIRST * (OF_CLASS if one.rule.names_class else 1.0)


def _suspicions(
    way: _Way, finders: Sequence[Finder], k: int, seed: int
) -> tuple[list[tuple[Suspicion, Array, Array]], tuple[Note, ...]]:
    """Suspicions with their rows in either half, finder by finder in turns, and the finders that are left out."""
    answers, notes = [], []
    for finder in finders:
        name = str(getattr(finder, "name", type(finder).__name__))
        try:
            drawn = int(seeds.child(seed, "diagnose", name).generate_state(1)[0])
            answered = list(finder.find(way.found_on, k, drawn))[:k]
            answers.append([(s, _rows(s, way.found_on), _rows(s, way.tried_on)) for s in answered])
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


def _ranked(found: Sequence[_Tried], masks: Sequence[Array], view: View) -> list[int]:
    """The confirmed, by what they explain of the errors, each once; then the suspected, by the same.

    A cluster has to tell news beside every rule: a rule is read, and holds on rows without an embedding. masks: the
    rows of the view that each means.
    """
    sure = [i for i, one in enumerate(found) if one.trial.confirmed]
    sure.sort(key=lambda i: (found[i].suspicion.ball is not None, -found[i].trial.explained))
    kept: list[int] = []
    covered, excess = np.zeros(len(view), dtype=bool), view.excess
    for place in sure:
        mask = masks[place]
        cost = excess - excess[~covered].mean() if (~covered).any() else excess
        news = mask & ~covered
        if news.sum() >= LEAST_INSIDE and cost[news].sum() >= NEWS * cost[mask].sum():
            kept.append(place)
            covered |= mask
    kept.sort(key=lambda i: -found[i].trial.explained)
    rest = sorted(
        (i for i, one in enumerate(found) if not one.trial.confirmed), key=lambda i: -found[i].trial.explained
    )
    for place in rest:
        if not any(alike(masks[place], masks[other]) for other in kept):
            kept.append(place)
    return kept


def _finding(name: str, one: _Tried | Named, trial: Confirmation, view: View, inside: Array) -> Finding:
    """inside: positions in the view, the worst first."""
    told: dict[str, Any] = {"cost": round(trial.cost, 4)}
    if trial.aside:
        told["aside"] = trial.aside
    if not trial.confirmed and trial.needed is not None:
        told["rows_needed"] = int(float(f"{trial.needed * len(view):.1e}"))
    told |= {"slice": one.name} if isinstance(one, Named) else _told_of(one)
    return Finding(
        id=name,
        kind="attributes" if isinstance(one, Named) else one.suspicion.kind,
        rule=one.where if isinstance(one, Named) else one.suspicion.rule.sql,
        status="confirmed" if trial.confirmed else "suspected",
        found=0 if isinstance(one, Named) else one.found,
        confirmed=int(trial.mask.sum()),
        error=trial.gap,
        by=BY if isinstance(one, Named) else one.suspicion.by,
        ids=tuple(int(i) for i in view.ids[inside]),
        told=told,
    )


def _told_of(one: _Tried) -> dict[str, Any]:
    suspicion = one.suspicion
    if (ball := suspicion.ball) is not None:
        told_of_ball = {
            "embedding": ball.embedding,
            "centre": [float(v) for v in ball.centre],
            "radius": ball.radius,
        }
        return {**suspicion.told, "ball": told_of_ball}
    if not suspicion.rule.names_class:
        return dict(suspicion.told)
    return {**suspicion.told, TOLD: told_of_unlabelled(suspicion.rule, one.way.found_on, one.way.tried_on)}
