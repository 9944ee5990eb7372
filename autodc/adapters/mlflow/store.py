"""Where MLflow keeps a study: tracking URIs made absolute, refused where they can never work, and told to people.

`python -m autodc.adapters.mlflow.store` reads a URI from stdin and prints what MLflow says against it. It is a process
of its own, so that whoever asks need not load MLflow, and it is asked only of addresses that are not plainly well.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from autodc.masking import masked

_SQLITE = re.compile(r"(?P<scheme>sqlite(?:\+\w+)?)://(?:/(?P<database>[^?]*))?(?P<query>\?.*)?", re.DOTALL)
_WITHOUT_SCHEME = frozenset({"databricks", "databricks-uc", "uc"})
_DATABASES = frozenset({"postgresql", "mysql", "mssql", "sqlite"})
_MAGIC = b"SQLite format 3\x00"
_PATIENCE = 120.0
_LONGEST = 600
VIEW = "workflowType=machine_learning"
"""What an address of MLflow's pages ends with: a browser that never was there before shows traces and agents first."""


def absolute_uri(uri: str, folder: str | Path) -> str:
    """Make a tracking URI independent of the working directory.

    A relative SQLite file or folder is read against `folder`, whatever its name; a server's address stays as it is.
    """
    folder = Path(folder).absolute()
    if match := _SQLITE.fullmatch(uri):
        database = match["database"] or ""
        if not database or database.startswith(("/", ":memory:", "file:")):
            return uri
        return f"{match['scheme']}:///{_quoted((folder / unquote(database)).resolve())}{match['query'] or ''}"
    if uri.startswith("file:"):
        return (folder / unquote(urlsplit(uri).path)).as_uri()
    if "://" not in uri and uri not in _WITHOUT_SCHEME:
        return (folder / uri).as_uri()
    return uri


def sqlite_file(uri: str) -> Path | None:
    """The file of a SQLite store, None for any other store."""
    match = _SQLITE.fullmatch(uri)
    database = unquote(match["database"] or "") if match else ""
    return None if not database or database.startswith((":memory:", "file:")) else Path(database)


def artifact_location(uri: str, experiment: str) -> str | None:
    """Beside a SQLite store; anywhere else the store knows best."""
    file = sqlite_file(uri)
    return (file.parent / "mlartifacts" / experiment.replace("/", "_")).as_uri() if file else None


def refusal(uri: str) -> str:
    """Why MLflow can never keep a study at this absolute URI, in a sentence, its own where it has one; else empty.

    A server that is down or a disk that is full is no such reason.
    """
    scheme = uri.partition(":")[0].lower()
    try:
        if scheme in ("http", "https"):
            parts = urlsplit(uri)
            _ = parts.port
            return "" if parts.hostname else "the address names no host"
    except ValueError as error:
        return str(error)
    if scheme == "sqlite":
        return _sqlite_refusal(uri)
    return _asked(uri)


def is_installed() -> bool:
    """Whether MLflow is there to be loaded."""
    return importlib.util.find_spec("mlflow") is not None


def place(uri: str) -> str:
    """Where an absolute URI is, in words for a person and without secrets."""
    file = sqlite_file(uri)
    return f"in the file {file}" if file else f"at {masked(uri)}"


def opening(reference: Mapping[str, str]) -> str:
    """How to look at a study in MLflow: an address, or a command for the shell."""
    uri = reference["uri"]
    if uri.startswith(("http://", "https://")):
        return f"{uri.rstrip('/')}/#/experiments/{reference['experiment_id']}/runs/{reference['run_id']}?{VIEW}"
    if uri.partition(":")[0] in _WITHOUT_SCHEME:
        return f"{uri}, experiment {reference['experiment_id']}, run {reference['run_id']}"
    return f"mlflow ui --backend-store-uri {shlex.quote(uri)}"


def last_line(error: BaseException) -> str:
    """What an exception says, as one line that is not too long."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def main() -> None:
    """Entry of the process: answer with the sentence alone, or with nothing."""
    uri = sys.stdin.read()
    answers, sys.stdout = sys.stdout, sys.stderr  # MLflow prints links to stdout
    answers.write(masked(_tried(uri), uri))


def _sqlite_refusal(uri: str) -> str:
    file = sqlite_file(uri)
    if file is None:
        return "a database in memory ends with the process that made it"
    try:
        if file.is_dir():
            return f"{file} is a folder"
        above = next((p for p in file.parents if p.exists()), file.parent)
        if not above.is_dir():
            return f"{above} is a file, not a folder"
        if file.is_file():
            with file.open("rb") as opened:
                begin = opened.read(len(_MAGIC))
            return f"{file} is no SQLite database" if begin and begin != _MAGIC else ""
    except OSError:  # may be mended by the time it is written
        return ""
    return ""


def _asked(uri: str) -> str:
    """Ask MLflow, in a process of its own."""
    if not is_installed():
        return ""
    command = [sys.executable, "-P", "-m", "autodc.adapters.mlflow.store"]
    try:
        said = subprocess.run(command, input=uri, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return ""
    return said.stdout.strip()


def _tried(uri: str) -> str:
    """Open the store as far as that needs no other machine; what is raised then will be raised for ever."""
    try:
        if uri.partition(":")[0].partition("+")[0] in _DATABASES:
            from sqlalchemy import create_engine

            create_engine(uri)
        else:
            from mlflow import MlflowClient

            MlflowClient(tracking_uri=uri)
    except Exception as error:  # a store's plugin raises types of its own
        if isinstance(error, OSError):
            return ""
        return last_line(error)
    return ""


def _quoted(path: Path) -> str:
    """A path as the database of an SQLAlchemy URL: what would begin its query or be unquoted is quoted."""
    return re.sub(r"[%?#]", lambda match: f"%{ord(match[0]):02X}", str(path))


if __name__ == "__main__":
    main()
