"""`autodc init`: a study folder that runs as it is, a copy of an example or one for the user's own data."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autodc.errors import InputError
from autodc.files import UNFINISHED, disk_told, write_whole
from autodc.hints import suggest

PACKAGE = Path(__file__).resolve().parents[1]
CONFIGS = next(folder for folder in (PACKAGE / "configs", PACKAGE.parent / "configs") if folder.is_dir())
"""The example studies: package data where autodc is installed, the folder of the source tree where it is not."""

STUDY = "study.yaml"

MAKES = "make_images.py"
"""Writes the data of an example, where that is too much to ship."""
_LEFT_BEHIND = shutil.ignore_patterns(
    "__pycache__", "*.pyc", "truth.yaml", "make_data.py", "mlflow.db*", "mlartifacts", "runs"
)
_OUTSIDE = re.compile(r"((?:\.\./)+(?:[\w-]+/)+)([\w.]+)")


def examples() -> tuple[str, ...]:
    """Names of the examples, sorted."""
    return tuple(sorted(folder.name for folder in CONFIGS.iterdir() if (folder / STUDY).is_file()))


def write_example(folder: str | os.PathLike[str], example: str) -> dict[str, Any]:
    """Copy an example; return its study file, `study`, and the commands that are `next`, as JSON.

    Raises InputError ADC-INIT-001 for a name that is no example, 002 where the folder is a file or not empty.
    """
    if example not in examples():
        hint = suggest(example, examples(), "examples")
        raise InputError("ADC-INIT-001", "there is no such example", "--example", repr(example), hint)
    source = CONFIGS / example

    def fill(target: Path) -> None:
        shutil.copytree(source, target, ignore=_LEFT_BEHIND, dirs_exist_ok=True)
        study = (source / STUDY).read_text(encoding="utf-8")
        for above, name in set(_OUTSIDE.findall(study)):
            shutil.copyfile(source / above / name, target / name)
        (target / STUDY).write_text(_OUTSIDE.sub(r"\2", study), encoding="utf-8")
        if (target / MAKES).is_file():
            subprocess.run(
                [sys.executable, MAKES], cwd=target, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )

    _make(Path(folder), fill)
    study = Path(folder) / STUDY
    return {"study": str(study), "example": example, "said": [], "next": _next(study)}


def write_study(
    folder: str | os.PathLike[str], source: str, target: Sequence[str] = (), candidates: str | None = None
) -> dict[str, Any]:
    """Look at the user's data, write a study for it, and return what was found and chosen, as JSON.

    source: a file, folder, URL or `file.py:function`; target: columns, left out: the one that is called so;
    candidates: a folder of further files. Raises InputError ADC-INIT-002 to 007, and all that a source raises.
    """
    from autodc.adapters.sources.urls import is_remote
    from autodc.verbs.draft.sibling_files import part_inside

    where = source if is_remote(source) else os.path.abspath(os.path.expanduser(source))
    found: dict[str, Any] = {}
    _make(
        Path(folder),
        lambda unfinished: found.update(_drafted(unfinished, Path(folder), part_inside(where), target, candidates)),
    )
    return found


def _drafted(
    unfinished: Path, folder: Path, source: str, target: Sequence[str], candidates: str | None
) -> dict[str, Any]:
    from autodc.verbs.draft.choices import choose
    from autodc.verbs.draft.columns import CONSTANT, slug
    from autodc.verbs.draft.page import page
    from autodc.verbs.draft.reading import read_rows
    from autodc.verbs.draft.settling import settled
    from autodc.verbs.draft.sibling_files import look_beside
    from autodc.verbs.draft.slices import add_slices

    name = slug(os.path.basename(os.path.abspath(folder)), (), "study")
    with tempfile.TemporaryDirectory() as scratch:
        rows = read_rows(source, target, Path(scratch))
        beside = look_beside(rows, source, candidates)
        made, inputs = settled(choose(rows, beside, name, unfinished))
        aside = {
            *rows.target,
            rows.group,
            rows.time,
            "path",
            *(column for column, why in rows.aside.items() if why != CONSTANT),
        }
        in_time = made.cut is not None and rows.time is not None
        spec = add_slices(inputs, rows.inputs, [name for name in aside if name], in_time=in_time)
        write_whole(unfinished / STUDY, page(made, spec))
    return _told(made, spec, folder / STUDY, source)


def _told(made: Any, spec: Any, study: Path, source: str) -> dict[str, Any]:
    from autodc.verbs.draft.page import about_candidates, about_held, about_inputs, about_task

    parts = {} if made.cut is None else {part: len(rows) for part, rows in made.cut.parts.items()}
    return {
        "study": str(study),
        "source": source,
        "rows": len(made.rows.data),
        "without_target": made.rows.lost,
        "kind": made.rows.kind,
        "target": list(made.rows.target),
        "inputs": [name for name in made.rows.inputs if name not in made.aside],
        "left_out": made.aside,
        "group": made.rows.group,
        "trainer": made.learner.trainer,
        "options": dict(made.learner.options),
        "metric": made.metric,
        "parts": parts,
        "candidates": list(made.candidates),
        "not_used": dict(made.unfit),
        "slices": [one.name for one in spec.slices],
        "said": [
            about_task(made),
            about_inputs(made),
            f"candidates: {', '.join(made.candidates)}" if made.candidates else "",
            about_held(made),
            about_candidates(made),
            f"slices: {', '.join(one.name for one in spec.slices)}",
        ],
        "next": _next(study),
    }


def _next(study: Path) -> list[str]:
    return [f"autodc {verb} {shlex.quote(str(study))}" for verb in ("check", "run")]


def _make(folder: Path, fill: Callable[[Path], object]) -> None:
    """Fill a folder that is new or empty: under another name beside it, so that it is there whole or not at all."""
    _refuse_taken(folder)
    target = Path(os.path.realpath(folder))
    new = [parent for parent in target.parents if not parent.exists()]
    unfinished: Path | None = None
    try:
        with disk_told(folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f".{target.name[:60]}-{secrets.token_hex(4)}{UNFINISHED}")
            beside.mkdir()
            unfinished = beside
            fill(unfinished)
            _put(unfinished, target)
    except BaseException:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
        for parent in new:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def _refuse_taken(folder: Path) -> None:
    problem, hint = "a new study needs a folder of its own", "name a new folder"
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError("ADC-INIT-002", problem, str(folder), "a folder that is not empty", hint)
        if os.path.lexists(folder) and not folder.is_dir():
            raise InputError("ADC-INIT-002", problem, str(folder), "a file", hint)
        if above := next((parent for parent in folder.absolute().parents if parent.is_file()), None):
            raise InputError("ADC-INIT-002", problem, str(folder), f"{above} is a file", hint)
    except (OSError, ValueError) as error:
        raise InputError("ADC-INIT-002", problem, repr(str(folder))[:200], str(error), hint) from None


def _put(unfinished: Path, target: Path) -> None:
    """Into a folder that is there file by file, the study last: it may be where somebody stands."""
    if not target.exists():
        unfinished.rename(target)
        return
    for path in sorted(unfinished.iterdir(), key=lambda path: path.name == STUDY):
        path.rename(target / path.name)
    unfinished.rmdir()
