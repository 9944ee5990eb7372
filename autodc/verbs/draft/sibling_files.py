"""Files beside SOURCE that belong to it: validation and test by their names, candidates by their columns."""

from __future__ import annotations

import difflib
import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from autodc.adapters.sources.savedfile import is_saved, saved_splits
from autodc.adapters.sources.tablefile import read_names
from autodc.errors import InputError
from autodc.verbs.draft.rows import FROM, Rows, is_table_name, request_of

VALIDATION_WORDS = frozenset({"val", "valid", "validation", "dev", "eval"})
TEST_WORDS = frozenset({"test", "testing", "holdout"})
TRAIN_WORDS = frozenset({"train", "training"})
WORD = re.compile(r"[A-Za-z]+|\d+")
MANIFEST = re.compile(r"(manifest|metadata)\.\w+|state\.json")
MOST = 200
"""Names in a folder that are looked at."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What lies beside a source, absolute paths."""

    validation: str | None = None
    test: str | None = None
    candidates: tuple[str, ...] = ()
    unlike: tuple[tuple[str, str], ...] = ()
    """Of a folder of candidates: a file that is none, and why."""


def part_inside(source: str) -> str:
    """The training part of a folder whose subfolders are parts, else the folder itself.

    Raises InputError ADC-INIT-005 for splits of which none is for training.
    """
    if not os.path.isdir(source):
        return source
    if splits := saved_splits(request_of(source)):
        return os.path.join(source, _training(splits, source))
    inside = {entry.name: entry.path for entry in os.scandir(source) if entry.is_dir()}
    train = [name for name in inside if name.casefold() in TRAIN_WORDS]
    held = [name for name in inside if name.casefold() in VALIDATION_WORDS | TEST_WORDS]
    return inside[train[0]] if train and held else source


def look_beside(rows: Rows, source: str, folder: str | None) -> Beside:
    """Look for what belongs to a source. folder: of candidates, given by the user.

    Raises InputError ADC-INIT-007 where that folder is none.
    """
    own = _contents(rows, source, source)
    like = [path for path in _neighbours(source) if _contents(rows, source, path) == own != frozenset()]
    validation = _nearest(source, [path for path in like if _called(path, source) & VALIDATION_WORDS])
    test = _nearest(source, [path for path in like if _called(path, source) & TEST_WORDS])
    held = VALIDATION_WORDS | TEST_WORDS
    others = tuple(path for path in like if not _called(path, source) & held)
    if folder is None:
        return Beside(validation=validation, test=test, candidates=others)
    given, unlike = _given(rows, source, folder)
    taken = {os.path.realpath(path) for path in (validation, test) if path}
    given = [path for path in given if os.path.realpath(path) not in taken]
    return Beside(validation=validation, test=test, candidates=tuple(given), unlike=tuple(unlike))


def _training(splits: Sequence[str], source: str) -> str:
    named = [name for name in splits if name.casefold() in TRAIN_WORDS] or list(splits)
    if len(named) > 1 and len(named) == len(splits):
        hint = f"name the one to train on: --from {os.path.join(source, splits[0])}"
        raise InputError("ADC-INIT-005", "no split is called train", FROM, ", ".join(splits), hint)
    return named[0]


def _given(rows: Rows, source: str, folder: str) -> tuple[list[str], list[tuple[str, str]]]:
    path = os.path.abspath(os.path.expanduser(folder))
    if not os.path.isdir(path):
        got = "a file" if os.path.exists(path) else "nothing of that name"
        raise InputError("ADC-INIT-007", "the candidates lie in a folder", "--candidates", f"{got}: {folder}")
    given, unlike = [], []
    own = frozenset({*rows.target, *rows.columns}) if rows.is_table else _contents(rows, source, source)
    for one in sorted(entry.path for entry in os.scandir(path) if not entry.name.startswith(".")):
        if os.path.realpath(one) == os.path.realpath(source):
            continue
        found = _contents(rows, source, one)
        if own and (own <= found if rows.is_table else own == found):
            given.append(one)
        else:
            unlike.append((os.path.basename(one), _why_unlike(rows, one)))
    return given, unlike


def _neighbours(source: str) -> list[str]:
    if not os.path.exists(source):
        return []
    folder, own = os.path.dirname(source), os.path.realpath(source)
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))[:MOST]
    except OSError:
        return []
    paths = [os.path.join(folder, name) for name in names]
    return [path for path in paths if os.path.realpath(path) != own]


def _contents(rows: Rows, source: str, path: str) -> frozenset[str]:
    """Columns, subfolders or arrays of a path, by what the source is; none where it is something else."""
    if rows.is_table:
        return frozenset(_columns(path) or ())
    if os.path.isdir(source):
        return frozenset(_layout(path) if os.path.isdir(path) else ())
    return frozenset(_arrays(path))


def _why_unlike(rows: Rows, path: str) -> str:
    names = _columns(path) if rows.is_table else None
    if names is None:
        return "another kind of file"
    lost = [name for name in (*rows.target, *rows.columns) if name not in names]
    return f"without {', '.join(lost[:4])}"


def _columns(path: str) -> list[str] | None:
    if not (is_table_name(path) and os.path.isfile(path)) and not is_saved(path):
        return None
    try:
        return read_names(request_of(path))
    except InputError:
        return None


def _arrays(path: str) -> list[str]:
    """Names in an archive of arrays."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return []


def _layout(path: str) -> list[str]:
    """Subfolders, or the manifest, of a folder."""
    entries = [entry for entry in os.scandir(path) if not entry.name.startswith(".")]
    manifests = [entry.name for entry in entries if entry.is_file() and MANIFEST.fullmatch(entry.name)]
    return manifests or [entry.name for entry in entries if entry.is_dir()]


def _called(path: str, source: str) -> set[str]:
    words = {word.casefold() for word in WORD.findall(_stem(path))}
    return set() if words & TRAIN_WORDS else words - {w.casefold() for w in WORD.findall(_stem(source))}


def _nearest(source: str, paths: Sequence[str]) -> str | None:
    def nearness(path: str) -> float:
        return difflib.SequenceMatcher(None, _stem(path), _stem(source)).ratio()

    return max(paths, key=nearness, default=None)


def _stem(path: str) -> str:
    return os.path.basename(path).split(".")[0]
