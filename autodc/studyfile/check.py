"""What types cannot say: names that must be there, be unique, be possible. Tolerant of parts that are wrong otherwise.

The checks read the document and not the finished spec, so that their findings stand beside those about types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any, Final, get_args

from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Path
from autodc.studyfile.study import MetricsSpec, Recipe, SearchSpec, StudySpec, Tradeoff
from autodc.studyfile.when import check_conditions
from autodc.studyfile.words import shown, suggest

BASE: Final = "base"
AVAILABLE_PROPOSERS: Final = ("given",)
LATER_PROPOSERS: Final = ("pool", "relabel", "augment", "generate")
TRAINERS: Final = ("torch_image", "torch_tabular", "sklearn", "command")
METRICS: Final = {
    "accuracy": ("classification",),
    "balanced_accuracy": ("classification",),
    "log_loss": ("classification",),
    "macro_f1": ("classification",),
    "mae": ("regression", "image_to_image"),
    "rmse": ("regression", "image_to_image"),
    "psnr": ("image_to_image",),
}


def cross_check(document: Document) -> list[Issue]:
    """All that is wrong between the parts of a study file."""
    checks: tuple[Callable[[Document], Iterator[Issue]], ...] = (
        _unique_names,
        _some_target,
        _declared_targets,
        _proposers,
        _plug_ins,
        _recipes,
        _enqueued,
        _trusted,
        _objectives,
    )
    issues = [issue for check in checks for issue in check(document)]
    space = _get(document, ("search_space",))
    if isinstance(space, dict):
        issues += check_conditions(document, space, _recipe_names(document))
    return issues


def _unique_names(document: Document) -> Iterator[Issue]:
    """Names of candidates and of slices are each used once, and `base` is the base's."""
    for what, path in (("candidate", ("data", "candidates")), ("slice", ("slices",))):
        first: dict[str, Path] = {}
        for entry, value in _entries(document, path):
            name, at = value.get("name"), (*entry, "name")
            if not isinstance(name, str):
                continue
            if what == "candidate" and name == BASE:
                hint = f"{BASE} is the training set that the study begins with: choose another name"
                yield document.issue(
                    codes.RESERVED_NAME, at, "a candidate may not be called so", name, hint, at_value=True
                )
            elif name in first:
                hint = f"the first is {document.shown(first[name])}: names are what decisions are told by"
                problem = f"two {what}s have the same name"
                yield document.issue(codes.DUPLICATE_NAME, at, problem, name, hint, at_value=True)
            first.setdefault(name, entry)


def _some_target(document: Document) -> Iterator[Issue]:
    """At least one slice should improve."""
    slices = _get(document, ("slices",))
    roles = [value.get("role") for _, value in _entries(document, ("slices",))]
    if not isinstance(slices, list) or len(roles) < len(slices) or document.is_broken(("slices",)):
        return
    if all(role == "guard" for role in roles):
        hint = "give the slice that should improve `role: target`"
        problem = "no slice has role target: the study has nothing to improve"
        yield document.issue(codes.NO_TARGET, ("slices",), problem, "guards only" if roles else "no slices", hint)


def _declared_targets(document: Document) -> Iterator[Issue]:
    """The `targets` of a candidate are target slices."""
    roles = {
        value["name"]: value.get("role")
        for _, value in _entries(document, ("slices",))
        if isinstance(value.get("name"), str)
    }
    targets = [name for name, role in roles.items() if role != "guard"]
    for entry, value in _entries(document, ("data", "candidates")):
        named = value.get("targets")
        declared: list[Any] = named if isinstance(named, list) else []
        if named == []:
            hint = "leave `targets` out to mean every target slice"
            yield document.issue(codes.TOO_FEW, (*entry, "targets"), "names no slice", hint=hint)
        for i, name in enumerate(declared):
            at = (*entry, "targets", i)
            if not isinstance(name, str):
                continue
            if name not in roles:
                hint = suggest(name, targets, "target slices")
                yield document.issue(codes.UNKNOWN_SLICE, at, "there is no such slice", name, hint, at_value=True)
            elif roles[name] == "guard":
                problem = "this slice is a guard: a candidate is meant to help target slices"
                hint = suggest(name, targets, "target slices")
                yield document.issue(codes.GUARD_AS_TARGET, at, problem, name, hint, at_value=True)
            elif name in declared[:i]:
                yield document.issue(codes.DUPLICATE_NAME, at, "this slice is named twice", name, at_value=True)


def _proposers(document: Document) -> Iterator[Issue]:
    """Only given candidates can be searched so far."""
    path = ("loop", "propose")
    named = _get(document, path)
    for i, name in enumerate(named if isinstance(named, list) else []):
        if isinstance(name, str) and name in LATER_PROPOSERS:
            problem = f"only {', '.join(AVAILABLE_PROPOSERS)} is available in this version"
            hint = "write `propose: [given]`"
            yield document.issue(codes.NOT_AVAILABLE, (*path, i), problem, name, hint, at_value=True)


def _plug_ins(document: Document) -> Iterator[Issue]:
    """Trainer and metric are of ours, a path to an object, or installed by name; the metric fits the task."""
    trainer, at = _get(document, ("task", "trainer")), ("task", "trainer")
    if isinstance(trainer, str) and not _resolvable(trainer, TRAINERS, "autodc.trainers"):
        hint = suggest(trainer, TRAINERS, "trainers") + ", path/to/file.py:Object, package.module:Object"
        yield document.issue(codes.UNKNOWN_CHOICE, at, "there is no such trainer", trainer, hint, at_value=True)
    metric, at = _get(document, ("metrics", "primary")), ("metrics", "primary")
    if not isinstance(metric, str):
        return
    kind = _get(document, ("task", "kind"))
    fitting = [name for name, kinds in METRICS.items() if kind in kinds] or list(METRICS)
    if not _resolvable(metric, METRICS, "autodc.metrics"):
        hint = suggest(metric, fitting, "metrics") + ", path/to/file.py:Object"
        yield document.issue(codes.UNKNOWN_CHOICE, at, "there is no such metric", metric, hint, at_value=True)
    elif metric in METRICS and metric not in fitting:
        hint = f"metrics of {kind}: {', '.join(fitting)}, path/to/file.py:Object"
        problem = f"this metric does not measure {kind}"
        yield document.issue(codes.METRIC_AND_KIND, at, problem, metric, hint, at_value=True)


def _recipes(document: Document) -> Iterator[Issue]:
    """A recipe is named once."""
    names = _get(document, ("recipes",))
    for i, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str) and name in names[:i]:
            path: Path = ("recipes", i)
            yield document.issue(codes.DUPLICATE_NAME, path, "this recipe is named twice", name, at_value=True)


def _enqueued(document: Document) -> Iterator[Issue]:
    """The mixtures to try first name datasets of the study, with weights the search may give."""
    names = [v["name"] for _, v in _entries(document, ("data", "candidates")) if isinstance(v.get("name"), str)]
    most = _get(document, ("search", "max_weight"))
    if isinstance(most, bool) or not isinstance(most, int | float):
        most = SearchSpec.model_fields["max_weight"].default
    for entry, mixture in _entries(document, ("search", "enqueue")):
        for name, weight in mixture.items():
            at = (*entry, name)
            if name == BASE:
                if weight != 1:
                    problem = "the base always has weight 1: leave it out"
                    yield document.issue(codes.WEIGHT_RANGE, at, problem, shown(weight), at_value=True)
            elif name not in names:
                hint = suggest(name, names, "candidates")
                yield document.issue(codes.UNKNOWN_DATASET, at, "there is no such candidate", name, hint)
            elif isinstance(weight, int | float) and not isinstance(weight, bool) and not 0 <= weight <= most:
                problem = f"a weight is from 0 to search.max_weight, which is {most:g}"
                yield document.issue(codes.WEIGHT_RANGE, at, problem, shown(weight), at_value=True)


def _trusted(document: Document) -> Iterator[Issue]:
    """Who is trusted is a candidate of the study, named once."""
    known = [v["name"] for _, v in _entries(document, ("data", "candidates")) if isinstance(v.get("name"), str)]
    names = _get(document, ("gate", "trust"))
    for i, name in enumerate(names if isinstance(names, list) else []):
        path: Path = ("gate", "trust", i)
        if not isinstance(name, str):
            continue
        if name not in known:
            hint = suggest(name, known, "candidates")
            yield document.issue(codes.UNKNOWN_DATASET, path, "there is no such candidate", name, hint, at_value=True)
        elif name in names[:i]:
            yield document.issue(codes.DUPLICATE_NAME, path, "this candidate is named twice", name, at_value=True)


def _objectives(document: Document) -> Iterator[Issue]:
    """What is searched for beside the objective is a trade-off of the study, named once."""
    shown_ones = _get(document, ("metrics", "tradeoffs"))
    known = shown_ones if isinstance(shown_ones, list) else list(MetricsSpec.model_fields["tradeoffs"].default)
    names = _get(document, ("search", "objectives"))
    for i, name in enumerate(names if isinstance(names, list) else []):
        path: Path = ("search", "objectives", i)
        if name in names[:i]:
            yield document.issue(codes.DUPLICATE_NAME, path, "this trade-off is named twice", name, at_value=True)
        elif name in get_args(Tradeoff) and name not in known:
            hint = f"add {name} to metrics.tradeoffs, or leave metrics.tradeoffs out"
            problem = "this trade-off is not in metrics.tradeoffs"
            yield document.issue(codes.UNKNOWN_CHOICE, path, problem, name, hint, at_value=True)


def _recipe_names(document: Document) -> list[str]:
    names = _get(document, ("recipes",))
    if not isinstance(names, list):
        return list(StudySpec.model_fields["recipes"].default)
    return [name for name in names if name in get_args(Recipe)]


def _resolvable(name: str, known: Any, group: str) -> bool:
    """Whether a plug-in is known, a `path:Object`, or an installed entry point."""
    return name in known or ":" in name or any(point.name == name for point in metadata.entry_points(group=group))


def _get(document: Document, path: Path) -> Any:
    """The value at a path, None where there is none."""
    value = document.value
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value


def _entries(document: Document, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The entries of a list that are mappings."""
    values = _get(document, path)
    for i, value in enumerate(values if isinstance(values, list) else []):
        if isinstance(value, dict):
            yield (*path, i), value
