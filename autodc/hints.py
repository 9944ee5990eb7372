"""Hints: the known word that was most likely meant, and what else there is."""

from __future__ import annotations

import difflib
import pkgutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

LONGEST_NAME = 200
"""What is longer is compared by its beginning."""

MOST_NAMES = 20
"""So many known names are listed."""

SHORT_LIST = 80
"""A list of known names stands beside the one that was meant where it has up to this many characters."""

NONE: Mapping[str, str] = {}

CLOSE, VERY_CLOSE = 0.6, 0.8
"""How alike a word must be; and where so many are known that some are close to any word."""


def meant(word: str, known: Iterable[str], synonyms: Mapping[str, str] = NONE, least: float = CLOSE) -> str | None:
    """The known word that was most likely meant, None where nothing is close.

    synonyms: what else known words are called, in small letters with `_`; least: how alike it must be, 0 to 1.
    """
    folded = {_folded(w): w for w in reversed(list(known))}
    asked = _folded(word)
    if asked not in folded and synonyms.get(asked) in folded.values():
        return synonyms[asked]
    close = difflib.get_close_matches(asked[:LONGEST_NAME], folded, n=1, cutoff=least)
    return folded[close[0]] if close else None


def suggest(word: str, known: Sequence[str], what: str, synonyms: Mapping[str, str] = NONE, forms: str = "") -> str:
    """A hint: the word that was meant, and all that are known where they are few or none is close.

    what: `known slices`, `choices`; forms: what may stand there that has no name.
    """
    guess = meant(word, known, synonyms)
    names = list(dict.fromkeys(known))
    more = [f"… {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    every = [*names[:MOST_NAMES], *more, *([forms] if forms else [])]
    listed = f"{what}: {', '.join(every)}" if every else f"there are no {what}"
    if guess is None:
        return listed
    return f"did you mean {guess}? {listed}" if len(listed) <= SHORT_LIST else f"did you mean {guess}?"


def instead(where: str, attribute: str, own: Sequence[str]) -> str:
    """A hint: what the file defines that was most likely meant; the only function or class that there is, in any case.

    Empty where it defines nothing.
    """
    guess = meant(attribute, own) or (own[0] if len(own) == 1 else None)
    if guess is None:
        return f"it defines {', '.join(own[:MOST_NAMES])}" if own else ""
    others = [name for name in own if name != guess]
    more = f" It defines {', '.join([guess, *others][:MOST_NAMES])}" if others else ""
    return f"did you mean {where}:{guess}?{more}"


def nearest_program(file: Path, name: str) -> str:
    """A hint: the object of this name in the nearest program beside a file that is not there.

    name: as it was given, `path/to/file.py:Object`.
    """
    where, _, attribute = name.rpartition(":")
    guess = _beside(file, CLOSE)
    return f"did you mean {Path(where).with_name(guess)}:{attribute}?" if guess else f"looked in {file.parent}"


def nearest_module(module: str, attribute: str, folder: str, otherwise: str) -> str:
    """A hint where there is no such module: a file below the folder that is called so, or the nearest module.

    otherwise: what to do where it is neither; it stands alone where nothing is close.
    """
    file = Path(*module.split(".")).with_suffix(".py")
    guess = file.name if (Path(folder) / file).is_file() else _beside(Path(folder) / file, VERY_CLOSE)
    if guess:
        return f"did you mean {file.with_name(guess)}:{attribute}?"
    near = _module_meant(module.split("."))
    return f"did you mean {near}:{attribute}? Else {otherwise}" if near else otherwise


def _beside(file: Path, least: float) -> str | None:
    """The nearest program in the folder of a file that is not there. least: how alike the name must be."""
    try:
        guess = meant(file.stem, [one.stem for one in file.parent.glob("*.py")], least=least)
    except (OSError, ValueError):
        return None
    return f"{guess}.py" if guess else None


def _module_meant(parts: list[str]) -> str | None:
    """The module with the first part that is not there called as one that is; no package is imported for it."""
    above: list[str] | None = None
    for at, part in enumerate(parts):
        names = [*(one.name for one in pkgutil.iter_modules(above)), *(() if at else sys.stdlib_module_names)]
        if part not in names:
            guess = meant(part, [name for name in names if not name.startswith("_")], least=VERY_CLOSE)
            return ".".join([*parts[:at], guess, *parts[at + 1 :]]) if guess else None
        found = PathFinder.find_spec(".".join(parts[: at + 1]), above)
        if found is None or found.submodule_search_locations is None:
            return None
        above = list(found.submodule_search_locations)
    return None


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")
