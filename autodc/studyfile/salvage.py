"""What of a broken study file can still be looked at: its right parts, with stand-ins for what is wrong.

Nothing is ever trained on what comes of it. It is there so that the first mistake of a file hides no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from autodc.hints import meant
from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Path
from autodc.studyfile.explain import annotation_at, path_of
from autodc.studyfile.names import METRICS, SYNONYMS, TRAINERS
from autodc.studyfile.study import SliceSpec, StudySpec
from autodc.studyfile.when import SPACE

ROUNDS: Final = 50
"""So often a document is mended before it is given up."""

_SOURCE: Final = {"source": "?"}
_STAND_INS: Final[Mapping[Path, Any]] = {
    ("schema_version",): 1,
    ("name",): "study",
    ("task",): {"kind": "classification", "trainer": "sklearn"},
    ("task", "kind"): "classification",
    ("task", "trainer"): "sklearn",
    ("data",): {"base": _SOURCE, "validation": _SOURCE},
    ("data", "base"): _SOURCE,
    ("data", "base", "source"): "?",
    ("data", "candidates", "*", "source"): "?",
    ("data", "candidates", "*", "name"): "candidate-{}",
    ("data", "validation"): _SOURCE,
    ("data", "validation", "source"): "?",
    ("metrics",): {"primary": "accuracy"},
    ("metrics", "primary"): "accuracy",
    ("slices",): [{"name": "every", "role": "target"}],
    ("slices", "*", "name"): "slice-{}",
    ("slices", "*", "role"): "target",
}
"""What stands in for a key that the model cannot do without; `*` is any entry of a list."""
_PARAMETER: Final = {"type": "float", "low": 0.25, "high": 0.75}
"""What stands in for a parameter of which no more than its name is right."""
_CHOICES: Final = {("task", "trainer"): TRAINERS, ("metrics", "primary"): tuple(METRICS)}


def salvage(document: Document, issues: Iterable[Issue]) -> StudySpec | None:
    """Change the document until it is a study, and return that; None where too little of it is right.

    issues: what was found in it. Misspelt words are read as what was meant; of the rest the document knows that it is
    lost.
    """
    for issue in reversed([issue for issue in issues if issue.path]):
        _mend_choice(document, issue)
    for _ in range(ROUNDS):
        try:
            spec = StudySpec.model_validate_json(json.dumps(document.value), strict=True)
            if spec.targets:
                return spec
            path: Path = ("slices", 0, "role") if spec.slices else ("slices",)
            document.put(path, _stand_in(path), lost=True)
        except ValidationError as error:
            for detail in reversed(error.errors(include_url=False)):
                if not _mend(document, path_of(detail["loc"], document.root, detail["type"] == "missing"), detail):
                    return None
    return None


def _mend_choice(document: Document, issue: Issue) -> None:
    """Take what is right by its type and wrong in the study out of the way of what is looked at later."""
    path, code = issue.path, issue.error.code
    if not document.has(path):
        return
    if path in _CHOICES and code in (codes.UNKNOWN_CHOICE, codes.METRIC_AND_KIND):
        name = str(document.at(path))
        guess = meant(name, _CHOICES[path], SYNONYMS) if code == codes.UNKNOWN_CHOICE else None
        document.put(path, guess or _stand_in(path), lost=guess is None)
    elif code in (codes.DUPLICATE_NAME, codes.RESERVED_NAME) and path[-1] == "name":
        document.put(path, _stand_in(path), lost=True)
    elif path[0] == SPACE and code == codes.RESERVED_NAME:
        document.lose(path[:2])
    elif (path[0] == SPACE and path[2:3] == ("when",)) or path[:2] == ("search", "enqueue"):
        document.lose(path[:3])
    elif code == codes.DUPLICATE_NAME:
        document.drop(path)


def _mend(document: Document, path: Path, detail: ErrorDetails) -> bool:
    """Put right, replace or take out the value that one error is of. False where nothing can be done."""
    annotation, _ = annotation_at(StudySpec, path)
    if not document.has(path[:-1]):
        return True  # mended with what is around it
    if detail["type"] == "literal_error" and isinstance(word := document.at(path), str):
        guess = meant(word, [str(choice) for choice in get_args(annotation)], SYNONYMS)
        if guess is not None:
            document.put(path, guess, lost=False)
            return True
    if annotation is SliceSpec and detail["type"] == "value_error":
        return _mend_slice(document, path)
    while path:
        if (stand_in := _stand_in(path)) is not None:
            document.put(path, stand_in, lost=True)
            return True
        if path[0] == SPACE and len(path) == 2:
            document.put(path, dict(_PARAMETER), lost=True)
            return True
        if _can_go(path):
            document.lose(path)
            return True
        path = path[:-1]
    return False


def _mend_slice(document: Document, path: Path) -> bool:
    """A slice whose demands contradict each other still has rows."""
    if document.at((*path, "where")) is not None and document.has((*path, "source")):
        document.lose((*path, "source"))
    document.put((*path, "role"), "target", lost=True)
    for key in ("margin", "weight"):
        if document.has((*path, key)):
            document.lose((*path, key))
    return True


def _stand_in(path: Path) -> Any:
    """What stands in for the value at a path; None where nothing does."""
    found = _STAND_INS.get(tuple("*" if isinstance(step, int) else step for step in path))
    return found.format(path[-2]) if isinstance(found, str) and "{}" in found else found


def _can_go(path: Path) -> bool:
    """Whether a study may be without what is at a path."""
    above, _ = annotation_at(StudySpec, path[:-1])
    if isinstance(path[-1], int) or get_origin(above) is dict:
        return True
    if not isinstance(above, type) or not issubclass(above, BaseModel):
        return above is None  # inside options: any JSON
    field = above.model_fields.get(str(path[-1]))
    return field is None or not field.is_required()
