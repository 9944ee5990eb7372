"""Read a study, search-space or machine file; every problem of it is told at once, each with its place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

from autodc.errors import SpecError, raise_all
from autodc.studyfile import codes, dropped
from autodc.studyfile.check import cross_check
from autodc.studyfile.document import Document, Issue
from autodc.studyfile.explain import validate
from autodc.studyfile.override import apply
from autodc.studyfile.reader import read_file
from autodc.studyfile.salvage import salvage
from autodc.studyfile.study import SCHEMA_VERSION, MachineSpec, StudySpec


def load(path: str | os.PathLike[str], overrides: Iterable[str] = ()) -> StudySpec:
    """Read a study file, with `a.b=c` overrides put in before it is checked.

    Raises SpecError, or Problems that hold several, in the order a reader meets them: files first, overrides last.
    """
    file = os.fspath(path)
    document, spec, issues = _read(file, overrides)
    raise_all(_in_order(issues))
    assert spec is not None
    return spec.placed(_folder(file), document.places())


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A study file as far as it can be looked at. Where it has problems, nothing is to be trained on it."""

    spec: StudySpec | None
    """The study; where there are problems, its right parts with stand-ins for the others, or None."""
    problems: tuple[SpecError, ...]
    """Those of the file itself, in reading order."""
    lost: frozenset[str] = frozenset()
    """Keys whose values are stand-ins or were taken out."""

    def is_whole(self, key: str) -> bool:
        """Whether a value, all above and all below it, is what the person wrote or, where it was misspelt, meant."""
        return not any(_leads_to(key, one) or _leads_to(one, key) for one in self.lost)


def draft(path: str | os.PathLike[str], overrides: Iterable[str] = ()) -> Draft:
    """Read a study file as far as that goes. Raises SpecError where it is no study at all."""
    file = os.fspath(path)
    document, spec, issues = _read(file, overrides)
    if issues:
        spec = salvage(document, issues)
    problems = tuple(_in_order(issues))
    if spec is None:
        return Draft(spec=None, problems=problems)
    return Draft(spec=spec.placed(_folder(file), document.places()), problems=problems, lost=document.lost())


def load_machine(path: str | os.PathLike[str] | None = None) -> MachineSpec:
    """Read a machine file; without one, all local cores. Raises as `load`."""
    if path is None:
        return MachineSpec()
    document, issues = read_file(os.fspath(path))
    spec, found = validate(MachineSpec, document)
    raise_all(_in_order(issues + found))
    assert spec is not None
    return spec


def dump(spec: StudySpec | MachineSpec) -> dict[str, Any]:
    """The JSON of what was read, defaults included; `load` reads it back."""
    return spec.model_dump(mode="json")


def _refuse_the_future(document: Document) -> None:
    """A file of a later version is refused in one sentence: what else looks wrong in it may be right there."""
    version = document.at(("schema_version",))
    if isinstance(version, int) and not isinstance(version, bool) and version > SCHEMA_VERSION:
        problem = f"this file needs a newer autodc: this one reads schema_version {SCHEMA_VERSION}"
        path = ("schema_version",)
        raise document.issue(codes.FUTURE_SCHEMA, path, problem, str(version), at_value=True).error


def _read(file: str, overrides: Iterable[str]) -> tuple[Document, StudySpec | None, list[Issue]]:
    """The document of a study file, the study where it is one, and all that is wrong with it."""
    document, issues = read_file(file)
    issues += apply(document, overrides, _folder(file))
    _refuse_the_future(document)
    issues += dropped.take_out(document)
    spec, found = validate(StudySpec, document)
    return document, spec, issues + found + cross_check(document)


def _folder(file: str) -> str:
    return os.path.dirname(os.path.abspath(file))


def _in_order(issues: Iterable[Issue]) -> list[SpecError]:
    """All problems in reading order, each once."""
    ordered = sorted(issues, key=lambda issue: issue.mark)
    return list({(str(i.error), i.error.code): i.error for i in ordered}.values())


def _leads_to(above: str, below: str) -> bool:
    """Whether a key is another one or stands above it."""
    return below == above or (below.startswith(above) and below[len(above)] in ".[")
