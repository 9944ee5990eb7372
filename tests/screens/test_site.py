"""The guide as a site: built strictly, served on loopback, asking nothing of anybody else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from autodc.testing.waiting import until
from tests.screens.browser import WAIT, Watch, chromium, picture

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("", "guide/mlflow/", "cli/", "decisions/", "pictures/")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *said: object) -> None:
        """Say nothing of what was asked."""


@pytest.mark.slow(seconds=15)
@pytest.mark.timeout(1800)
def test_the_site_is_found_through_and_asks_nobody_else(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    files = partial(Quiet, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), files) as server, chromium() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(WAIT)
        watch = Watch(page)
        for name in PAGES:
            page.goto(f"{address}{name}")
            assert page.locator("h1").count() == 1
        page.goto(address)
        page.screenshot(path=picture("site"))
        words = page.locator("input.md-search__input")
        words.fill("margin")
        # The page searches when a key is let go, once it listens: how soon that is depends on the machine.
        until(lambda: words.press("End") or page.locator(".md-search-result__item:visible").count(), "it is found")
        assert [url for url in watch.asked if not url.startswith((address, "data:", "blob:"))] == []
        assert (watch.said, watch.refused) == ([], [])
        server.shutdown()
