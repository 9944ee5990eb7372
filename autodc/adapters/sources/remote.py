"""Files at a URL, by fsspec: copied to a local cache, and again whenever the remote file may have changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, final

import fsspec
from fsspec.archive import AbstractArchiveFileSystem

from autodc import large
from autodc.adapters.sources.files import regular_file
from autodc.adapters.sources.unpacked import FETCH, Meter, copy_unpacked
from autodc.adapters.sources.urls import WEB, named_path
from autodc.data.problems import problem
from autodc.data.source import SourceRequest
from autodc.errors import AutodcError, DataError, SurroundingsError
from autodc.files import NO_ROOM, disk_problem, disk_told, write_whole

NOT_THERE = (404, 410)
VALIDATORS = ("ETag", "Content-MD5", "Digest")
"""What a web server says of the content of a file; many make it of the second of its last change and its size."""
SETTLED = 2.0
"""Seconds after its last change from which on a file of the same date is the same."""
LONGEST_NAME = 100
UNUSED = 3600.0
"""Seconds since anybody last turned to a copy from which on it may go."""


@final
@dataclass(frozen=True, slots=True)
class Copy:
    """A file on this machine to read in place of a URL."""

    request: SourceRequest
    kept: tuple[str, ...] = ()
    """What lies in the cache for it."""
    notes: tuple[str, ...] = ()
    """See `Dataset`."""

    def drop(self) -> None:
        """Forget a copy that could not be read: it may be a login page that the server sent in place of the file."""
        for path in self.kept:
            Path(path).unlink(missing_ok=True)


def local_copy(request: SourceRequest, suffix: str) -> Copy:
    """The same request for a file on this machine, whose name ends with the suffix.

    A copy is taken for the file while the server says that it has not changed; where it says nothing of that, the file
    is fetched anew each time. Where the server does not answer, the last copy is used and a note says so. An archive
    that the file lies in is copied whole. Raises DataError where the URL names nothing or its protocol is not
    installed, SurroundingsError ADC-DATA-040 where the server does not answer and there is no copy.
    """
    request = replace(request, url=request.url or request.path)
    *chain, last = request.path.split("::")
    if not chain or "://" not in last:
        return _copied(request, request.path, suffix)
    archive = local_copy(replace(request, path=last), "")
    try:
        file = _copied(request, "::".join([*chain, archive.request.path]), suffix)
    except DataError:
        archive.drop()
        raise
    return replace(file, kept=(*archive.kept, *file.kept), notes=(*archive.notes, *file.notes))


def _copied(request: SourceRequest, url: str, suffix: str) -> Copy:
    """A copy of what lies at a URL, or in an archive on this machine."""
    short = _short_name(url, suffix)
    try:
        system, path = _opened(url)
        if "file" in _protocols(system):
            return Copy(replace(request, path=str(regular_file(replace(request, path=path, url="")))))
        version = _version(system, path, url)
    except FileNotFoundError as error:
        if not _refused(error):
            raise problem(request, "001", "there is nothing at this URL") from None
        return _last_copy(request, short, error.__cause__ or error)
    except zipfile.BadZipFile as error:
        raise problem(request, "002", "the archive of this URL cannot be read", str(error)) from None
    except (ImportError, ValueError) as error:
        raise problem(request, "013", "the protocol of this URL is not known here", str(error)) from None
    except AutodcError:
        raise
    except Exception as error:  # every protocol raises types of its own
        return _last_copy(request, short, error)
    which = _digest(version) if version else "last"
    local = cache_folder() / f"{_digest(request.path)}-{which}-{short}"
    if not (version and _turned_to(local)):
        try:
            _download(request, system, path, local, url.rpartition("::")[2])
        except SurroundingsError as error:
            if error.code != "ADC-DATA-040":
                raise
            return _last_copy(request, short, error.__cause__ or error)
        _forget_older(request, short, local)
    return Copy(replace(request, path=str(local)), kept=(str(local),))


def cache_folder() -> Path:
    """Where copies of remote files lie, of each URL the newest and those that were in use in the last hour."""
    return large.cache_folder("sources")


def _opened(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system of a URL, with nothing that an earlier look at it has left in memory."""
    fresh: dict[str, Any] = {link.split("://")[0]: {"skip_instance_cache": True} for link in url.split("::")[:-1]}
    system, path = fsspec.url_to_fs(url, **fresh)
    system.invalidate_cache()
    return system, path


def _version(system: fsspec.AbstractFileSystem, path: str, url: str) -> str:
    """What is known of a file by which one content can be told from another; empty where that is nothing."""
    if isinstance(system, AbstractArchiveFileSystem):  # its own key names where in memory the archive is
        return _version_of_archive(Path(url.rpartition("::")[2]), path)
    if WEB.isdisjoint(_protocols(system)):
        return str(system.ukey(path)) if _settled(_changed(system, path)) else ""
    info: Mapping[str, Any] = system.info(path)
    when = _date(info.get("Last-Modified"))
    if not _settled(when) or (when is None and not any(info.get(key) for key in VALIDATORS)):
        return ""
    return "\x1f".join(str(info.get(key)) for key in (*VALIDATORS, "Last-Modified", "size"))


def _version_of_archive(archive: Path, path: str) -> str:
    """The same of a file in an archive on this machine."""
    about = archive.stat()
    if not stat.S_ISREG(about.st_mode) or not _settled(datetime.fromtimestamp(about.st_mtime, UTC)):
        return ""
    return "\x1f".join(map(str, (path, archive, about.st_ino, about.st_mtime_ns, about.st_size)))


def _changed(system: fsspec.AbstractFileSystem, path: str) -> datetime | None:
    """When a file was changed last, where its protocol tells."""
    try:
        when = system.modified(path)
    except Exception:  # every protocol raises types of its own, and many do not tell
        return None
    return when if isinstance(when, datetime) else None


def _date(told: object) -> datetime | None:
    """A date as web servers write it; None where there is none."""
    try:
        return parsedate_to_datetime(str(told))
    except ValueError:
        return None


def _settled(changed: datetime | None) -> bool:
    """Whether a file's last change lies so far back that a later one has another date; true where none is known."""
    if changed is None:
        return True
    then = changed if changed.tzinfo else changed.replace(tzinfo=UTC)
    return (datetime.now(UTC) - then).total_seconds() >= SETTLED


def _refused(error: FileNotFoundError) -> bool:
    """Fsspec says of a web server that it has no file where it only would not, or could not, answer."""
    cause = error.__cause__
    of_the_web = isinstance(cause, OSError) or type(cause).__module__.startswith("aiohttp")
    return of_the_web and getattr(cause, "status", None) not in NOT_THERE


def _last_copy(request: SourceRequest, short: str, error: BaseException) -> Copy:
    """The newest copy of what once lay at the URL, of this name where there is one.

    Raises SurroundingsError ADC-DATA-040 where there is none.
    """
    copies = list(cache_folder().glob(f"{_digest(request.path)}-*"))
    copies.sort(key=lambda path: (_short_of(path) == short, path.stat().st_mtime))
    if not copies:
        raise _no_answer(request, error) from error
    when = datetime.fromtimestamp(copies[-1].stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")
    note = f"{request.path} does not answer ({_told(error)}), so the copy fetched on {when} is used"
    return Copy(replace(request, path=str(copies[-1])), notes=(note,))


def _turned_to(local: Path) -> bool:
    """Whether a copy is there; it is marked as in use, and when it was fetched stays as it was."""
    try:
        os.utime(local, ns=(time.time_ns(), local.stat().st_mtime_ns))
    except FileNotFoundError:
        return False
    except OSError:  # somebody else's cache
        return local.exists()
    return True


def _forget_older(request: SourceRequest, short: str, newest: Path) -> None:
    """Let older copies of a URL go, but for those of another kind and those that another study may be about to read."""
    for path in cache_folder().glob(f"{_digest(request.path)}-*"):
        if path != newest and _short_of(path) == short:
            with contextlib.suppress(OSError):
                about = path.stat()
                if time.time() - max(about.st_atime, about.st_mtime) > UNUSED:
                    path.unlink()


def _short_of(copy: Path) -> str:
    return copy.name.split("-", 2)[-1]


def _protocols(system: fsspec.AbstractFileSystem) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _short_name(url: str, suffix: str) -> str:
    """A name for people who look into the cache; its end tells the kind of file."""
    name = re.sub(r"[^\w.-]", "_", named_path(url).rpartition("/")[2], flags=re.ASCII)[-LONGEST_NAME:]
    return name if name.casefold().endswith(suffix) else name + suffix


def _download(request: SourceRequest, system: fsspec.AbstractFileSystem, path: str, local: Path, archive: str) -> None:
    """Copy whole: what was broken off is never taken for the file. archive: what it is in, on this machine."""
    with disk_told(local.parent):
        local.parent.mkdir(parents=True, exist_ok=True)
    try:
        if isinstance(system, AbstractArchiveFileSystem):
            with system.open(path, "rb") as packed:
                write_whole(local, lambda file: copy_unpacked(packed, file, Meter(request, FETCH, archive)))
        else:
            write_whole(local, lambda file: system.get_file(path, file.name))
    except DataError:
        raise
    except FileNotFoundError:
        raise problem(request, "001", "there is nothing at this URL") from None
    except Exception as error:  # every protocol raises types of its own
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise disk_problem(error, str(local.parent)) from error
        raise _no_answer(request, error) from error


def _no_answer(request: SourceRequest, error: BaseException) -> SurroundingsError:
    hint = "check the address and the connection, then run the same command again"
    place, url = request.place, request.path
    return SurroundingsError("ADC-DATA-040", f"the file cannot be fetched ({url})", place, _told(error), hint)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
