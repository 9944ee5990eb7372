"""MLflow in this process without its talk: migrations, links and bars would stand between results."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""How MLflow is to behave; what a person has set stands."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """MLflow's words on stdout go to stderr, and only its warnings are told."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
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
