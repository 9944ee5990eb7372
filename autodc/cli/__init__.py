"""The command line: verbs, `--json`, exit codes."""

from autodc.cli.main import main

__all__ = ["main"]
