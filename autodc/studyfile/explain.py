"""Hold a document against its pydantic model, and say every mismatch in words a person can act on."""

from __future__ import annotations

import inspect
import json
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from autodc.hints import meant, suggest
from autodc.studyfile import codes
from autodc.studyfile.document import Document, Issue, Node, NodeKey, Path, shown, spell
from autodc.studyfile.names import SYNONYMS

Model = TypeVar("Model", bound=BaseModel)

_TYPES: Final = {
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
_LIMITS: Final = {
    "greater_than": (codes.OUT_OF_RANGE, "must be above {gt}"),
    "greater_than_equal": (codes.OUT_OF_RANGE, "must be {ge} or more"),
    "less_than": (codes.OUT_OF_RANGE, "must be below {lt}"),
    "less_than_equal": (codes.OUT_OF_RANGE, "must be {le} or less"),
    "string_too_short": (codes.BAD_TEXT, "must not be empty"),
    "string_too_long": (codes.BAD_TEXT, "must have {max_length} characters or fewer"),
    "string_pattern_mismatch": (
        codes.BAD_TEXT,
        "a name is letters, digits, `_`, `.` and `-`, and begins with a letter or a digit",
    ),
    "too_short": (codes.TOO_FEW, "needs {min_length} entry or more"),
}
_BOOLEAN_WORDS: Final = {"yes": "true", "on": "true", "no": "false", "off": "false", "true": "true", "false": "false"}
OPTIONS: Final = "options"
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
        unknown = [path_of(d["loc"], document.root) for d in details if d["type"] == "extra_forbidden"]
        for path in unknown:
            issues.append(_unknown_key(model, document, path))
            guess = meant(str(path[-1]), _keys(model, path[:-1]))
            if guess is not None and not document.has((*path[:-1], guess)):
                document.rename(path, guess)
                guessed.add((*path[:-1], guess))
            else:
                document.lose(path)
        if not unknown:
            return None, issues + _mismatches(model, document, details, guessed)


def _mismatches(
    model: type[BaseModel], document: Document, details: list[ErrorDetails], guessed: set[Path]
) -> list[Issue]:
    """One issue for every node that does not fit."""
    by_path: dict[Path, list[ErrorDetails]] = {}
    for detail in details:
        by_path.setdefault(path_of(detail["loc"], document.root, detail["type"] == "missing"), []).append(detail)
    issues = []
    for path, (one, *more) in by_path.items():
        wrong_guess = path in guessed and one["type"] in _TYPES
        too_short = one["type"] == "too_short" and any(p[:-1] == path for p in by_path)
        if document.is_broken(path) or wrong_guess or too_short:
            continue
        if more:  # it may be of several types and is of none of them
            problem, got = "must be text, a number, true or false", shown(document.at(path))
            issues.append(document.issue(codes.WRONG_TYPE, path, problem, got, at_value=True))
        else:
            issues.append(_issue(model, document, path, one))
    return issues


def _issue(model: type[BaseModel], document: Document, path: Path, detail: ErrorDetails) -> Issue:
    """Translate one pydantic error."""
    kind, context = detail["type"], detail.get("ctx", {})
    annotation, info = annotation_at(model, path)
    hint = (info.description or "") if info is not None else ""
    if kind == "missing":
        hint = f"add `{path[-1]}`{': ' * bool(hint)}{hint}"
        if path == ("schema_version",):
            hint = "begin the file with `schema_version: 1`"
        return document.issue(codes.MISSING_KEY, path, "this key is missing", hint=hint)
    value = document.at(path)
    got, at_value = shown(value), value is not None and not isinstance(value, dict | list)
    code, problem = codes.WRONG_TYPE, detail["msg"][:1].lower() + detail["msg"][1:]
    if kind in _TYPES:
        problem, hint = _TYPES[kind], _type_hint(kind, value, _as_mapping(annotation, value) or hint)
    elif kind in _LIMITS:
        code, words = _LIMITS[kind]
        problem = words.format(**{name: _number(bound) for name, bound in context.items()})
    elif kind == "literal_error":
        code, problem = codes.UNKNOWN_CHOICE, "not one of the choices"
        choices = [str(v) for v in get_args(annotation)]
        hint = suggest(value if isinstance(value, str) else "", choices, "choices", SYNONYMS)
        if len(choices) == 1:
            problem, hint = f"must be {choices[0]}", ""
    elif kind == "value_error":  # a validator of ours refused it; its text may end in `; found ...`
        problem, _, found = str(context["error"]).partition("; found ")
        code, got = codes.DISAGREE, found
        hint = ""
        if not isinstance(value, dict):
            code, got, at_value = codes.BAD_TEXT, found or shown(value), True
    return document.issue(code, path, problem, got, hint, at_value=at_value)


def _unknown_key(model: type[BaseModel], document: Document, path: Path) -> Issue:
    """Report a key that nothing reads, with what was meant or where it belongs."""
    key, known = str(path[-1]), _keys(model, path[:-1])
    guess = meant(key, known)
    homes = [home for home in _homes(model, key) if home != path[:-1]]
    name, colon, value = key.partition(":")
    if colon and name in known:
        hint = f"put a space after the colon: `{name}: {value}`"
    elif guess is not None:
        there = document.has((*path[:-1], guess))
        hint = f"did you mean {guess}?{' (it is there already)' if there else ''}"
    elif 0 < len(homes) <= _MAX_HOMES:
        places = " or ".join(f"in {spell(home)}" if home else "at the top of the file" for home in homes)
        hint = f"{key} belongs {places}"
    elif OPTIONS in known and document.along(path[:-1])[-1].value:
        hint = f"options have a mapping of their own: write options: {{{key}: ...}}"
    elif far := _far(model, key):
        hint = f"did you mean {spell(far)}?"
    else:
        where = document.shown(path[:-1]) or "the top of the file"
        hint = f"{where} knows: {', '.join(known)}"
    return document.issue(codes.UNKNOWN_KEY, path, "unknown key", hint=hint)


def _far(model: type[BaseModel], key: str) -> Path | None:
    """The one key of another mapping that was most likely meant."""
    guess = meant(key, _everywhere(model))
    homes = _homes(model, guess) if guess is not None else []
    return (*homes[0], str(guess)) if len(homes) == 1 else None


def _everywhere(model: type[BaseModel]) -> list[str]:
    """The keys of all plain mappings of a model."""
    inner = [_bare(info.annotation) for info in model.model_fields.values()]
    return [*model.model_fields, *(key for one in inner if _is_model(one) for key in _everywhere(one))]


def annotation_at(model: type[BaseModel], path: Path) -> tuple[Any, FieldInfo | None]:
    """The type a model expects at a path, and the field it belongs to; (None, None) where the model says nothing."""
    annotation: Any = model
    info: FieldInfo | None = None
    for step in path:
        annotation = _bare(annotation)
        if _is_model(annotation):
            info = annotation.model_fields.get(str(step))
            annotation = None if info is None else info.annotation
        elif get_origin(annotation) in (tuple, dict, list):
            annotation = get_args(annotation)[0 if get_origin(annotation) is not dict else 1]
        else:
            annotation = None
        if annotation is None:
            return None, None
    return _bare(annotation), info


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys a model knows in the mapping at a path."""
    annotation, _ = annotation_at(model, path)
    return list(annotation.model_fields) if _is_model(annotation) else []


def _homes(model: type[BaseModel], key: str) -> list[Path]:
    """The plain mappings of a model in which a key is known."""
    found: list[Path] = [()] if key in model.model_fields else []
    for name, info in model.model_fields.items():
        inner = _bare(info.annotation)
        found += [(name, *home) for home in _homes(inner, key)] if _is_model(inner) else []
    return found


def path_of(loc: tuple[NodeKey, ...], node: Node, missing: bool = False) -> Path:
    """The part of a pydantic location that exists in the document, with the missing key at its end."""
    path: Path = ()
    for step in loc:
        below = node.child(step)
        if below is None:
            break
        path, node = (*path, step), below
    return (*path, loc[-1]) if missing else path


def _is_model(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, BaseModel)


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
    if not _is_model(annotation):
        return ""
    required = [name for name, info in annotation.model_fields.items() if info.is_required()]
    if isinstance(value, str) and len(required) == 1:
        return f"write {{{required[0]}: {value}}}"
    return f"keys: {', '.join(annotation.model_fields)}"


def _number(bound: Any) -> str:
    return str(bound) if not isinstance(bound, float) else str(int(bound)) if bound.is_integer() else f"{bound:g}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
