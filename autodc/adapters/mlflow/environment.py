"""The environment of MLflow's client: how long it waits for a server, and none of its talk between results."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

TRACKING_URI = "MLFLOW_TRACKING_URI"
"""The environment's own word on which store is meant."""


def settings(retries: int) -> dict[str, str]:
    """The variables that MLflow is given; what a person has set stands.

    retries: 0 where the caller itself tries again; a server that is away blocks MLflow's client for minutes otherwise.
    """
    wanted = {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(retries),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    return {name: value for name, value in wanted.items() if name not in os.environ}


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """A server that is away is given up soon; the environment is as it was afterwards."""
    added = settings(retries=1)
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """MLflow's words on stdout go to stderr, and only its warnings are told."""
    os.environ.update(settings(retries=0))
    loggers = [logging.getLogger(name) for name in ("alembic", "mlflow")]
    before = [logger.level for logger in loggers]
    try:
        with contextlib.redirect_stdout(sys.stderr):
            for logger in loggers:
                logger.setLevel(logging.WARNING)
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
