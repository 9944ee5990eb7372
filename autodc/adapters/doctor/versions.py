"""What is installed, against what autodc was made for."""

from __future__ import annotations

import platform
import re
import sqlite3
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from autodc.adapters.doctor.check import Check, Verdict
from autodc.studyfile.study import MachineSpec

DISTRIBUTION = "autodc-optimizer"
SQLITE = SpecifierSet(">=3.24")
"""The journal's cursors are set by an upsert."""
SHOWN = ("numpy", "torch", "ray", "mlflow")


def versions(machine: MachineSpec) -> Iterator[Check]:
    """A line each for Python, autodc, SQLite and the packages a night leans on. No package is imported for it."""
    ours = installed(DISTRIBUTION)
    yield Check(name="autodc", found=ours or f"not installed: the ranges of {DISTRIBUTION} are unknown")
    said = metadata.metadata(DISTRIBUTION).get_all("Requires-Python") if ours else None
    yield compared("python", platform.python_version(), SpecifierSet(said[0] if said else ""))
    yield compared("sqlite", sqlite3.sqlite_version, SQLITE)
    wanted = _wanted() if ours else {}
    for name in SHOWN:
        if (version := installed(name)) is not None:
            yield compared(name, version, wanted.get(name, SpecifierSet()))
        else:
            yield _missing(name, machine)


def compared(name: str, version: str, wanted: SpecifierSet) -> Check:
    """A version against the range it should be in."""
    if wanted.contains(version, prereleases=True):
        return Check(name=name, found=version)
    status: Verdict = "fail" if name == "python" else "warn"
    mend = f"install a {name} that is {wanted}" if name in ("python", "sqlite") else f"pip install '{name}{wanted}'"
    return Check(name=name, status=status, found=f"{version}, made for {wanted}", mend=mend)


def _missing(name: str, machine: MachineSpec) -> Check:
    """A package that is not there: some nights do without."""
    mend = f"pip install '{DISTRIBUTION}[{name}]'"
    if name == "ray" and machine.runner != "inline":
        found = f"not installed, and runner: {machine.runner} needs it"
        return Check(name=name, status="fail", found=found, mend=f"{mend}, or runner: inline in the machine file")
    if name == "mlflow":
        found = "not installed: nothing is sent to MLflow"
        return Check(name=name, status="warn", found=found, mend=f"{mend}, or tracking: {{uri: none}}")
    return Check(name=name, found="not installed; only some studies need it")


def _wanted() -> dict[str, SpecifierSet]:
    """Package → the range that autodc asks for, extras included."""
    found = [Requirement(line) for line in metadata.requires(DISTRIBUTION) or ()]
    return {_plain(one.name): one.specifier for one in found}


def installed(name: str) -> str | None:
    """The version of a distribution; None where it is not there."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
