"""What lies in a folder and below it: images and arrays, in the order of their names, and what is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import final

from PIL import Image

from autodc.adapters.pictures.decode import DRAWINGS
from autodc.data.problems import problem
from autodc.data.source import SourceRequest

ARRAY = ".npy"
NO_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r", "__macosx", "lost+found"})
"""What systems leave in folders, beside whatever begins with a point."""
DEEPEST = 40
SHOWN = 3


@final
@dataclass(frozen=True, slots=True)
class Listing:
    """Paths below a folder, with `/` between their parts."""

    files: tuple[str, ...]
    """Images and arrays."""
    others: tuple[str, ...]
    empty: tuple[str, ...]
    """Folders in the first level that have neither images nor arrays below them."""

    def notes(self) -> Iterator[str]:
        """What a person should know of what is not read."""
        if self.others:
            yield f"{_files(self.others)} no images and not read"
        if self.empty:
            yield f"{'folders' if len(self.empty) > 1 else 'folder'} without images: {shown(self.empty)}"


def listing(request: SourceRequest, aside: str = "") -> Listing:
    """List a folder through links. aside: a file there that is known.

    Raises DataError ADC-DATA-002 where a folder cannot be looked at, 047 for a name that is no text.
    """
    root = Path(request.path)
    files, others, first = list[str](), list[str](), set[str]()
    for name, is_folder in _below(request, root, "", ()):
        if is_folder:
            first.add(name)
        elif is_readable(name):
            files.append(name)
        elif os.path.join(root, name) != aside:
            others.append(name)
    full = {PurePosixPath(name).parts[0] for name in files}
    return Listing(tuple(sorted(files)), tuple(sorted(others)), tuple(sorted(first - full)))


def is_image(name: str) -> bool:
    """Whether a file is an image by the end of its name."""
    return PurePosixPath(name).suffix.casefold() in image_suffixes()


def is_readable(name: str) -> bool:
    """Whether a file is an image or an array by the end of its name."""
    return is_image(name) or name.casefold().endswith(ARRAY)


@lru_cache(maxsize=1)
def image_suffixes() -> frozenset[str]:
    """The ends of names of the images that pillow reads by itself."""
    known = Image.registered_extensions()
    return frozenset(suffix for suffix, kind in known.items() if kind in Image.OPEN and kind not in DRAWINGS)


def shown(names: tuple[str, ...] | list[str]) -> str:
    """The first of these names."""
    return ", ".join(f"`{cut(name)}`" for name in names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def cut(name: object, longest: int = 120) -> str:
    """A name as a message shows it."""
    text = str(name).replace("\0", "\\0")
    return text if len(text) <= longest else f"{text[:longest]}…"


def _files(names: tuple[str, ...]) -> str:
    return f"{len(names)} files ({shown(names)}) are" if len(names) > 1 else f"{shown(names)} is"


def _below(
    request: SourceRequest, folder: Path, within: str, above: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, bool]]:
    """(name, whether it is a folder) of all below a folder, of folders the first level alone."""
    try:
        here = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        got = f"`{cut(within)}`: {error.strerror}" if within else str(error.strerror)
        raise problem(request, "002", "a folder may not be looked at", got) from None
    if (here.st_dev, here.st_ino) in above or len(above) > DEEPEST:
        return  # a link that leads back up
    for entry in entries:
        if entry.name.startswith(".") or entry.name.casefold() in NO_FILES:
            continue
        name = f"{within}/{entry.name}" if within else entry.name
        if not _is_text(name):
            raise problem(request, "047", "the name of a file is no text in UTF-8", repr(os.fsencode(name)[-80:]))
        if _is_folder(entry):
            if not within:
                yield name, True
            yield from _below(request, folder / entry.name, name, (*above, (here.st_dev, here.st_ino)))
        else:
            yield name, False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself; who opens it is told
        return False


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
