"""`autodc init`: copy an example study into a folder of the user's, with all that it names outside its own."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from autodc.errors import InputError
from autodc.plugins import suggest

PACKAGE = Path(__file__).resolve().parents[1]
CONFIGS = next(folder for folder in (PACKAGE / "configs", PACKAGE.parent / "configs") if folder.is_dir())
"""The example studies: package data where autodc is installed, the folder of the source tree where it is not."""

STUDY = "study.yaml"

_LEFT_BEHIND = shutil.ignore_patterns(
    "__pycache__", "*.pyc", "truth.yaml", "make_data.py", "mlflow.db*", "mlartifacts", "runs"
)
_OUTSIDE = re.compile(r"((?:\.\./)+(?:[\w-]+/)+)([\w.]+)")


def examples() -> tuple[str, ...]:
    """Names of the examples, sorted."""
    return tuple(sorted(folder.name for folder in CONFIGS.iterdir() if (folder / STUDY).is_file()))


def write_example(folder: str | os.PathLike[str], example: str) -> Path:
    """Copy an example and return its study file.

    Raises InputError ADC-INIT-001 for a name that is no example, 002 where the folder is a file or not empty.
    """
    target = Path(folder)
    if example not in examples():
        hint = suggest(example, examples(), "examples")
        raise InputError("ADC-INIT-001", "there is no such example", "--example", repr(example), hint)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        got = "a folder that is not empty" if target.is_dir() else "a file"
        raise InputError("ADC-INIT-002", "the example needs a folder of its own", str(target), got, "name a new folder")
    source = CONFIGS / example
    shutil.copytree(source, target, ignore=_LEFT_BEHIND, dirs_exist_ok=True)
    study = (source / STUDY).read_text(encoding="utf-8")
    for above, name in set(_OUTSIDE.findall(study)):
        shutil.copyfile(source / above / name, target / name)
    (target / STUDY).write_text(_OUTSIDE.sub(r"\2", study), encoding="utf-8")
    return target / STUDY
