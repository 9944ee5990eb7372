"""Read a study, search-space or machine file; every problem of it is told at once, each with its place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from autodc.errors import raise_all
from autodc.studyfile import codes, dropped
from autodc.studyfile.check import cross_check
from autodc.studyfile.document import Document, Issue
from autodc.studyfile.explain import validate
from autodc.studyfile.override import apply
from autodc.studyfile.reader import read_file
from autodc.studyfile.study import SCHEMA_VERSION, MachineSpec, StudySpec


def load(path: str | os.PathLike[str], overrides: Iterable[str] = ()) -> StudySpec:
    """Read a study file, with `a.b=c` overrides put in before it is checked.

    Raises SpecError, or Problems that hold several, in the order a reader meets them: files first, overrides last.
    """
    file = os.fspath(path)
    document, issues = read_file(file)
    folder = os.path.dirname(os.path.abspath(file))
    issues += apply(document, overrides, folder)
    _refuse_the_future(document)
    issues += dropped.take_out(document)
    spec, found = validate(StudySpec, document)
    _raise(issues + found + cross_check(document))
    assert spec is not None
    return spec.placed(folder, document.places())


def load_machine(path: str | os.PathLike[str] | None = None) -> MachineSpec:
    """Read a machine file; without one, all local cores. Raises as `load`."""
    if path is None:
        return MachineSpec()
    document, issues = read_file(os.fspath(path))
    spec, found = validate(MachineSpec, document)
    _raise(issues + found)
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


def _raise(issues: list[Issue]) -> None:
    """Raise all problems in reading order, each once."""
    ordered = sorted(issues, key=lambda issue: issue.mark)
    raise_all({(str(i.error), i.error.code): i.error for i in ordered}.values())
