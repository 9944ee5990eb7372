"""Files at a URL, by fsspec: copied once to a local cache, again when the remote file has changed."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from dataclasses import replace
from pathlib import Path

import fsspec

from autodc.data.rows import problem
from autodc.data.source import SourceRequest
from autodc.data.store import NO_ROOM, disk_problem
from autodc.errors import SurroundingsError

URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+(::|://)")


def is_remote(source: str) -> bool:
    """Whether a source is a URL."""
    return URL.match(source) is not None


def local_copy(request: SourceRequest) -> SourceRequest:
    """The same request for a file on this machine.

    Raises DataError where the URL names nothing or its protocol is not installed, SurroundingsError ADC-DATA-040
    where the server does not answer.
    """
    url = request.path
    try:
        system, path = fsspec.url_to_fs(url)
        here = "file" in _protocols(system)
        version = "" if here else str(system.ukey(path))
    except FileNotFoundError:
        raise problem(request, "001", "there is nothing at this URL") from None
    except (ImportError, ValueError) as error:
        raise problem(request, "013", "the protocol of this URL is not known here", str(error)) from None
    except Exception as error:  # every protocol raises types of its own
        raise _no_answer(request, error) from error
    if here:
        return _found(replace(request, path=path))
    name = hashlib.sha256(f"{url}\x1f{version}".encode()).hexdigest()[:32]
    local = cache_folder() / f"{name}-{Path(path).name}"
    if not local.exists():
        _download(request, system, path, local)
    return replace(request, path=str(local))


def cache_folder() -> Path:
    """Where copies of remote files lie."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "autodc" / "sources"


def _protocols(system: fsspec.AbstractFileSystem) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


def _found(request: SourceRequest) -> SourceRequest:
    if not Path(request.path).is_file():
        raise problem(request, "001", "there is no such file")
    return request


def _download(request: SourceRequest, system: fsspec.AbstractFileSystem, path: str, local: Path) -> None:
    """Copy under a temporary name, then rename: a copy that was broken off is never taken for the file."""
    temporary = local.with_name(f".{local.name}.{uuid.uuid4().hex[:8]}")
    try:
        local.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_problem(error, str(local.parent)) from error
    try:
        system.get_file(path, str(temporary))
        temporary.replace(local)
    except FileNotFoundError:
        raise problem(request, "001", "there is nothing at this URL") from None
    except Exception as error:  # every protocol raises types of its own
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise disk_problem(error, str(local.parent)) from error
        raise _no_answer(request, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _no_answer(request: SourceRequest, error: Exception) -> SurroundingsError:
    hint = "check the address and the connection, then run the same command again"
    got = f"{type(error).__name__}: {error}"
    return SurroundingsError("ADC-DATA-040", f"the file cannot be fetched ({request.path})", request.place, got, hint)
