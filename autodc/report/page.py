"""Writes `report/index.html` from the state and the result."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autodc.study.state import State


def write_report(state: State, result: Mapping[str, Any], folder: Path) -> Path:
    """Write the page and return its path."""
    path = folder / "report" / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    title, body = html.escape(str(result["study"])), html.escape(json.dumps(result, indent=2))
    head = f"<!doctype html><html><head><title>{title}</title></head>"
    path.write_text(f"{head}<body><pre>{body}</pre></body></html>")
    return path
