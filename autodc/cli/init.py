"""`autodc init`: copy an example study into a folder of the user's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from autodc.errors import InputError
from autodc.plugins import suggest

EXAMPLES = Path(__file__).resolve().parent / "examples"
STUDY = "study.yaml"

_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.pyc")


def examples() -> tuple[str, ...]:
    """Names of the examples, sorted."""
    return tuple(sorted(folder.name for folder in EXAMPLES.iterdir() if (folder / STUDY).is_file()))


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
    shutil.copytree(EXAMPLES / example, target, ignore=_LEFT_BEHIND, dirs_exist_ok=True)
    return target / STUDY
