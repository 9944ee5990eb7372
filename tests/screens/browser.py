"""A browser of this machine, what its pages complain of, and where pictures of them are kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from autodc.testing.waiting import PATIENCE

WAIT = 1000 * PATIENCE
"""Milliseconds that a page or a browser may take on a busy machine."""
FOLDER = Path(__file__).resolve().parents[2] / "build" / "screenshots"


def picture(name: str) -> Path:
    """Where a picture is kept: below AUTODC_SCREENSHOTS, or build/screenshots of the project."""
    folder = Path(os.environ.get("AUTODC_SCREENSHOTS") or FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.png"


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; skipped with the reason where this machine has none."""
    sync = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"], timeout=WAIT)
        yield browser
        browser.close()


class Watch:
    """What a page says, asks for and is refused, from now on."""

    def __init__(self, page: Any) -> None:
        self.said, self.asked, self.refused = list[str](), list[str](), list[str]()
        page.on("console", lambda message: message.type == "error" and self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("response", lambda answer: answer.status >= 400 and self.refused.append(answer.url))


def serious(page: Any) -> list[str]:
    """What axe-core finds serious or worse."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]
