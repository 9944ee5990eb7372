"""MLflow's store, really asked: `python -m autodc.adapters.doctor.store` reads a URI from stdin and says what it met.

It is a process of its own: whoever asks need not load MLflow, and one that hangs can be ended.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from autodc.adapters.doctor.check import Check
from autodc.adapters.doctor.disks import existing
from autodc.adapters.mlflow.environment import quiet
from autodc.adapters.mlflow.store import is_installed, last_line, place, refusal, sqlite_file
from autodc.adapters.mlflow.target import OFF
from autodc.masking import masked

PATIENCE = 60.0
KNOCK_SECONDS = 10.0
LATER = "start the server or mend the address; a run goes on without and sends the rest later"


def store(uri: str) -> Check:
    """Whether MLflow can be reached at an absolute URI. Nothing is written there."""
    if uri == OFF:
        return Check(name="mlflow store", found="none: nothing is sent")
    if why := refusal(uri):
        return _failed(f"{masked(uri)}: {why}", "give sqlite:///mlflow.db, the address of a server, or none")
    if (file := sqlite_file(uri)) is not None and not file.exists():
        folder = existing(file.parent)
        return Check(name="mlflow store", found=f"{file} will be made; {folder} is there")
    if problem := _knocked(uri):
        return problem
    if not is_installed():
        return Check(name="mlflow store", found=f"{masked(uri)} answers")
    command = [sys.executable, "-P", "-m", __name__]
    try:
        said = subprocess.run(command, input=uri, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return _failed(f"{masked(uri)} gives no answer within {PATIENCE:g} s", LATER)
    if said.returncode or said.stdout.strip():
        return _failed(f"{masked(uri)}: {said.stdout.strip() or masked(said.stderr.strip()[-300:], uri)}", LATER)
    return Check(name="mlflow store", found=f"answers {place(uri)}")


def main() -> None:
    """Entry of the process: answer with what MLflow says against the store, or with nothing."""
    uri = sys.stdin.read()
    answers, sys.stdout = sys.stdout, sys.stderr  # MLflow prints links to stdout
    answers.write(masked(_asked(uri), uri))


def _asked(uri: str) -> str:
    try:
        with quiet():
            from mlflow import MlflowClient

            MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
    except Exception as error:  # a store's plugin raises types of its own
        return last_line(error)
    return ""


def _knocked(uri: str) -> Check | None:
    """What a server says to a knock at its door, where that is no welcome. `/health` welcomes every name."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return None
    host = parts.netloc.rpartition("@")[2]
    try:
        with urllib.request.urlopen(f"{parts.scheme}://{host}{parts.path.rstrip('/')}/", timeout=KNOCK_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        if error.code == 403 and "host" in error.read(2000).decode(errors="replace").lower():
            allowed = ",".join(dict.fromkeys([parts.hostname or "", host]))
            return _failed(
                f"{masked(uri)} refuses this name of its host (403)", f"mlflow server --allowed-hosts '{allowed}'"
            )
        return None  # MLflow itself says it better, with its password
    except (OSError, ValueError) as error:
        return _failed(f"{masked(uri)}: {getattr(error, 'reason', error)}", LATER)


def _failed(found: str, mend: str) -> Check:
    return Check(name="mlflow store", status="fail", found=found, mend=mend)


if __name__ == "__main__":
    main()
