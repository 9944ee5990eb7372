"""Hold a document against its pydantic model, and say every mismatch in words a person can act on."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Path, Step, at, spell
from autodc.studyfile.words import meant, shown, suggest

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED: Final = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "choice_type": "must be text, a number, true, false, null or a list of these",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
}
_BOUNDS: Final = {
    "greater_than": ("must be above {}", "gt"),
    "greater_than_equal": ("must be {} or more", "ge"),
    "less_than": ("must be below {}", "lt"),
    "less_than_equal": ("must be {} or less", "le"),
}
_BOOLEAN_WORDS: Final = {"yes": "true", "on": "true", "no": "false", "off": "false", "true": "true", "false": "false"}
_MAX_HOMES: Final = 2  # a key that is known in more places than this is not worth pointing at


def validate(model: type[Model], document: Document) -> tuple[Model | None, list[Issue]]:
    """Read a document as a model, None where it is not one, with all that is wrong.

    Misspelt keys are reported and then read as what was meant, so that one slip hides nothing and is told once. The
    document is changed by that. Nodes that are reported already are not reported again.
    """
    issues: list[Issue] = []
    guessed: set[Path] = set()
    while True:
        try:
            return model.model_validate_json(json.dumps(document.value), strict=True), issues
        except ValidationError as error:
            details = error.errors(include_url=False)
        unknown = [_path(d["loc"], document.value) for d in details if d["type"] == "extra_forbidden"]
        for path in unknown:
            issues.append(_unknown_key(model, document, path))
            guess = meant(str(path[-1]), _keys(model, path[:-1]))
            if guess is not None and guess not in at(document.value, path[:-1]):
                document.rename(path, guess)
                guessed.add((*path[:-1], guess))
            else:
                del at(document.value, path[:-1])[path[-1]]
        if not unknown:
            return None, issues + _mismatches(model, document, details, guessed)


def annotation_at(model: type[BaseModel], path: Path) -> tuple[Any, FieldInfo | None]:
    """The type a model expects at a path, and the field it belongs to; (None, None) where the model says nothing."""
    annotation: Any = model
    info: FieldInfo | None = None
    for step in path:
        annotation = _bare(annotation)
        if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
            info = annotation.model_fields.get(str(step))
            if info is None:
                return None, None
            annotation = info.annotation
        elif get_origin(annotation) in (tuple, dict, list):
            annotation = get_args(annotation)[0 if get_origin(annotation) is not dict else 1]
        else:
            return None, None
    return _bare(annotation), info


def _mismatches(
    model: type[BaseModel], document: Document, details: list[ErrorDetails], guessed: set[Path]
) -> list[Issue]:
    """One issue for every node that does not fit."""
    by_path: dict[Path, list[ErrorDetails]] = {}
    for detail in details:
        by_path.setdefault(_path(detail["loc"], document.value, detail["type"] == "missing"), []).append(detail)
    issues = []
    for path, found in by_path.items():
        one, *more = found
        wrong_guess = path in guessed and one["type"] in _EXPECTED
        too_short = one["type"] == "too_short" and any(p[:-1] == path for p in by_path)
        if document.is_broken(path) or wrong_guess or too_short:
            continue
        if more:
            names = "must be text, a number, true or false"
            issues.append(document.issue(codes.WRONG_TYPE, path, names, shown(at(document.value, path)), at_value=True))
        else:
            issues.append(_issue(model, document, path, one))
    return issues


def _issue(model: type[BaseModel], document: Document, path: Path, detail: ErrorDetails) -> Issue:
    """Translate one pydantic error."""
    kind, context = detail["type"], detail.get("ctx", {})
    annotation, info = annotation_at(model, path)
    about = (info.description or "") if info is not None else ""
    if kind == "missing":
        return document.issue(codes.MISSING_KEY, path, "this key is missing", hint=_example(path, about))
    value = at(document.value, path)
    report = _reporter(document, path, value)
    if kind in _EXPECTED:
        about = _as_mapping(annotation, value) or about
        return report(codes.WRONG_TYPE, _EXPECTED[kind], _type_hint(kind, value, about))
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        return report(codes.OUT_OF_RANGE, words.format(_number(context[name])), about)
    if kind == "literal_error":
        return _choice(report, [str(v) for v in get_args(annotation)], value)
    if kind == "string_too_short":
        return report(codes.BAD_TEXT, "must not be empty", about)
    if kind == "string_too_long":
        return report(codes.BAD_TEXT, f"must have {context['max_length']} characters or fewer", about)
    if kind == "string_pattern_mismatch":
        problem = "a name is letters, digits, `_`, `.` and `-`, and begins with a letter or a digit"
        return report(codes.BAD_TEXT, problem, about)
    if kind == "too_short":
        least = context["min_length"]
        return report(codes.TOO_FEW, f"needs {least} {'entry' if least == 1 else 'entries'} or more", about)
    if kind == "value_error":
        return _disagreement(document, path, str(context["error"]), value)
    return report(codes.WRONG_TYPE, detail["msg"][:1].lower() + detail["msg"][1:], about)


def _reporter(document: Document, path: Path, value: Any) -> Callable[[str, str, str], Issue]:
    """A short way to report what was found at one path."""
    at_value = not isinstance(value, dict | list)

    def report(code: str, problem: str, hint: str) -> Issue:
        return document.issue(code, path, problem, shown(value), hint, at_value=at_value and value is not None)

    return report


def _choice(report: Callable[[str, str, str], Issue], choices: list[str], value: Any) -> Issue:
    """Report a value that is none of the choices."""
    if len(choices) == 1:
        return report(codes.UNKNOWN_CHOICE, f"must be {choices[0]}", "")
    if isinstance(value, str):
        return report(codes.UNKNOWN_CHOICE, "not one of the choices", suggest(value, choices, "choices"))
    return report(codes.UNKNOWN_CHOICE, "not one of the choices", f"choices: {', '.join(choices)}")


def _disagreement(document: Document, path: Path, text: str, value: Any) -> Issue:
    """Report what a validator of ours refused; its text may end in `; found ...`."""
    problem, _, got = text.partition("; found ")
    if isinstance(value, dict):
        return document.issue(codes.DISAGREE, path, problem, got)
    return document.issue(codes.BAD_TEXT, path, problem, got or shown(value), at_value=True)


def _unknown_key(model: type[BaseModel], document: Document, path: Path) -> Issue:
    """Report a key that nothing reads, with what was meant or where it belongs."""
    key, known = str(path[-1]), _keys(model, path[:-1])
    guess = meant(key, known)
    homes = [home for home in _homes(model, key) if home != path[:-1]]
    if guess is not None:
        hint = f"did you mean {guess}?"
        if guess in at(document.value, path[:-1]):
            hint += " (it is there already)"
    elif 0 < len(homes) <= _MAX_HOMES:
        places = " or ".join(f"in {spell(home)}" if home else "at the top of the file" for home in homes)
        hint = f"{key} belongs {places}"
    else:
        where = f"{document.shown(path[:-1])} knows" if path[:-1] else "the top of the file knows"
        hint = f"{where}: {', '.join(known)}"
    return document.issue(codes.UNKNOWN_KEY, path, "unknown key", hint=hint)


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys a model knows in the mapping at a path."""
    annotation, _ = annotation_at(model, path)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return list(annotation.model_fields)
    return []


def _homes(model: type[BaseModel], key: str) -> list[Path]:
    """The plain mappings of a model in which a key is known."""
    found: list[Path] = [()] if key in model.model_fields else []
    for name, info in model.model_fields.items():
        inner = _bare(info.annotation)
        if inspect.isclass(inner) and issubclass(inner, BaseModel):
            found += [(name, *home) for home in _homes(inner, key)]
    return found


def _path(loc: tuple[Step, ...], value: Any, missing: bool = False) -> Path:
    """The part of a pydantic location that exists in the document, with the missing key at its end."""
    path: Path = ()
    for step in loc:
        inside = isinstance(value, dict) and step in value
        entry = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not inside and not entry:
            break
        path, value = (*path, step), value[step]
    return (*path, loc[-1]) if missing else path


def _bare(annotation: Any) -> Any:
    """Take `Annotated` and `| None` off a type."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            inner = [a for a in get_args(annotation) if a is not type(None)]
            if len(inner) != 1:
                return annotation
            annotation = inner[0]
        else:
            return annotation


def _type_hint(kind: str, value: Any, about: str) -> str:
    """How to mend a value of another type."""
    if value is None:
        return "the key has no value: give it one, or leave the key out"
    if kind == "string_type" and not isinstance(value, dict | list):
        return f"put it in quotes: {json.dumps(json.dumps(value))}"
    if kind == "bool_type" and isinstance(value, str) and value.casefold() in _BOOLEAN_WORDS:
        return f"YAML 1.2 reads {value} as text: write {_BOOLEAN_WORDS[value.casefold()]}"
    if kind in ("int_type", "float_type") and isinstance(value, str) and _is_number(value):
        return f"leave the quotes out: {value.strip()}"
    if kind == "int_type" and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    if kind in ("tuple_type", "list_type") and not isinstance(value, dict | list):
        return f"write [{value if isinstance(value, str) else json.dumps(value)}]"
    return about


def _as_mapping(annotation: Any, value: Any) -> str:
    """How to write a value as the mapping that is wanted; empty where none is."""
    if not (inspect.isclass(annotation) and issubclass(annotation, BaseModel)):
        return ""
    required = [name for name, info in annotation.model_fields.items() if info.is_required()]
    if isinstance(value, str) and len(required) == 1:
        return f"write {{{required[0]}: {value}}}"
    return f"keys: {', '.join(annotation.model_fields)}"


def _example(path: Path, about: str) -> str:
    """How to write a missing key."""
    if path == ("schema_version",):
        return "begin the file with `schema_version: 1`"
    return f"add `{path[-1]}`: {about}" if about else f"add `{path[-1]}`"


def _number(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else f"{bound:g}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
