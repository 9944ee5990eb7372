"""What types cannot say: names that must be there, be unique, be possible. Tolerant of parts that are wrong otherwise.

The checks read the document and not the finished spec, so that their findings stand beside those about types.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

from autodc import plugins
from autodc.hints import suggest
from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Path, shown
from autodc.studyfile.names import ENRICHERS, METRICS, SYNONYMS, TRAINERS
from autodc.studyfile.study import Recipe, SearchSpec, StudySpec
from autodc.studyfile.when import check_conditions

BASE: Final = "base"
_LISTS: Final = {
    ("attributes",): "enricher",
    ("recipes",): "recipe",
    ("search", "objectives"): "trade-off",
    ("gate", "trust"): "candidate",
}
"""Lists of names, each of which is named once."""


def cross_check(document: Document) -> list[Issue]:
    """All that is wrong between the parts of a study file."""
    candidates = [name for _, name in _named(document, "data", "candidates")]
    issues = [
        *_unique_names(document),
        *(issue for path, what in _LISTS.items() for issue in _once(document, path, what)),
        *_targets(document),
        *_plug_ins(document),
        *_soft(document),
        *_candidates(document, candidates),
    ]
    space, recipes = document.at(("search_space",)), document.at(("recipes",))
    if not isinstance(recipes, list):
        recipes = StudySpec.model_fields["recipes"].default
    if isinstance(space, dict):
        issues += check_conditions(document, space, [name for name in recipes if name in get_args(Recipe)])
    return issues


def _unique_names(document: Document) -> Iterator[Issue]:
    """Names of candidates and of slices are each used once, and `base` is the base's."""
    for what, path in (("candidate", ("data", "candidates")), ("slice", ("slices",))):
        first: dict[str, Path] = {}
        for entry, name in _named(document, *path):
            at = (*entry, "name")
            if what == "candidate" and name == BASE:
                hint = f"{BASE} is the training set that the study begins with: choose another name"
                problem = "a candidate may not be called so"
                yield document.issue(codes.RESERVED_NAME, at, problem, name, hint, at_value=True)
            elif name in first:
                hint = f"the first is {document.shown(first[name])}: names are what decisions are told by"
                problem = f"two {what}s have the same name"
                yield document.issue(codes.DUPLICATE_NAME, at, problem, name, hint, at_value=True)
            first.setdefault(name, entry)


def _once(document: Document, path: Path, what: str) -> Iterator[Issue]:
    """Each name of a list stands there once."""
    seen = set()
    for at, name in document.entries(*path):
        if isinstance(name, str) and name in seen:
            yield document.issue(codes.DUPLICATE_NAME, at, f"this {what} is named twice", name, at_value=True)
        seen.add(str(name))


def _targets(document: Document) -> Iterator[Issue]:
    """At least one slice should improve, and the `targets` of a candidate are such slices."""
    slices = document.at(("slices",))
    entries = [value for _, value in document.entries("slices") if isinstance(value, dict)]
    whole = isinstance(slices, list) and len(entries) == len(slices) and not document.is_broken(("slices",))
    if whole and all(value.get("role") == "guard" for value in entries):
        hint = "give the slice that should improve `role: target`"
        problem = "no slice has role target: the study has nothing to improve"
        yield document.issue(codes.NO_TARGET, ("slices",), problem, "guards only" if entries else "no slices", hint)
    roles = {value["name"]: value.get("role") for value in entries if isinstance(value.get("name"), str)}
    targets = [name for name, role in roles.items() if role != "guard"]
    for entry, _ in document.entries("data", "candidates"):
        path = (*entry, "targets")
        if document.at(path) == []:
            hint = "leave `targets` out to mean every target slice"
            yield document.issue(codes.TOO_FEW, path, "names no slice", hint=hint)
        for at, name in document.entries(*path):
            if isinstance(name, str) and name not in targets:
                code, problem = codes.UNKNOWN_SLICE, "there is no such slice"
                if name in roles:
                    code = codes.GUARD_AS_TARGET
                    problem = "this slice is a guard: a candidate is meant to help target slices"
                yield document.issue(code, at, problem, name, suggest(name, targets, "target slices"), at_value=True)
        yield from (i for i in _once(document, path, "slice") if i.error.got in targets)


def _plug_ins(document: Document) -> Iterator[Issue]:
    """Trainer, enrichers and metric are of ours, paths to objects, or installed; the metric fits the task."""
    at: Path = ("task", "trainer")
    trainer = document.at(at)
    if isinstance(trainer, str) and not plugins.is_known(trainer, TRAINERS, plugins.TRAINERS):
        yield _unknown(document, at, "trainer", trainer, TRAINERS)
    for at, name in document.entries("attributes"):
        if isinstance(name, str) and not plugins.is_known(name, ENRICHERS, plugins.ENRICHERS):
            yield _unknown(document, at, "enricher", name, ENRICHERS)
    at = ("metrics", "primary")
    metric, kind = document.at(at), document.at(("task", "kind"))
    fitting = [name for name, one in METRICS.items() if kind in one.kinds] or list(METRICS)
    if not isinstance(metric, str):
        return
    if kind == "custom" and metric in METRICS:
        hint = "name your own, an object with `better` and value(outputs, targets): path/to/file.py:Object"
        problem = "a custom task is scored by a metric of your own: nothing is known of its outputs"
        yield document.issue(codes.OWN_METRIC, at, problem, metric, hint, at_value=True)
    elif not plugins.is_known(metric, METRICS, plugins.METRICS):
        yield _unknown(document, at, "metric", metric, () if kind == "custom" else fitting)
    elif metric in METRICS and metric not in fitting:
        hint = f"metrics of {kind}: {', '.join(fitting)}, {plugins.FORMS}"
        problem = f"this metric does not measure {kind}"
        yield document.issue(codes.METRIC_AND_KIND, at, problem, metric, hint, at_value=True)


def _soft(document: Document) -> Iterator[Issue]:
    """Of the outputs of a custom task nothing is known, so they have no soft score; forks are read by it alone."""
    for at, value in ((("gate", "score"), "soft"), (("search", "probes"), "fork")):
        if document.at(("task", "kind")) == "custom" and document.at(at) == value:
            problem, hint = "a custom task has no soft score", "leave the key out: its metric is what decides"
            yield document.issue(codes.NO_SOFT, at, problem, value, hint, at_value=True)


def _unknown(document: Document, path: Path, what: str, name: str, known: Sequence[str]) -> Issue:
    hint = suggest(name, known, f"{what}s", SYNONYMS, plugins.FORMS)
    return document.issue(codes.UNKNOWN_CHOICE, path, f"there is no such {what}", name, hint, at_value=True)


def _candidates(document: Document, known: Sequence[str]) -> Iterator[Issue]:
    """Who is trusted or tried first is a candidate of the study, tried with a weight that the search may give."""
    for path, name in document.entries("gate", "trust"):
        if isinstance(name, str) and name not in known:
            hint = suggest(name, known, "candidates")
            yield document.issue(codes.UNKNOWN_DATASET, path, "there is no such candidate", name, hint, at_value=True)
    most = document.at(("search", "max_weight"))
    if isinstance(most, bool) or not isinstance(most, int | float):
        most = SearchSpec.model_fields["max_weight"].default
    for entry, mixture in document.entries("search", "enqueue"):
        for name, weight in mixture.items() if isinstance(mixture, dict) else ():
            path, problem = (*entry, name), ""
            if name == BASE:
                problem = "the base always has weight 1: leave it out" if weight != 1 else ""
            elif name not in known:
                hint = suggest(name, known, "candidates")
                yield document.issue(codes.UNKNOWN_DATASET, path, "there is no such candidate", name, hint)
            elif isinstance(weight, int | float) and not isinstance(weight, bool) and not 0 <= weight <= most:
                problem = f"a weight is from 0 to search.max_weight, which is {most:g}"
            if problem:
                yield document.issue(codes.WEIGHT_RANGE, path, problem, shown(weight), at_value=True)


def _named(document: Document, *path: str) -> Iterator[tuple[Path, str]]:
    """The names in a list of mappings, each with the path of its mapping."""
    for entry, value in document.entries(*path):
        name: Any = value.get("name") if isinstance(value, dict) else None
        if isinstance(name, str):
            yield entry, name
